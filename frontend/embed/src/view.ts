import type { Configuration } from "./configuration";
import { element, icon, pageRoot } from "./dom";
import css from "./panel.css?inline";
import type { PanelStrings } from "./panel-strings";
import type { Problem } from "./problem";
import type { Shell } from "./shell";

const CROSS = "M6 6l12 12M18 6L6 18";
const WARNING = "M12 4 21 19H3ZM12 10v4M12 16.5v.1";
export interface Deeds {
  close(): void;
  retry(): void;
}

const said = ({ code }: Problem): "signIn" | "signInAgain" | "unavailable" =>
  code === "identity_required" ? "signIn" : code === "identity_invalid" ? "signInAgain" : "unavailable";

export type View = ReturnType<typeof createView>;

/** The panel, in the launcher's own shadow root and under its rules. */
export function createView(shell: Shell, words: PanelStrings, deeds: Deeds) {
  const { host, launcher, root } = shell;
  const strings = { ...shell.strings, ...words };
  const title = element("h2", { id: "title" }, "Chat");
  const stage = element("div", { class: "chat" });
  const notice = element("div", { class: "notice" });
  const word = element("p", { class: "word", role: "status", dir: "auto", hidden: "" });
  const cross = element("button", { class: "close", "aria-label": strings.close }, icon(CROSS));
  const panel = element(
    "section",
    { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: "" },
    element("div", { class: "bar" }, element("div", { class: "badge" }, shell.bubble()), title, cross),
    word,
    element("div", { class: "body" }, stage, notice),
  );
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const isOpen = (): boolean => !panel.hidden;
  const focus = (target: HTMLElement): void => target.focus({ preventScroll: true });
  const paragraph = (kind: string, text: string): HTMLElement => element("p", { class: kind, dir: "auto" }, text);
  const reference = ({ code, requestId }: Problem): HTMLElement =>
    paragraph("fine", requestId ? `${code} · ${requestId}` : code);

  function say(text: string): void {
    word.textContent = text;
    word.hidden = !text;
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
  shell.shadow.adoptedStyleSheets = [...shell.shadow.adoptedStyleSheets, sheet];
  root.prepend(panel);
  cross.onclick = deeds.close;
  panel.onkeydown = (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    deeds.close();
  };

  return {
    isOpen,

    entitle(name: string): void {
      title.textContent = name;
    },

    setOpen(open: boolean): void {
      const held = panel.matches(":focus-within");
      root.dir = getComputedStyle(pageRoot()).direction;
      root.toggleAttribute("data-open", open);
      panel.hidden = !open;
      shell.draw(open);
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

    stop: (): void => clearTimeout(waiting),
  };
}
