"""About how many tokens a turn's input has, for a turn that was cut before OpenAI said how many it counted.

Rough on purpose, and rather too many: whoever leaves each answer at its first word must not have the conversation for nothing.
"""

import json
from typing import Any, Final

from chat_server.run_limits import tokens_in

# OpenAI charges a picture of usual size with about so much.
_TOKENS_OF_IMAGE: Final = 1_500
# Of base64: a text is read as it is, of a document's bytes few are words, but each page is looked at as well.
_CHARS_PER_TOKEN_OF_TEXT_FILE: Final = 4
_CHARS_PER_TOKEN_OF_DOCUMENT: Final = 40


def tokens_of_input(instructions: str | None, items: Any) -> int:
    """`items` as the agents' package sends them: a text, or a list of parts of a conversation."""
    return tokens_in(len(instructions or "")) + _tokens(items)


def _tokens(value: Any) -> int:
    if isinstance(value, str):
        return tokens_in(len(value))
    if isinstance(value, list):
        return sum(_tokens(each) for each in value)
    if not isinstance(value, dict):
        return 0
    match value.get("type"):
        case "input_image":
            return _TOKENS_OF_IMAGE
        case "input_file":
            data = str(value.get("file_data") or "")
            is_text = data.startswith("data:text/")
            return len(data) // (_CHARS_PER_TOKEN_OF_TEXT_FILE if is_text else _CHARS_PER_TOKEN_OF_DOCUMENT) + 1
    if isinstance(content := value.get("content"), str | list):
        return _tokens(content)
    if isinstance(text := value.get("text"), str):
        return tokens_in(len(text))
    return tokens_in(len(json.dumps(value, default=str)))
