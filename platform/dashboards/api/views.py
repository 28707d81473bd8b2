"""Read-only figures for machines, the same that the operations page shows."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from dashboards.api.authentication import HasToken
from dashboards.api.serializers import (
    ErrorSerializer,
    FiguresQuery,
    KeysSerializer,
    SessionFiguresSerializer,
    TenantSerializer,
    UsageSerializer,
)
from dashboards.broken import who_is_broken
from dashboards.chat_usage import chat_usage
from dashboards.figures import session_figures
from dashboards.key_figures import NO_KEY, key_states, last_check_at, tenants_by_state, worst_states
from dashboards.spans import SPANS
from gateway.models import OpsScope
from tenants.models import Tenant

REFUSALS: dict[int | str, Any] = {401: ErrorSerializer, 403: ErrorSerializer}
TENANT = OpenApiParameter("tenant", str, description="A tenant's slug. Absent: all.")
RANGE = OpenApiParameter("range", str, enum=list(SPANS), default="24h")


class AddressesView(APIView):
    """Where the figures are, for any token; each address names the scope that it asks for."""

    permission_classes = (HasToken,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        views: dict[str, Any] = {"sessions": SessionsView, "usage": UsageView, "keys": KeysView, "tenants": TenantsView}
        addresses = [
            {"url": reverse(f"ops-api-{name}", request=request), "scope": view.scope, "what": view.__doc__}
            for name, view in views.items()
        ]
        return Response({"addresses": addresses, "docs": reverse("ops-api-docs", request=request)})


class UnknownView(APIView):
    """Whatever else is asked below the API's address: machines get their error shape, not a page."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is no such address. /api/v1/ops/ lists those that there are, for any token.")


class SessionsView(APIView):
    """Session requests by outcome, refusal reasons and OpenAI's latency."""

    scope: ClassVar[str] = OpsScope.SESSIONS_READ

    @extend_schema(
        parameters=[RANGE, TENANT], responses={200: SessionFiguresSerializer, 400: ErrorSerializer, **REFUSALS}
    )
    def get(self, request: Request) -> Response:
        query = FiguresQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        tenant: Tenant | None = query.validated_data["tenant"]
        figures = session_figures(span=SPANS[query.validated_data["range"]], tenant_id=tenant.pk if tenant else None)
        return Response(SessionFiguresSerializer(figures).data)


class UsageView(APIView):
    """Model runs of chats that the platform serves: tokens, cost, errors, time to the first words, the largest tenants."""

    scope: ClassVar[str] = OpsScope.SESSIONS_READ

    @extend_schema(parameters=[RANGE, TENANT], responses={200: UsageSerializer, 400: ErrorSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        query = FiguresQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        tenant: Tenant | None = query.validated_data["tenant"]
        usage = chat_usage(span=SPANS[query.validated_data["range"]], tenant_id=tenant.pk if tenant else None)
        return Response(UsageSerializer(usage).data)


class KeysView(APIView):
    """Keys and pairs by verdict, tenants by their worst one, who is broken now, and the age of the last check."""

    scope: ClassVar[str] = OpsScope.KEYS_READ

    @extend_schema(responses={200: KeysSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        facts = {
            "states": key_states(),
            "tenants": tenants_by_state(),
            "broken": who_is_broken(),
            "last_check_at": last_check_at(),
        }
        return Response(KeysSerializer(facts).data)


class TenantsView(APIView):
    """Tenants, their states and those of their keys."""

    scope: ClassVar[str] = OpsScope.TENANTS_READ

    @extend_schema(responses={200: TenantSerializer(many=True), **REFUSALS})
    def get(self, request: Request) -> Response:
        keys = worst_states()
        tenants = [
            {
                "slug": tenant.slug,
                "name": tenant.name,
                "public_id": tenant.public_id,
                "state": tenant.state,
                "keys": keys.get(tenant.pk, NO_KEY),
                "domains": [domain.entry for domain in tenant.domains.all()],
                "assistants": [assistant.slug for assistant in tenant.assistants.all()],
            }
            for tenant in Tenant.objects.prefetch_related("domains", "assistants")
        ]
        return Response(TenantSerializer(tenants, many=True).data)
