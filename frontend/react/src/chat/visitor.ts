import { claimsOf, createIdentity, type IdentitySource } from "./identity";
import { Problem } from "./problem";
import { endSessions, requestSession } from "./session";
import { tokenStore } from "./storage";

/** The first bytes of an anonymous visitor's token: what isn't one is not stored for long. */
const ANONYMOUS = /^vt1\.[^.]+\.AA/;
// For the page's own function that gets a JWT.
const ANSWER_TIMEOUT = 8_000;

export type Visitor = ReturnType<typeof createVisitor>;
export type Visit = ReturnType<Visitor["begin"]>;

/** To tell persons apart before anybody was asked: a function's answer is looked at when a session is due. */
export const subjectOf = (source: IdentitySource): string =>
  typeof source === "string" ? `person ${claimsOf(source).sub}` : typeof source;

/** Whoever sits before the page, anonymous or signed in, at one tenant. */
export function createVisitor(apiUrl: string) {
  const identity = createIdentity(null);
  const tokens = tokenStore(apiUrl.split("/").pop() ?? "");
  let running = new AbortController();
  let signOuts = 0;

  /** One mounted chat's sessions. They are one person's: when somebody else is signed in, it rejects with `identity_changed`. */
  function begin() {
    const over = new AbortController();
    running = over;
    let subject: string | null | undefined;

    function sameVisitor(holds: boolean): void {
      if (!holds || over.signal.aborted) throw new Problem("identity_changed", "Another visitor is signed in by now.");
    }

    async function attempt(refresh: boolean): Promise<string> {
      const before = signOuts;
      sameVisitor(true);
      const person = await identity.current(ANSWER_TIMEOUT);
      const whose = person?.subject ?? null;
      sameVisitor(subject === undefined || subject === whose);
      subject = whose;
      const known = whose === null ? null : await tokens.known(whose);
      // A tenant that doesn't ask for identities, or only tries them out, goes on knowing the anonymous visitor.
      const token = known ?? tokens.anonymous();
      // The known visitor's token goes on where the JWT that it was given for has ended.
      const jwt = person && !(known && person.expired) ? person.jwt : null;
      const session = await requestSession(apiUrl, {
        ...(token && { visitor_token: token }),
        ...(jwt && { identity_token: jwt }),
        ...(refresh && { refresh: true }),
      });
      // The visitor left while it was on its way.
      if (signOuts > before && session.token) endSessions(apiUrl, session.token).catch(() => undefined);
      sameVisitor(true);
      if (!session.token) return session.secret;
      const anonymous = ANONYMOUS.test(session.token);
      if (known && anonymous) {
        tokens.forgetKnown();
        throw new Problem("identity_invalid", "The signed-in visit has ended: identify the visitor anew.");
      }
      await tokens.keep(session.token, anonymous ? null : whose);
      return session.secret;
    }

    return {
      /**
       * Always a new session: a secret lives ten minutes and can't be prolonged, so ChatKit's current one only tells us
       * that this is a refresh. The visitor token makes the new session the same visitor's.
       */
      async clientSecret(current: string | null): Promise<string> {
        try {
          return await attempt(current !== null);
        } catch (problem) {
          const refused = problem instanceof Problem && problem.code === "identity_invalid";
          // Never twice with the same JWT; once with a fresh one, where the page can give it.
          if (refused && identity.refuse(problem)) return attempt(current !== null);
          throw problem;
        }
      },

      isRunning: (): boolean => !over.signal.aborted,
      end: (): void => over.abort(),
    };
  }

  return {
    begin,
    identify: identity.set,
    isNamed: identity.isNamed,

    /** Ends the sessions and forgets the visitor on this device; what fails is told to the developer only. */
    async signOut(): Promise<void> {
      identity.set(null);
      running.abort();
      signOuts += 1;
      const told = (problem: unknown): void => console.error("[TenantChat]", problem);
      await Promise.all(tokens.forget().map((token) => endSessions(apiUrl, token).catch(told)));
    },
  };
}
