"""A secret in memory: it can be used, and shown nowhere."""

import hmac
from typing import Any, Final, NoReturn, final

MASK: Final = "Secret(…)"


@final
class Secret:
    """A text that prints as `Secret(…)` and can be neither copied, pickled, serialised nor hashed.

    The one way to the text is `reveal()`, which is easy to search for. Equality is by constant-time comparison, and
    only with another Secret. Raises TypeError for anything but a str, ValueError for a blank or undecodable one.
    """

    __slots__ = ("__value",)

    __value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("A Secret is made from a str.")
        if not value:
            raise ValueError("A Secret may not be empty.")
        if not _is_encodable(value):
            raise ValueError("A Secret must be valid Unicode text.")
        object.__setattr__(self, "_Secret__value", value)

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    # Unhashable: as a dictionary key or a cache key it would be compared and kept where nobody looks for it.
    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A Secret cannot be changed.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("A Secret cannot be changed.")

    # Each of these would otherwise hand the text to pickle, copy, Celery or a cache.
    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied.")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied.")

    def __getstate__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied.")

    def __copy__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied.")

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied.")


def _is_encodable(value: str) -> bool:
    # A UnicodeEncodeError carries the whole text in its `object`, so it must not leave this function, not even as
    # the context of another exception.
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
