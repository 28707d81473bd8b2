import type { ChatKitPlatformEvents, ClientTool } from "./api";
import type { IdentitySource } from "./identity";
import type { Looks } from "./looks";
import type { AddScript } from "./script";
import type { Settings } from "./settings";
import type { Shell } from "./shell";
import type { TokenStore } from "./storage";

declare const __VERSION__: string;
declare const __CHAT_SRI__: string;

export type Emit = <K extends keyof ChatKitPlatformEvents>(name: K, detail: ChatKitPlatformEvents[K]) => void;

/** What the launcher, which every page view loads, lends to the chat part, which only an opened chat loads. */
export interface Launch {
  readonly settings: Settings;
  readonly version: string;
  readonly shell: Shell;
  /** The visitor's languages, the page's first. */
  readonly tags: readonly string[];
  readonly tokens: TokenStore;
  readonly emit: Emit;
  readonly addScript: AddScript;
  readonly isDark: () => boolean;
  readonly dress: (looks: Looks) => void;
  /** The answer that the launcher had for the public configuration; null = ask. */
  readonly first: Promise<Response | null> | null;
  /** Whom the page had named before the part arrived. */
  readonly identity: IdentitySource;
}

export interface Panel {
  isOpen(): boolean;
  open(): void;
  close(): void;
  recolour(): void;
  identify(source: IdentitySource): Promise<void>;
  signOut(): Promise<void>;
  /** Ends at the platform what these visitor tokens have open. */
  end(tokens: readonly string[]): Promise<void>;
  onClientTool(handler: ClientTool | null): void;
  stop(): void;
}

export type ChatPart = (launch: Launch) => Panel;

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
    const fail = (reason: string): void => reject(new Error(reason));
    setTimeout(fail, TIMEOUT, `${address} didn't start within ${TIMEOUT / 1000} s.`);
    addScript(address, nonce, fail, __CHAT_SRI__)?.addEventListener("load", () => {
      const part = (window as Holder)[PART];
      if (part) resolve(part);
      else fail(`${address} isn't the chat.`);
    });
  });
}
