"""Machines authenticate with `Authorization: Bearer ops_…`; each view names the scope that it needs."""

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from gateway.models import OpsToken
from gateway.ops_tokens import find_ops_token

if TYPE_CHECKING:
    # rest_framework.views reads this module while it is being imported.
    from rest_framework.views import APIView

NO_TOKEN = "Send a token: “Authorization: Bearer ops_…”. A site admin makes one under Operations tokens."


class OpsTokenAuthentication(BaseAuthentication):
    """Sets `request.auth` to the token; there is no user."""

    def authenticate(self, request: Request) -> tuple[None, OpsToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = find_ops_token(words[1].decode("ascii", "replace")) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("This token is unknown, revoked or expired. Make a new one in the admin.")
        return None, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="operations"'


class HasToken(BasePermission):
    """Any good token, whatever its scopes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        _token_of(request)
        return True


class HasScope(BasePermission):
    """The token's scopes hold the view's `scope`. A view without one is refused to everybody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        token = _token_of(request)
        scope: Any = getattr(view, "scope", None)
        self.message = f"This token lacks the scope {scope}. Make one that has it."
        return scope is not None and scope in token.scopes


def _token_of(request: Request) -> OpsToken:
    if not isinstance(request.auth, OpsToken):
        raise NotAuthenticated(NO_TOKEN)
    return request.auth
