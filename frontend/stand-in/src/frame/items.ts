import type { Action } from "../chat";
import { element } from "../dom";
import { type Item, type Question, textOf, type Widget } from "../protocol";
import { picture } from "./uploads";
import { drawWidget } from "./widgets";

/** What `threads.add_structured_input` takes. */
export interface Answers {
  readonly status: "answered" | "skipped";
  readonly answers: Readonly<Record<string, { readonly values: readonly string[]; readonly skipped: boolean }>>;
}

export interface ItemDeeds {
  readonly options: { readonly threadItemActions?: { readonly feedback?: boolean } };
  feedback(id: string, kind: "positive" | "negative"): void;
  answer(id: string, input: Answers): void;
  press(item: Item, action: Action & { handler?: string }): void;
}

/** The items of the thread on the screen. */
export class Items {
  readonly #thread: HTMLElement;
  readonly #deeds: ItemDeeds;
  readonly #shown = new Map<string, Item>();

  constructor(thread: HTMLElement, deeds: ItemDeeds) {
    this.#thread = thread;
    this.#deeds = deeds;
  }

  /** Draws an item, or draws it anew. */
  show(item: Item): void {
    const drawn = this.#draw(item);
    if (!drawn) return;
    this.#shown.set(item.id, item);
    drawn.dataset.itemId = item.id;
    const there = this.#find(item.id);
    if (there) there.replaceWith(drawn);
    else this.#append(drawn);
  }

  extend(id: string, text: string): void {
    const there = this.#find(id)?.querySelector(".text");
    if (there) there.append(text);
    else this.show({ id, type: "assistant_message", content: [{ type: "output_text", text }] });
    this.#scroll();
  }

  redraw(id: string, widget: Widget): void {
    const item = this.#shown.get(id);
    if (item) this.show({ ...item, widget });
  }

  remove(id: string): void {
    this.#find(id)?.remove();
  }

  removeAfter(id: string): void {
    const there = this.#find(id);
    while (there?.nextElementSibling) there.nextElementSibling.remove();
  }

  lastOfUser(): string | null {
    const messages = this.#thread.querySelectorAll<HTMLElement>('[data-role="user"]');
    return messages[messages.length - 1]?.dataset.itemId ?? null;
  }

  showTool(call: Item, state: string): void {
    const attributes = { class: "note", "data-testid": "tool", "data-state": state, "data-item-id": call.id };
    const drawn = element("p", attributes, `${call.name}: ${state}`);
    const there = this.#find(call.id);
    if (there) there.replaceWith(drawn);
    else this.#append(drawn);
  }

  #draw(item: Item): HTMLElement | null {
    switch (item.type) {
      case "user_message":
      case "assistant_message":
        return this.#message(item);
      case "structured_input":
        return item.status === "pending" ? this.#questions(item) : answered(item);
      case "widget":
        return drawWidget(item, (action) => this.#deeds.press(item, action));
      case "workflow": {
        const title = item.workflow?.summary?.title ?? item.workflow?.tasks.at(-1)?.title ?? "Working";
        return element("p", { class: "note", "data-testid": "workflow" }, title);
      }
      default:
        return null;
    }
  }

  #message(item: Item): HTMLElement {
    const role = item.type === "user_message" ? "user" : "assistant";
    const text = element("div", { class: "text" }, textOf(item));
    const files = (item.attachments ?? []).map((file) =>
      file.type === "image" && file.preview_url ? picture(file) : element("span", { "data-testid": "file" }, file.name),
    );
    const message = element("div", { class: "message", "data-testid": "message", "data-role": role }, ...files, text);
    if (role === "assistant" && this.#deeds.options.threadItemActions?.feedback) message.append(this.#thumbs(item.id));
    return message;
  }

  #thumbs(id: string): HTMLElement {
    const thumbs = (["positive", "negative"] as const).map((kind) => {
      const attributes = { type: "button", "data-testid": `feedback-${kind}`, "aria-pressed": "false" };
      const button = element("button", attributes, kind === "positive" ? "Good" : "Bad");
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", "true");
        this.#deeds.feedback(id, kind);
      });
      return button;
    });
    return element("div", { class: "thumbs" }, ...thumbs);
  }

  #questions(item: Item): HTMLElement {
    const inputs = item.inputs ?? [];
    const submit = element("button", { type: "submit", "data-testid": "submit-answers" }, "Answer");
    const skip = element("button", { type: "button", "data-testid": "skip-answers" }, "Skip");
    const form = element(
      "form",
      { class: "questions", "data-testid": "questions" },
      ...inputs.map(question),
      element("div", { class: "row" }, submit, skip),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const data = new FormData(form);
      const told = inputs.map(({ id }) => {
        const values = data.getAll(id).map(String).filter(Boolean);
        return [id, { values, skipped: values.length === 0 }] as const;
      });
      this.#deeds.answer(item.id, { status: "answered", answers: Object.fromEntries(told) });
    });
    skip.addEventListener("click", () => this.#deeds.answer(item.id, { status: "skipped", answers: {} }));
    return form;
  }

  #append(drawn: HTMLElement): void {
    this.#thread.querySelector(".start")?.remove();
    this.#thread.append(drawn);
    this.#scroll();
  }

  #scroll(): void {
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }

  #find(id: string): HTMLElement | undefined {
    const items = [...this.#thread.children] as HTMLElement[];
    return items.find((each) => each.dataset.itemId === id);
  }
}

function question({ id, question, description, options, multiple }: Question): HTMLElement {
  const choices = (options ?? []).map(({ value }) => {
    const box = element("input", { type: multiple ? "checkbox" : "radio", name: id, value, "data-testid": "option" });
    return element("label", {}, box, value);
  });
  const free = element("input", { type: "text", name: id, "data-testid": "answer", "aria-label": question });
  const hint = description ? [element("p", {}, description)] : [];
  const legend = element("legend", {}, question);
  return element("fieldset", { "data-testid": "question" }, legend, ...hint, ...(choices.length ? choices : [free]));
}

function answered({ status, inputs }: Item): HTMLElement {
  const rows = (inputs ?? []).map(({ question, answer }) => `${question} ${answer?.values.join(", ") || "—"}`);
  return element("p", { class: "note", "data-testid": "answered", "data-status": status ?? "" }, rows.join(" · "));
}
