import { Problem } from "./problem";

/** A JWT that the page's own server signed for whoever is signed in there, or a function that gets one; null = nobody. */
export type IdentitySource = string | null | (() => string | null | Promise<string | null>);

/** Whom the page shows the chat to, by its own word: what the JWT says is read here only to tell persons apart. */
export interface Identified {
  readonly jwt: string;
  readonly subject: string;
  readonly expired: boolean;
}

// The longest life that the platform grants a JWT. No expiry is believed beyond it, as the device's clock may be wrong.
const LONGEST_LIFE = 600_000;
// What expires on its way is refused.
const MARGIN = 10_000;

/** A JWT that can't be read is a person of its own; what it is worth the platform says. */
export function claimsOf(jwt: string): { sub: string; exp: number } {
  try {
    const payload = (jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { sub, exp } = JSON.parse(atob(payload));
    return { sub: typeof sub === "string" && sub ? sub : jwt, exp: typeof exp === "number" ? exp : Infinity };
  } catch {
    return { sub: jwt, exp: Infinity };
  }
}

export type Identity = ReturnType<typeof createIdentity>;

/** The page's word on who is signed in. A JWT is kept while it lives; a page that gave a function is asked for the next one. */
export function createIdentity(source: IdentitySource, now: () => number = Date.now) {
  let held: { jwt: string; subject: string; expires: number } | null = null;
  let refusal: Problem | null = null;

  function hold(jwt: string | null): void {
    held = null;
    if (!jwt) return;
    const { sub, exp } = claimsOf(jwt);
    held = { jwt, subject: sub, expires: Math.min(exp * 1000, now() + LONGEST_LIFE) - MARGIN };
  }

  async function ask(page: () => string | null | Promise<string | null>, timeout: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(reject, timeout, "no answer in time");
      });
      const jwt = (await Promise.race([page(), late])) ?? null;
      if (jwt !== null && typeof jwt !== "string") throw "it gave something other than a string";
      if (page === source) hold(jwt);
    } catch (error) {
      throw new Problem("identity_unavailable", `The page's function for identify() failed: ${error}`);
    } finally {
      clearTimeout(timer);
    }
    if (page !== source) throw new Problem("identity_changed", "The page named another visitor meanwhile.");
  }

  if (typeof source === "string") hold(source);

  return {
    isNamed: (): boolean => source !== null,

    set(next: IdentitySource): void {
      // The same JWT again is no news, least of all one that was refused.
      if (next === source && typeof next !== "function") return;
      source = next;
      refusal = null;
      hold(typeof next === "string" ? next : null);
    },

    /** Who is signed in now, null for nobody. Rejects with a Problem; `timeout` in milliseconds is for the page's function. */
    async current(timeout: number): Promise<Identified | null> {
      if (refusal) throw refusal;
      if (typeof source === "function" && !(held && now() < held.expires)) await ask(source, timeout);
      return held && { jwt: held.jwt, subject: held.subject, expired: now() >= held.expires };
    },

    /** The platform refused the JWT, so it is never sent again. True where the page can be asked for another one. */
    refuse(problem: Problem): boolean {
      held = null;
      if (typeof source === "function") return true;
      refusal = problem;
      return false;
    },
  };
}
