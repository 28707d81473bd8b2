import type { Action } from "../chat";
import { element } from "../dom";
import type { Item, Widget } from "../protocol";

type Press = (action: Action & { handler?: string }) => void;

/** A widget by its texts, its buttons and its form, whatever card they stand in. */
export function drawWidget({ widget }: Item, press: Press): HTMLElement {
  const box = element("div", { class: "widget", "data-testid": "widget" });
  if (widget) box.append(draw(widget, press));
  return box;
}

function draw(part: Widget, press: Press): HTMLElement {
  const children = Array.isArray(part.children) ? (part.children as Widget[]) : [];
  const inner = children.map((child) => draw(child, press));
  const text = [part.value, part.label].find((each) => typeof each === "string") as string | undefined;
  const action = (part.onClickAction ?? part.onSubmitAction) as (Action & { handler?: string }) | null | undefined;
  if (part.type === "Button") {
    const button = element(
      "button",
      { type: part.submit ? "submit" : "button", "data-testid": "widget-button" },
      text ?? "",
    );
    if (action) button.addEventListener("click", () => press(action));
    return button;
  }
  if (part.type === "Form") {
    const form = element("form", {}, ...inner);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const filled = Object.fromEntries(new FormData(form).entries());
      if (action) press({ ...action, payload: { ...action.payload, ...filled } });
    });
    return form;
  }
  if (part.type === "Input" || part.type === "Textarea") {
    return element("input", { name: String(part.name), "data-testid": "widget-input" });
  }
  if (part.type === "Image") return element("img", { src: String(part.src), alt: String(part.alt ?? "") });
  const node = element("div", {}, ...(text ? [text] : []), ...inner);
  if (action) node.addEventListener("click", () => press(action));
  return node;
}
