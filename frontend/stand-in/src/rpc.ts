/** A value that crosses the port together with what can only be moved, such as a stream. */
export class Moved {
  constructor(
    readonly value: unknown,
    readonly moved: Transferable[],
  ) {}
}

export type Handlers = Readonly<Record<string, (payload: never) => unknown>>;

interface Letter {
  readonly kind: string;
  readonly payload: unknown;
  /** Of a question: by this number the answer finds it. */
  readonly question?: number;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const ANSWER = "answer";

/** Questions and news over one MessagePort, both ways. An error crosses as its name and message. */
export class Rpc {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #questions = 0;

  constructor(port: MessagePort, handlers: Handlers) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Letter>) => {
      if (data.kind === ANSWER) this.#take(data);
      else void this.#handle(handlers[data.kind] as ((payload: unknown) => unknown) | undefined, data);
    };
  }

  tell(kind: string, payload: unknown): void {
    this.#port.postMessage({ kind, payload } satisfies Letter);
  }

  ask<T>(kind: string, payload: unknown): Promise<T> {
    this.#questions += 1;
    const question = this.#questions;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(question, { resolve: resolve as (value: unknown) => void, reject });
      this.#port.postMessage({ kind, payload, question } satisfies Letter);
    });
  }

  close(): void {
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(new Error("The chat was taken off the page."));
    this.#waiting.clear();
  }

  async #handle(
    handler: ((payload: unknown) => unknown) | undefined,
    { kind, payload, question }: Letter,
  ): Promise<void> {
    try {
      if (!handler) throw new Error(`Nobody handles ${kind}.`);
      const told = await handler(payload);
      if (question === undefined) return;
      const { value, moved } = told instanceof Moved ? told : { value: told, moved: [] };
      this.#port.postMessage({ kind: ANSWER, payload: { value }, question }, moved);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (question === undefined) console.error(error);
      else this.#port.postMessage({ kind: ANSWER, payload: { error: [error.name, error.message] }, question });
    }
  }

  #take({ payload, question = 0 }: Letter): void {
    const waiting = this.#waiting.get(question);
    this.#waiting.delete(question);
    const { value, error } = payload as { value?: unknown; error?: readonly [string, string] };
    if (error) waiting?.reject(Object.assign(new Error(error[1]), { name: error[0] }));
    else waiting?.resolve(value);
  }
}
