import type { ChatKitOptions } from "@openai/chatkit";
import { chatApi, sameBackend } from "./shared/chat-api";
import type { Configuration } from "./shared/configuration";
import { claimsOf, createIdentity, type IdentitySource } from "./shared/identity";
import { connectPlatform } from "./shared/platform";
import type { Problem } from "./shared/problem";
import { SIGNED_OUT, sessionMint } from "./shared/sessions";
import { tokenStore } from "./shared/storage";

const CLIENT = "react/1.0.0";

export type Visitor = ReturnType<typeof createVisitor>;
export type Visit = ReturnType<Visitor["begin"]>;

/** What a mounted chat needs: the tenant's wishes, and ChatKit's `api` for the assistant's backend. */
export interface Opened {
  readonly configuration: Configuration;
  readonly api: ChatKitOptions["api"];
  /** Asks the platform for the configuration anew. */
  readonly ask: () => Promise<Configuration>;
}

/** To tell persons apart before anybody was asked: a function's answer is looked at when a session is due. */
export const subjectOf = (source: IdentitySource): string =>
  typeof source === "string" ? `person ${claimsOf(source).sub}` : typeof source;

/** Whoever sits before the page, anonymous or signed in, at one tenant; `apiUrl` is the tenant's address. */
export function createVisitor(apiUrl: string) {
  const [base = "", tenant = ""] = apiUrl.split("/api/v1/tenants/");
  const network: typeof fetch = (input, init) => fetch(input, init);
  const platform = connectPlatform({ base, tenant, assistant: "", previewTicket: "" }, CLIENT, network);
  const identity = createIdentity(null);
  const tokens = tokenStore(tenant);
  let running = new AbortController();
  let asked: Promise<Configuration> | null = null;

  function configure(): Promise<Configuration> {
    const asking = asked ?? platform.configuration();
    asked = asking;
    asking.catch(() => {
      if (asked === asking) asked = null;
    });
    return asking;
  }

  /** One mounted chat's sessions. They are one person's: when somebody else is signed in, it rejects with `identity_changed`. */
  function begin() {
    const over = new AbortController();
    running = over;
    const sessions = sessionMint({ platform, identity, tokens, assistant: "", visit: over.signal });

    return {
      sessions,
      configure,

      /** `failed` hears what goes wrong later, in the mounted chat. Rejects with a Problem. */
      async open(configuration: Configuration, failed: (problem: Problem) => void): Promise<Opened> {
        const first = sameBackend(await sessions.open(false), configuration);
        const visit = over.signal;
        const terms = { configuration, sessions, first, visit, client: CLIENT, previewTicket: "", network, failed };
        return { configuration, api: chatApi(terms), ask: () => platform.configuration() };
      },

      isRunning: (): boolean => !over.signal.aborted,
      end: (): void => over.abort(),
    };
  }

  return {
    begin,
    identify: identity.set,
    isNamed: identity.isNamed,

    /** The assistant was switched: what was known of it counts no more. */
    forgetConfiguration(): void {
      asked = null;
    },

    /** Ends the sessions and forgets the visitor on this device; what fails is told to the developer only. */
    async signOut(): Promise<void> {
      identity.set(null);
      running.abort(SIGNED_OUT);
      const told = (problem: unknown): void => console.error("[TenantChat]", problem);
      await Promise.all(tokens.forget().map((token) => platform.end(token).catch(told)));
    },
  };
}
