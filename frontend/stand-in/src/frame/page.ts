import type { ChatKitEvents } from "@openai/chatkit";
import type { FrameOptions, PageResponse } from "../framed";
import type { Request } from "../protocol";
import type { Rpc } from "../rpc";

/** The page around the frame: its fetch, its tools, its listeners. */
export class Page {
  readonly #rpc: Rpc;
  #calls = 0;
  told: FrameOptions;

  constructor(rpc: Rpc, told: FrameOptions) {
    this.#rpc = rpc;
    this.told = told;
  }

  fire<K extends keyof ChatKitEvents>(name: K, detail?: ChatKitEvents[K]["detail"]): void {
    this.#rpc.tell("event", { name, detail });
  }

  complain({ name, message }: Error): void {
    this.#rpc.tell("failed", { name, message });
  }

  show(state: Readonly<Record<string, string | null>>): void {
    this.#rpc.tell("state", state);
  }

  tool(name: string, params: Record<string, unknown>): Promise<unknown> {
    return this.#rpc.ask("tool", { name, params });
  }

  action(action: unknown, item: unknown): Promise<unknown> {
    return this.#rpc.ask("action", { action, item });
  }

  /** One call of the chat's server: by the page's fetch where it gave one, else from here. */
  readonly send = async (request: Request, signal?: AbortSignal): Promise<Response> => {
    const { options, pageFetches } = this.told;
    const body = JSON.stringify(request);
    if (!pageFetches) {
      const url = "url" in options.api ? options.api.url : "";
      const headers = { "Content-Type": "application/json", Accept: "text/event-stream, application/json" };
      return fetch(url, { method: "POST", headers, body, credentials: "omit", ...(signal && { signal }) });
    }
    this.#calls += 1;
    const id = this.#calls;
    signal?.addEventListener("abort", () => this.#rpc.tell("abort", id));
    const told = await this.#rpc.ask<PageResponse>("fetch", { id, body });
    const empty = told.status === 204 || told.status === 304;
    return new Response(empty ? null : told.body, {
      status: told.status,
      headers: told.headers as [string, string][],
    });
  };
}
