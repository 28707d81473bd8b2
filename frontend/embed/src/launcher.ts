import type { ClientTool } from "./api";
import { pageRoot } from "./dom";
import type { IdentitySource } from "./identity";
import { configurationCall, type Looks, readLooks } from "./looks";
import type { ChatPart, Emit, Panel } from "./part";
import { addScript } from "./script";
import type { Settings } from "./settings";
import { createShell } from "./shell";
import { tokenStore } from "./storage";
import { stringsFor } from "./strings";

const CONFIGURATION_TIMEOUT = 8_000;

/**
 * What every page view loads: the launcher. The panel with the chat in it comes when the visitor turns to the launcher; what
 * the page says before that is kept for it.
 *
 * Until then only the public configuration is asked for (the launcher's looks); nothing is stored before the first opening,
 * and nobody but the platform hears of the visitor.
 */
export function createLauncher(settings: Settings, version: string, load: () => Promise<ChatPart>) {
  const darkPage = window.matchMedia("(prefers-color-scheme: dark)");
  const tags = [pageRoot().lang, ...navigator.languages];
  const tokens = tokenStore(settings.tenant);
  const shell = createShell(stringsFor(tags), {
    toggle: () => toggle(),
    intend: () => void fetchPanel().catch(() => undefined),
    retry: () => open(),
  });
  let looks: Looks | undefined;
  // Given once to the panel, so that opening it asks nothing twice.
  let first: Promise<Response | null> | null = null;
  let named: IdentitySource = settings.identityToken || null;
  let tool: ClientTool | null = null;
  let arriving: Promise<Panel> | null = null;
  let panel: Panel | null = null;
  let wanted = false;
  let stopped = false;

  const emit: Emit = (name, detail) => shell.host.dispatchEvent(new CustomEvent(name, { detail }));

  const isDark = (): boolean => {
    const scheme = looks?.colorScheme ?? "auto";
    return scheme === "auto" ? darkPage.matches : scheme === "dark";
  };

  function recolour(): void {
    shell.root.dataset.scheme = isDark() ? "dark" : "light";
    panel?.recolour();
  }

  function dress(next: Looks): void {
    looks = next;
    shell.dress(next);
    recolour();
  }

  /** Null when another try may do better. */
  async function ask(): Promise<Response | null> {
    try {
      const response = await fetch(...configurationCall(settings, CONFIGURATION_TIMEOUT));
      const { headers, ok, status } = response;
      const text = await response.text();
      if (ok) dress(readLooks(JSON.parse(text)));
      return status < 429 ? new Response(text, { headers, status }) : null;
    } catch {
      return null;
    }
  }

  /** One at a time; anew after a failure. */
  function fetchPanel(): Promise<Panel> {
    first ??= ask();
    arriving ??= load().then(
      (part) => {
        const lent = { settings, version, shell, tags, tokens, emit, addScript, isDark, dress };
        panel = part({ ...lent, first, identity: named });
        panel.onClientTool(tool);
        return panel;
      },
      (error) => {
        arriving = null;
        throw error;
      },
    );
    return arriving;
  }

  function complain(error: unknown): void {
    console.error(`[ChatKitPlatform] chat_unreachable: ${(error as Error).message}`);
  }

  function open(): void {
    panel?.open();
    if (panel || wanted) return;
    wanted = true;
    shell.host.dataset.state = "loading";
    shell.tell(shell.strings.loading);
    fetchPanel().then(
      (arrived) => {
        shell.tell("");
        if (wanted && !stopped) arrived.open();
      },
      (error) => {
        if (!wanted) return;
        wanted = false;
        complain(error);
        shell.host.dataset.state = "unavailable";
        shell.tell([shell.strings.unavailable, looks?.fallback.text].filter(Boolean).join("\n"), true);
        emit("state", { state: "unavailable", code: "chat_unreachable" });
      },
    );
  }

  function close(): void {
    panel?.close();
    if (panel || !wanted) return;
    wanted = false;
    shell.host.dataset.state = "idle";
    shell.tell("");
  }

  function toggle(): void {
    if (panel ? panel.isOpen() : wanted) close();
    else open();
  }

  async function signOut(): Promise<void> {
    named = null;
    if (panel) return panel.signOut();
    close();
    // On this device at once, even where the page is left before the panel comes.
    const ended = tokens.forget();
    if (ended.length) await fetchPanel().then((arrived) => arrived.end(ended), complain);
  }

  darkPage.addEventListener("change", recolour);
  recolour();

  return {
    host: shell.host,
    attach: shell.attach,
    open,
    close,
    toggle,
    signOut,

    /** Fetches the launcher's looks. Never rejects: without them the launcher is plain, and opening it says why. */
    prepare(): Promise<unknown> {
      first ??= ask();
      return first;
    },

    async identify(source: IdentitySource): Promise<void> {
      if (!source) return named !== null || tokens.hasKnown() ? signOut() : undefined;
      named = source;
      return panel?.identify(source);
    },

    onClientTool(handler: ClientTool | null): void {
      tool = handler;
      panel?.onClientTool(handler);
    },

    stop(): void {
      stopped = true;
      panel?.stop();
      darkPage.removeEventListener("change", recolour);
      shell.host.remove();
    },
  };
}
