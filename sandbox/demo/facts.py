"""What the websites are configured with, and what var/demo.json tells."""

from typing import Any

from sandbox.demo.layout import LOOPBACK, Layout
from sandbox.demo.preparation import ADMIN


def sites(layout: Layout, public_ids: list[str]) -> list[dict[str, Any]]:
    def snippet(public_id: str) -> str:
        return f'<script async src="{layout.platform}/widget/v1/embed.js" data-tenant="{public_id}"></script>'

    pages: list[dict[str, Any]] = [
        {
            "port": tenant.port,
            "title": tenant.name,
            "accent": tenant.accent,
            "kind": "tenant",
            "snippet": snippet(public_id),
            **({"chatkit": layout.sandbox} if tenant.upstream == "sandbox" else {}),
        }
        for tenant, public_id in zip(layout.tenants, public_ids, strict=True)
    ]
    pages.append(
        {
            "port": layout.stranger_port,
            "title": "A stranger's page",
            "accent": "#6b7280",
            "kind": "stranger",
            "snippet": snippet(public_ids[0]),
            "chatkit": layout.sandbox,
        }
    )
    if layout.react_build:
        config = {
            "apiUrl": f"{layout.platform}/api/v1/tenants/{public_ids[0]}",
            "chatkitJsUrl": f"{layout.sandbox}/chatkit.js",
        }
        pages.append(
            {
                "port": layout.react_port,
                "title": "React",
                "kind": "static",
                "root": str(layout.react_build),
                "config": config,
            }
        )
    return pages


def describe(layout: Layout, public_ids: list[str], password: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "platform": layout.platform,
        "admin": {"url": f"{layout.platform}/admin/", "username": ADMIN, "password": password},
        "sandbox": layout.sandbox,
        "tenants": [
            {
                "name": tenant.name,
                "public_id": public_id,
                "origin": tenant.origin,
                "page": f"{tenant.origin}/",
                "backend": tenant.backend,
            }
            for tenant, public_id in zip(layout.tenants, public_ids, strict=True)
        ],
        "stranger": {
            "origin": f"http://{LOOPBACK}:{layout.stranger_port}",
            "page": f"http://{LOOPBACK}:{layout.stranger_port}/",
        },
    }
    if layout.react_build:
        origin = f"http://{LOOPBACK}:{layout.react_port}"
        facts["react"] = {"origin": origin, "page": f"{origin}/", "tenant": public_ids[0]}
    return facts
