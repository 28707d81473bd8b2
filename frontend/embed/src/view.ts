import { inkOn } from "./colour";
import type { Configuration } from "./configuration";
import { element, icon, pageBody, pageRoot } from "./dom";
import type { Problem } from "./problem";
import type { Strings } from "./strings";
import css from "./view.css?inline";

const BUBBLE = "M12 4c4.7 0 8.5 3.2 8.5 7.2s-3.8 7.2-8.5 7.2c-1 0-2-.15-2.9-.42L4.5 20l1.3-3.6C4.3 15.1 3.5 13.2 3.5 11.2 3.5 7.2 7.3 4 12 4Z";
const CROSS = "M6 6l12 12M18 6L6 18";
const CHEVRON = "M6 9.5l6 6 6-6";
const WARNING = "M12 4.5 20.5 19h-17ZM12 10v4.2M12 16.7v.1";
const DEFAULT_ACCENT = "#1f2937";

export interface Deeds {
  toggle(): void;
  close(): void;
  retry(): void;
}

/**
 * The launcher and the panel, in a shadow root: the host page's rules don't reach in, and ours not out. Its sheets are
 * constructed, so neither `style-src` nor Trusted Types of a strict page have anything to refuse.
 */
export class View {
  readonly host = element("chatkit-platform" as "div");
  readonly #strings: Strings;
  readonly #root: HTMLElement;
  readonly #launcher: HTMLButtonElement;
  readonly #panel: HTMLElement;
  readonly #title = element("h2", { id: "title" }, "Chat");
  readonly #chat = element("div", { class: "chat" });
  readonly #notice = element("div", { class: "notice" });
  readonly #colours = new CSSStyleSheet();
  readonly #deeds: Deeds;
  #label = "";
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(strings: Strings, deeds: Deeds) {
    this.#strings = strings;
    this.#deeds = deeds;
    this.#launcher = element("button", {
      class: "launcher",
      type: "button",
      "aria-haspopup": "dialog",
      "aria-controls": "panel",
    });
    const close = element("button", { class: "close", type: "button", "aria-label": strings.close }, icon(CROSS));
    this.#panel = element(
      "section",
      { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: "" },
      element("div", { class: "bar" }, element("div", { class: "badge" }, icon(BUBBLE)), this.#title, close),
      element("div", { class: "body" }, this.#chat, this.#notice),
    );
    this.#root = element("div", { class: "root" }, this.#panel, this.#launcher);

    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    const shadow = this.host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet, this.#colours];
    shadow.append(this.#root);

    this.#launcher.addEventListener("click", deeds.toggle);
    close.addEventListener("click", deeds.close);
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      deeds.close();
    });
    this.#paint(DEFAULT_ACCENT);
    this.setOpen(false);
  }

  /** Puts the host on the page; harmless when it is there already. */
  attach(): void {
    if (!this.host.isConnected) (pageBody() ?? pageRoot()).append(this.host);
  }

  dress(configuration: Configuration): void {
    this.#title.textContent = configuration.name;
    this.#label = configuration.label;
    this.#root.dataset.side = configuration.side;
    this.#paint(configuration.accent || DEFAULT_ACCENT);
    this.#drawLauncher();
  }

  setScheme(dark: boolean): void {
    this.#root.dataset.scheme = dark ? "dark" : "light";
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  setOpen(open: boolean): void {
    const held = this.#panel.matches(":focus-within");
    this.#root.dir = getComputedStyle(pageRoot()).direction;
    this.#root.toggleAttribute("data-open", open);
    this.#panel.hidden = !open;
    this.#drawLauncher();
    if (open) this.#panel.focus({ preventScroll: true });
    else if (held) this.#launcher.focus({ preventScroll: true });
  }

  /** Shows the chat element in place of any notice; the element stays mounted while the panel is closed. */
  mount(chat: HTMLElement | null): void {
    this.#chat.replaceChildren(...(chat ? [chat] : []));
  }

  showChat(): void {
    this.#tell("ready", false);
  }

  showLoading(): void {
    this.#tell("loading", true, element("div", { class: "spinner" }), element("p", {}, this.#strings.loading));
  }

  showRefused(problem: Problem): void {
    this.#tell(
      "refused",
      true,
      element("div", { class: "mark" }, icon(WARNING)),
      element("p", { class: "title" }, this.#strings.refused),
      element("p", {}, this.#strings.refusedWhy),
      element("p", { class: "cause", lang: "en", dir: "ltr" }, problem.message),
      this.#reference(problem),
    );
  }

  /** For visitors: the tenant's own words and link when it gave any, and another try. */
  showUnavailable(state: "unavailable" | "blocked", problem: Problem, fallback: Configuration["fallback"] | undefined): void {
    const retry = element("button", { class: "action", type: "button" }, this.#strings.retry);
    retry.addEventListener("click", this.#deeds.retry);
    const link = fallback?.url ? this.#link(fallback.url) : null;
    if (!link) retry.classList.add("main");
    this.#tell(
      state,
      true,
      element("div", { class: "mark" }, icon(WARNING)),
      element("p", { class: "title" }, this.#strings.unavailable),
      element("p", {}, fallback?.text || this.#strings.unavailableWhy),
      link,
      retry,
      this.#reference(problem),
    );
    if (problem.retryAfter <= 0) return;
    retry.disabled = true;
    this.#waiting = setTimeout(() => {
      retry.disabled = false;
    }, problem.retryAfter * 1000);
  }

  remove(): void {
    clearTimeout(this.#waiting);
    this.host.remove();
  }

  #tell(state: string, visible: boolean, ...children: (Node | null)[]): void {
    clearTimeout(this.#waiting);
    const held = this.#notice.matches(":focus-within");
    this.host.dataset.state = state;
    this.#notice.setAttribute("role", state === "loading" ? "status" : "alert");
    this.#notice.replaceChildren(...children.filter((child) => child !== null));
    this.#notice.hidden = !visible;
    // What isn't shown must not be reached by Tab or read aloud either.
    this.#chat.inert = visible;
    // The button that was pressed is gone: the focus would fall to the page.
    if (held) this.#panel.focus({ preventScroll: true });
  }

  #reference(problem: Problem): HTMLElement {
    const parts = [problem.code, problem.requestId].filter(Boolean).join(" · ");
    return element("p", { class: "fine" }, `${this.#strings.reference}: ${parts}`);
  }

  #link(url: string): HTMLElement {
    const web = url.startsWith("https:");
    const link = element("a", { class: "action main", href: url }, web ? this.#strings.contact : url.replace(/^\w+:/, ""));
    if (web) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    return link;
  }

  #drawLauncher(): void {
    const open = this.isOpen;
    this.#launcher.setAttribute("aria-expanded", String(open));
    this.#launcher.setAttribute("aria-label", open ? this.#strings.close : this.#label || this.#strings.open);
    const label = !open && this.#label ? element("span", {}, this.#label) : null;
    this.#launcher.replaceChildren(...[icon(open ? CHEVRON : BUBBLE), label].filter((child) => child !== null));
  }

  #paint(accent: string): void {
    this.#colours.replaceSync(`.root{--accent:${accent};--on-accent:${inkOn(accent)}}`);
  }
}
