import type { ChatState, ClientTool, ClientToolCall } from "./api";
import { createChat } from "./chat";
import type { Configuration } from "./configuration";
import { panelStringsFor } from "./panel-strings";
import type { Launch, Panel } from "./part";
import { connectPlatform, type Platform } from "./platform";
import { Problem } from "./problem";
import { report } from "./report";
import { createView, type View } from "./view";

const LIMIT = /^(rate_limited|quota_exceeded)$/;

/** What the chat needs of the panel that it is shown in. */
export interface Stage {
  readonly launch: Launch;
  readonly platform: Platform;
  readonly view: View;
  state(): ChatState;
  enter(next: ChatState, problem?: Problem): void;
  /** Asked once; anew after a failure that may be over, and after `forgetConfiguration`. */
  configure(): Promise<Configuration>;
  forgetConfiguration(): void;
  callTool(call: ClientToolCall): Promise<Record<string, unknown>>;
}

/**
 * The panel, and the state that it shows:
 *
 *   idle ──open──▸ loading ──▸ ready
 *                     │ ▴        │  a refresh or a message that fails
 *                     ▾ retry    ▾
 *        refused · unavailable · blocked · signin
 */
export function createPanel(launch: Launch): Panel {
  const { emit, settings, shell, tags, tokens, version } = launch;
  const platform = connectPlatform(settings, `embed/${version}`, window.fetch.bind(window));
  const view = createView(shell, panelStringsFor(tags), { close, retry: () => void chat.start() });
  let state: ChatState = "idle";
  let first = launch.first;
  let asked: Promise<Configuration> | null = null;
  let known: Configuration | undefined;
  let tool: ClientTool | null = null;

  function enter(next: ChatState, problem?: Problem): void {
    state = next;
    // Whoever is to sign in is not to read why there is no chat: there is one.
    const words = problem?.state === "signin" ? undefined : known?.fallback;
    if (problem?.state === "refused") view.showRefused(problem);
    else if (problem) {
      const limit = known?.limitText && LIMIT.test(problem.code);
      view.showUnavailable(next, problem, limit && words ? { ...words, text: known?.limitText ?? "" } : words);
    } else if (next === "loading") view.showLoading();
    else view.showChat(next);
    emit("state", { state, ...(problem && { code: problem.code, requestId: problem.requestId }) });
    if (next === "ready" && view.isOpen()) chat.focus();
  }

  function configure(): Promise<Configuration> {
    if (asked) return asked;
    const asking = platform.configuration(first).then(
      (configuration) => {
        known = configuration;
        view.entitle(configuration.name);
        launch.dress(configuration);
        return configuration;
      },
      (problem: Problem) => {
        if (problem.state !== "refused" && asking === asked) asked = null;
        throw problem;
      },
    );
    asked = asking;
    first = null;
    return asking;
  }

  async function callTool(call: ClientToolCall): Promise<Record<string, unknown>> {
    if (tool) return tool(call);
    const cure = "The page handles none: call ChatKitPlatform.onClientTool(fn).";
    const problem = new Problem(
      "client_tool_unhandled",
      `The assistant called the client tool "${call.name}". ${cure}`,
    );
    report(problem);
    throw problem;
  }

  function close(): void {
    if (!view.isOpen()) return;
    view.setOpen(false);
    emit("close", undefined);
  }

  async function end(ended: readonly string[]): Promise<void> {
    await Promise.all(ended.map((token) => platform.end(token).catch(report)));
  }

  const chat = createChat({
    ...{ launch, platform, view, enter, configure, callTool },
    state: () => state,
    forgetConfiguration() {
      asked = null;
    },
  });

  return {
    isOpen: view.isOpen,
    close,
    end,
    recolour: chat.recolour,
    identify: chat.identify,

    open(): void {
      if (view.isOpen()) return;
      view.setOpen(true);
      emit("open", undefined);
      if (state === "ready") chat.attend();
      // A refusal stands until the page is loaded anew; an outage may be over.
      else if (state !== "loading" && state !== "refused") void chat.start();
    },

    async signOut(): Promise<void> {
      const ended = tokens.forget();
      close();
      chat.signOut();
      await end(ended);
    },

    onClientTool(handler: ClientTool | null): void {
      tool = handler;
    },

    stop(): void {
      chat.stop();
      view.stop();
    },
  };
}
