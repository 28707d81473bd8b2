import type { ChatKitOptions, CustomApiConfig, HostedApiConfig } from "@openai/chatkit";

/** What ChatKit's frame throws on options it doesn't know. */
export class InvalidFrameParamsError extends Error {
  override readonly name = "InvalidFrameParamsError";

  constructor(complaint: string) {
    super(`ChatKit.create(): ${complaint}`);
  }
}

// A record of every option, so that the compiler notices when the official type gains or loses one.
const KNOWN: Readonly<Record<keyof ChatKitOptions, true>> = {
  api: true,
  locale: true,
  theme: true,
  frameTitle: true,
  initialThread: true,
  onClientTool: true,
  header: true,
  history: true,
  startScreen: true,
  threadItemActions: true,
  composer: true,
  disclaimer: true,
  entities: true,
  commands: true,
  widgets: true,
  thread: true,
};

const CUSTOM: Readonly<Record<keyof CustomApiConfig, true>> = {
  url: true,
  fetch: true,
  domainKey: true,
  uploadStrategy: true,
};

export const isHosted = (api: ChatKitOptions["api"]): api is HostedApiConfig => "getClientSecret" in api;

/** Refuses unknown options, and an `api` that is of both kinds, of neither, or incomplete. */
export function checkOptions(options: ChatKitOptions): void {
  if (typeof options !== "object" || options === null) throw new InvalidFrameParamsError("Invalid input");
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(KNOWN, key));
  if (unknown.length > 0) {
    const names = unknown.map((key) => `"${key}"`).join(", ");
    throw new InvalidFrameParamsError(`Unrecognized key${unknown.length > 1 ? "s" : ""}: ${names}`);
  }
  const api = (options.api ?? {}) as Readonly<Record<string, unknown>>;
  const keys = Object.keys(api);
  const hosted = typeof api.getClientSecret === "function" && keys.length === 1;
  const custom =
    typeof api.url === "string" && typeof api.domainKey === "string" && keys.every((key) => Object.hasOwn(CUSTOM, key));
  if (!hosted && !custom) throw new InvalidFrameParamsError("Invalid input\n  → at api");
  // "Required when attachments are enabled", says the official type.
  if (custom && options.composer?.attachments?.enabled && !api.uploadStrategy) {
    throw new InvalidFrameParamsError("Invalid input\n  → at api.uploadStrategy");
  }
}
