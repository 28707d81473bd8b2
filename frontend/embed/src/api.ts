import type { IdentitySource } from "./identity";

/** What happened, as events of the `<chatkit-platform>` element and through `ChatKitPlatform.on`. */
export interface ChatKitPlatformEvents {
  open: undefined;
  close: undefined;
  /** The panel changed its state; `code` and `requestId` are told where there is no chat. */
  state: { state: ChatState; code?: string; requestId?: string };
  /** The conversation changed; null = a new one. */
  thread: { threadId: string | null };
}

export type ChatState = "idle" | "loading" | "ready" | "refused" | "unavailable" | "blocked" | "signin";

/** A tool that the assistant calls on the page: its name, and what the model said for its parameters. */
export interface ClientToolCall {
  readonly name: string;
  readonly params: Record<string, unknown>;
}

/** The page's own doing for it; what it gives goes back to the assistant. */
export type ClientTool = (call: ClientToolCall) => Record<string, unknown> | Promise<Record<string, unknown>>;

/** `window.ChatKitPlatform`, the only global of the script. */
export interface ChatKitPlatform {
  readonly version: string;
  open(): void;
  close(): void;
  toggle(): void;
  /**
   * Tells who is signed in on the page: a JWT that your server signed, or a function that gets a fresh one, which is asked
   * again when one is needed. Null = nobody any more, as `signOut`. Resolves when the chat is the named person's.
   */
  identify(identity: IdentitySource): Promise<void>;
  /** Ends the visitor's sessions and forgets the visitor on this device. Resolves when that is done; never rejects. */
  signOut(): Promise<void>;
  /** What answers the assistant's client tools; one function for all, null = none. Without it a call fails. */
  onClientTool(handler: ClientTool | null): void;
  on<K extends keyof ChatKitPlatformEvents>(
    name: K,
    listener: (event: CustomEvent<ChatKitPlatformEvents[K]>) => void,
  ): void;
  off<K extends keyof ChatKitPlatformEvents>(
    name: K,
    listener: (event: CustomEvent<ChatKitPlatformEvents[K]>) => void,
  ): void;
  /** Takes the launcher and the chat off the page; including the script again starts anew. */
  destroy(): void;
}

declare global {
  interface Window {
    ChatKitPlatform?: ChatKitPlatform;
  }
}
