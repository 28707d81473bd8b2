import type { ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import type { ChatKitPlatformEvents, ChatState } from "./api";
import { loadChatKit } from "./chatkit-script";
import type { Configuration } from "./configuration";
import { element, pageRoot } from "./dom";
import { chatkitOptions } from "./options";
import type { Platform } from "./platform";
import { Problem } from "./problem";
import { sessionMint } from "./sessions";
import type { Settings } from "./settings";
import type { TokenStore } from "./storage";
import { chatkitLocale } from "./strings";
import type { View } from "./view";

type Emit = <K extends keyof ChatKitPlatformEvents>(name: K, detail: ChatKitPlatformEvents[K]) => void;

const READY_TIMEOUT = 15_000;
// A secret minted while chatkit.js was loading is handed over once, and only while it is fresh.
const HANDOVER = 30_000;

const ALLOW_LIST = "https://platform.openai.com/settings/organization/security/domain-allowlist";

/**
 * One tenant's chat on one page, through its states:
 *
 *   idle ──open──▸ loading ──▸ ready
 *                     │ ▴        │  a refresh that fails
 *                     ▾ retry    ▾
 *              refused · unavailable · blocked
 *
 * Until the first opening only the public configuration is asked for (the launcher's looks); nothing is stored, and nobody but the
 * platform hears of the visitor.
 */
export class Chat {
  #state: ChatState = "idle";
  #configuration: Promise<Configuration> | null = null;
  #known: Configuration | undefined;
  #chatkit: OpenAIChatKit | null = null;
  #options: (() => ChatKitOptions) | null = null;
  #thread: string | null = null;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #run = 0;
  readonly #dark = window.matchMedia("(prefers-color-scheme: dark)");
  readonly #settings: Settings;
  readonly #platform: Platform;
  readonly #view: View;
  readonly #emit: Emit;
  readonly #mint: (current: string | null) => Promise<string>;

  constructor(settings: Settings, platform: Platform, tokens: TokenStore, view: View, emit: Emit) {
    this.#settings = settings;
    this.#platform = platform;
    this.#view = view;
    this.#emit = emit;
    this.#mint = sessionMint(platform, tokens, settings.assistant);
    this.#dark.addEventListener("change", this.#recolour);
    this.#recolour();
  }

  /** Fetches the launcher's looks. Never rejects: without them the launcher is plain, and opening it says why. */
  async prepare(): Promise<void> {
    try {
      await this.#configure();
    } catch (problem) {
      this.#report(problem as Problem);
    }
  }

  open(): void {
    if (this.#view.isOpen) return;
    this.#view.setOpen(true);
    this.#emit("open", undefined);
    if (this.#state === "ready") this.#focus();
    // A refusal stands until the page is loaded anew; an outage may be over.
    else if (this.#state !== "loading" && this.#state !== "refused") void this.start();
  }

  close(): void {
    if (!this.#view.isOpen) return;
    this.#view.setOpen(false);
    this.#emit("close", undefined);
  }

  async start(): Promise<void> {
    this.#run += 1;
    const run = this.#run;
    this.#enter("loading");
    try {
      const configuration = await this.#configure();
      if (run !== this.#run) return;
      // Side by side: the session takes the platform a round trip to OpenAI, the script takes the browser one.
      const loading = loadChatKit(configuration.chatkitJs, this.#settings.nonce);
      loading.catch(() => undefined);
      const secret = await this.#mint(null);
      await loading;
      if (run === this.#run) this.#mount(run, configuration, secret);
    } catch (error) {
      if (run === this.#run) await this.#fail(run, error);
    }
  }

  stop(): void {
    this.#run += 1;
    clearTimeout(this.#watchdog);
    this.#dark.removeEventListener("change", this.#recolour);
    this.#view.remove();
  }

  #configure(): Promise<Configuration> {
    this.#configuration ??= this.#platform.configuration().then(
      (configuration) => {
        this.#known = configuration;
        this.#view.dress(configuration);
        this.#recolour();
        return configuration;
      },
      (error) => {
        if ((error as Problem).state !== "refused") this.#configuration = null;
        throw error;
      },
    );
    return this.#configuration;
  }

  #mount(run: number, configuration: Configuration, secret: string): void {
    let handover: string | null = secret;
    const minted = Date.now();
    const getClientSecret = async (current: string | null): Promise<string> => {
      const ready = handover;
      handover = null;
      if (ready && current === null && Date.now() - minted < HANDOVER) return ready;
      try {
        return await this.#mint(current);
      } catch (problem) {
        if (run === this.#run) void this.#fail(run, problem);
        throw problem;
      }
    };

    const chatkit = element("openai-chatkit" as "div") as unknown as OpenAIChatKit;
    chatkit.addEventListener("chatkit.ready", () => {
      clearTimeout(this.#watchdog);
      // Late is better than never: a frame that comes after the watchdog takes the notice's place.
      if (run === this.#run && (this.#state === "loading" || this.#state === "blocked")) this.#enter("ready");
    });
    chatkit.addEventListener("chatkit.thread.change", ({ detail }) => {
      this.#thread = detail.threadId;
      this.#emit("thread", { threadId: detail.threadId });
    });
    // The error itself can hold what the visitor wrote, so only its name is told. ChatKit draws its own errors.
    chatkit.addEventListener("chatkit.error", ({ detail }) => {
      console.warn(`[ChatKitPlatform] ChatKit reported an error (${detail?.error?.name ?? "unnamed"}).`);
    });

    this.#chatkit = chatkit;
    this.#options = () =>
      chatkitOptions(configuration, {
        getClientSecret,
        dark: this.#isDark(),
        locale: chatkitLocale(pageRoot().lang),
        thread: this.#thread,
      });
    chatkit.setOptions(this.#options());
    this.#watchdog = setTimeout(() => {
      const reason = `ChatKit's frame wasn't ready within ${READY_TIMEOUT / 1000} s.`;
      void this.#fail(run, new Problem("chatkit_blocked", reason));
    }, READY_TIMEOUT);
    this.#view.mount(chatkit);
  }

  async #fail(run: number, error: unknown): Promise<void> {
    let problem = error instanceof Problem ? error : new Problem("chatkit_blocked", `chatkit.js failed: ${String(error)}`);
    if (problem.code === "unreachable") problem = await this.#explain(problem);
    if (run !== this.#run) return;
    clearTimeout(this.#watchdog);
    this.#report(problem);
    this.#enter(problem.state, problem);
  }

  /** A browser hides why a cross-origin POST failed; the configuration endpoint alone tells its refusals to any page. */
  async #explain(problem: Problem): Promise<Problem> {
    return this.#platform.configuration().then(
      () => problem,
      (cause) => (cause instanceof Problem && cause.state === "refused" ? cause : problem),
    );
  }

  #enter(state: ChatState, problem?: Problem): void {
    this.#state = state;
    if (state === "loading") this.#view.showLoading();
    else if (state === "ready") this.#view.showChat();
    else if (state === "refused" && problem) this.#view.showRefused(problem);
    else if (problem) this.#view.showUnavailable(state as "unavailable" | "blocked", problem, this.#known?.fallback);
    this.#emit("state", { state, ...(problem && { code: problem.code, requestId: problem.requestId }) });
    if (state === "ready" && this.#view.isOpen) this.#focus();
  }

  /** For the developer at the console: the code, the cure, and the id to find it by in the platform's log. */
  #report(problem: Problem): void {
    const lines = [`[ChatKitPlatform] ${problem.code}: ${problem.message}`];
    if (problem.requestId) lines.push(`Request id: ${problem.requestId}`);
    if (problem.state === "blocked") {
      lines.push(
        `Is "${location.hostname}" on the domain allow-list of the OpenAI organisation that owns the key? ${ALLOW_LIST}`,
        "Does the page's Content-Security-Policy allow it in script-src and frame-src? See docs/embedding.md.",
      );
      if (window.crossOriginIsolated) lines.push("This page is cross-origin isolated (COEP); ChatKit's frame can't load there.");
    }
    console.error(lines.join("\n"));
  }

  #focus(): void {
    // Rejects while ChatKit is busy; the visitor then clicks for himself.
    this.#chatkit?.focusComposer().catch(() => undefined);
  }

  #isDark(): boolean {
    const scheme = this.#known?.colorScheme ?? "auto";
    return scheme === "dark" || (scheme === "auto" && this.#dark.matches);
  }

  readonly #recolour = (): void => {
    this.#view.setScheme(this.#isDark());
    if (this.#chatkit && this.#options) this.#chatkit.setOptions(this.#options());
  };
}
