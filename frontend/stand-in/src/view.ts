import type { ChatKitOptions } from "@openai/chatkit";
import { inkOn } from "../../embed/src/colour";
import { element } from "./dom";
import { type Item, type Thread, textOf } from "./protocol";
import css from "./view.css?inline";

export interface Deeds {
  send(text: string): void;
  openThread(id: string | null): void;
  toggleHistory(): void;
}

/** A plain chat: header, messages or start screen or history, composer. Tests find its parts by `data-testid`. */
export class View {
  readonly composer = element("textarea", { "data-testid": "composer", rows: "1" });
  readonly #host: HTMLElement;
  readonly #deeds: Deeds;
  readonly #colours = new CSSStyleSheet();
  readonly #title = element("strong");
  readonly #historyButton = element("button", { type: "button", "data-testid": "history-button" }, "History");
  readonly #thread = element("div", {
    class: "scroll",
    "data-testid": "thread",
    role: "log",
    tabindex: "0",
    "aria-label": "Conversation",
  });
  readonly #history = element("div", { class: "scroll", "data-testid": "history", hidden: "" });
  readonly #send = element(
    "button",
    { type: "submit", class: "send", "data-testid": "send", "aria-label": "Send message" },
    "↑",
  );
  #options: ChatKitOptions | null = null;

  constructor(host: HTMLElement, root: ShadowRoot, deeds: Deeds) {
    this.#host = host;
    this.#deeds = deeds;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet, this.#colours];

    const fresh = element("button", { type: "button", "data-testid": "new-thread" }, "New chat");
    const form = element("form", { "data-testid": "composer-form" }, this.composer, this.#send);
    const header = element("header", {}, this.#title, fresh, this.#historyButton);
    const footer = element("footer", {}, "Sandbox stand-in for OpenAI ChatKit");
    root.replaceChildren(element("div", { class: "frame" }, header, this.#thread, this.#history, form, footer));

    fresh.addEventListener("click", () => deeds.openThread(null));
    this.#historyButton.addEventListener("click", () => deeds.toggleHistory());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.composer.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.composer.addEventListener("input", () => this.#drawSend());
  }

  apply(options: ChatKitOptions): void {
    this.#options = options;
    const theme = typeof options.theme === "string" ? { colorScheme: options.theme } : options.theme;
    const dark = theme?.colorScheme === "dark";
    const primary = theme?.color?.accent?.primary ?? "";
    const accent = /^#[0-9a-f]{6}$/i.test(primary) ? primary : dark ? "#f2f3f5" : "#16181d";
    this.#host.dataset.scheme = dark ? "dark" : "light";
    this.#colours.replaceSync(`:host{--accent:${accent};--on-accent:${inkOn(accent)}}`);
    const placeholder = options.composer?.placeholder ?? "Message the AI";
    this.composer.placeholder = placeholder;
    this.composer.setAttribute("aria-label", placeholder);
    this.#historyButton.hidden = options.history?.enabled === false;
    this.#drawSend();
  }

  /** The page's own title when it gave one, else the thread's. */
  setTitle(thread: string): void {
    this.#title.textContent = this.#options?.header?.title?.text ?? thread;
  }

  showStart(): void {
    const start = this.#options?.startScreen;
    const greeting = element("h2", { "data-testid": "greeting" }, start?.greeting ?? "What can I help with today?");
    const prompts = (start?.prompts ?? []).map(({ label, prompt }) => {
      const button = element("button", { type: "button", "data-testid": "prompt" }, label);
      const text = typeof prompt === "string" ? prompt : prompt.map((part) => part.text).join("");
      button.addEventListener("click", () => this.#deeds.send(text));
      return button;
    });
    this.#thread.replaceChildren(
      element(
        "div",
        { class: "start" },
        greeting,
        element("div", { class: "list", "data-testid": "prompts" }, ...prompts),
      ),
    );
  }

  /** Draws a message, or draws it anew. */
  showItem(item: Item): void {
    const role = item.type.startsWith("user") ? "user" : "assistant";
    this.#messageOf(item.id, role).textContent = textOf(item);
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }

  extendItem(id: string, text: string): void {
    this.#messageOf(id, "assistant").append(text);
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }

  clear(): void {
    this.#thread.replaceChildren();
  }

  showError(text: string): void {
    this.#thread.append(element("p", { class: "error", role: "alert", "data-testid": "error" }, text));
  }

  showHistory(threads: readonly Thread[], open: boolean): void {
    this.#host.dataset.threads = String(threads.length);
    this.#historyButton.setAttribute("aria-expanded", String(open));
    const items = threads.map((thread) => {
      const attributes = { type: "button", "data-testid": "history-item", "data-thread-id": thread.id };
      const button = element("button", attributes, thread.title || thread.id);
      button.addEventListener("click", () => this.#deeds.openThread(thread.id));
      return button;
    });
    const empty = element("p", { class: "message" }, "No earlier conversations.");
    this.#history.replaceChildren(element("div", { class: "list" }, ...(items.length > 0 ? items : [empty])));
    this.#history.hidden = !open;
    this.#thread.hidden = open;
  }

  setBusy(busy: boolean): void {
    this.#host.toggleAttribute("data-busy", busy);
    this.#drawSend();
  }

  setDraft(text: string): void {
    this.composer.value = text;
    this.#drawSend();
  }

  #messageOf(id: string, role: string): HTMLElement {
    const messages = [...this.#thread.children] as HTMLElement[];
    const there = messages.find((message) => message.dataset.itemId === id);
    if (there) return there;
    this.#thread.querySelector(".start")?.remove();
    const attributes = { class: "message", "data-testid": "message", "data-role": role, "data-item-id": id };
    const message = element("p", attributes);
    this.#thread.append(message);
    return message;
  }

  #submit(): void {
    const text = this.composer.value.trim();
    if (text && !this.#send.disabled) this.#deeds.send(text);
  }

  #drawSend(): void {
    this.#send.disabled = this.#host.hasAttribute("data-busy") || !this.composer.value.trim();
  }
}
