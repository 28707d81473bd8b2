"""What a request of `/v1/responses` asks for: read from JSON as OpenAI reads it, refused as OpenAI refuses it.

Input is a text or a list of items: messages (text, images, files), function calls with their outputs, and the items that
earlier replies consisted of. A function call without its output, or the other way round, is refused as at OpenAI: there a
conversation that was put together wrongly shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox import errors

CHARS_PER_TOKEN = 4
# An image or a file, whatever its size.
TOKENS_PER_ATTACHMENT = 100
FEWEST_OUTPUT_TOKENS = 16
ROLES = ("user", "assistant", "system", "developer")
IMAGE_PARTS, FILE_PARTS = ("input_image",), ("input_file",)
TEXT_PARTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
KNOWN_ITEMS = (
    "message",
    "function_call",
    "function_call_output",
    "file_search_call",
    "web_search_call",
    "reasoning",
    "item_reference",
)


@dataclass(frozen=True)
class Asked:
    """`text`: the last message of the user. `tool_output`: what a function answered after it, else None."""

    model: str
    streamed: bool
    text: str
    images: int
    files: int
    tool_output: str | None
    tools: list[dict[str, Any]]
    max_output_tokens: int | None
    input_tokens: int
    prefixes: list[str] = field(repr=False)
    body: dict[str, Any] = field(repr=False)

    def tool(self, kind: str, name: str | None = None) -> dict[str, Any] | None:
        """The offered tool of this type (and name)."""
        found = (tool for tool in self.tools if tool.get("type") == kind and name in (None, tool.get("name")))
        return next(found, None)

    @property
    def vector_stores(self) -> list[str]:
        return [str(store) for tool in self.tools for store in tool.get("vector_store_ids") or ()]


def tokens_in(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)


def read_asked(body: Any) -> Asked:
    """The request; raises the Refusal that OpenAI would answer with."""
    if not isinstance(body, dict):
        raise errors.unparsable_body()
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise errors.missing_parameter("model")
    items = _items(body.get("input"))
    if not (body.get("previous_response_id") or body.get("conversation")):
        _check_calls(items)
    instructions = body.get("instructions") or ""
    texts, attachments = _contents(items)
    place = max((number for number, item in enumerate(items) if item.get("role") == "user"), default=-1)
    parts = _parts(items[place]) if place >= 0 else []
    outputs = [item for item in items[place + 1 :] if item.get("type") == "function_call_output"]
    return Asked(
        model=body["model"],
        streamed=body.get("stream") is True,
        text=" ".join(_texts(parts)).strip(),
        images=sum(part.get("type") in IMAGE_PARTS for part in parts),
        files=sum(part.get("type") in FILE_PARTS for part in parts),
        tool_output=_output_text(outputs[-1]) if outputs else None,
        tools=_tools(body.get("tools")),
        max_output_tokens=_most_tokens(body.get("max_output_tokens")),
        input_tokens=tokens_in(str(instructions) + "".join(texts)) + attachments * TOKENS_PER_ATTACHMENT,
        prefixes=list(_prefixes(str(instructions), items)),
        body=body,
    )


def _items(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if given is None:
        raise errors.missing_parameter("input")
    if not isinstance(given, list) or not given:
        raise errors.invalid_type("input", "one of a string or a non-empty array", "something else")
    for number, item in enumerate(given):
        if not isinstance(item, dict):
            raise errors.invalid_type(f"input[{number}]", "an object", "something else")
        _check_item(item, f"input[{number}]")
    return given


def _check_item(item: dict[str, Any], name: str) -> None:
    kind = item.get("type", "message")
    if kind not in KNOWN_ITEMS:
        raise errors.invalid_value(f"{name}.type", f"'{str(kind)[:40]}' is not supported.")
    if kind == "message":
        if item.get("role") not in ROLES:
            raise errors.invalid_value(
                f"{name}.role", f"'{str(item.get('role'))[:40]}'. Supported: {', '.join(ROLES)}."
            )
        if not isinstance(item.get("content"), (str, list)):
            raise errors.missing_parameter(f"{name}.content")
        for number, part in enumerate(_parts(item)):
            _check_part(part, f"{name}.content[{number}]", assistant=item["role"] == "assistant")
    elif kind.startswith("function_call"):
        wanted = ("call_id", "output") if kind.endswith("output") else ("call_id", "name", "arguments")
        for key in wanted:
            if key not in item:
                raise errors.missing_parameter(f"{name}.{key}")


def _check_part(part: dict[str, Any], name: str, *, assistant: bool) -> None:
    kind = part.get("type")
    allowed = ("output_text", "refusal") if assistant else ("input_text", *IMAGE_PARTS, *FILE_PARTS)
    if kind not in allowed:
        text = f"'{str(kind)[:40]}'. Supported values are: {', '.join(repr(value) for value in allowed)}."
        raise errors.invalid_value(name, text)
    if kind in IMAGE_PARTS and not (part.get("image_url") or part.get("file_id")):
        raise errors.missing_parameter(f"{name}.image_url")
    if kind in FILE_PARTS and not (part.get("file_id") or part.get("file_data") or part.get("file_url")):
        raise errors.missing_parameter(f"{name}.file_data")


def _check_calls(items: list[dict[str, Any]]) -> None:
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    for call_id in outputs:
        if call_id not in calls:
            text = f"No tool call found for function call output with call_id {str(call_id)[:64]}."
            raise errors.Refusal(400, text, param="input")
    for call_id in calls:
        if call_id not in outputs:
            raise errors.Refusal(400, f"No tool output found for function call {str(call_id)[:64]}.", param="input")


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content")
    if isinstance(content, str):
        return [{"type": "output_text" if item.get("role") == "assistant" else "input_text", "text": content}]
    return [part for part in content or () if isinstance(part, dict)] if isinstance(content, list) else []


def _texts(parts: list[dict[str, Any]]) -> list[str]:
    return [str(part.get("text") or "") for part in parts if part.get("type") in TEXT_PARTS]


def _contents(items: list[dict[str, Any]]) -> tuple[list[str], int]:
    """All texts of the input, and how many images and files it has."""
    texts: list[str] = []
    attachments = 0
    for item in items:
        parts = _parts(item)
        texts += _texts(parts)
        texts += [str(item[name]) for name in ("name", "arguments", "output") if name in item]
        attachments += sum(part.get("type") in (*IMAGE_PARTS, *FILE_PARTS) for part in parts)
    return texts, attachments


def _output_text(item: dict[str, Any]) -> str:
    output = item["output"]
    return " ".join(_texts(output)) if isinstance(output, list) else str(output)


def _tools(given: Any) -> list[dict[str, Any]]:
    tools = given or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and "type" in tool for tool in tools):
        raise errors.invalid_type("tools", "an array of objects with a type", "something else")
    return tools


def _most_tokens(given: Any) -> int | None:
    if given is None:
        return None
    if type(given) is not int:
        raise errors.invalid_type("max_output_tokens", "an integer", "something else")
    if given < FEWEST_OUTPUT_TOKENS:
        text = f"integer below minimum value. Expected a value >= {FEWEST_OUTPUT_TOKENS}, but got {given} instead."
        raise errors.invalid_value("max_output_tokens", text, code="integer_below_min_value")
    return given


def _prefixes(instructions: str, items: list[dict[str, Any]]) -> Iterable[str]:
    """A digest of each beginning of the input, the whole last: what was sent before is found by it."""
    digest = hashlib.sha256(instructions.encode("utf-8", "surrogatepass"))
    for item in items:
        told = {name: value for name, value in item.items() if name not in ("id", "status")}
        digest.update(json.dumps(told, sort_keys=True).encode())
        yield digest.hexdigest()
