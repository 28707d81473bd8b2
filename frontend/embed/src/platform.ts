import { type Configuration, readConfiguration } from "./configuration";
import { Problem, readProblem } from "./problem";
import type { Settings } from "./settings";

/** The two calls to the platform: the public configuration and a session. Each settles in time, with a value or a Problem. */
export interface Platform {
  configuration(): Promise<Configuration>;
  /** One POST, no retry; the parsed answer. */
  session(body: Record<string, unknown>): Promise<unknown>;
}

const CONFIGURATION_TIMEOUT = 8_000;
// The platform gives OpenAI 8 s; what it says after that must still be heard.
const SESSION_TIMEOUT = 15_000;

export function connectPlatform(settings: Settings, version: string, fetch: typeof window.fetch): Platform {
  const tenant = `${settings.base}/api/v1/tenants/${settings.tenant}`;
  const preview: Record<string, string> = settings.previewTicket ? { "X-Preview-Ticket": settings.previewTicket } : {};

  async function call(address: string, timeout: number, init: RequestInit): Promise<unknown> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeout);
    try {
      const terms: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", signal: stop.signal, ...init };
      // Without a prototype: a polluted Object.prototype.body would otherwise make every GET throw.
      const response = await fetch(address, Object.assign(Object.create(null), terms));
      if (!response.ok) throw await readProblem(response);
      return await response.json();
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (stop.signal.aborted) throw new Problem("timeout", `The platform didn't answer within ${timeout / 1000} s.`);
      if (error instanceof SyntaxError) throw new Problem("answer_invalid", "The platform's answer isn't JSON.");
      const cure = "check the network, content blockers and the page's Content-Security-Policy (connect-src)";
      throw new Problem("unreachable", `${settings.base} couldn't be reached: ${cure}.`);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async configuration() {
      const query = settings.assistant ? `?assistant=${encodeURIComponent(settings.assistant)}` : "";
      const answer = await call(`${tenant}/widget/${query}`, CONFIGURATION_TIMEOUT, { headers: preview });
      return readConfiguration(answer, settings.base);
    },
    session: (body) =>
      call(`${tenant}/chatkit/session/`, SESSION_TIMEOUT, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-ChatKit-Client": `embed/${version}`, ...preview },
        body: JSON.stringify(body),
      }),
  };
}
