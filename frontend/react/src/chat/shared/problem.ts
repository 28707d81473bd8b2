/**
 * Why there is no chat. A code is the platform's (`{"error": {code, message, request_id, retry_after}}`) or one of ours:
 *
 *   unreachable      no answer: network, the page's CSP `connect-src`, a content blocker, a CORS refusal
 *   timeout          no answer in time
 *   answer_invalid   an answer that isn't the platform's
 *   configuration_changed   the assistant changed again before the page could follow
 *   client_tool_unhandled   the assistant calls a tool of the page, which handles none; told at the console alone
 *   chatkit_blocked  OpenAI's chatkit.js didn't load, or its frame never became ready
 *   identity_unavailable  the page's own function for identify() failed
 *   identity_changed      somebody else is signed in by now: never seen, the chat starts anew
 */
export type ProblemState = "refused" | "unavailable" | "blocked" | "signin";

/** The platform said no to this page or this script; asking again changes nothing. */
const REFUSED = /^(tenant_unknown|not_found|(origin|method|content|body|assistant|integration|token|host|https)_.+)$/;

/** The visitor is to sign in on the page, for the first time or again. */
const SIGN_IN = /^identity_(required|invalid)$/;

/** A moment later may be different. */
const TRANSIENT = /^(rate_limited|busy|(upstream|platform)_.+|unreachable|timeout)$/;

const LONGEST_WAIT = 300;

export class Problem extends Error {
  readonly code: string;
  readonly requestId: string;
  /** Seconds to wait before the next attempt; 0 = not said. */
  readonly retryAfter: number;

  constructor(code: string, message: string, requestId = "", retryAfter = 0) {
    super(message);
    this.name = "ChatKitPlatformProblem";
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }

  get state(): ProblemState {
    if (this.code === "chatkit_blocked") return "blocked";
    if (SIGN_IN.test(this.code)) return "signin";
    return REFUSED.test(this.code) ? "refused" : "unavailable";
  }

  get transient(): boolean {
    return TRANSIENT.test(this.code);
  }
}

const text = (value: unknown, most: number): string => (typeof value === "string" ? value.slice(0, most) : "");

const seconds = (value: unknown): number => {
  const number = Number(value);
  return number > 0 ? Math.min(number, LONGEST_WAIT) : 0;
};

/** Reads a refusal, from the platform or from a proxy before it that knows nothing of our error shape. */
export async function readProblem(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  const code = text(error?.code, 64);
  const requestId = text(error?.request_id, 64) || text(response.headers.get("X-Request-ID"), 64);
  const retryAfter = seconds(error?.retry_after) || seconds(response.headers.get("Retry-After"));
  if (/^[a-z0-9_]+$/.test(code)) return new Problem(code, text(error?.message, 600), requestId, retryAfter);
  return new Problem(
    response.status === 429 || response.status >= 502 ? "platform_unavailable" : "answer_invalid",
    `The platform answered with status ${response.status} and no reason.`,
    requestId,
    retryAfter,
  );
}
