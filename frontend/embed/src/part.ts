import type { SupportedLocale } from "@openai/chatkit";
import type { ChatKitPlatformEvents, ChatState, ClientToolCall } from "./api";
import type { Configuration } from "./configuration";
import type { IdentitySource } from "./identity";
import type { Platform } from "./platform";
import { Problem } from "./problem";
import type { AddScript } from "./script";
import type { Settings } from "./settings";
import type { TokenStore } from "./storage";
import type { View } from "./view";

declare const __VERSION__: string;
declare const __CHAT_SRI__: string;

export type Emit = <K extends keyof ChatKitPlatformEvents>(name: K, detail: ChatKitPlatformEvents[K]) => void;

/** What the launcher, which every page view loads, lends to the chat part, which only an opened chat loads. */
export interface Stage {
  readonly settings: Settings;
  readonly version: string;
  readonly platform: Platform;
  readonly tokens: TokenStore;
  readonly view: View;
  readonly emit: Emit;
  readonly addScript: AddScript;
  readonly report: (problem: Problem) => void;
  /** Whom the page had named before the part arrived. */
  readonly identity: IdentitySource;
  state(): ChatState;
  enter(next: ChatState, problem?: Problem): void;
  /** Asked once; anew after a failure that may be over, and after `forgetConfiguration`. */
  configure(): Promise<Configuration>;
  forgetConfiguration(): void;
  isDark(): boolean;
  locale(): SupportedLocale | undefined;
  callTool(call: ClientToolCall): Promise<Record<string, unknown>>;
}

export interface Chat {
  start(): Promise<void>;
  focus(): void;
  recolour(): void;
  identify(source: IdentitySource): Promise<void>;
  /** Takes off the page whatever is the visitor's. */
  signOut(): void;
  stop(): void;
}

export type ChatPart = (stage: Stage) => Chat;

const TIMEOUT = 15_000;

/** Where the part leaves itself. A symbol, since an element's name or id can't make a global of it. */
export const PART = Symbol.for(`chatkit-platform ${__VERSION__}`);

type Holder = { [PART]?: ChatPart };

/** Resolves with the chat part of this very build: the address never changes, and the browser compares the hash. */
export function loadPart({ base, nonce }: Settings, addScript: AddScript): Promise<ChatPart> {
  const there = (window as Holder)[PART];
  if (there) return Promise.resolve(there);
  const tag = __CHAT_SRI__.replace(/\W/g, "").slice(6, 14);
  const address = `${base}/widget/${__VERSION__}/chat.js?${tag}`;
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Problem("chat_unreachable", reason));
    setTimeout(fail, TIMEOUT, `${address} didn't start within ${TIMEOUT / 1000} s.`);
    addScript(address, nonce, fail, __CHAT_SRI__)?.addEventListener("load", () => {
      const part = (window as Holder)[PART];
      if (part) resolve(part);
      else fail(`${address} isn't the chat.`);
    });
  });
}
