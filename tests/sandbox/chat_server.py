"""A chat server of `openai-chatkit`'s own make, over real HTTP: it judges what the stand-in's frame says to it.

The last words of the visitor choose what it answers: `tool`, `questions`, `widget`, `break` (an error that may be tried again,
the first time), `slow` (deltas until it is stopped), `effect`; else an echo. `server.seen` has the type and Origin of each call.
"""

import asyncio
from contextlib import contextmanager
from datetime import datetime

from aiohttp import web
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import AttachmentStore, NotFoundError, Store
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    ErrorEvent,
    ImageAttachment,
    Page,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    WidgetItem,
)
from chatkit.widgets import Button, Card, Text

from sandbox.background import running

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class MemoryStore(Store):
    def __init__(self):
        self.threads, self.items, self.attachments = {}, {}, {}

    async def load_thread(self, thread_id, context):
        if thread_id not in self.threads:
            raise NotFoundError(thread_id)
        return self.threads[thread_id]

    async def save_thread(self, thread, context):
        self.threads[thread.id] = ThreadMetadata(**thread.model_dump(exclude={"items"}))

    async def load_threads(self, limit, after, order, context):
        return Page(data=list(reversed(self.threads.values())))

    async def delete_thread(self, thread_id, context):
        self.threads.pop(thread_id)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        rows = list(self.items.get(thread_id, {}).values())
        return Page(data=rows if order == "asc" else rows[::-1])

    async def add_thread_item(self, thread_id, item, context):
        self.items.setdefault(thread_id, {})[item.id] = item

    save_item = add_thread_item

    async def load_item(self, thread_id, item_id, context):
        return self.items[thread_id][item_id]

    async def delete_thread_item(self, thread_id, item_id, context):
        self.items[thread_id].pop(item_id)

    async def save_attachment(self, attachment, context):
        self.attachments[attachment.id] = attachment

    async def load_attachment(self, attachment_id, context):
        return self.attachments[attachment_id]

    async def delete_attachment(self, attachment_id, context):
        self.attachments.pop(attachment_id)


class Uploads(AttachmentStore):
    def __init__(self):
        self.origin = ""

    async def create_attachment(self, input, context):
        made = ImageAttachment(
            id="atc_1",
            name=input.name,
            mime_type=input.mime_type,
            preview_url=f"{self.origin}/preview",
            upload_descriptor={"url": f"{self.origin}/upload", "method": "PUT"},
        )
        await context["store"].save_attachment(made, context)
        return made

    async def delete_attachment(self, attachment_id, context):
        pass


class ExampleServer(ChatKitServer):
    def __init__(self):
        self.uploads = Uploads()
        super().__init__(MemoryStore(), self.uploads)
        self.seen, self.uploaded, self.previews, self.feedback = [], [], [], []
        self.cancelled = self.broken = 0

    async def add_feedback(self, thread_id, item_ids, feedback, context):
        self.feedback.append(feedback)

    async def action(self, thread, action, sender, context):
        yield self._done(thread, f"You pressed {action.type} with {action.payload['size']}")

    async def handle_stream_cancelled(self, thread, pending_items, context):
        self.cancelled += 1

    async def respond(self, thread, message, context):
        items = (await self.store.load_thread_items(thread.id, None, 100, "asc", context)).data
        last = items[-1]
        thread.title = "A talk"
        common = {"id": f"x_{len(items)}", "thread_id": thread.id, "created_at": datetime.now()}
        if last.type == "client_tool_call":
            yield self._done(thread, f"The page answered {last.output}")
        elif last.type == "structured_input":
            yield self._done(thread, f"You chose {[each.answer.values for each in last.inputs]}")
        else:
            async for event in self._answer(thread, last, common):
                yield event

    async def _answer(self, thread, message, common):
        text = "".join(part.text for part in message.content)
        match text.split()[-1] if text else "":
            case "tool":
                yield ThreadItemDoneEvent(
                    item=ClientToolCallItem(**common, call_id="c", name="cart", arguments={"n": 2})
                )
            case "questions":
                options = [StructuredInputMultipleChoiceOption(value=value) for value in ("Red", "Blue")]
                choice = StructuredInputMultipleChoice(id="colour", question="Which colour?", options=options)
                free = StructuredInputFreeform(id="size", question="What size?")
                yield ThreadItemDoneEvent(item=StructuredInputItem(**common, inputs=[choice, free]))
            case "widget":
                action = {"type": "order", "payload": {"size": "M"}}
                card = Card(children=[Text(value="A red bicycle"), Button(label="Order", onClickAction=action)])
                yield ThreadItemDoneEvent(item=WidgetItem(**common, widget=card))
            case "break" if not self.broken:
                self.broken += 1
                yield ErrorEvent(message="The model is resting.", allow_retry=True)
            case "effect":
                yield ClientEffectEvent(name="shop.blink", data={"times": 2})
            case "slow":
                begun = AssistantMessageItem(**common, content=[AssistantMessageContent(text="")])
                yield ThreadItemAddedEvent(item=begun)
                for number in range(600):
                    delta = AssistantMessageContentPartTextDelta(content_index=0, delta=f"{number} ")
                    yield ThreadItemUpdatedEvent(item_id=begun.id, update=delta)
                    await asyncio.sleep(0.05)
            case _:
                pictures = f" with {len(message.attachments)} picture" if message.attachments else ""
                yield self._done(thread, f"You said: {text}{pictures}")

    def _done(self, thread, text):
        content = [AssistantMessageContent(text=text)]
        item_id = self.store.generate_item_id("message", thread, {})
        item = AssistantMessageItem(id=item_id, thread_id=thread.id, created_at=datetime.now(), content=content)
        return ThreadItemDoneEvent(item=item)


@contextmanager
def running_chat_server():
    """Yields the server and its origin."""
    server = ExampleServer()

    def cors(request):
        return {
            "Access-Control-Allow-Origin": request.headers.get("Origin", ""),
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Allow-Methods": "PUT, POST",
        }

    async def chat(request):
        if request.method == "OPTIONS":
            return web.Response(headers=cors(request))
        body = await request.read()
        token = request.headers.get("Authorization")
        server.seen.append(((await request.json())["type"], request.headers["Origin"], token))
        if token != "Bearer ct1.good":
            error = {"error": {"code": "token_invalid", "message": "The chat token is not valid."}}
            return web.json_response(error, status=401, headers=cors(request))
        result = await server.process(body, {"store": server.store})
        if not isinstance(result, StreamingResult):
            return web.Response(body=result.json, content_type="application/json", headers=cors(request))
        stream = web.StreamResponse(headers={**cors(request), "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        async for piece in result:
            await stream.write(b": ping\n\n" + piece)
        return stream

    async def upload(request):
        if request.method == "PUT":
            server.uploaded.append((request.headers["Origin"], await request.read()))
        return web.Response(headers=cors(request))

    async def preview(request):
        server.previews.append(request.headers.get("Referer"))
        return web.Response(body=PICTURE, content_type="image/png")

    app = web.Application()
    app.router.add_route("*", "/chatkit", chat)
    app.router.add_route("*", "/upload", upload)
    app.router.add_get("/preview", preview)
    # A visitor who leaves cancels the handler, as servers of this package do.
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)

    async def start():
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.uploads.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return server

    async def stop(_):
        await runner.cleanup()

    with running(start, stop) as (started, _):
        yield started
