"""Types of files that an assistant which the platform serves may take, and what a list of them may say."""

from typing import Any, Final

from django.core.exceptions import ValidationError

# What a model reads: images, PDF, and text of some kinds. All others are refused, whatever an assistant's row says.
FILE_TYPES: Final = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/csv",
    "text/markdown",
)


def validate_file_types(value: Any) -> None:
    if not isinstance(value, list) or len(set(map(str, value))) != len(value):
        raise ValidationError("Give a list of file types, each once.")
    unknown = [str(each) for each in value if each not in FILE_TYPES]
    if unknown:
        raise ValidationError(
            f"{', '.join(unknown)[:200]}: no such type is taken. Choose from {', '.join(FILE_TYPES)}."
        )


def accepted(chosen: list[str]) -> tuple[str, ...]:
    """The types of a list that is stored; all where it is empty."""
    return tuple(each for each in FILE_TYPES if each in chosen) or FILE_TYPES
