"""Who was erased, as the certificates say: they are all that is left of an erased visitor, and name it by a digest."""

import json
from collections.abc import Collection

from sessions_api.certificate import hash_of
from sessions_api.models import VisitorErasure, VisitorLink


def erased_among(links: Collection[VisitorLink]) -> list[VisitorLink]:
    """Those whose visitor was erased after it was first seen. Who came back later is somebody new."""
    if not links:
        return []
    finished = VisitorErasure.objects.filter(
        tenant__in={link.tenant_id for link in links}, finished_at__gte=min(link.first_seen_at for link in links)
    )
    erased_at = {
        (tenant_id, json.loads(certificate)["certificate"]["visitor_sha256"]): at
        for tenant_id, certificate, at in finished.order_by("finished_at")
        .values_list("tenant_id", "certificate", "finished_at")
        .iterator()
    }
    return [
        link
        for link in links
        if (at := erased_at.get((link.tenant_id, hash_of(link.user)))) is not None and link.first_seen_at <= at
    ]
