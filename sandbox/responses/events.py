"""A reply as the events of its stream, in the order in which OpenAI sends them.

response.created
  response.output_item.added
    message:    content_part.added · output_text.delta+ · output_text.annotation.added* · output_text.done · content_part.done
    function:   function_call_arguments.delta · function_call_arguments.done
    search:     file_search_call.in_progress · .searching · .completed (web_search_call alike)
  response.output_item.done
response.completed | response.incomplete | response.failed
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.responses.asked import Asked
from sandbox.responses.reply import FunctionCall, Message, Output, Reply, Search

# An event, and the seconds to wait after it.
Step = tuple[dict[str, Any], float]
ECHOED = ("instructions", "max_output_tokens", "metadata", "previous_response_id", "temperature", "top_p", "user")


@dataclass
class Answer:
    """One response: its identity, and its object at each moment."""

    asked: Asked
    reply: Reply
    cached_tokens: int = 0
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(24)}")
    created_at: int = field(default_factory=lambda: int(time.time()))
    output: list[dict[str, Any]] = field(default_factory=list)

    def resource(self, status: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
        body = self.asked.body
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": False,
            "error": error,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "model": self.asked.model,
            "output": list(self.output),
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": body.get("store") is not False,
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": self.asked.tools,
            "truncation": "disabled",
            "usage": None if status == "in_progress" else self.usage(),
            **{name: body.get(name) for name in ECHOED},
        }

    def usage(self) -> dict[str, Any]:
        read, written = self.asked.input_tokens, self.reply.tokens
        return {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": self.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }


def steps(answer: Answer) -> Iterator[Step]:
    """All events of the stream, without their sequence numbers. `answer.output` fills as they pass."""
    yield {"type": "response.created", "response": answer.resource("in_progress")}, 0.0
    for index, output in enumerate(answer.reply.outputs):
        begun, done = begun_item(output), done_item(output)
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}, 0.0
        yield from _inside(output, {"item_id": output.id, "output_index": index})
        answer.output.append(done)
        yield {"type": "response.output_item.done", "output_index": index, "item": done}, 0.0
    end = answer.reply.end
    error = {"code": "server_error", "message": "The model could not finish this run."} if end == "failed" else None
    yield {"type": f"response.{end}", "response": answer.resource(end, error)}, 0.0


def _inside(output: Output, place: dict[str, Any]) -> Iterator[Step]:
    if isinstance(output, Message):
        yield from _message(output, {**place, "content_index": 0})
    elif isinstance(output, FunctionCall):
        delta = {"type": "response.function_call_arguments.delta", **place, "delta": output.arguments}
        yield delta, 0.0
        done = {"type": "response.function_call_arguments.done", **place, "arguments": output.arguments}
        yield {**done, "name": output.name}, 0.0
    else:
        for moment in ("in_progress", "searching", "completed"):
            yield {"type": f"response.{output.kind}_call.{moment}", **place}, 0.0


def _message(message: Message, place: dict[str, Any]) -> Iterator[Step]:
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.content_part.added", **place, "part": empty}, 0.0
    for number, piece in enumerate(message.pieces):
        delta = {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
        yield delta, (message.silence if number == 0 else 0.0) + message.pause
    for number, annotation in enumerate(message.annotations):
        told = {"annotation_index": number, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **place, **told}, 0.0
    yield {"type": "response.output_text.done", **place, "text": message.text, "logprobs": []}, 0.0
    yield {"type": "response.content_part.done", **place, "part": _part(message)}, 0.0


def _part(message: Message) -> dict[str, Any]:
    return {"type": "output_text", "text": message.text, "annotations": message.annotations, "logprobs": []}


def begun_item(output: Output) -> dict[str, Any]:
    item = {**done_item(output), "status": "in_progress"}
    if isinstance(output, Message):
        item["content"] = []
    if isinstance(output, FunctionCall):
        item["arguments"] = ""
    return item


def done_item(output: Output) -> dict[str, Any]:
    if isinstance(output, Message):
        status = "completed" if output.whole else "incomplete"
        return {"id": output.id, "type": "message", "role": "assistant", "status": status, "content": [_part(output)]}
    if isinstance(output, FunctionCall):
        told = {"call_id": output.call_id, "name": output.name, "arguments": output.arguments}
        return {"id": output.id, "type": "function_call", "status": "completed", **told}
    return _search_item(output)


def _search_item(search: Search) -> dict[str, Any]:
    common = {"id": search.id, "type": f"{search.kind}_call", "status": "completed"}
    if search.kind == "file_search":
        return {**common, "queries": [search.query], "results": search.results}
    return {**common, "action": {"type": "search", "query": search.query, "sources": None}}
