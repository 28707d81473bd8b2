"""Which words of the last user message bring which reply; without one of them it is an echo, so a test can predict it.

    [long] [long 50]        that many (200) slow deltas               [tool:NAME {json}]   a call of function NAME
    [idle] [idle 30]        a first delta, then silence (600 s)       [ask]                a call of ask_visitor, if offered
    [fail]                  the run fails: `response.failed`          [search]             file_search, if offered, then text
    [many 2000]             that many deltas at once                  [web]                web_search, if offered, then text

After the output of a function the reply tells the output. Images and files are counted in the echo.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox.responses.asked import CHARS_PER_TOKEN, Asked, tokens_in

PIECES = 8
PIECE_SECONDS = 0.02
LONG_PIECES, LONG_SECONDS = 200, 0.05
IDLE_SECONDS = 600.0
MOST = 100_000
NUMBERED = re.compile(r"\[(long|idle|many)(?:[ :](\d{1,6}))?\]")
TOOL = re.compile(r"\[tool:([A-Za-z0-9_-]{1,64})\s*(\{.*\})?\s*\]", re.DOTALL)
ASK = "ask_visitor"
# Lists of which a question to the visitor needs two at least.
CHOICES = ("choices", "options")
DEPTH = 6


@dataclass(frozen=True)
class Message:
    """`pause`: seconds between deltas; `silence`: seconds after the first one."""

    pieces: list[str]
    annotations: list[dict[str, Any]] = field(default_factory=list)
    pause: float = PIECE_SECONDS
    silence: float = 0.0
    whole: bool = True
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(24)}")

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class FunctionCall:
    name: str
    arguments: str
    id: str = field(default_factory=lambda: f"fc_{secrets.token_hex(24)}")
    call_id: str = field(default_factory=lambda: f"call_{secrets.token_hex(12)}")


@dataclass(frozen=True)
class Search:
    """`kind`: file_search or web_search."""

    kind: str
    query: str
    results: list[dict[str, Any]] | None = None

    @property
    def id(self) -> str:
        return f"{'fs' if self.kind == 'file_search' else 'ws'}_{abs(hash(self.query)):024x}"[:51]


Output = Message | FunctionCall | Search


@dataclass(frozen=True)
class Reply:
    """`end`: completed, incomplete or failed."""

    outputs: list[Output]
    end: str = "completed"

    @property
    def tokens(self) -> int:
        texts = [output.text if isinstance(output, Message) else "" for output in self.outputs]
        texts += [output.arguments for output in self.outputs if isinstance(output, FunctionCall)]
        return sum(tokens_in(text) for text in texts)


def echo(text: str) -> str:
    """What the sandbox's model answers to a message without directions."""
    return f"You said: {text}"


def reply_for(asked: Asked) -> Reply:
    reply = _reply(asked)
    return reply if asked.max_output_tokens is None else _cut(reply, asked.max_output_tokens)


def _reply(asked: Asked) -> Reply:
    if asked.tool_output is not None:
        return _says(f"The tool answered: {asked.tool_output}")
    text = asked.text
    if "[fail]" in text:
        return Reply([], end="failed")
    called = TOOL.search(text)
    if called:
        return Reply([FunctionCall(called[1], called[2] or "{}")])
    ask = asked.tool("function", ASK)
    if "[ask]" in text and ask is not None:
        return Reply([FunctionCall(ASK, json.dumps(example(ask.get("parameters") or {})))])
    if "[search]" in text and asked.tool("file_search"):
        return _searched(asked, text)
    if "[web]" in text and (asked.tool("web_search") or asked.tool("web_search_preview")):
        return _searched_web(text)
    numbered = NUMBERED.search(text)
    if numbered:
        return _at_length(numbered[1], numbered[2])
    told = [
        f"{count} {name}{'s' if count > 1 else ''}"
        for name, count in (("image", asked.images), ("file", asked.files))
        if count
    ]
    return _says(echo(text) + (f" (with {' and '.join(told)})" if told else ""))


def _at_length(word: str, number: str | None) -> Reply:
    count = min(int(number), MOST) if number else LONG_PIECES
    if word == "idle":
        return Reply([Message(["I am ", "still here."], silence=float(number or IDLE_SECONDS))])
    return Reply([Message([f"{n + 1} " for n in range(count)], pause=LONG_SECONDS if word == "long" else 0.0)])


def _says(text: str, annotations: list[dict[str, Any]] | None = None) -> Reply:
    return Reply([_message(text, annotations)])


def _message(text: str, annotations: list[dict[str, Any]] | None = None) -> Message:
    size = max(1, -(-len(text) // PIECES))
    return Message([text[start : start + size] for start in range(0, len(text), size)], annotations or [])


def _searched(asked: Asked, text: str) -> Reply:
    store = asked.vector_stores[0] if asked.vector_stores else "vs_sandbox"
    found = {
        "file_id": "file-sandbox-prices",
        "filename": "prices.pdf",
        "score": 0.9,
        "text": "A bicycle costs 400.",
        "attributes": {},
    }
    wanted = "file_search_call.results" in (asked.body.get("include") or ())
    said = f"In prices.pdf of {store} it says: A bicycle costs 400."
    citation = {"type": "file_citation", "file_id": found["file_id"], "filename": "prices.pdf", "index": len(said) - 1}
    return Reply([Search("file_search", text, [found] if wanted else None), _message(said, [citation])])


def _searched_web(text: str) -> Reply:
    said = "The web says: bicycles have two wheels."
    citation = {
        "type": "url_citation",
        "url": "https://example.com/bicycles",
        "title": "Bicycles",
        "start_index": 0,
        "end_index": len(said),
    }
    return Reply([Search("web_search", text), _message(said, [citation])])


def _cut(reply: Reply, most: int) -> Reply:
    """The reply as far as the limit lets it come."""
    left = most * CHARS_PER_TOKEN
    outputs: list[Output] = []
    for output in reply.outputs:
        if not isinstance(output, Message) or len(output.text) <= left:
            outputs.append(output)
            continue
        pieces, room = [], left
        for piece in output.pieces:
            pieces.append(piece[:room])
            room -= len(piece)
            if room <= 0:
                break
        outputs.append(Message(pieces, pause=output.pause, silence=output.silence, whole=False))
        return Reply(outputs, end="incomplete")
    return Reply(outputs, end=reply.end)


def example(schema: dict[str, Any], name: str = "value", depth: int = 0, root: dict[str, Any] | None = None) -> Any:
    """A value that fits a function's parameters; texts name what they stand for."""
    root = schema if root is None else root
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = root.get("$defs", {}).get(reference.rpartition("/")[2], {})
    variants = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(variants, list) and variants:
        return example(variants[0], name, depth, root)
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" and depth < DEPTH:
        fields = schema.get("properties") or {}
        return {key: example(value, key, depth + 1, root) for key, value in fields.items()}
    if kind == "array":
        count = max(2 if name in CHOICES else 1, int(schema.get("minItems") or 0))
        return [_numbered(example(schema.get("items") or {}, name, depth + 1, root), n) for n in range(count)]
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return "Choice" if name in CHOICES else {"question": "Which one would you like?"}.get(name, f"Some {name}")


def _numbered(value: Any, number: int) -> Any:
    """Each of several examples differs from the others in its texts."""
    if isinstance(value, str):
        return f"{value} {number + 1}"
    if isinstance(value, dict):
        return {
            key: _numbered(text, number) if key in ("id", "value", "label", "name") else text
            for key, text in value.items()
        }
    return value
