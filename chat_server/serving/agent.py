"""An assistant's version as the agents' package runs it: made anew for each run, with one tenant's client and nothing global."""

from collections.abc import AsyncIterator
from typing import Any, Final

from agents import (
    Agent,
    ModelSettings,
    OpenAIProvider,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunResultStreaming,
    set_trace_provider,
)
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.run_config import CallModelData, ModelInputData
from agents.tracing.provider import DefaultTraceProvider

from chat_server.metering import RunAccount
from chat_server.serving.input_tokens import tokens_of_input
from chat_server.serving.pace import Pace
from chat_server.serving.tools import RunContext, stop_when_handed_over, tools_of
from tenants.agents import AgentSnapshot

_LONGEST_ID: Final = 128


def _trace_nothing() -> None:
    """The package's own tracer opens a client that would send to OpenAI, under the operator's key, though each run declines."""
    provider = DefaultTraceProvider()
    provider.set_disabled(True)
    set_trace_provider(provider)


_trace_nothing()


def start_run(
    agent: AgentSnapshot,
    *,
    name: str,
    client: Any,
    account: RunAccount,
    items: list[TResponseInputItem],
    context: RunContext,
    turns: int,
) -> RunResultStreaming:
    """Begin to ask the model; `client` is what ModelClients gives. Whoever starts a run must cancel it when it is left."""
    model = MeteredModel(agent.model, client, account, context.pace)
    tools = tools_of(agent)
    return Runner.run_streamed(
        Agent[RunContext](
            name=name,
            instructions=agent.instructions,
            model=model,
            # Given in full: by default the package adds settings by the model's name.
            model_settings=ModelSettings(
                store=False,
                max_tokens=agent.max_output_tokens,
                parallel_tool_calls=False if tools else None,
            ),
            tools=tools,
            tool_use_behavior=stop_when_handed_over,
        ),
        items,
        context=context,
        max_turns=turns,
        run_config=RunConfig(
            model_provider=OpenAIProvider(openai_client=client),
            tracing_disabled=True,
            trace_include_sensitive_data=False,
            call_model_input_filter=_without_stored_parts,
        ),
    )


class MeteredModel(OpenAIResponsesModel):
    """Tells the account what is written and what OpenAI says of each turn, in the order in which it comes.

    Further on it waits in the run's queue, which is emptied when the visitor leaves.
    """

    def __init__(self, model: str, client: Any, account: RunAccount, pace: Pace) -> None:
        super().__init__(model, client)
        self._account = account
        self._pace = pace

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **options: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self._account.asked(tokens_of_input(system_instructions, input))
        events = super().stream_response(system_instructions, input, *args, **options)
        try:
            async for event in events:
                if event.type == "response.completed":
                    self._count(event.response)
                elif isinstance(delta := getattr(event, "delta", None), str):
                    # Text, thoughts, and what functions are called with: all of it is output.
                    self._account.wrote(len(delta))
                yield event
                await self._pace.read()
        finally:
            # The package's own generator closes OpenAI's stream; it must not wait for the garbage collector.
            await events.aclose()  # type: ignore[attr-defined] # it is a generator

    def _count(self, response: Any) -> None:
        usage = response.usage
        details = getattr(usage, "input_tokens_details", None)
        self._account.used(
            input_tokens=_count_of(usage, "input_tokens"),
            cached_tokens=_count_of(details, "cached_tokens"),
            output_tokens=_count_of(usage, "output_tokens"),
            upstream_request_id=str(getattr(response, "_request_id", None) or "")[:_LONGEST_ID],
        )


def _count_of(holder: object, name: str) -> int:
    """A count as OpenAI documents it; what is none counts as nothing."""
    value = getattr(holder, name, 0)
    return value if isinstance(value, int) and value > 0 else 0


def _without_stored_parts(data: CallModelData[Any]) -> ModelInputData:
    """What refers to something that OpenAI was told not to store: thoughts, and the ids of calls."""
    kept: list[TResponseInputItem] = []
    for item in data.model_data.input:
        kind = item.get("type")
        if kind == "reasoning":
            continue
        if kind == "function_call" and "id" in item:
            item = {name: value for name, value in item.items() if name != "id"}  # type: ignore[assignment]
        kept.append(item)
    return ModelInputData(input=kept, instructions=data.model_data.instructions)
