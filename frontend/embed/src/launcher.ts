import type { ChatState, ClientTool, ClientToolCall } from "./api";
import type { Configuration } from "./configuration";
import { pageRoot } from "./dom";
import type { IdentitySource } from "./identity";
import type { Chat, ChatPart, Emit, Stage } from "./part";
import type { Platform } from "./platform";
import { Problem } from "./problem";
import { report } from "./report";
import { addScript } from "./script";
import type { Settings } from "./settings";
import type { TokenStore } from "./storage";
import { chatkitLocale } from "./strings";
import type { View } from "./view";

const LIMIT = /^(rate_limited|quota_exceeded)$/;

/**
 * The part of the script that every page view loads: the launcher and its panel, the state, who is named, signing out. The
 * chat itself (`chat.ts`) comes when the visitor opens the panel.
 *
 *   idle ──open──▸ loading ──▸ ready
 *                     │ ▴        │  a refresh or a message that fails
 *                     ▾ retry    ▾
 *        refused · unavailable · blocked · signin
 *
 * Until the visitor turns to the launcher only the public configuration is asked for (the launcher's looks); nothing is
 * stored before the first opening, and nobody but the platform hears of the visitor.
 */
export function createLauncher(
  settings: Settings,
  version: string,
  platform: Platform,
  tokens: TokenStore,
  view: View,
  emit: Emit,
  load: () => Promise<ChatPart>,
) {
  const darkPage = window.matchMedia("(prefers-color-scheme: dark)");
  let state: ChatState = "idle";
  let asked: Promise<Configuration> | null = null;
  let known: Configuration | undefined;
  let named: IdentitySource = settings.identityToken || null;
  let tool: ClientTool | null = null;
  let arriving: Promise<ChatPart> | null = null;
  let chat: Chat | null = null;
  // Counts the openings: a part that arrives after its opening was given up starts nothing.
  let run = 0;

  const isDark = (): boolean => {
    const scheme = known?.colorScheme ?? "auto";
    return scheme === "auto" ? darkPage.matches : scheme === "dark";
  };

  function recolour(): void {
    view.setScheme(isDark());
    chat?.recolour();
  }

  function enter(next: ChatState, problem?: Problem): void {
    state = next;
    const words = known?.fallback;
    if (problem?.state === "refused") view.showRefused(problem);
    else if (problem) {
      const limit = known?.limitText && LIMIT.test(problem.code);
      view.showUnavailable(next, problem, limit && words ? { ...words, text: known?.limitText ?? "" } : words);
    } else if (next === "loading") view.showLoading();
    else view.showChat(next);
    emit("state", { state, ...(problem && { code: problem.code, requestId: problem.requestId }) });
    if (next === "ready" && view.isOpen()) chat?.focus();
  }

  function configure(): Promise<Configuration> {
    if (asked) return asked;
    const asking = platform.configuration().then(
      (configuration) => {
        known = configuration;
        view.dress(configuration);
        recolour();
        return configuration;
      },
      (problem: Problem) => {
        if (problem.state !== "refused" && asking === asked) asked = null;
        throw problem;
      },
    );
    asked = asking;
    return asking;
  }

  /** One at a time; anew after a failure. */
  function fetchPart(): Promise<ChatPart> {
    arriving ??= load().catch((problem) => {
      arriving = null;
      throw problem;
    });
    return arriving;
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

  const stage = (): Stage => ({
    ...{ settings, version, platform, tokens, view, emit, addScript, report, enter, configure, isDark, callTool },
    identity: named,
    state: () => state,
    forgetConfiguration() {
      asked = null;
    },
    locale: () => chatkitLocale(pageRoot().lang),
  });

  async function start(): Promise<void> {
    if (chat) return chat.start();
    run += 1;
    const current = run;
    enter("loading");
    try {
      const coming = fetchPart();
      coming.catch(() => undefined);
      // A refusal is worth more than the part.
      await configure();
      const part = await coming;
      if (current === run) chat ??= part(stage());
    } catch (error) {
      if (current !== run) return;
      const problem = error as Problem;
      report(problem);
      enter(problem.state, problem);
    }
    if (current === run) return chat?.start();
  }

  function close(): void {
    if (!view.isOpen()) return;
    view.setOpen(false);
    emit("close", undefined);
  }

  async function signOut(): Promise<void> {
    named = null;
    const ended = tokens.forget();
    close();
    run += 1;
    chat?.signOut();
    if (state !== "idle") enter("idle");
    await Promise.all(ended.map((token) => platform.end(token).catch(report)));
  }

  darkPage.addEventListener("change", recolour);
  recolour();

  return {
    start,
    close,
    signOut,

    /** Fetches the launcher's looks. Never rejects: without them the launcher is plain, and opening it says why. */
    prepare: (): Promise<unknown> => configure().catch(report),

    /** The visitor turns to the launcher: the part may come ahead of the click. What fails is met again by the opening. */
    intend(): void {
      if (state !== "refused") fetchPart().catch(() => undefined);
    },

    open(): void {
      if (view.isOpen()) return;
      view.setOpen(true);
      emit("open", undefined);
      if (state === "ready") chat?.focus();
      // A refusal stands until the page is loaded anew; an outage may be over.
      else if (state !== "loading" && state !== "refused") void start();
    },

    async identify(source: IdentitySource): Promise<void> {
      if (!source) return named !== null || tokens.hasKnown() ? signOut() : undefined;
      named = source;
      return chat?.identify(source);
    },

    onClientTool(handler: ClientTool | null): void {
      tool = handler;
    },

    stop(): void {
      run += 1;
      chat?.stop();
      darkPage.removeEventListener("change", recolour);
      view.remove();
    },
  };
}
