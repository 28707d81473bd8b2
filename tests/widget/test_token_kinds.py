"""What browsers read in a visitor token: whether it is an anonymous visitor's, and may be kept for longer than the tab."""

import re
from pathlib import Path

import pytest

from gateway.visitor_tokens import PROOF_BYTES, PSEUDONYM_BYTES, Visitor, mint_visitor_token

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
PUBLIC_ID = "tn_" + "a" * 28
# Long before and long after anybody uses this.
DAYS = (1_577_836_800, 1_800_000_000, 4_102_444_800)


@pytest.fixture(params=["embed/src/sessions.ts", "react/src/chat/shared/sessions.ts"])
def anonymous(request):
    source = (FRONTEND / request.param).read_text()
    return re.compile(re.search(r"^const ANONYMOUS = /(.+)/;$", source, flags=re.MULTILINE)[1])


@pytest.mark.parametrize("now", DAYS)
def test_the_browser_tells_an_anonymous_visitors_token_from_a_known_ones(anonymous, now):
    known = Visitor.known("ada", pseudonym=bytes(PSEUDONYM_BYTES))

    of_nobody = mint_visitor_token(Visitor.anonymous(), tenant_public_id=PUBLIC_ID, epoch=2**32 - 1, now=now)
    of_ada = mint_visitor_token(known, tenant_public_id=PUBLIC_ID, epoch=0, now=now, proof=bytes(PROOF_BYTES))

    assert anonymous.match(of_nobody)
    assert not anonymous.match(of_ada)
