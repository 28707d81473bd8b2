import { keepVisitorToken, readVisitorToken } from "./visitorToken";

/** Why the platform gave no session. `message` holds the cure and is for the developer at the console, not for the visitor. */
export class SessionProblem extends Error {
  readonly code: string;
  readonly requestId: string;
  /** Seconds; 0 = not said. */
  readonly retryAfter: number;

  constructor(code: string, message: string, requestId = "", retryAfter = 0) {
    super(`${code}: ${message}${requestId && ` (request ${requestId})`}`);
    this.name = "SessionProblem";
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

interface Granted {
  readonly client_secret: string;
  readonly visitor_token: string | null;
}

interface Refused {
  readonly error?: { code: string; message: string; request_id: string; retry_after: number | null };
}

const TIMEOUT = 15_000;

/**
 * Asks the tenant's endpoint for a client secret. Always a new one: a secret lives ten minutes and can't be prolonged, so
 * ChatKit's current one only tells us that this is a refresh. The visitor token makes the new session the same visitor's.
 */
export async function fetchClientSecret(apiUrl: string, current: string | null): Promise<string> {
  const token = readVisitorToken(apiUrl);
  const response = await post(`${apiUrl}/chatkit/session/`, {
    ...(token && { visitor_token: token }),
    ...(current && { refresh: true }),
    backends: ["hosted_workflow"],
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw readRefusal(response.status, answer as Refused | null);
  const { client_secret, visitor_token } = (answer ?? {}) as Partial<Granted>;
  if (!client_secret) throw new SessionProblem("answer_invalid", "The platform's answer holds no client secret.");
  if (visitor_token) keepVisitorToken(apiUrl, visitor_token);
  return client_secret;
}

async function post(address: string, body: unknown): Promise<Response> {
  try {
    return await fetch(address, {
      method: "POST",
      // The platform knows visitors by their token: no cookies, hence no CSRF token either.
      credentials: "omit",
      headers: { "Content-Type": "application/json", "X-ChatKit-Client": "react/1.0.0" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    const cure = `Is the platform up, and is ${location.origin} among the tenant's allowed domains?`;
    throw new SessionProblem("unreachable", `${address} couldn't be reached. ${cure}`);
  }
}

function readRefusal(status: number, answer: Refused | null): SessionProblem {
  const { code, message, request_id, retry_after } = answer?.error ?? {};
  if (!code) return new SessionProblem("answer_invalid", `The platform answered with status ${status} and no reason.`);
  return new SessionProblem(code, message ?? "", request_id, retry_after ?? 0);
}
