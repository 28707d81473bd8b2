"""Says of a pasted token what the session endpoint would say, at length. It is used for this one answer and kept nowhere."""

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit.changes import printable
from encryption import base64url
from gateway.identity_refusals import RefusalWords
from gateway.identity_tokens import MAX_TOKEN, Identity, verify_identity
from sessions_api.signing_code import signing_code
from tenants.identity_keys import verifying_keys
from tenants.models import IdentityMode, Tenant

_LONGEST_VALUE: Final = 120
_SHOWN_CLAIMS: Final = ("aud", "sub", "jti", "iat", "nbf", "exp")


class TokenForm(forms.Form):
    """Takes more than the endpoint does, so that a token that is too long is told so; what was pasted is not shown again."""

    token = forms.CharField(
        label="Token",
        max_length=100_000,
        widget=forms.Textarea(
            attrs={"rows": 6, "class": "vLargeTextField", "spellcheck": "false", "autocomplete": "off"}
        ),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """`words` is None for a token that would be taken; `said` is what the token says, believed or not."""

    identity: Identity | None = field(repr=False)
    reason: str
    words: RefusalWords | None
    said: list[tuple[str, str]] = field(repr=False)


@permission_required("tenants.view_tenant", raise_exception=True)
@sensitive_post_parameters("token")
@sensitive_variables("form", "finding", "token")
def identity_debugger(request: HttpRequest, tenant_id: uuid.UUID) -> HttpResponse:
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    form = TokenForm(request.POST or None)
    finding = None
    if request.method == "POST" and form.is_valid():
        finding = examine(tenant, form.cleaned_data["token"], now=time.time())
        form = TokenForm()
    context = {
        **admin.site.each_context(request),
        "title": "Debug a token",
        "tenant": tenant,
        "mode": str(IdentityMode(tenant.identity_mode).label).partition(":")[0],
        "form": form,
        "finding": finding,
    }
    return TemplateResponse(request, "sessions_api/identity_debugger.html", context)


@permission_required("tenants.view_tenant", raise_exception=True)
def identity_code(request: HttpRequest, tenant_id: uuid.UUID) -> HttpResponse:
    """Ready code for the tenant's server, its public ID filled in."""
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    context = {
        **admin.site.each_context(request),
        "title": "Ready code for signing visitors",
        "tenant": tenant,
        "languages": [(code.title, code.for_tenant(tenant.public_id)) for code in signing_code()],
    }
    return TemplateResponse(request, "sessions_api/identity_code.html", context)


@sensitive_variables("token", "found")
def examine(tenant: Tenant, token: str, *, now: float) -> Finding:
    """Nothing is used up: whether the token opened a chat before is not asked."""
    found = verify_identity(
        token,
        keys=verifying_keys(tenant),
        algorithm=tenant.identity_algorithm,
        audience=tenant.public_id,
        now=int(now),
        claims=tenant.identity_claims,
    )
    said = _said(token, now) if len(token) <= MAX_TOKEN else []
    if isinstance(found, Identity):
        return Finding(found, "", None, said)
    return Finding(None, found.value, found.words, said)


def _said(token: str, now: float) -> list[tuple[str, str]]:
    """The header's algorithm and the claims that count, as far as they can be read: none of it is believed."""
    header, payload = (_object(part) for part in (*token.split("."), "", "")[:2])
    said = [("alg", _shown(header["alg"]))] if "alg" in header else []
    for name in _SHOWN_CLAIMS:
        if name in payload:
            value = payload[name]
            said.append((name, _moment(value, now) if name in {"iat", "nbf", "exp"} else _shown(value)))
    return said


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64url.decode(part.rstrip("=")))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _shown(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False)[:_LONGEST_VALUE])


def _moment(value: object, now: float) -> str:
    """A time as people read it, and how far it is from now; what is no time, as it stands."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _shown(value)
    try:
        at = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return _shown(value)
    away = round(value - now)
    return f"{value} = {at:%Y-%m-%d %H:%M:%S} UTC, {abs(away)} s {'from now' if away > 0 else 'ago'}"
