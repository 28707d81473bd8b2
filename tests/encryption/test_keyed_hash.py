"""Our HMAC is everybody's."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from encryption.keyed_hash import keyed_hash


@given(key=st.binary(min_size=1, max_size=200), message=st.binary(max_size=500))
def test_it_is_hmac_sha256(key: bytes, message: bytes) -> None:
    assert keyed_hash(key, message) == hmac.digest(key, message, "sha256")


def test_a_case_of_rfc_4231() -> None:
    assert keyed_hash(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
