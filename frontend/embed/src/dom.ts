/**
 * The few calls on `document` that the script needs, taken from the prototype. On a page with `<img name="createElement">`
 * the plain `document.createElement` is that image (DOM clobbering); the prototype's own members can't be shadowed so.
 */
const members = Document.prototype;

function read<T>(name: "body" | "currentScript" | "documentElement" | "head"): T | null {
  for (let holder: object | null = members; holder; holder = Object.getPrototypeOf(holder)) {
    const getter = Object.getOwnPropertyDescriptor(holder, name)?.get;
    if (getter) return getter.call(document) as T | null;
  }
  return null;
}

export const currentScript = (): HTMLScriptElement | null => {
  const script = read<Element>("currentScript");
  return script instanceof HTMLScriptElement ? script : null;
};
export const pageBody = (): HTMLElement | null => read("body");
export const pageRoot = (): HTMLElement => read<HTMLElement>("documentElement") as HTMLElement;
export const pageHead = (): HTMLElement => read<HTMLElement>("head") ?? pageRoot();
export const find = <T extends Element>(selector: string): T | null =>
  members.querySelector.call(document, selector) as T | null;

type Child = Node | string | null;

/** One element with its attributes and children. Text only ever becomes a text node: no markup is parsed anywhere. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = members.createElement.call(document, tag) as HTMLElementTagNameMap[K];
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A 24 × 24 line icon of one path; decorative, so hidden from assistive technology. */
export function icon(path: string): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = members.createElementNS.call(document, space, "svg") as SVGElement;
  const line = members.createElementNS.call(document, space, "path") as SVGElement;
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
