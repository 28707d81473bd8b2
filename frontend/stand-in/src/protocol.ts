/** The part of the openai-chatkit 1.6 protocol that the stand-in speaks: requests as JSON, streams as server-sent events. */
export interface Content {
  readonly type: string;
  readonly text?: string;
}

export interface Item {
  readonly id: string;
  readonly type: string;
  readonly content?: readonly Content[];
}

export interface Thread {
  readonly id: string;
  readonly title?: string | null;
  readonly items?: { readonly data: readonly Item[] };
}

export type Update =
  | { readonly type: "assistant_message.content_part.added"; readonly content: Content }
  | { readonly type: "assistant_message.content_part.text_delta"; readonly delta: string }
  | { readonly type: "assistant_message.content_part.done"; readonly content: Content };

export type StreamEvent =
  | { readonly type: "thread.created" | "thread.updated"; readonly thread: Thread }
  | { readonly type: "thread.item.added" | "thread.item.done" | "thread.item.replaced"; readonly item: Item }
  | { readonly type: "thread.item.updated"; readonly item_id: string; readonly update: Update }
  | { readonly type: "error"; readonly message?: string | null };

export interface Request {
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** One POST; the caller adds what authorises it. */
export type Send = (request: Request) => Promise<Response>;

export const textOf = (item: Item): string => (item.content ?? []).map((part) => part.text ?? "").join("");

export const userInput = (text: string): Readonly<Record<string, unknown>> => ({
  content: [{ type: "input_text", text }],
  attachments: [],
  quoted_text: null,
  inference_options: {},
});

export async function ask<T>(send: Send, request: Request): Promise<T> {
  const response = await send(request);
  if (!response.ok) throw new Error(`${request.type} answered ${response.status}`);
  return (await response.json()) as T;
}

/** Yields the events of one streamed answer. */
export async function* stream(send: Send, request: Request): AsyncGenerator<StreamEvent> {
  const response = await send(request);
  if (!response.ok || !response.body) throw new Error(`${request.type} answered ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    const blocks = (waiting + (value ?? "")).replaceAll("\r\n", "\n").split("\n\n");
    waiting = done ? "" : (blocks.pop() ?? "");
    for (const block of blocks) {
      const lines = block.split("\n").filter((line) => line.startsWith("data:"));
      const data = lines.map((line) => line.slice(5).trimStart()).join("\n");
      if (data && data !== "[DONE]") yield JSON.parse(data) as StreamEvent;
    }
    if (done) return;
  }
}
