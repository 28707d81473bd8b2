import type { ChatKitEvents, ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import { chatApi, sameBackend } from "./chat-api";
import { loadChatKit } from "./chatkit-script";
import type { Configuration } from "./configuration";
import { watchConfiguration } from "./configuration-watch";
import { element, pageRoot } from "./dom";
import { createIdentity, type IdentitySource } from "./identity";
import { chatkitOptions } from "./options";
import type { Stage } from "./panel";
import { chatkitLocale } from "./panel-strings";
import { Problem } from "./problem";
import { report } from "./report";
import { type Session, SIGNED_OUT, sessionMint } from "./sessions";

const READY_TIMEOUT = 15_000;
// The page's own function for who is signed in.
const ANSWER_TIMEOUT = 8_000;
// An assistant that is switched to and fro must not take the page along each time.
const BETWEEN_REMOUNTS = 10_000;
/** The platform's own effect: the assistant was switched to its other backend. */
export const CONFIGURATION_CHANGED = "chatkit_platform.configuration_changed";

/**
 * One tenant's chat on one page, from the first opening: mounts ChatKit in the mode of the assistant's backend, and anew when
 * that changes. Another person at the page, or none any more: all that was the last one's goes, and it begins at idle.
 */
export function createChat(stage: Stage) {
  const { launch, platform, view } = stage;
  const { addScript, emit, settings, tokens, version } = launch;
  const identity = createIdentity(launch.identity);
  let visit = new AbortController();
  let sessions = newSessions();
  // Ends what a mounted chat has under way: its frame is gone, and the model's run must not go on for nobody.
  let streams = new AbortController();
  let watch: ReturnType<typeof watchConfiguration> | undefined;
  let chatkit: OpenAIChatKit | undefined;
  let options: (() => ChatKitOptions) | undefined;
  let thread: string | null = null;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let remounted = Number.NEGATIVE_INFINITY;
  let updated = false;
  // Counts the starts: what an earlier one still has under way must not touch a later one.
  let run = 0;

  function newSessions() {
    return sessionMint({ platform, identity, tokens, assistant: settings.assistant, visit: visit.signal });
  }

  function focus(): void {
    // Rejects while ChatKit is busy; the visitor then clicks for himself.
    chatkit?.focusComposer().catch(() => undefined);
  }

  function show(problem: Problem): void {
    clearTimeout(watchdog);
    report(problem);
    stage.enter(problem.state, problem);
  }

  function fail(current: number, error: unknown): void {
    if (current !== run) return;
    const problem = error instanceof Problem ? error : new Problem("chatkit_blocked", `chatkit.js failed: ${error}`);
    if (problem.code === "identity_changed") restart();
    else if (problem.code === "integration_outdated") follow();
    else show(problem);
  }

  /** Takes off the page whatever is the visitor's. */
  function leave(reason?: string): void {
    run += 1;
    clearTimeout(watchdog);
    visit.abort(reason);
    streams.abort();
    visit = new AbortController();
    sessions = newSessions();
    chatkit = options = watch = undefined;
    thread = null;
    view.unmount();
    if (stage.state() !== "idle") stage.enter("idle");
  }

  /** For somebody else, or in the other mode, from the beginning. */
  function restart(): void {
    leave();
    if (view.isOpen()) void start();
  }

  /** The assistant was switched: asks for its configuration anew and goes on in the other mode. */
  function follow(): void {
    stage.forgetConfiguration();
    const rest = BETWEEN_REMOUNTS - (Date.now() - remounted);
    if (rest > 0) {
      const seconds = Math.ceil(rest / 1000);
      show(
        new Problem("configuration_changed", "The assistant was switched again: try again in a moment.", "", seconds),
      );
      return;
    }
    remounted = Date.now();
    updated ||= chatkit !== undefined;
    restart();
  }

  function mount(current: number, configuration: Configuration, first: Session): void {
    const mounted = element("openai-chatkit" as "div") as unknown as OpenAIChatKit;
    chatkit = mounted;
    streams.abort();
    streams = new AbortController();
    const watching = watchConfiguration({
      backend: configuration.backend,
      ask: () => platform.configuration(),
      isOpen: view.isOpen,
      changed: follow,
      over: streams.signal,
    });
    watch = watching;
    /** What an element says that was taken off the page is nobody's business any more. */
    function hear<K extends keyof ChatKitEvents>(name: K, listener: (event: ChatKitEvents[K]) => void): void {
      mounted.addEventListener(name, (event) => {
        if (mounted === chatkit) listener(event);
      });
    }
    hear("chatkit.ready", () => {
      clearTimeout(watchdog);
      // Late is better than never: a frame that comes after the watchdog takes the notice's place.
      if (current !== run || !["loading", "blocked"].includes(stage.state())) return;
      stage.enter("ready");
      if (updated) view.sayUpdated();
      updated = false;
    });
    hear("chatkit.thread.change", ({ detail: { threadId } }) => {
      thread = threadId;
      emit("thread", { threadId });
    });
    hear("chatkit.effect", ({ detail }) => {
      if (detail.name === CONFIGURATION_CHANGED) follow();
    });
    // The error itself can hold what the visitor wrote, so only its name is told. ChatKit draws its own errors.
    hear("chatkit.error", ({ detail }) => {
      console.warn(`[ChatKitPlatform] ChatKit reported: ${detail?.error?.name}`);
      watching.suspect();
    });
    hear("chatkit.response.start", () => void watching.look());
    const api = chatApi({
      ...{ configuration, sessions, first },
      visit: streams.signal,
      client: `embed/${version}`,
      previewTicket: settings.previewTicket,
      network: window.fetch.bind(window),
      failed: (problem) => fail(current, problem),
    });
    options = () => {
      const onClientTool: Stage["callTool"] = (call) => stage.callTool(call);
      return chatkitOptions(configuration, {
        api,
        onClientTool,
        dark: launch.isDark(),
        locale: chatkitLocale(pageRoot().lang),
        thread,
      });
    };
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
    if (stage.state() !== "loading") stage.enter("loading");
    let configuration: Configuration;
    try {
      configuration = await stage.configure();
    } catch (problem) {
      // A backend that this script doesn't know can't be followed.
      if (current === run) show(problem as Problem);
      return;
    }
    try {
      // Side by side: the session takes the platform a round trip, the script takes the browser one.
      const loading = loadChatKit(configuration.chatkitJs, settings.nonce, addScript);
      loading.catch(() => undefined);
      const first = sameBackend(await own.open(false), configuration);
      await loading;
      if (current === run) mount(current, configuration, first);
    } catch (error) {
      fail(current, error);
    }
  }

  return {
    start,
    focus,

    /** The visitor opened the panel again. */
    attend(): void {
      focus();
      void watch?.look();
    },

    recolour(): void {
      if (options) chatkit?.setOptions(options());
    },

    async identify(source: IdentitySource): Promise<void> {
      identity.set(source);
      if (stage.state() === "idle") return;
      const own = sessions;
      // What goes wrong here is met again by the new start, and shown there.
      const named = await identity.current(ANSWER_TIMEOUT).then(
        (person) => person?.subject ?? null,
        () => undefined,
      );
      if (own !== sessions) return;
      const shown = own.subject();
      const sound = ["ready", "loading"].includes(stage.state());
      if (!sound || (shown !== undefined && shown !== named)) restart();
    },

    signOut(): void {
      identity.set(null);
      leave(SIGNED_OUT);
    },

    stop(): void {
      run += 1;
      clearTimeout(watchdog);
      visit.abort();
      streams.abort();
    },
  };
}
