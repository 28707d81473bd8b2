import type { ChatKitEvents, ChatKitOptions, CustomApiConfig } from "@openai/chatkit";
import type { Action, Chat, Draft, Fire, Message, Method } from "./chat";
import { element } from "./dom";
import css from "./framed.css?inline";
import { isHosted } from "./options";
import { Moved, Rpc } from "./rpc";

export const HELLO = "stand-in-chatkit:hello";

/** What the frame is told of the options: what JSON can hold, and which functions there are to call. */
export interface FrameOptions {
  readonly options: ChatKitOptions;
  readonly pageFetches: boolean;
  readonly pageHasTools: boolean;
  readonly pageHandlesActions: boolean;
}

export interface PageRequest {
  readonly id: number;
  readonly body: string;
}

export interface PageResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * Custom mode: the chat lives in a frame of the sandbox's origin, as OpenAI's lives in one of OpenAI's. The page's functions
 * (`api.fetch`, `onClientTool`, `widgets.onAction`) are called for the frame over a MessagePort; everything else, uploads and
 * pictures too, the frame does itself, from its own origin.
 */
export class FramedChat implements Chat {
  readonly #host: HTMLElement;
  readonly #root: ShadowRoot;
  readonly #origin: string;
  readonly #fire: Fire;
  readonly #running = new Map<number, AbortController>();
  #frame: HTMLIFrameElement | null = null;
  #options: ChatKitOptions | null = null;
  #rpc: Promise<Rpc>;
  #connected: (rpc: Rpc) => void = () => undefined;
  #live: Rpc | null = null;

  constructor(host: HTMLElement, root: ShadowRoot, origin: string, fire: Fire) {
    this.#host = host;
    this.#root = root;
    this.#origin = origin;
    this.#fire = fire;
    this.#rpc = this.#awaitFrame();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren();
  }

  setOptions(options: ChatKitOptions): void {
    this.#options = options;
    if (this.#frame) this.#frame.title = options.frameTitle ?? "Chat";
    this.#live?.tell("options", this.#told());
  }

  connect(): void {
    if (this.#frame) return;
    const attributes = {
      src: `${this.#origin}/chatkit-frame.html`,
      name: "chatkit",
      title: this.#options?.frameTitle ?? "Chat",
      allow: "clipboard-read; clipboard-write",
    };
    this.#frame = element("iframe", attributes);
    window.addEventListener("message", this.#greet);
    this.#root.append(this.#frame);
  }

  disconnect(): void {
    window.removeEventListener("message", this.#greet);
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.#live?.close();
    this.#live = null;
    this.#rpc = this.#awaitFrame();
    this.#frame?.remove();
    this.#frame = null;
    this.#host.removeAttribute("data-busy");
  }

  focusComposer(): Promise<void> {
    return this.#call("focusComposer");
  }

  setThreadId(threadId: string | null): Promise<void> {
    return this.#call("setThreadId", threadId);
  }

  sendCustomAction(action: Action, itemId?: string): Promise<void> {
    return this.#call("sendCustomAction", action, itemId);
  }

  sendUserMessage(message: Message): Promise<void> {
    return this.#call("sendUserMessage", message);
  }

  setComposerValue(draft: Draft): Promise<void> {
    return this.#call("setComposerValue", draft);
  }

  showHistory(): Promise<void> {
    return this.#call("showHistory");
  }

  hideHistory(): Promise<void> {
    return this.#call("hideHistory");
  }

  fetchUpdates(): Promise<void> {
    return this.#call("fetchUpdates");
  }

  async #call(method: Method, ...args: unknown[]): Promise<void> {
    const rpc = await this.#rpc;
    await rpc.ask("call", { method, args });
  }

  #awaitFrame(): Promise<Rpc> {
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  /** The frame says hello when its script runs, and gets a port of its own: nobody else can speak to either side. */
  readonly #greet = ({ data, source, origin }: MessageEvent): void => {
    if (data !== HELLO || origin !== this.#origin || !source || source !== this.#frame?.contentWindow) return;
    const { port1, port2 } = new MessageChannel();
    const rpc = new Rpc(port1, {
      event: ({ name, detail }: { name: keyof ChatKitEvents; detail: never }) => this.#fire(name, detail),
      failed: ({ name, message }: Error) => {
        this.#fire("chatkit.error", { error: Object.assign(new Error(message), { name }) });
      },
      state: (state: Readonly<Record<string, string | null>>) => this.#show(state),
      fetch: (request: PageRequest) => this.#fetch(request),
      // Also said of what has ended in order, which an abort then leaves as it is.
      abort: (id: number) => {
        this.#running.get(id)?.abort();
        this.#running.delete(id);
      },
      tool: (call: { name: string; params: Record<string, unknown> }) => this.#options?.onClientTool?.(call),
      action: ({ action, item }: { action: never; item: never }) => this.#options?.widgets?.onAction?.(action, item),
    });
    this.#live = rpc;
    source.postMessage(this.#told(), { targetOrigin: origin, transfer: [port2] });
    this.#connected(rpc);
  };

  #show(state: Readonly<Record<string, string | null>>): void {
    for (const [name, value] of Object.entries(state)) {
      if (value === null) delete this.#host.dataset[name];
      else this.#host.dataset[name] = value;
    }
  }

  /** Lets the page's own fetch make the call; its body goes to the frame as it comes. */
  async #fetch({ id, body }: PageRequest): Promise<Moved> {
    const api = this.#api();
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const response = await (api.fetch ?? fetch)(api.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json" },
        body,
        signal: controller.signal,
      });
      const told: PageResponse = { status: response.status, headers: [...response.headers], body: response.body };
      return new Moved(told, response.body ? [response.body] : []);
    } catch (error) {
      this.#running.delete(id);
      throw error;
    }
  }

  #api(): CustomApiConfig {
    const api = this.#options?.api;
    if (!api || isHosted(api)) throw new Error("This chat has no server of its own.");
    return api;
  }

  #told(): FrameOptions {
    const options = JSON.parse(JSON.stringify(this.#options)) as ChatKitOptions;
    const api = { ...this.#api(), url: new URL(this.#api().url, document.baseURI).href };
    return {
      options: { ...options, api: JSON.parse(JSON.stringify(api)) as CustomApiConfig },
      pageFetches: Boolean(api.fetch),
      pageHasTools: Boolean(this.#options?.onClientTool),
      pageHandlesActions: Boolean(this.#options?.widgets?.onAction),
    };
  }
}
