"""How the OpenAPI of the operations API describes its authentication."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class OpsTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "dashboards.api.authentication.OpsTokenAuthentication"
    name = "opsToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A scoped read token, made in the admin."}
