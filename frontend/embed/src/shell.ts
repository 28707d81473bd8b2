import { inkOn } from "./colour";
import { element, icon, pageBody, pageRoot } from "./dom";
import css from "./launcher.css?inline";
import type { Looks } from "./looks";
import type { Strings } from "./strings";

const BUBBLE = "M7 4h10a4 4 0 0 1 4 4v5a4 4 0 0 1-4 4h-5l-5 4v-4a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4Z";
const CHEVRON = "M6 9l6 6 6-6";
// Stands out from a light page and from a dark one, and carries white text (5.2 : 1).
const DEFAULT_ACCENT = "#2563eb";

export interface ShellDeeds {
  toggle(): void;
  /** The pointer or the focus came to the launcher. */
  intend(): void;
  retry(): void;
}

export type Shell = ReturnType<typeof createShell>;

/**
 * The launcher, in a shadow root: the host page's rules don't reach in, and ours not out. Its sheets are constructed, so
 * neither `style-src` nor Trusted Types of a strict page have anything to refuse. The panel comes into the same root.
 */
export function createShell(strings: Strings, deeds: ShellDeeds) {
  const host = element("chatkit-platform" as "div");
  const sheet = new CSSStyleSheet();
  const colours = new CSSStyleSheet();
  const tip = element("div", { class: "tip", dir: "auto", hidden: "" });
  const launcher = element("button", { class: "launcher", "aria-haspopup": "dialog", "aria-controls": "panel" });
  const root = element("div", { class: "root" }, tip, launcher);
  let label = "";
  let isOpen = false;

  function draw(open = isOpen): void {
    isOpen = open;
    launcher.setAttribute("aria-expanded", String(open));
    launcher.setAttribute("aria-label", open ? strings.close : label || strings.open);
    launcher.replaceChildren(icon(open ? CHEVRON : BUBBLE), ...(label && !open ? [element("span", {}, label)] : []));
  }

  const paint = (accent: string): void => colours.replaceSync(`.root{--accent:${accent};--on-accent:${inkOn(accent)}}`);

  sheet.replaceSync(css);
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [sheet, colours];
  shadow.append(root);
  launcher.onclick = deeds.toggle;
  launcher.onpointerenter = launcher.onfocus = deeds.intend;
  paint(DEFAULT_ACCENT);
  draw();

  return {
    host,
    shadow,
    root,
    launcher,
    strings,
    draw,
    bubble: (): SVGElement => icon(BUBBLE),

    /** Puts the host on the page; harmless when it is there already. */
    attach(): void {
      if (!host.isConnected) (pageBody() ?? pageRoot()).append(host);
    },

    dress(looks: Looks): void {
      label = looks.label;
      root.dataset.side = looks.side;
      paint(looks.accent || DEFAULT_ACCENT);
      draw();
    },

    /** A word beside the launcher while there is no panel; empty = none. */
    tell(text: string, failed = false): void {
      tip.hidden = !text;
      tip.setAttribute("role", failed ? "alert" : "status");
      const retry = failed ? element("button", {}, strings.retry) : null;
      if (retry) retry.onclick = deeds.retry;
      tip.replaceChildren(text, ...(retry ? [retry] : []));
    },
  };
}
