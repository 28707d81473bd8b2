"""What a version may name as tools: vector stores of the tenant's project, and functions of the tenant's page.

`client_tools` is a list of `{"name": …, "description": …, "parameters": {JSON schema of an object}}`.
"""

import json
import re
from typing import Any, Final

from django.core.exceptions import ValidationError

MOST_STORES: Final = 10
MOST_TOOLS: Final = 20
MAX_SCHEMA_BYTES: Final = 8 * 1024
MAX_DESCRIPTION: Final = 1024
# What the platform itself, or OpenAI, calls its own tools: the model could not tell a page's function from them.
BUILT_IN: Final = frozenset({"ask_visitor", "file_search", "web_search", "web_search_preview", "code_interpreter"})
_STORE = re.compile(r"vs_[A-Za-z0-9_-]{1,120}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEYS: Final = {"name", "description", "parameters"}


def validate_vector_stores(value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValidationError("Give a list of vector store IDs: “vs_…”, one a line.")
    if len(value) > MOST_STORES:
        raise ValidationError(f"At most {MOST_STORES} vector stores; put the files of several into one.")
    for each in value:
        if not _STORE.fullmatch(each):
            raise ValidationError(
                f"“{each[:60]}” is no vector store's ID: it starts with “vs_” and has no blanks. It stands at "
                "platform.openai.com → Storage → Vector stores."
            )
    if len(set(value)) < len(value):
        raise ValidationError("A vector store is named twice. Name each once.")


def validate_client_tools(value: Any) -> None:
    if not isinstance(value, list):
        raise ValidationError("Give a list: [ {“name”: …, “description”: …, “parameters”: {…}}, … ].")
    if len(value) > MOST_TOOLS:
        raise ValidationError(f"At most {MOST_TOOLS} functions. A model that has to choose among more chooses badly.")
    names: set[str] = set()
    for number, tool in enumerate(value, start=1):
        name = _valid_tool(tool, number)
        if name in names:
            raise ValidationError(f"Two functions are called “{name}”. Rename one.")
        names.add(name)


def _valid_tool(tool: Any, number: int) -> str:
    if not isinstance(tool, dict) or set(tool) != _KEYS:
        raise ValidationError(f"Function {number}: give exactly “name”, “description” and “parameters”.")
    name, description, parameters = tool["name"], tool["description"], tool["parameters"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValidationError(f"Function {number}: its name has 1 to 64 letters, digits, “_” and “-”.")
    if name in BUILT_IN:
        raise ValidationError(f"Function {number}: “{name}” is the name of a built-in tool. Choose another.")
    if not isinstance(description, str) or not description.strip() or len(description) > MAX_DESCRIPTION:
        raise ValidationError(f"“{name}”: say in 1 to {MAX_DESCRIPTION} characters when the model should call it.")
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        raise ValidationError(
            f"“{name}”: its parameters are a JSON schema of an object: {{“type”: “object”, “properties”: {{…}}}}."
        )
    if not isinstance(parameters.get("properties", {}), dict):
        raise ValidationError(f"“{name}”: “properties” of its parameters is an object, one entry for each parameter.")
    if len(json.dumps(parameters).encode()) > MAX_SCHEMA_BYTES:
        raise ValidationError(f"“{name}”: its parameters are longer than {MAX_SCHEMA_BYTES // 1024} KiB. Shorten them.")
    return name
