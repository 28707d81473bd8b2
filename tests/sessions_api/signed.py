"""A shop that signs its visitors: its key in the console, the other half here."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from tenants.identity_keys import add_public_key, add_secret
from tenants.models import IdentityKey, Tenant
from tenants.verifying_keys import read_public_key
from tests.gateway.signing import Signer, claims, two_signers
from tests.platform_server import Answer, Platform
from tests.sessions_api.cast import Shop, open_shop, someone_elsewhere


@dataclass
class SignedShop:
    shop: Shop
    signer: Signer = field(repr=False)
    key: IdentityKey

    @property
    def public_id(self) -> str:
        return self.shop.public_id

    def sign(self, **changes: Any) -> str:
        """A fresh token for user-42, or as `changes` say."""
        return self.signer.token(claims(self.public_id, int(time.time()), **changes))

    def ask(
        self, platform: Platform, *, identity: str | None = None, visitor: str | None = None, **call: Any
    ) -> Answer:
        body = {"identity_token": identity, "visitor_token": visitor} | call.pop("body", {})
        return self.shop.ask(platform, body=body, headers=someone_elsewhere(), **call)

    def switch(self, platform: Platform | None = None, **fields: Any) -> None:
        """Change the tenant, and wait until the process knows."""
        change_tenant(self.shop.tenant, **fields)
        if platform is not None:
            platform.wait_for_configuration()


def open_signed_shop(
    sandbox: Sandbox, mode: str = "optional", *, algorithm: str = "HS256", name: str = "Alder", **fields: Any
) -> SignedShop:
    shop = open_shop(sandbox, name)
    change_tenant(shop.tenant, identity_mode=mode, identity_algorithm=algorithm, **fields)
    signer, key = give_signer(shop.tenant, algorithm)
    return SignedShop(shop, signer, key)


def give_signer(tenant: Tenant, algorithm: str = "HS256", label: str = "website") -> tuple[Signer, IdentityKey]:
    if algorithm == "HS256":
        key, secret = add_secret(tenant=tenant, label=label, actor=SYSTEM)
        return Signer("HS256", secret=secret.reveal()), key
    signer = two_signers(algorithm)[0]
    public_key = read_public_key(signer.pem)
    return signer, add_public_key(tenant=tenant, label=label, public_key=public_key, actor=SYSTEM)


def change_tenant(tenant: Tenant, **fields: Any) -> None:
    row = Tenant.objects.get(pk=tenant.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
