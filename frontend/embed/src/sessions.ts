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

function readSession(answer: unknown): { secret: string; token: string | null } {
  const { backend, client_secret: secret, visitor_token: token } = (answer ?? {}) as Record<string, unknown>;
  if (backend !== undefined && backend !== "hosted_workflow") {
    throw new Problem(
      "integration_outdated",
      "This version of embed.js can't open this assistant: load /widget/v1/embed.js.",
    );
  }
  if (typeof secret !== "string" || !secret)
    throw new Problem("answer_invalid", "The platform's answer holds no session.");
  return { secret, token: typeof token === "string" ? token : null };
}

/**
 * Mints client secrets. Every call is a new session, refreshes too: a client secret can't be prolonged, and the one that
 * ChatKit shows us is about to die. The visitor token is what makes the new session the same visitor's.
 * Calls that overlap share one request. Rejects with a Problem.
 */
export function sessionMint(platform: Platform, tokens: TokenStore, assistant: string, time: Clock = clock) {
  let inFlight: Promise<string> | null = null;
  let notBefore = 0;
  let last: Problem | null = null;

  async function attempt(refresh: boolean, timeout: number): Promise<string> {
    const token = tokens.read();
    const body = {
      ...(assistant && { assistant }),
      ...(token && { visitor_token: token }),
      ...(refresh && { refresh: true }),
      backends: ["hosted_workflow"],
    };
    const answer = await platform.session(body, timeout);
    const session = readSession(answer);
    if (session.token) tokens.write(session.token);
    return session.secret;
  }

  async function mint(refresh: boolean): Promise<string> {
    // ChatKit may ask again at once; the platform has said when.
    if (last && time.now() < notBefore) throw last;
    const end = time.now() + BUDGET;
    for (let count = 1; ; count += 1) {
      const begun = time.now();
      try {
        return await attempt(refresh, end - begun);
      } catch (error) {
        const problem = error as Problem;
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

  return (current: string | null): Promise<string> => {
    inFlight ??= mint(current !== null).finally(() => {
      inFlight = null;
    });
    return inFlight;
  };
}
