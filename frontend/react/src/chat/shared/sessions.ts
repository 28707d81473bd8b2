import type { Identity } from "./identity";
import type { Platform } from "./platform";
import { Problem } from "./problem";
import type { TokenStore } from "./storage";

export interface Clock {
  now(): number;
  /** Resolves after so many milliseconds. */
  wait(milliseconds: number): Promise<void>;
  /** 0 ≤ n < 1 */
  random(): number;
}

export const clock: Clock = {
  now: Date.now,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: Math.random,
};

const ATTEMPTS = 3;
const FIRST_PAUSE = 800;
// A visitor looks at a spinner meanwhile: what takes longer is said, with a button to try again. The platform gives OpenAI
// 8 s; what it says after that must still be heard.
const BUDGET = 10_000;
// With less time left, an attempt would be cut off before it could succeed.
const LEAST = 2_000;
// Who was this slow to fail hangs rather than stumbles: another attempt would be one more session for nothing.
const SLOW = 3_000;

/** Milliseconds before the next attempt: never sooner than the platform asked, and spread, so that pages don't return as one. */
export function pauseBefore(attempt: number, retryAfter: number, random: number): number {
  const least = Math.max(retryAfter * 1000, FIRST_PAUSE * 2 ** (attempt - 1));
  return least * (1 + random / 2);
}

/** What this script can open. */
const BACKENDS = ["hosted_workflow", "platform"] as const;

export type Backend = (typeof BACKENDS)[number];

export interface Session {
  readonly secret: string;
  readonly backend: Backend;
  /** By our own clock, in milliseconds: as late as a call with it may begin. */
  readonly freshUntil: number;
}

// No life is believed beyond the platform's longest, which is said in seconds.
const LONGEST_LIFE = 600;
// A call that begins this late still arrives in time.
const MARGIN = 30_000;

function readSession(answer: unknown, now: number): Session & { readonly token: string | null } {
  const all = (answer ?? {}) as Record<string, unknown>;
  const { backend = BACKENDS[0], client_secret: secret, visitor_token: token, expires_in: seconds } = all;
  const known = BACKENDS.find((name) => name === backend);
  if (!known) {
    throw new Problem(
      "integration_outdated",
      "This version of the script can't open this assistant: load the current one.",
    );
  }
  if (typeof secret !== "string" || !secret)
    throw new Problem("answer_invalid", "The platform's answer holds no session.");
  const life = Math.min(Number(seconds) || LONGEST_LIFE, LONGEST_LIFE) * 1000;
  return {
    secret,
    backend: known,
    freshUntil: now + Math.max(life - MARGIN, life / 2),
    token: typeof token === "string" ? token : null,
  };
}

/** The first bytes of an anonymous visitor's token (`platform/gateway/visitor_tokens.py`): what isn't one is not stored for long. */
const ANONYMOUS = /^vt1\.[^.]+\.AA/;

export const SIGNED_OUT = "signed out";

export interface Circumstances {
  readonly platform: Platform;
  readonly identity: Identity;
  readonly tokens: TokenStore;
  readonly assistant: string;
  /** The visit: when it is over, what comes late is thrown away, and ended where the visitor signed out. */
  readonly visit: AbortSignal;
  readonly time?: Clock;
}

export type SessionMint = ReturnType<typeof sessionMint>;

/**
 * Mints client secrets for one visit of one visitor. Every call is a new session, refreshes too: a client secret can't be
 * prolonged, and the one that ChatKit shows us is about to die. The visitor token makes the new session the same visitor's.
 * Calls that overlap share one request. Rejects with a Problem; with `identity_changed` when somebody else is signed in.
 */
export function sessionMint({ platform, identity, tokens, assistant, visit, time = clock }: Circumstances) {
  let subject: string | null | undefined;
  let inFlight: Promise<Session> | null = null;
  let notBefore = 0;
  let last: Problem | null = null;

  function sameVisitor(holds: boolean): void {
    if (!holds || visit.aborted) throw new Problem("identity_changed", "Another visitor is signed in by now.");
  }

  async function attempt(refresh: boolean, end: number): Promise<Session> {
    sameVisitor(true);
    const person = await identity.current(end - LEAST - time.now());
    const whose = person?.subject ?? null;
    sameVisitor(subject === undefined || subject === whose);
    subject = whose;
    const known = whose === null ? null : await tokens.known(whose);
    // A tenant that doesn't ask for identities, or only tries them out, goes on knowing the anonymous visitor.
    const token = known ?? tokens.anonymous();
    // The known visitor's token goes on where the JWT that it was given for has ended.
    const jwt = person && !(known && person.expired) ? person.jwt : null;
    const body = {
      ...(assistant && { assistant }),
      ...(token && { visitor_token: token }),
      ...(jwt && { identity_token: jwt }),
      ...(refresh && { refresh: true }),
      backends: BACKENDS,
    };
    const asked = time.now();
    const session = readSession(await platform.session(body, end - asked), asked);
    if (visit.reason === SIGNED_OUT && session.token) platform.end(session.token).catch(() => undefined);
    sameVisitor(true);
    if (session.token) {
      const anonymous = ANONYMOUS.test(session.token);
      if (known && anonymous) {
        tokens.forgetKnown();
        throw new Problem("identity_invalid", "The signed-in visit has ended: identify the visitor anew.");
      }
      await tokens.keep(session.token, anonymous ? null : whose);
    }
    return session;
  }

  async function mint(refresh: boolean): Promise<Session> {
    // ChatKit may ask again at once; the platform has said when.
    if (last && time.now() < notBefore) throw last;
    const end = time.now() + BUDGET;
    let renewed = false;
    for (let count = 1; ; count += 1) {
      const begun = time.now();
      try {
        return await attempt(refresh, end);
      } catch (error) {
        const problem = error as Problem;
        // Never twice with the same JWT; once with a fresh one, where the page can give it.
        if (problem.code === "identity_invalid" && identity.refuse(problem) && !renewed) {
          renewed = true;
          continue;
        }
        const pause = pauseBefore(count, problem.retryAfter, time.random());
        const now = time.now();
        const hopeless = count === ATTEMPTS || now - begun > SLOW || now + pause > end - LEAST;
        if (hopeless || !problem.transient) {
          last = problem;
          notBefore = now + problem.retryAfter * 1000;
          throw problem;
        }
        await time.wait(pause);
      }
    }
  }

  return {
    /** Whose sessions these are: a JWT's subject, null for an anonymous visitor, undefined before it is known. */
    subject: (): string | null | undefined => subject,

    /** A new session, whatever its backend; `refresh` where it takes the place of another. */
    open(refresh: boolean): Promise<Session> {
      inFlight ??= mint(refresh).finally(() => {
        inFlight = null;
      });
      return inFlight;
    },
  };
}
