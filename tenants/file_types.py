"""Types of files that an assistant which the platform serves may take, and what a list of them may say."""

from typing import Any, Final

from django.core.exceptions import ValidationError

# What a model reads: images, PDF, and text of some kinds. All others are refused, whatever an assistant's row says.
# With the ends of names that a browser's file dialog offers for each.
EXTENSIONS: Final = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt",),
    "text/csv": (".csv",),
    "text/markdown": (".md",),
}
FILE_TYPES: Final = tuple(EXTENSIONS)


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
