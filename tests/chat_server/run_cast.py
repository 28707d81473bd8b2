"""The recurring cast of tests of runs: tenants with keys at the sandbox, OpenAI's own server class, a conversation in memory.

The conversation's store is that of OpenAI's documentation in short; how ours keeps conversations is tested with it. The account
is the real one, whose row is caught instead of written.
"""

import asyncio
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace

from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError, Store
from chatkit.types import ChatKitReq, Page, ThreadStreamEvent
from pydantic import TypeAdapter

from chat_server.run_account import RunAccount, RunFacts
from chat_server.serving.actions import act, keep_widget
from chat_server.serving.quiet import quieten_packages
from chat_server.serving.respond import respond
from chatkit_client.calls import SessionSettings
from chatkit_client.credentials import Credentials
from chatkit_client.model_client import ModelClients
from encryption.secret import Secret
from gateway.breaker import Breakers
from gateway.budgets import Reservation
from gateway.token_budgets import TokenBudgets
from tenants.agents import AgentSnapshot
from tenants.snapshot import AssistantSnapshot, KeySnapshot
from tenants.upstreams import UpstreamChoice

quieten_packages()
EVENT = TypeAdapter(ThreadStreamEvent)
REQUEST = TypeAdapter(ChatKitReq)


class MemoryStore(Store):
    def __init__(self):
        self.threads, self.items, self.attachments = {}, {}, {}

    async def load_thread(self, thread_id, context):
        if thread_id not in self.threads:
            raise NotFoundError
        return self.threads[thread_id].model_copy(deep=True)

    async def save_thread(self, thread, context):
        self.threads[thread.id] = thread.model_copy(deep=True)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        items = list(self.items.get(thread_id, {}).values())
        if order == "desc":
            items.reverse()
        start = next((place + 1 for place, item in enumerate(items) if item.id == after), 0)
        page = items[start : start + limit]
        more = start + limit < len(items)
        return Page(data=page, has_more=more, after=page[-1].id if more else None)

    async def add_thread_item(self, thread_id, item, context):
        self.items.setdefault(thread_id, {})[item.id] = item.model_copy(deep=True)

    save_item = add_thread_item

    async def load_item(self, thread_id, item_id, context):
        return self.items[thread_id][item_id].model_copy(deep=True)

    async def delete_thread_item(self, thread_id, item_id, context):
        self.items[thread_id].pop(item_id)

    async def save_attachment(self, attachment, context):
        self.attachments[attachment.id] = attachment

    async def load_attachment(self, attachment_id, context):
        return self.attachments[attachment_id]

    async def load_threads(self, limit, after, order, context):
        return Page(data=list(self.threads.values()))

    async def delete_thread(self, thread_id, context):
        self.threads.pop(thread_id)

    async def delete_attachment(self, attachment_id, context):
        self.attachments.pop(attachment_id)


class Server(ChatKitServer):
    def respond(self, thread, input_user_message, context):
        return respond(self, thread, input_user_message, context)

    def action(self, thread, action, sender, context):
        return act(self, thread, action, sender, context)

    async def sync_action(self, thread, action, sender, context):
        return keep_widget()


@dataclass
class Rows:
    """Where the accounts' rows go."""

    rows: list = field(default_factory=list)

    async def write(self, *rows, seconds, is_essential=True):
        self.rows.extend(rows)


@dataclass
class Chat:
    """One visitor's chat with one assistant: `said` events of the last request."""

    models: ModelClients
    base_url: str
    keys: tuple
    breakers: Breakers = field(default_factory=Breakers)
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: Rows = field(default_factory=Rows)
    agent: AgentSnapshot = None
    fallback_text: str = ""
    thread_id: str = ""

    def __post_init__(self):
        self.server = Server(self.store)
        self.assistant_id = uuid.uuid4()
        self.agent = self.agent or an_agent()

    def context(self, operation):
        facts = RunFacts(
            at=datetime.now(UTC),
            started=asyncio.get_running_loop().time(),
            tenant_id=uuid.uuid4(),
            assistant_slug="shop",
            agent_version=1,
            visitor_ref="v",
            origin="https://shop.test",
            operation=operation,
            request_id="r",
            model=self.agent.model,
            input_estimate=7,
        )
        account = RunAccount(facts, TokenBudgets(None, None), Reservation("id", ()), self.ledger)
        desk = SimpleNamespace(gateway=SimpleNamespace(breakers=self.breakers), models=self.models)
        upstream = UpstreamChoice("sandbox", self.base_url, "")
        tenant = SimpleNamespace(upstream=upstream, fallback_text=self.fallback_text, id=facts.tenant_id)
        assistant = AssistantSnapshot(
            id=self.assistant_id,
            slug="shop",
            name="Shop",
            backend="platform",
            settings=SessionSettings(workflow_id="wf_none", automatic_titles=True),
            keys=self.keys,
            appearance=None,
        )
        return SimpleNamespace(
            desk=desk,
            tenant=tenant,
            assistant=assistant,
            agent=self.agent,
            account=account,
            operation=operation,
            request_id="r",
            grant=None,
        )

    async def call(self, kind, **params):
        return [event async for event in self.events(kind, **params)]

    async def events(self, kind, **params):
        request = REQUEST.validate_json(json.dumps({"type": kind, "params": params}))
        # As `process` of the package, which makes its reader of requests anew each time.
        lines = self.server._process_streaming(request, self.context(kind))
        try:
            async for line in lines:
                event = EVENT.validate_json(line.removeprefix(b"data: "))
                if event.type == "thread.created":
                    self.thread_id = event.thread.id
                yield event
        finally:
            await lines.aclose()

    async def say(self, text, **more):
        return [event async for event in self.saying(text, **more)]

    def saying(self, text, **more):
        content = [{"type": "input_text", "text": text}]
        message = {"content": content, "attachments": [], "inference_options": {}, **more}
        if not self.thread_id:
            return self.events("threads.create", input=message)
        return self.events("threads.add_user_message", thread_id=self.thread_id, input=message)

    @property
    def items(self):
        return list(self.store.items.get(self.thread_id, {}).values())

    @property
    def row(self):
        [row] = self.ledger.rows[-1:]
        return row


def an_agent(**changes):
    agent = AgentSnapshot(
        version_id=uuid.uuid4(),
        number=1,
        instructions="You sell bicycles.",
        model="gpt-sandbox",
        vector_store_ids=(),
        web_search=False,
        client_tools=(),
        ask_visitor=False,
        max_input_chars=4000,
        max_turns=8,
        max_output_tokens=1500,
    )
    return replace(agent, **changes)


def a_key(value, *, problem="", organization="", project=""):
    return KeySnapshot(uuid.uuid4(), Credentials(Secret(value), organization, project), problem)


@asynccontextmanager
async def a_chat(sandbox, *, keys=None, agent=None, clients=None, **more):
    keys = keys if keys is not None else (a_key(sandbox.add_key()),)
    async with ModelClients(allowed_base_urls=[sandbox.base_url], **(clients or {})) as models:
        yield Chat(models, sandbox.base_url, tuple(keys), agent=agent, **more)


def text_of(item):
    return "".join(part.text for part in item.content)


def errors_in(events):
    return [event for event in events if event.type == "error"]


def kinds_of(items):
    return [item.type for item in items]
