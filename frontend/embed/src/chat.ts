import type { ChatKitEvents, ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import type { ChatKitPlatformEvents, ChatState } from "./api";
import { loadChatKit } from "./chatkit-script";
import type { Configuration } from "./configuration";
import { element, pageRoot } from "./dom";
import { createIdentity, type IdentitySource } from "./identity";
import { chatkitOptions } from "./options";
import type { Platform } from "./platform";
import { Problem } from "./problem";
import { report } from "./report";
import { type SessionMint, SIGNED_OUT, sessionMint } from "./sessions";
import type { Settings } from "./settings";
import type { TokenStore } from "./storage";
import { chatkitLocale } from "./strings";
import type { View } from "./view";

export type Emit = <K extends keyof ChatKitPlatformEvents>(name: K, detail: ChatKitPlatformEvents[K]) => void;

const READY_TIMEOUT = 15_000;
// The page's own function for who is signed in.
const ANSWER_TIMEOUT = 8_000;
// A secret minted while chatkit.js was loading is handed over once, and only while it is fresh.
const HANDOVER = 30_000;

/**
 * One tenant's chat on one page, through its states:
 *
 *   idle ──open──▸ loading ──▸ ready
 *                     │ ▴        │  a refresh that fails
 *                     ▾ retry    ▾
 *        refused · unavailable · blocked · signin
 *
 * Another person at the page, or none any more: all that was the last one's goes, and it begins at idle.
 * Until the first opening only the public configuration is asked for (the launcher's looks); nothing is stored, and
 * nobody but the platform hears of the visitor.
 */
export function createChat(settings: Settings, platform: Platform, tokens: TokenStore, view: View, emit: Emit) {
  const identity = createIdentity(settings.identityToken || null);
  const darkPage = window.matchMedia("(prefers-color-scheme: dark)");
  let state: ChatState = "idle";
  let visit = new AbortController();
  let sessions = newSessions();
  let asked: Promise<Configuration> | null = null;
  let known: Configuration | undefined;
  let chatkit: OpenAIChatKit | undefined;
  let options: (() => ChatKitOptions) | undefined;
  let thread: string | null = null;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  // Counts the starts: what an earlier one still has under way must not touch a later one.
  let run = 0;

  function newSessions(): SessionMint {
    return sessionMint({ platform, identity, tokens, assistant: settings.assistant, visit: visit.signal });
  }

  function isDark(): boolean {
    const scheme = known?.colorScheme ?? "auto";
    return scheme === "auto" ? darkPage.matches : scheme === "dark";
  }

  function recolour(): void {
    view.setScheme(isDark());
    if (options) chatkit?.setOptions(options());
  }

  function focus(): void {
    // Rejects while ChatKit is busy; the visitor then clicks for himself.
    chatkit?.focusComposer().catch(() => undefined);
  }

  function enter(next: ChatState, problem?: Problem): void {
    state = next;
    if (problem?.state === "refused") view.showRefused(problem);
    else if (problem) view.showUnavailable(next, problem, known?.fallback);
    else if (next === "loading") view.showLoading();
    else view.showChat(next);
    emit("state", { state, ...(problem && { code: problem.code, requestId: problem.requestId }) });
    if (next === "ready" && view.isOpen()) focus();
  }

  /** Asked once; anew after a failure that may be over. */
  function configure(): Promise<Configuration> {
    asked ??= platform.configuration().then(
      (configuration) => {
        known = configuration;
        view.dress(configuration);
        recolour();
        return configuration;
      },
      (problem: Problem) => {
        if (problem.state !== "refused") asked = null;
        throw problem;
      },
    );
    return asked;
  }

  function fail(current: number, error: unknown): void {
    if (current !== run) return;
    const problem = error instanceof Problem ? error : new Problem("chatkit_blocked", `chatkit.js failed: ${error}`);
    clearTimeout(watchdog);
    if (problem.code === "identity_changed") {
      restart();
      return;
    }
    report(problem);
    enter(problem.state, problem);
  }

  /** Takes off the page whatever is the visitor's. */
  function leave(reason?: string): void {
    run += 1;
    clearTimeout(watchdog);
    visit.abort(reason);
    visit = new AbortController();
    sessions = newSessions();
    chatkit = options = undefined;
    thread = null;
    view.unmount();
    if (state !== "idle") enter("idle");
  }

  /** For somebody else, from the beginning. */
  function restart(): void {
    leave();
    if (view.isOpen()) void start();
  }

  function mount(current: number, configuration: Configuration, secret: string, { mint }: SessionMint): void {
    let handover: string | null = secret;
    const minted = Date.now();

    async function getClientSecret(old: string | null): Promise<string> {
      const ready = handover;
      handover = null;
      if (ready && old === null && Date.now() - minted < HANDOVER) return ready;
      try {
        return await mint(old);
      } catch (problem) {
        fail(current, problem);
        throw problem;
      }
    }

    const mounted = element("openai-chatkit" as "div") as unknown as OpenAIChatKit;
    chatkit = mounted;
    /** What an element says that was taken off the page is nobody's business any more. */
    function hear<K extends keyof ChatKitEvents>(name: K, listener: (event: ChatKitEvents[K]) => void): void {
      mounted.addEventListener(name, (event) => {
        if (mounted === chatkit) listener(event);
      });
    }
    hear("chatkit.ready", () => {
      clearTimeout(watchdog);
      // Late is better than never: a frame that comes after the watchdog takes the notice's place.
      if (current === run && (state === "loading" || state === "blocked")) enter("ready");
    });
    hear("chatkit.thread.change", ({ detail: { threadId } }) => {
      thread = threadId;
      emit("thread", { threadId });
    });
    // The error itself can hold what the visitor wrote, so only its name is told. ChatKit draws its own errors.
    hear("chatkit.error", ({ detail }) => {
      console.warn(`[ChatKitPlatform] ChatKit reported: ${detail?.error?.name}`);
    });
    options = () =>
      chatkitOptions(configuration, {
        getClientSecret,
        dark: isDark(),
        locale: chatkitLocale(pageRoot().lang),
        thread,
      });
    chatkit.setOptions(options());
    watchdog = setTimeout(() => {
      const reason = `ChatKit's frame wasn't ready within ${READY_TIMEOUT / 1000} s.`;
      fail(current, new Problem("chatkit_blocked", reason));
    }, READY_TIMEOUT);
    view.mount(chatkit);
  }

  async function start(): Promise<void> {
    run += 1;
    const current = run;
    const own = sessions;
    clearTimeout(watchdog);
    enter("loading");
    try {
      const configuration = await configure();
      // Side by side: the session takes the platform a round trip to OpenAI, the script takes the browser one.
      const loading = loadChatKit(configuration.chatkitJs, settings.nonce);
      loading.catch(() => undefined);
      const secret = await own.mint(null);
      await loading;
      if (current === run) mount(current, configuration, secret, own);
    } catch (error) {
      fail(current, error);
    }
  }

  function close(): void {
    if (!view.isOpen()) return;
    view.setOpen(false);
    emit("close", undefined);
  }

  async function signOut(): Promise<void> {
    identity.set(null);
    const ended = tokens.forget();
    close();
    leave(SIGNED_OUT);
    await Promise.all(ended.map((token) => platform.end(token).catch(report)));
  }

  async function identify(source: IdentitySource): Promise<void> {
    if (!source) return identity.isNamed() || tokens.hasKnown() ? signOut() : undefined;
    identity.set(source);
    if (state === "idle") return;
    const own = sessions;
    // What goes wrong here is met again by the new start, and shown there.
    const named = await identity.current(ANSWER_TIMEOUT).then(
      (person) => person?.subject ?? null,
      () => undefined,
    );
    if (own !== sessions) return;
    const shown = own.subject();
    const sound = state === "ready" || state === "loading";
    if (!sound || (shown !== undefined && shown !== named)) restart();
  }

  darkPage.addEventListener("change", recolour);
  recolour();

  return {
    start,

    /** Fetches the launcher's looks. Never rejects: without them the launcher is plain, and opening it says why. */
    prepare: (): Promise<unknown> => configure().catch(report),

    open(): void {
      if (view.isOpen()) return;
      view.setOpen(true);
      emit("open", undefined);
      if (state === "ready") focus();
      // A refusal stands until the page is loaded anew; an outage may be over.
      else if (state !== "loading" && state !== "refused") void start();
    },

    close,
    identify,
    signOut,

    stop(): void {
      run += 1;
      clearTimeout(watchdog);
      darkPage.removeEventListener("change", recolour);
      view.remove();
    },
  };
}
