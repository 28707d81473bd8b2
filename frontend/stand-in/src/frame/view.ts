import type { ChatKitOptions } from "@openai/chatkit";
import { inkOn } from "../../../embed/src/colour";
import { element } from "../dom";
import type { Thread } from "../protocol";
import base from "../view.css?inline";
import css from "./frame.css?inline";

export interface FrameDeeds {
  send(text: string): void;
  stop(): void;
  attach(files: readonly File[]): void;
  openThread(id: string | null): void;
  toggleHistory(): void;
  renameThread(id: string, title: string): void;
  deleteThread(id: string): void;
  retry(): void;
}

const button = (testId: string, label: string, attributes: Record<string, string> = {}): HTMLButtonElement =>
  element("button", { type: "button", "data-testid": testId, ...attributes }, label);

/** The frame's furniture: header, thread or start screen or history, what went wrong, files, composer. */
export class FrameView {
  readonly composer = element("textarea", { "data-testid": "composer", rows: "1" });
  readonly thread = element("div", {
    class: "scroll",
    "data-testid": "thread",
    role: "log",
    tabindex: "0",
    "aria-label": "Conversation",
  });
  readonly attachments = element("div", { class: "tray", "data-testid": "attachments" });
  readonly #deeds: FrameDeeds;
  readonly #host: HTMLElement;
  readonly #colours = new CSSStyleSheet();
  readonly #title = element("strong");
  readonly #historyButton = button("history-button", "History");
  readonly #history = element("div", { class: "scroll", "data-testid": "history", hidden: "" });
  readonly #troubles = element("div", { class: "troubles" });
  readonly #progress = element("p", { class: "note", "data-testid": "progress", hidden: "" });
  readonly #send = element(
    "button",
    { type: "submit", class: "send", "data-testid": "send", "aria-label": "Send message" },
    "↑",
  );
  readonly #stop = button("stop", "■", { class: "send", "aria-label": "Stop", hidden: "" });
  readonly #file = element("input", {
    type: "file",
    multiple: "",
    "data-testid": "attach",
    "aria-label": "Attach a file",
  });
  #options: ChatKitOptions | null = null;
  #busy = false;
  #mayStop = false;

  constructor(body: HTMLElement, deeds: FrameDeeds) {
    this.#host = element("div", { class: "host" });
    this.#deeds = deeds;
    const root = this.#host.attachShadow({ mode: "open" });
    const sheets = [base, css].map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    root.adoptedStyleSheets = [...sheets, this.#colours];
    const fresh = button("new-thread", "New chat");
    const form = element("form", { "data-testid": "composer-form" }, this.#file, this.composer, this.#send, this.#stop);
    const header = element("header", {}, this.#title, fresh, this.#historyButton);
    const footer = element("footer", {}, "Sandbox stand-in for OpenAI ChatKit, custom mode");
    const parts = [header, this.thread, this.#history, this.#progress, this.#troubles, this.attachments, form, footer];
    root.append(element("div", { class: "frame" }, ...parts));
    body.replaceChildren(this.#host);

    fresh.addEventListener("click", () => deeds.openThread(null));
    this.#historyButton.addEventListener("click", () => deeds.toggleHistory());
    this.#stop.addEventListener("click", () => deeds.stop());
    this.#file.addEventListener("change", () => {
      deeds.attach([...(this.#file.files ?? [])]);
      this.#file.value = "";
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#send.disabled) deeds.send(this.composer.value.trim());
    });
    this.composer.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.composer.addEventListener("input", () => this.drawButtons());
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
    const files = options.composer?.attachments;
    this.#file.hidden = !files?.enabled;
    this.#file.accept = Object.entries(files?.accept ?? {})
      .flat(2)
      .join(",");
    this.drawButtons();
  }

  setTitle(thread: string): void {
    this.#title.textContent = this.#options?.header?.title?.text ?? thread;
  }

  showStart(): void {
    const start = this.#options?.startScreen;
    const greeting = element("h2", { "data-testid": "greeting" }, start?.greeting ?? "What can I help with today?");
    const prompts = (start?.prompts ?? []).map(({ label, prompt }) => {
      const node = button("prompt", label);
      const text = typeof prompt === "string" ? prompt : prompt.map((part) => part.text).join("");
      node.addEventListener("click", () => this.#deeds.send(text));
      return node;
    });
    const list = element("div", { class: "list", "data-testid": "prompts" }, ...prompts);
    this.thread.replaceChildren(element("div", { class: "start" }, greeting, list));
  }

  clear(): void {
    this.thread.replaceChildren();
    this.clearTroubles();
  }

  clearTroubles(): void {
    this.#troubles.replaceChildren();
  }

  showError(text: string, mayRetry: boolean): void {
    const error = element("p", { class: "error", role: "alert", "data-testid": "error" }, text);
    this.#troubles.replaceChildren(error);
    if (mayRetry) {
      const retry = button("retry", "Try again");
      retry.addEventListener("click", () => this.#deeds.retry());
      this.#troubles.append(retry);
    }
    // What went wrong takes room, and belongs to the last message.
    this.thread.scrollTop = this.thread.scrollHeight;
  }

  showNotice(level: string, text: string): void {
    this.#troubles.append(element("p", { class: "note", "data-testid": "notice", "data-level": level }, text));
  }

  showProgress(text: string): void {
    this.#progress.textContent = text;
    this.#progress.hidden = !text;
  }

  showHistory(threads: readonly Thread[], open: boolean): void {
    this.#historyButton.setAttribute("aria-expanded", String(open));
    const empty = element("p", { class: "message" }, "No earlier conversations.");
    const rows = threads.map((thread) => this.#historyRow(thread));
    this.#history.replaceChildren(element("div", { class: "list" }, ...(rows.length > 0 ? rows : [empty])));
    this.#history.hidden = !open;
    this.thread.hidden = open;
  }

  allowStop(allowed: boolean): void {
    this.#mayStop = allowed;
    this.drawButtons();
  }

  setBusy(busy: boolean): void {
    this.#busy = busy;
    if (!busy) this.#mayStop = false;
    this.drawButtons();
  }

  setDraft(text: string): void {
    this.composer.value = text;
    this.drawButtons();
  }

  drawButtons(): void {
    const files = this.attachments.querySelectorAll('[data-state="ready"]').length;
    const uploading = this.attachments.querySelector('[data-state="uploading"]') !== null;
    this.#stop.hidden = !(this.#busy && this.#mayStop);
    this.#send.hidden = !this.#stop.hidden;
    this.#send.disabled = this.#busy || uploading || !(this.composer.value.trim() || files);
  }

  #historyRow({ id, title }: Thread): HTMLElement {
    const open = button("history-item", title || id, { "data-thread-id": id });
    open.addEventListener("click", () => this.#deeds.openThread(id));
    const row = element("div", { class: "row" }, open);
    const { showDelete, showRename } = this.#options?.history ?? {};
    if (showRename !== false) {
      const rename = button("history-rename", "Rename");
      rename.addEventListener("click", () => row.replaceChildren(this.#renaming(id, title ?? "")));
      row.append(rename);
    }
    if (showDelete !== false) {
      const remove = button("history-delete", "Delete");
      remove.addEventListener("click", () => this.#deeds.deleteThread(id));
      row.append(remove);
    }
    return row;
  }

  #renaming(id: string, title: string): HTMLElement {
    const input = element("input", { "data-testid": "rename-input", value: title, "aria-label": "Title" });
    input.addEventListener("keydown", ({ key }) => {
      if (key === "Enter" && input.value.trim()) this.#deeds.renameThread(id, input.value.trim());
    });
    return input;
  }
}
