/** Why there is no session. `message` holds the cure and is for the developer at the console, not for the visitor. */
export class Problem extends Error {
  readonly code: string;
  readonly requestId: string;
  /** Seconds; 0 = not said. */
  readonly retryAfter: number;

  constructor(code: string, message: string, requestId = "", retryAfter = 0) {
    super(`${code}: ${message}${requestId && ` (request ${requestId})`}`);
    this.name = "TenantChatProblem";
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}
