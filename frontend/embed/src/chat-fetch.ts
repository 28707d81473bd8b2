import { Problem, readProblem } from "./problem";
import type { Session } from "./sessions";

export interface Terms {
  /** The platform's chat endpoint; nothing else ever gets the token. */
  readonly url: string;
  readonly client: string;
  readonly previewTicket: string;
  /** Mints a session; rejects with a Problem. Callers that overlap get the same one. */
  readonly mint: () => Promise<Session>;
  readonly first: Session;
  /** The visit: when it is over, open streams end and nothing more is sent. */
  readonly visit: AbortSignal;
  readonly network: typeof fetch;
  readonly now?: () => number;
  /** There is no chat for now, or not in this mode any more. */
  readonly failed: (problem: Problem) => void;
}

/** The chat token, in memory alone: minted anew before it ends, and when the platform refuses it; one mint at a time. */
function chatTokens({ first, mint, now = Date.now }: Terms) {
  let held = first;
  let minting: Promise<Session> | null = null;

  const isFresh = (): boolean => now() < held.freshUntil;

  async function renew(): Promise<string> {
    minting ??= mint().finally(() => {
      minting = null;
    });
    held = await minting;
    return held.secret;
  }

  return {
    current: async (): Promise<string> => (isFresh() ? held.secret : renew()),
    /** Another than the one that was refused: somebody may have minted it meanwhile. */
    other: async (refused: string): Promise<string> => (held.secret !== refused && isFresh() ? held.secret : renew()),
  };
}

function either(one: AbortSignal, other: AbortSignal | null | undefined): AbortSignal {
  // AbortSignal.any is younger than the browsers that the script supports.
  if (!other) return one;
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort(signal.reason);
    else signal.addEventListener("abort", () => both.abort(signal.reason), { once: true, signal: both.signal });
  }
  return both.signal;
}

/** What is sent, in a form that can be sent twice. */
async function repeatable(input: RequestInfo | URL, init: RequestInit = {}): Promise<RequestInit> {
  if (input instanceof Request) {
    const { body, headers, method, signal } = new Request(input, init);
    return { method, headers, signal, ...(body && { body: await new Response(body).blob() }) };
  }
  const { body } = init;
  return body instanceof ReadableStream ? { ...init, body: await new Response(body).blob() } : init;
}

/** A refusal, and the answer to give back: read once and made anew, as a clone's other half would wait for its reader. */
async function readRefusal(response: Response): Promise<[Problem, Response]> {
  const { headers, status, statusText } = response;
  const text = await response.text();
  const anew = (): Response => new Response(text, { headers, status, statusText });
  return [await readProblem(anew()), anew()];
}

/**
 * `api.fetch` for ChatKit's custom mode. To the chat endpoint it adds the visitor's chat token; when that is refused it mints
 * another one and sends the request again, once. Anything else passes as it is: uploads and previews are signed by their address.
 */
export function chatFetch(terms: Terms): typeof fetch {
  const { client, failed, network, previewTicket, url, visit } = terms;
  const tokens = chatTokens(terms);

  const isOwn = (input: RequestInfo | URL): boolean => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input, document.baseURI);
    return origin + pathname === url;
  };

  return async (input, init) => {
    if (!isOwn(input)) return network(input, init);
    const call = await repeatable(input, init);
    const headers = new Headers(call.headers);
    headers.set("X-ChatKit-Client", client);
    if (previewTicket) headers.set("X-Preview-Ticket", previewTicket);
    const signal = either(visit, call.signal);

    async function send(token: string): Promise<Response> {
      // ChatKit may ask once more after the visitor has gone.
      signal.throwIfAborted();
      headers.set("Authorization", `Bearer ${token}`);
      const terms: RequestInit = { ...call, headers, signal, credentials: "omit", referrerPolicy: "no-referrer" };
      try {
        // Without a prototype, as in `platform.ts`.
        return await network(url, Object.assign(Object.create(null), terms));
      } catch (error) {
        // No answer, or one that this page may not read, as those to a tenant that was suspended meanwhile.
        if (!signal.aborted) failed(new Problem("unreachable", `${url} couldn't be reached: ${error}`));
        throw error;
      }
    }

    async function mintable(token: Promise<string>): Promise<string> {
      try {
        return await token;
      } catch (problem) {
        failed(problem as Problem);
        throw problem;
      }
    }

    const token = await mintable(tokens.current());
    let response = await send(token);
    if (response.status === 401) {
      const [problem, refused] = await readRefusal(response);
      if (problem.code !== "token_invalid") return refused;
      response = await send(await mintable(tokens.other(token)));
    }
    if (![409, 429, 503].includes(response.status)) return response;
    const [problem, refused] = await readRefusal(response);
    if (response.status !== 409 || problem.code === "integration_outdated") failed(problem);
    return refused;
  };
}
