import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Settings } from "../src/settings";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly text?: string;
  /** Milliseconds before the answer. */
  readonly after?: number;
  /** The connection ends without an answer: for a script the same as an answer that CORS hides from it. */
  readonly cut?: boolean;
}

export const TENANT = `tn_${"a".repeat(28)}`;

export const CONFIGURATION = {
  tenant: TENANT,
  assistant: "default",
  name: "Garden help",
  backend: "hosted_workflow",
  chat: null,
  chatkit_js: "http://127.0.0.1:2/chatkit.js",
  appearance: {
    greeting: "Hello!",
    prompts: [{ label: "Tulips", prompt: "Tell me about tulips" }],
    placeholder: "Ask",
    color_scheme: "auto",
    accent: "#0f766e",
    launcher_side: "left",
    launcher_label: "Help",
  },
  history: true,
  attachments: { enabled: true, max_files: 3, max_size_mb: 2, accept: { "image/jpeg": [".jpg", ".jpeg"] } },
  limit_text: "Enough for now",
  fallback: { text: "Write to us", url: "mailto:help@garden.example" },
  embed_version: "1.0.0",
};

export const refusal = (code: string, retryAfter: number | null = null) => ({
  error: { code, message: `Cure for ${code}.`, request_id: "req_1", retry_after: retryAfter },
});

/** A platform over real HTTP that answers as it is told and remembers what it was asked. */
export async function fakePlatform(answer: (seen: Seen, count: number) => Reply) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader(
      "Access-Control-Allow-Headers",
      "Content-Type, X-ChatKit-Client, X-Preview-Ticket, Authorization",
    );
    response.setHeader("Access-Control-Expose-Headers", "Retry-After, X-Request-ID");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const text = Buffer.concat(chunks).toString();
    const one: Seen = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: text ? JSON.parse(text) : {},
    };
    seen.push(one);
    const reply = answer(one, seen.length);
    if (reply.after) await new Promise((resolve) => setTimeout(resolve, reply.after));
    if (reply.cut) return void response.destroy();
    response.writeHead(reply.status ?? 200, { "Content-Type": "application/json", ...reply.headers });
    response.end(reply.text ?? JSON.stringify(reply.json ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}`,
    seen,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What the script's tag says, of that platform. */
export const settingsFor = (base: string, more: Partial<Settings> = {}): Settings => ({
  base,
  tenant: TENANT,
  assistant: "",
  previewTicket: "",
  identityToken: "",
  nonce: "",
  ...more,
});
