"""What an assistant may use beside words: files and the web (at OpenAI), functions of the tenant's page, questions.

A call of a page's function or a question ends the run: the page or the visitor answers, which begins another.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from agents import FileSearchTool, FunctionTool, FunctionToolResult, RunContextWrapper, Tool, WebSearchTool
from agents.agent import ToolsToFinalOutputResult
from agents.tool_context import ToolContext
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import (
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItemDoneEvent,
)
from pydantic import BaseModel, Field, ValidationError

from chat_server.serving.pace import Pace
from tenants.agents import AgentSnapshot

ASK_VISITOR: Final = "ask_visitor"
# Of a search, what is charged as input.
SEARCH_RESULTS: Final = 8
_MOST_ARGUMENTS: Final = 32_000
_HANDED_OVER: Final = "Handed over. The answer follows."
_ONE_AT_A_TIME: Final = "Not done: call one function at a time, and wait for its answer."
_MALFORMED: Final = "Not done: the arguments must be one JSON object as the function's parameters describe."


class RunContext(AgentContext[Any]):
    """ChatKit's context of a run, which also knows whether somebody else has the word now."""

    is_handed_over: bool = False
    pace: Pace = Field(default_factory=Pace)


class _Question(BaseModel):
    question: str = Field(min_length=1, max_length=500)
    choices: list[str] = Field(default_factory=list, max_length=12)
    several: bool = False


class _Questions(BaseModel):
    questions: list[_Question] = Field(min_length=1, max_length=6)


_QUESTIONS_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "questions": {
            "type": "array",
            "minItems": 1,
            "maxItems": 6,
            "items": {
                "type": "object",
                "properties": {
                    "question": {"type": "string", "description": "What the visitor is asked."},
                    "choices": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": 12,
                        "description": "Answers to choose from; none for an answer in the visitor's own words.",
                    },
                    "several": {"type": "boolean", "description": "Whether more than one may be chosen."},
                },
                "required": ["question"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["questions"],
    "additionalProperties": False,
}


def tools_of(agent: AgentSnapshot) -> list[Tool]:
    tools: list[Tool] = []
    if agent.vector_store_ids:
        tools.append(FileSearchTool(vector_store_ids=list(agent.vector_store_ids), max_num_results=SEARCH_RESULTS))
    if agent.web_search:
        tools.append(WebSearchTool())
    tools.extend(_page_function(tool) for tool in agent.client_tools)
    if agent.ask_visitor:
        tools.append(_ask_visitor())
    return tools


def stop_when_handed_over(
    wrapper: RunContextWrapper[RunContext], _results: list[FunctionToolResult]
) -> ToolsToFinalOutputResult:
    """The run ends where the page or the visitor has the word; a call that was refused goes back to the model."""
    is_handed_over = wrapper.context.is_handed_over
    return ToolsToFinalOutputResult(is_final_output=is_handed_over, final_output="" if is_handed_over else None)


def _page_function(tool: dict[str, Any]) -> FunctionTool:
    name = str(tool["name"])

    async def hand_over(context: ToolContext[RunContext], text: str) -> str:
        arguments = _object_in(text)
        if arguments is None:
            return _MALFORMED
        chat = context.context
        if not _take_the_word(chat):
            return _ONE_AT_A_TIME
        chat.client_tool_call = ClientToolCall(name=name, arguments=arguments)
        return _HANDED_OVER

    return _function(name, str(tool.get("description") or ""), tool.get("parameters") or _NOTHING, hand_over)


def _ask_visitor() -> FunctionTool:
    async def ask(context: ToolContext[RunContext], text: str) -> str:
        arguments = _object_in(text)
        try:
            asked = _Questions.model_validate(arguments)
        except ValidationError:
            return _MALFORMED
        chat = context.context
        if not _take_the_word(chat):
            return _ONE_AT_A_TIME
        item = StructuredInputItem(
            id=chat.generate_id("message"),
            thread_id=chat.thread.id,
            created_at=datetime.now(UTC),
            inputs=[_input(f"q{number}", each) for number, each in enumerate(asked.questions, start=1)],
        )
        await chat.stream(ThreadItemDoneEvent(item=item))
        return _HANDED_OVER

    description = "Put questions to the visitor where an answer depends on them. The visitor answers in a form."
    return _function(ASK_VISITOR, description, _QUESTIONS_SCHEMA, ask)


_NOTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}


def _function(name: str, description: str, schema: dict[str, Any], deed: Callable[..., Any]) -> FunctionTool:
    # The tenant's schemas need not keep the rules of the strict mode.
    return FunctionTool(
        name=name, description=description, params_json_schema=schema, on_invoke_tool=deed, strict_json_schema=False
    )


def _input(name: str, asked: _Question) -> StructuredInputMultipleChoice | StructuredInputFreeform:
    if not asked.choices:
        return StructuredInputFreeform(id=name, question=asked.question)
    options = [StructuredInputMultipleChoiceOption(value=choice) for choice in dict.fromkeys(asked.choices)]
    return StructuredInputMultipleChoice(id=name, question=asked.question, options=options, multiple=asked.several)


def _take_the_word(chat: RunContext) -> bool:
    """Once in a run: a second call would have nobody left to answer it."""
    was_taken, chat.is_handed_over = chat.is_handed_over, True
    return not was_taken


def _object_in(text: str) -> dict[str, Any] | None:
    if len(text) > _MOST_ARGUMENTS:
        return None
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
