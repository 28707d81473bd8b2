import type { ChatKitOptions } from "@openai/chatkit";
import { type Action, type Draft, type Message, textFrom } from "../chat";
import type { FrameOptions } from "../framed";
import { ask, type Item, type Request, type StreamEvent, stream, type Thread, userInput } from "../protocol";
import type { Rpc } from "../rpc";
import { type Answers, type ItemDeeds, Items } from "./items";
import { Page } from "./page";
import { outputOf } from "./tools";
import { Uploads } from "./uploads";
import { FrameView } from "./view";

const MOST_TOOL_CALLS = 10;
const LOST = "The connection to the chat was lost.";

/** The conversation: what is asked of the server, and what is done with each event that comes back. */
export class FrameChat implements ItemDeeds {
  readonly #page: Page;
  readonly #view: FrameView;
  readonly #items: Items;
  readonly #uploads: Uploads;
  #threadId: string | null = null;
  #threads: readonly Thread[] = [];
  #historyOpen = false;
  #running: AbortController | null = null;
  #call: Item | null = null;

  constructor(body: HTMLElement, rpc: Rpc, told: FrameOptions) {
    this.#page = new Page(rpc, told);
    this.#view = new FrameView(body, {
      send: (text) => this.#quietly(() => this.sendUserMessage({ text })),
      stop: () => this.#running?.abort(),
      attach: (files) => void this.#uploads.add(files),
      openThread: (id) => this.#quietly(() => this.setThreadId(id)),
      toggleHistory: () => this.#quietly(() => (this.#historyOpen ? this.hideHistory() : this.showHistory())),
      renameThread: (id, title) => this.#quietly(() => this.#change("threads.update", { thread_id: id, title })),
      deleteThread: (id) => this.#quietly(() => this.#deleteThread(id)),
      retry: () => this.#quietly(() => this.#retry()),
    });
    this.#items = new Items(this.#view.thread, this);
    this.#uploads = new Uploads(this.#view.attachments, this.#page, () => this.#view.drawButtons());
    this.apply(told);
  }

  apply(told: FrameOptions): void {
    this.#page.told = told;
    this.#view.apply(told.options);
    this.#drawTitle();
    if (!this.#threadId && !this.#running) this.#view.showStart();
  }

  get options(): ChatKitOptions {
    return this.#page.told.options;
  }

  async start(): Promise<void> {
    this.#page.fire("chatkit.ready");
    await this.#listThreads();
    const { initialThread } = this.options;
    if (initialThread && !this.#threadId) await this.setThreadId(initialThread).catch((error) => this.#complain(error));
  }

  /** A method of the page's element. */
  async call(method: string, args: unknown[]): Promise<void> {
    const methods: Readonly<Record<string, () => Promise<void>>> = {
      focusComposer: async () => this.#view.composer.focus(),
      setThreadId: () => this.setThreadId(args[0] as string | null),
      sendCustomAction: () => this.#act(args[0] as Action, args[1] as string | undefined),
      sendUserMessage: () => this.sendUserMessage(args[0] as Message),
      setComposerValue: async () => this.#view.setDraft(textFrom(args[0] as Draft)),
      showHistory: () => this.showHistory(),
      hideHistory: () => this.hideHistory(),
      fetchUpdates: () => this.#fetchUpdates(),
    };
    if (this.#running && !method.endsWith("History")) throw new Error("ChatKit is busy with a response.");
    await methods[method]?.();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    this.#running?.abort();
    await this.hideHistory();
    this.#view.clear();
    if (threadId === null) this.#view.showStart();
    else await this.#load(threadId);
    this.#enterThread(threadId);
  }

  async sendUserMessage(message: Message): Promise<void> {
    const text = textFrom(message).trim();
    if (this.#running || !(text || this.#uploads.ready.length)) return;
    if (message.newThread) await this.setThreadId(null);
    await this.hideHistory();
    const files = this.#uploads.ready;
    const input = userInput(text, [...files, ...(message.attachments ?? []).map(({ id }) => id)]);
    this.#view.setDraft("");
    const known = this.#threadId;
    const sent = await this.#converse(
      known
        ? { type: "threads.add_user_message", params: { input, thread_id: known } }
        : { type: "threads.create", params: { input } },
    );
    if (sent) this.#uploads.clear(files);
    else this.#view.setDraft(text);
    await this.#listThreads();
  }

  async showHistory(): Promise<void> {
    if (this.options.history?.enabled === false || this.#historyOpen) return;
    this.#historyOpen = true;
    await this.#listThreads();
    this.#page.fire("chatkit.history.open");
  }

  async hideHistory(): Promise<void> {
    if (!this.#historyOpen) return;
    this.#historyOpen = false;
    this.#view.showHistory(this.#threads, false);
    this.#page.fire("chatkit.history.close");
  }

  // What the visitor does with an item.

  feedback(id: string, kind: string): void {
    const params = { thread_id: this.#threadId, item_ids: [id], kind };
    this.#quietly(async () => void (await ask(this.#page.send, { type: "items.feedback", params })));
  }

  answer(id: string, input: Answers): void {
    const params = { thread_id: this.#threadId, item_id: id, input };
    this.#quietly(async () => void (await this.#converse({ type: "threads.add_structured_input", params })));
  }

  press(item: Item, action: Action & { handler?: string }): void {
    this.#quietly(async () => {
      if (action.handler === "client" && this.#page.told.pageHandlesActions) await this.#page.action(action, item);
      else await this.#act({ type: action.type, payload: action.payload ?? {} }, item.id);
    });
  }

  async #act(action: Action, itemId?: string): Promise<void> {
    if (!this.#threadId) throw new Error("There is no thread to send an action to.");
    const params = { thread_id: this.#threadId, item_id: itemId ?? null, action };
    await this.#converse({ type: "threads.custom_action", params });
  }

  async #retry(): Promise<void> {
    const item = this.#items.lastOfUser();
    if (!this.#threadId || !item) return;
    this.#items.removeAfter(item);
    const params = { thread_id: this.#threadId, item_id: item };
    await this.#converse({ type: "threads.retry_after_item", params });
  }

  /** A request whose answer streams, and those that follow it: the outputs of the page's tools. False: it was refused. */
  async #converse(first: Request): Promise<boolean> {
    let request: Request | null = first;
    let begun = false;
    this.#view.clearTroubles();
    this.#setRunning(new AbortController());
    this.#page.fire("chatkit.response.start");
    try {
      for (let turn = 0; request && turn < MOST_TOOL_CALLS; turn += 1) {
        this.#call = null;
        for await (const event of stream(this.#page.send, request, this.#running?.signal)) {
          begun = true;
          if (this.#running?.signal.aborted) break;
          this.#draw(event);
        }
        request =
          this.#call && !this.#running?.signal.aborted
            ? await outputOf(this.#call, this.#threadId, this.#page, this.#items)
            : null;
      }
    } catch (error) {
      if (!this.#running?.signal.aborted) this.#complain(begun ? new Error(LOST) : error, begun);
    } finally {
      this.#running?.abort();
      this.#setRunning(null);
      this.#view.showProgress("");
      this.#page.fire("chatkit.response.end");
    }
    return begun;
  }

  #draw(event: StreamEvent): void {
    switch (event.type) {
      case "thread.created":
        this.#enterThread(event.thread.id);
        break;
      case "thread.updated":
        this.#threads = this.#threads.map((thread) => (thread.id === event.thread.id ? event.thread : thread));
        this.#drawTitle();
        break;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        if (event.item.type === "client_tool_call" && event.item.status === "pending") this.#call = event.item;
        this.#view.showProgress("");
        this.#items.show(event.item);
        break;
      case "thread.item.updated":
        if ("delta" in event.update) this.#items.extend(event.item_id, event.update.delta);
        if ("widget" in event.update) this.#items.redraw(event.item_id, event.update.widget);
        break;
      case "thread.item.removed":
        this.#items.remove(event.item_id);
        break;
      case "stream_options":
        this.#view.allowStop(event.stream_options.allow_cancel);
        break;
      case "progress_update":
        this.#view.showProgress(event.text);
        break;
      case "notice":
        this.#view.showNotice(event.level, [event.title, event.message].filter(Boolean).join(": "));
        break;
      case "client_effect":
        this.#page.fire("chatkit.effect", { name: event.name, data: event.data ?? {} });
        break;
      case "error":
        this.#complain(new Error(event.message || "Something went wrong."), event.allow_retry === true);
        break;
    }
  }

  async #load(threadId: string): Promise<void> {
    this.#page.fire("chatkit.thread.load.start", { threadId });
    const thread = await ask<Thread>(this.#page.send, { type: "threads.get_by_id", params: { thread_id: threadId } });
    this.#view.clear();
    for (const item of thread.items?.data ?? []) this.#items.show(item);
    this.#page.fire("chatkit.thread.load.end", { threadId });
  }

  async #fetchUpdates(): Promise<void> {
    await this.#listThreads();
    if (this.#threadId) await this.#load(this.#threadId);
  }

  async #listThreads(): Promise<void> {
    if (this.options.history?.enabled === false) return;
    try {
      const params = { limit: 20, order: "desc" };
      const page = await ask<{ data: readonly Thread[] }>(this.#page.send, { type: "threads.list", params });
      this.#threads = page.data;
      this.#page.show({ threads: String(page.data.length) });
      this.#drawTitle();
      this.#view.showHistory(this.#threads, this.#historyOpen);
    } catch (error) {
      this.#complain(error);
    }
  }

  async #deleteThread(id: string): Promise<void> {
    await this.#change("threads.delete", { thread_id: id });
    if (id !== this.#threadId) return;
    this.#enterThread(null);
    this.#view.showStart();
  }

  async #change(type: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    await ask(this.#page.send, { type, params });
    await this.#listThreads();
  }

  #enterThread(threadId: string | null): void {
    if (threadId === this.#threadId) return;
    this.#threadId = threadId;
    this.#page.show({ thread: threadId });
    this.#drawTitle();
    this.#page.fire("chatkit.thread.change", { threadId });
  }

  #drawTitle(): void {
    this.#view.setTitle(this.#threads.find(({ id }) => id === this.#threadId)?.title ?? "");
  }

  #setRunning(controller: AbortController | null): void {
    this.#running = controller;
    this.#view.setBusy(controller !== null);
    this.#page.show({ busy: controller ? "" : null });
  }

  /** What the visitor presses: its failure is on the screen, and nobody waits for it. */
  #quietly(deed: () => Promise<void>): void {
    deed().catch((error) => this.#complain(error));
  }

  #complain(cause: unknown, retry = false): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#view.showError(error.message, retry && this.#items.lastOfUser() !== null);
    this.#page.complain(error);
  }
}
