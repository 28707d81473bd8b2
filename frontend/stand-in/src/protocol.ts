/** The part of the openai-chatkit 1.6 protocol that the stand-in speaks: requests as JSON, streams as server-sent events. */
export interface Content {
  readonly type: string;
  readonly text?: string;
}

/** A file that is announced, uploaded or part of a message. */
export interface Attachment {
  readonly id: string;
  readonly type: "file" | "image";
  readonly name: string;
  readonly mime_type: string;
  readonly preview_url?: string | null;
  readonly upload_descriptor?: {
    readonly url: string;
    readonly method: string;
    readonly headers?: Record<string, string>;
  } | null;
}

/** One question to the visitor. */
export interface Question {
  readonly id: string;
  readonly type: "multiple_choice" | "freeform";
  readonly question: string;
  readonly description?: string | null;
  readonly options?: readonly { readonly value: string }[];
  readonly multiple?: boolean;
  readonly answer?: { readonly values: readonly string[]; readonly skipped: boolean } | null;
}

/** A part of a widget; what isn't known here is drawn by its texts and children. */
export interface Widget {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** An item of a thread: which fields it has depends on its type. */
export interface Item {
  readonly id: string;
  readonly type: string;
  readonly status?: string;
  readonly content?: readonly Content[];
  readonly attachments?: readonly Attachment[];
  readonly name?: string;
  readonly arguments?: Record<string, unknown>;
  readonly inputs?: readonly Question[];
  readonly widget?: Widget;
  readonly workflow?: {
    readonly summary?: { readonly title?: string } | null;
    readonly tasks: readonly { title?: string | null }[];
  };
}

export interface Thread {
  readonly id: string;
  readonly title?: string | null;
  readonly items?: { readonly data: readonly Item[] };
}

export type Update =
  | { readonly type: "assistant_message.content_part.added"; readonly content: Content }
  | { readonly type: "assistant_message.content_part.text_delta"; readonly delta: string }
  | { readonly type: "assistant_message.content_part.done"; readonly content: Content }
  | { readonly type: "widget.root.updated"; readonly widget: Widget };

export type StreamEvent =
  | { readonly type: "thread.created" | "thread.updated"; readonly thread: Thread }
  | { readonly type: "thread.item.added" | "thread.item.done" | "thread.item.replaced"; readonly item: Item }
  | { readonly type: "thread.item.updated"; readonly item_id: string; readonly update: Update }
  | { readonly type: "thread.item.removed"; readonly item_id: string }
  | { readonly type: "stream_options"; readonly stream_options: { readonly allow_cancel: boolean } }
  | { readonly type: "progress_update"; readonly text: string }
  | { readonly type: "notice"; readonly level: string; readonly message: string; readonly title?: string | null }
  | { readonly type: "client_effect"; readonly name: string; readonly data?: Record<string, unknown> }
  | { readonly type: "error"; readonly message?: string | null; readonly allow_retry?: boolean };

export interface Request {
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** One POST; the caller adds what authorises it. */
export type Send = (request: Request, signal?: AbortSignal) => Promise<Response>;

export const textOf = (item: Item): string => (item.content ?? []).map((part) => part.text ?? "").join("");

export const userInput = (text: string, attachments: readonly string[] = []): Readonly<Record<string, unknown>> => ({
  content: [{ type: "input_text", text }],
  attachments,
  quoted_text: null,
  inference_options: {},
});

/** A request that the server answered with something other than 200. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

/** The refusal in the server's own words, where it has any: `{"error": {"message": …}}`. */
async function refusal(response: Response, request: Request): Promise<Refused> {
  const told = `${request.type} answered ${response.status}`;
  try {
    const body = (await response.json()) as { error?: { message?: string } };
    return new Refused(response.status, body.error?.message ? `${told}: ${body.error.message}` : told);
  } catch {
    return new Refused(response.status, told);
  }
}

export async function ask<T>(send: Send, request: Request): Promise<T> {
  const response = await send(request);
  if (!response.ok) throw await refusal(response, request);
  return (await response.json()) as T;
}

/** Yields the events of one streamed answer. */
export async function* stream(send: Send, request: Request, signal?: AbortSignal): AsyncGenerator<StreamEvent> {
  const response = await send(request, signal);
  if (!response.ok || !response.body) throw await refusal(response, request);
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
