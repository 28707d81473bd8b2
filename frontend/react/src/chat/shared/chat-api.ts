import type { ChatKitOptions, CustomApiConfig, HostedApiConfig } from "@openai/chatkit";
import { chatFetch } from "./chat-fetch";
import type { Configuration } from "./configuration";
import { Problem } from "./problem";
import type { Session, SessionMint } from "./sessions";

// A secret minted while chatkit.js was loading is handed over once, and only while it is fresh.
const HANDOVER = 30_000;

export interface Circumstances {
  readonly configuration: Configuration;
  readonly sessions: SessionMint;
  /** The session that was minted for the mounting. */
  readonly first: Session;
  /** Ends with the mounted chat. */
  readonly visit: AbortSignal;
  readonly client: string;
  readonly previewTicket: string;
  readonly network: typeof fetch;
  readonly failed: (problem: Problem) => void;
}

/** Refuses a session of another backend than the mounted one: the assistant was switched meanwhile. */
export function sameBackend(session: Session, { backend }: Configuration): Session {
  if (session.backend === backend) return session;
  throw new Problem("integration_outdated", `The assistant's backend is ${session.backend} by now.`);
}

/** ChatKit's `api` for the assistant's backend: OpenAI's hosted chat, or the platform's own (custom mode). */
export function chatApi(now: Circumstances): ChatKitOptions["api"] {
  return now.configuration.chat ? customApi(now, now.configuration.chat) : hostedApi(now);
}

function customApi(now: Circumstances, chat: NonNullable<Configuration["chat"]>): CustomApiConfig {
  const { configuration, sessions } = now;
  const mint = async (): Promise<Session> => sameBackend(await sessions.open(true), configuration);
  return {
    url: chat.url,
    domainKey: chat.domainKey,
    fetch: chatFetch({ ...now, url: chat.url, mint }),
    ...(configuration.attachments && { uploadStrategy: { type: "two_phase" } }),
  };
}

function hostedApi({ configuration, failed, first, sessions }: Circumstances): HostedApiConfig {
  let handover: string | null = first.secret;
  const minted = Date.now();
  return {
    async getClientSecret(old) {
      const ready = handover;
      handover = null;
      if (ready && old === null && Date.now() - minted < HANDOVER) return ready;
      try {
        return sameBackend(await sessions.open(old !== null), configuration).secret;
      } catch (problem) {
        failed(problem as Problem);
        throw problem;
      }
    },
  };
}
