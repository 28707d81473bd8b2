import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption import base64url


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(raw):
    assert base64url.decode(base64url.encode(raw)) == raw


@given(st.text(max_size=60))
def test_only_one_text_stands_for_each_value(text):
    try:
        raw = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(raw) == text


@pytest.mark.parametrize(
    "text",
    ["QQ==", "QQ=", "QR", "Q", "Q Q", "QQ\n", "+/+/", "QUJ!", "QÜ", "\ud800QQQ", "QQ.QQ"],
)
def test_another_spelling_is_refused(text):
    with pytest.raises(ValueError, match="canonical"):
        base64url.decode(text)
