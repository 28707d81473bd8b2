import { type Configuration, readConfiguration } from "./configuration";
import { configurationCall, type Tenant } from "./looks";
import { Problem, readProblem } from "./problem";

/** The calls to the platform. Each settles in time, with a value or a Problem. */
export interface Platform {
  /** `first`: an answer that is there already, if it was one. */
  configuration(first?: Promise<Response | null> | null): Promise<Configuration>;
  /** One POST, no retry; the parsed answer. `timeout` in milliseconds. */
  session(body: Record<string, unknown>, timeout: number): Promise<unknown>;
  /** The visitor of this token signs out: the token counts no more, and the sessions end at OpenAI. */
  end(token: string): Promise<void>;
}

const CONFIGURATION_TIMEOUT = 8_000;
const END_TIMEOUT = 8_000;

/** `client` is what the operator sees in the ledger, such as "embed/1.0.0". */
export function connectPlatform(settings: Tenant, client: string, fetch: typeof window.fetch): Platform {
  const tenant = `${settings.base}/api/v1/tenants/${settings.tenant}`;
  const preview: Record<string, string> = settings.previewTicket ? { "X-Preview-Ticket": settings.previewTicket } : {};

  async function call(
    address: string,
    timeout: number,
    init: RequestInit,
    first: Promise<Response | null> | null = null,
  ): Promise<unknown> {
    const signal = AbortSignal.timeout(timeout);
    try {
      const terms: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", signal, ...init };
      // Without a prototype: a polluted Object.prototype.body would otherwise make every GET throw.
      const response = (await first) ?? (await fetch(address, Object.assign(Object.create(null), terms)));
      if (!response.ok) throw await readProblem(response);
      return response.status === 204 ? null : await response.json();
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (signal.aborted) throw new Problem("timeout", "The platform didn't answer in time.");
      if (error instanceof SyntaxError) throw new Problem("answer_invalid", "The platform's answer isn't JSON.");
      const cure = "check the network, content blockers and the page's Content-Security-Policy (connect-src)";
      throw new Problem("unreachable", `${settings.base} couldn't be reached: ${cure}.`);
    }
  }

  async function configuration(
    timeout = CONFIGURATION_TIMEOUT,
    first: Promise<Response | null> | null = null,
  ): Promise<Configuration> {
    const [address, init] = configurationCall(settings, timeout);
    return readConfiguration(await call(address, timeout, init, first), settings.base);
  }

  async function post(path: string, body: unknown, timeout: number, keepalive: boolean): Promise<unknown> {
    try {
      return await call(`${tenant}/chatkit/${path}/`, timeout, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-ChatKit-Client": client, ...preview },
        body: JSON.stringify(body),
        keepalive,
      });
    } catch (problem) {
      // A browser hides why a cross-origin POST failed; the configuration endpoint tells its refusals to any page.
      if ((problem as Problem).code === "unreachable") await configuration(timeout);
      throw problem;
    }
  }

  return {
    configuration: (first) => configuration(CONFIGURATION_TIMEOUT, first),
    session: (body, timeout) => post("session", body, timeout, false),
    async end(token) {
      try {
        // Signing out often leaves the page: the request must outlive it.
        await post("session/end", { visitor_token: token }, END_TIMEOUT, true);
      } catch (problem) {
        // A token that doesn't count any more is as good as ended.
        if ((problem as Problem).code !== "token_invalid") throw problem;
      }
    },
  };
}
