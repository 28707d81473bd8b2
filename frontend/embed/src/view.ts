import { inkOn } from "./colour";
import type { Configuration } from "./configuration";
import { element, icon, pageBody, pageRoot } from "./dom";
import type { Problem } from "./problem";
import type { Strings } from "./strings";
import css from "./view.css?inline";

const BUBBLE = "M7 4h10a4 4 0 0 1 4 4v5a4 4 0 0 1-4 4h-5l-5 4v-4a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4Z";
const CROSS = "M6 6l12 12M18 6L6 18";
const CHEVRON = "M6 9l6 6 6-6";
const WARNING = "M12 4 21 19H3ZM12 10v4M12 16.5v.1";
// Stands out from a light page and from a dark one, and carries white text (5.2 : 1).
const DEFAULT_ACCENT = "#2563eb";

export interface Deeds {
  toggle(): void;
  /** The pointer or the focus came to the launcher. */
  intend(): void;
  close(): void;
  retry(): void;
}

const said = ({ code }: Problem): "signIn" | "signInAgain" | "unavailable" =>
  code === "identity_required" ? "signIn" : code === "identity_invalid" ? "signInAgain" : "unavailable";

export type View = ReturnType<typeof createView>;

/**
 * The launcher and the panel, in a shadow root: the host page's rules don't reach in, and ours not out. Its sheets are
 * constructed, so neither `style-src` nor Trusted Types of a strict page have anything to refuse.
 */
export function createView(strings: Strings, deeds: Deeds) {
  const host = element("chatkit-platform" as "div");
  const colours = new CSSStyleSheet();
  const title = element("h2", { id: "title" }, "Chat");
  const stage = element("div", { class: "chat" });
  const notice = element("div", { class: "notice" });
  const word = element("p", { class: "word", role: "status", dir: "auto", hidden: "" });
  const cross = element("button", { class: "close", "aria-label": strings.close }, icon(CROSS));
  const launcher = element("button", { class: "launcher", "aria-haspopup": "dialog", "aria-controls": "panel" });
  const panel = element(
    "section",
    { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: "" },
    element("div", { class: "bar" }, element("div", { class: "badge" }, icon(BUBBLE)), title, cross),
    word,
    element("div", { class: "body" }, stage, notice),
  );
  const root = element("div", { class: "root" }, panel, launcher);
  let label = "";
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const isOpen = (): boolean => !panel.hidden;
  const focus = (target: HTMLElement): void => target.focus({ preventScroll: true });
  const paint = (accent: string): void => colours.replaceSync(`.root{--accent:${accent};--on-accent:${inkOn(accent)}}`);
  const paragraph = (kind: string, text: string): HTMLElement => element("p", { class: kind, dir: "auto" }, text);
  const reference = ({ code, requestId }: Problem): HTMLElement =>
    paragraph("fine", requestId ? `${code} · ${requestId}` : code);

  function say(text: string): void {
    word.textContent = text;
    word.hidden = !text;
  }

  function drawLauncher(): void {
    const open = isOpen();
    launcher.setAttribute("aria-expanded", String(open));
    launcher.setAttribute("aria-label", open ? strings.close : label || strings.open);
    launcher.replaceChildren(icon(open ? CHEVRON : BUBBLE), ...(label && !open ? [element("span", {}, label)] : []));
  }

  /** Puts a notice over the chat; without children the chat itself is to be seen. */
  function tell(state: string, ...children: (Node | null)[]): void {
    clearTimeout(waiting);
    const held = notice.matches(":focus-within");
    const visible = children.length > 0;
    host.dataset.state = state;
    notice.setAttribute("role", state === "loading" ? "status" : "alert");
    notice.replaceChildren(...children.filter((child) => child !== null));
    notice.hidden = !visible;
    // What is covered must not be reached by Tab or read aloud either.
    stage.inert = visible;
    // The button that was pressed is gone: the focus would fall to the page.
    if (held) focus(panel);
  }

  function linkTo(url: string): HTMLElement {
    const web = url.startsWith("https:");
    const link = element("a", { class: "action main", href: url }, web ? strings.contact : url.replace(/^\w+:/, ""));
    if (web) link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [sheet, colours];
  shadow.append(root);
  launcher.onclick = deeds.toggle;
  launcher.onpointerenter = launcher.onfocus = deeds.intend;
  cross.onclick = deeds.close;
  panel.onkeydown = (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    deeds.close();
  };
  paint(DEFAULT_ACCENT);
  drawLauncher();

  return {
    host,
    isOpen,

    /** Puts the host on the page; harmless when it is there already. */
    attach(): void {
      if (!host.isConnected) (pageBody() ?? pageRoot()).append(host);
    },

    dress(configuration: Configuration): void {
      title.textContent = configuration.name;
      label = configuration.label;
      root.dataset.side = configuration.side;
      paint(configuration.accent || DEFAULT_ACCENT);
      drawLauncher();
    },

    setScheme(dark: boolean): void {
      root.dataset.scheme = dark ? "dark" : "light";
    },

    setOpen(open: boolean): void {
      const held = panel.matches(":focus-within");
      root.dir = getComputedStyle(pageRoot()).direction;
      root.toggleAttribute("data-open", open);
      panel.hidden = !open;
      drawLauncher();
      // It was there to be read.
      if (!open) say("");
      if (open) focus(panel);
      else if (held) focus(launcher);
    },

    /** The chat element stays mounted under any notice and while the panel is closed. */
    mount: (chat: HTMLElement): void => stage.replaceChildren(chat),

    unmount: (): void => stage.replaceChildren(),

    /** Over the chat until the panel is closed. */
    sayUpdated: (): void => say(strings.updated),

    showChat: (state: string): void => tell(state),

    showLoading: (): void => tell("loading", element("div", { class: "spinner" }), paragraph("", strings.loading)),

    /** For the developer of the page, who is the one to see it: the platform's sentence with the cure. */
    showRefused(problem: Problem): void {
      const mark = element("div", { class: "mark" }, icon(WARNING));
      const cause = paragraph("cause", problem.message);
      tell("refused", mark, paragraph("title", strings.refused), cause, reference(problem));
    },

    /** For visitors: what is the matter, the tenant's own words and link when it gave any, and another try. */
    showUnavailable(state: string, problem: Problem, fallback?: Configuration["fallback"]): void {
      const link = fallback?.url ? linkTo(fallback.url) : null;
      const retry = element("button", { class: link ? "action" : "action main" }, strings.retry);
      retry.onclick = deeds.retry;
      tell(
        state,
        element("div", { class: "mark" }, icon(WARNING)),
        paragraph("title", strings[said(problem)]),
        fallback?.text ? paragraph("", fallback.text) : null,
        link,
        retry,
        reference(problem),
      );
      if (!problem.retryAfter) return;
      retry.disabled = true;
      waiting = setTimeout(() => {
        retry.disabled = false;
      }, problem.retryAfter * 1000);
    },

    remove(): void {
      clearTimeout(waiting);
      host.remove();
    },
  };
}
