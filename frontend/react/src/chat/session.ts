import { Problem } from "./problem";

export interface Session {
  readonly secret: string;
  readonly token: string | null;
}

interface Refused {
  readonly error?: { code: string; message: string; request_id: string; retry_after: number | null };
}

const TIMEOUT = 15_000;

/** A new session; `apiUrl` is the tenant's address. Rejects with a Problem. */
export async function requestSession(apiUrl: string, body: Record<string, unknown>): Promise<Session> {
  const answer = await post(`${apiUrl}/chatkit/session/`, { ...body, backends: ["hosted_workflow"] });
  const { client_secret, visitor_token } = (answer ?? {}) as { client_secret?: string; visitor_token?: string | null };
  if (!client_secret) throw new Problem("answer_invalid", "The platform's answer holds no client secret.");
  return { secret: client_secret, token: visitor_token ?? null };
}

/** The visitor of this token signs out: the token counts no more, and the sessions end at OpenAI. */
export async function endSessions(apiUrl: string, token: string): Promise<void> {
  try {
    await post(`${apiUrl}/chatkit/session/end/`, { visitor_token: token });
  } catch (problem) {
    // A token that doesn't count any more is as good as ended.
    if ((problem as Problem).code !== "token_invalid") throw problem;
  }
}

async function post(address: string, body: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      // The platform knows visitors by their token: no cookies, hence no CSRF token either.
      credentials: "omit",
      headers: { "Content-Type": "application/json", "X-ChatKit-Client": "react/1.0.0" },
      body: JSON.stringify(body),
      // Signing out often leaves the page: the request must outlive it.
      keepalive: true,
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    const cure = `Is the platform up, and is ${location.origin} among the tenant's allowed domains?`;
    throw new Problem("unreachable", `${address} couldn't be reached. ${cure}`);
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw readRefusal(response.status, answer as Refused | null);
  return answer;
}

function readRefusal(status: number, answer: Refused | null): Problem {
  const { code, message, request_id, retry_after } = answer?.error ?? {};
  if (!code) return new Problem("answer_invalid", `The platform answered with status ${status} and no reason.`);
  return new Problem(code, message ?? "", request_id, retry_after ?? 0);
}
