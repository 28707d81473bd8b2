import type { ChatKitOptions } from "@openai/chatkit";
import { type Action, type Chat, type Draft, type Fire, type Message, textFrom } from "./chat";
import { isHosted } from "./options";
import { ask, type Item, type Request, type StreamEvent, stream, type Thread, userInput } from "./protocol";
import { refreshDelay } from "./secret";
import { View } from "./view";

/**
 * Hosted mode: a plain chat in the element's shadow root instead of a frame of OpenAI's, with OpenAI's way of asking for client
 * secrets. Talks to the server that the script came from.
 */
export class HostedChat implements Chat {
  readonly #host: HTMLElement;
  readonly #origin: string;
  readonly #fire: Fire;
  #options: ChatKitOptions | null = null;
  #secret: string | null = null;
  #asking: Promise<string> | null = null;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #started = false;
  #threadId: string | null = null;
  #threads: readonly Thread[] = [];
  #historyOpen = false;
  #busy = false;
  readonly #view: View;

  /** `origin`: where the hosted API is. */
  constructor(host: HTMLElement, root: ShadowRoot, origin: string, fire: Fire) {
    this.#host = host;
    this.#origin = origin;
    this.#fire = fire;
    this.#view = new View(host, root, {
      send: (text) => void this.sendUserMessage({ text }).catch(() => undefined),
      openThread: (id) => void this.setThreadId(id).catch(() => undefined),
      toggleHistory: () => void (this.#historyOpen ? this.hideHistory() : this.showHistory()),
    });
  }

  setOptions(options: ChatKitOptions): void {
    this.#options = options;
    this.#view.apply(options);
    this.#drawTitle();
    if (!this.#threadId && !this.#busy) this.#view.showStart();
  }

  connect(): void {
    if (this.#options) void this.#start();
  }

  disconnect(): void {
    clearTimeout(this.#refresh);
    this.#started = false;
    this.#secret = null;
  }

  async focusComposer(): Promise<void> {
    this.#refuseWhenBusy();
    this.#view.composer.focus();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    this.#refuseWhenBusy();
    await this.hideHistory();
    this.#view.clear();
    if (threadId === null) this.#view.showStart();
    else await this.#load(threadId);
    this.#enterThread(threadId);
  }

  async sendCustomAction(action: Action, itemId?: string): Promise<void> {
    this.#refuseWhenBusy();
    if (!this.#threadId) throw new Error("There is no thread to send an action to.");
    const params = { thread_id: this.#threadId, item_id: itemId ?? null, action };
    await this.#converse({ type: "threads.custom_action", params });
  }

  async sendUserMessage(message: Message): Promise<void> {
    this.#refuseWhenBusy();
    const text = textFrom(message).trim();
    if (!text) throw new Error("A message needs text.");
    if (message.newThread) await this.setThreadId(null);
    await this.hideHistory();
    const input = userInput(text);
    this.#view.setDraft("");
    const sent = await this.#converse(
      this.#threadId
        ? { type: "threads.add_user_message", params: { input, thread_id: this.#threadId } }
        : { type: "threads.create", params: { input } },
    );
    if (!sent) this.#view.setDraft(text);
    await this.#listThreads();
  }

  async setComposerValue(draft: Draft): Promise<void> {
    this.#refuseWhenBusy();
    if (draft.text !== undefined || draft.content) this.#view.setDraft(textFrom(draft));
  }

  async showHistory(): Promise<void> {
    if (this.#options?.history?.enabled === false || this.#historyOpen) return;
    this.#historyOpen = true;
    await this.#listThreads();
    this.#fire("chatkit.history.open");
  }

  async hideHistory(): Promise<void> {
    if (!this.#historyOpen) return;
    this.#historyOpen = false;
    this.#view.showHistory(this.#threads, false);
    this.#fire("chatkit.history.close");
  }

  async fetchUpdates(): Promise<void> {
    this.#refuseWhenBusy();
    await this.#listThreads();
    if (this.#threadId) await this.#load(this.#threadId);
  }

  /** Once per mount: the frame is ready, then the first secret is asked for. */
  async #start(): Promise<void> {
    if (this.#started || !this.#options) return;
    this.#started = true;
    await new Promise((resolve) => setTimeout(resolve));
    this.#fire("chatkit.ready");
    try {
      await this.#obtainSecret();
      await this.#listThreads();
      const { initialThread } = this.#options;
      if (initialThread && !this.#threadId) await this.setThreadId(initialThread);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Asks the page for a secret, `null` first and the current one afterwards, and again before the new one expires. */
  #obtainSecret(): Promise<string> {
    this.#asking ??= this.#askForSecret().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #askForSecret(): Promise<string> {
    const api = this.#options?.api;
    if (!api || !isHosted(api)) throw new Error("There is no getClientSecret.");
    const secret: unknown = await api.getClientSecret(this.#secret);
    if (typeof secret !== "string" || !secret) throw new Error("getClientSecret() must resolve to a non-empty string.");
    this.#secret = secret;
    clearTimeout(this.#refresh);
    if (this.#host.isConnected) {
      const renew = (): void => void this.#obtainSecret().catch((error) => this.#complain(error));
      this.#refresh = setTimeout(renew, refreshDelay(secret, Date.now()));
    }
    return secret;
  }

  readonly #send = async (request: Request): Promise<Response> => {
    const secret = this.#secret ?? (await this.#obtainSecret());
    // What is refused has failed, also for a session that was cancelled: that OpenAI's element would ask for another secret then
    // is said nowhere, and a page that counts on it would be stranded.
    return fetch(`${this.#origin}/v1/chatkit/conversation`, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${secret}` },
      body: JSON.stringify(request),
    });
  };

  /** Sends one request and draws what streams back; false when it failed, which is then on the screen. */
  async #converse(request: Request): Promise<boolean> {
    this.#setBusy(true);
    this.#fire("chatkit.response.start");
    try {
      for await (const event of stream(this.#send, request)) this.#draw(event);
      return true;
    } catch (error) {
      this.#complain(error);
      return false;
    } finally {
      this.#setBusy(false);
      this.#fire("chatkit.response.end");
    }
  }

  #draw(event: StreamEvent): void {
    switch (event.type) {
      case "thread.created":
        this.#enterThread(event.thread.id);
        break;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        if (event.item.type.endsWith("_message")) this.#view.showItem(event.item);
        break;
      case "thread.item.updated":
        if ("delta" in event.update) this.#view.extendItem(event.item_id, event.update.delta);
        break;
      case "error":
        throw new Error(event.message ?? "The server reported an error.");
    }
  }

  async #load(threadId: string): Promise<void> {
    this.#fire("chatkit.thread.load.start", { threadId });
    const thread = await ask<Thread>(this.#send, { type: "threads.get_by_id", params: { thread_id: threadId } });
    this.#view.clear();
    for (const item of thread.items?.data ?? []) if (isMessage(item)) this.#view.showItem(item);
    this.#fire("chatkit.thread.load.end", { threadId });
  }

  async #listThreads(): Promise<void> {
    if (this.#options?.history?.enabled === false) return;
    try {
      const params = { limit: 20, order: "desc" };
      const page = await ask<{ data: readonly Thread[] }>(this.#send, { type: "threads.list", params });
      this.#threads = page.data;
      this.#drawTitle();
      this.#view.showHistory(this.#threads, this.#historyOpen);
    } catch (error) {
      this.#complain(error);
    }
  }

  #enterThread(threadId: string | null): void {
    if (threadId === this.#threadId) return;
    this.#threadId = threadId;
    if (threadId) this.#host.dataset.thread = threadId;
    else delete this.#host.dataset.thread;
    this.#drawTitle();
    this.#fire("chatkit.thread.change", { threadId });
  }

  #drawTitle(): void {
    this.#view.setTitle(this.#threads.find(({ id }) => id === this.#threadId)?.title ?? "");
  }

  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.#view.setBusy(busy);
  }

  #refuseWhenBusy(): void {
    if (this.#busy) throw new Error("ChatKit is busy with a response.");
  }

  #complain(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#view.showError(error.message);
    this.#fire("chatkit.error", { error });
  }
}

const isMessage = (item: Item): boolean => item.type.endsWith("_message");
