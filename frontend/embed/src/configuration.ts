import { Problem } from "./problem";

/** The assistant's public configuration, each field checked or replaced by a harmless default. */
export interface Configuration {
  readonly name: string;
  readonly chatkitJs: string;
  readonly greeting: string;
  readonly prompts: readonly { readonly label: string; readonly prompt: string }[];
  readonly placeholder: string;
  readonly colorScheme: "auto" | "light" | "dark";
  readonly accent: string;
  readonly side: "left" | "right";
  readonly label: string;
  readonly history: boolean;
  /** Null = no uploads; sizes in bytes. */
  readonly attachments: { readonly maxCount: number; readonly maxSize: number } | null;
  readonly fallback: { readonly text: string; readonly url: string };
}

const ACCENT = /^#[0-9a-f]{6}$/i;
const LINK = /^(?:https:\/\/[^\s"'<>\\^`{|}]+|mailto:[^\s"'<>\\^`{|}?]+@[^\s"'<>\\^`{|}]+|tel:\+?[0-9().-]{3,30})$/i;

type Fields = Readonly<Record<string, unknown>>;

// Own fields only: on a page with a polluted Object.prototype a missing field would read as the pollution.
const field = (from: Fields, name: string): unknown => (Object.hasOwn(from, name) ? from[name] : undefined);
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const text = (value: unknown, most: number): string => (typeof value === "string" ? value.slice(0, most) : "");
const matching = (value: unknown, grammar: RegExp): string => {
  const candidate = text(value, 2000);
  return grammar.test(candidate) ? candidate : "";
};
const oneOf = <T extends string>(value: unknown, words: readonly T[]): T =>
  words.find((word) => word === value) ?? (words[0] as T);
const whole = (value: unknown, most: number): number =>
  Number.isInteger(value) && (value as number) >= 1 ? Math.min(value as number, most) : 1;

/** chatkit.js is code: it comes over https, or over http only where the platform itself does (a machine for trying out). */
function scriptAddress(value: unknown, base: string): string {
  const address = text(value, 2000);
  const secure = /^https:\/\/[^\s"'<>\\]+$/.test(address);
  const trial = base.startsWith("http:") && /^http:\/\/[^\s"'<>\\]+$/.test(address);
  return secure || trial ? address : "";
}

/** Throws a Problem when the answer can't be used at all. */
export function readConfiguration(answer: unknown, base: string): Configuration {
  const all = fields(answer);
  const chatkitJs = scriptAddress(field(all, "chatkit_js"), base);
  if (!chatkitJs)
    throw new Problem("answer_invalid", "The platform's configuration names no usable chatkit.js address.");
  if (field(all, "backend") !== "hosted_workflow") {
    throw new Problem(
      "integration_outdated",
      "This version of embed.js can't open this assistant: load /widget/v1/embed.js.",
    );
  }
  const appearance = fields(field(all, "appearance"));
  const attachments = fields(field(all, "attachments"));
  const fallback = fields(field(all, "fallback"));
  const prompts = field(appearance, "prompts");
  return {
    name: text(field(all, "name"), 80) || "Chat",
    chatkitJs,
    greeting: text(field(appearance, "greeting"), 300),
    prompts: (Array.isArray(prompts) ? prompts : [])
      .slice(0, 12)
      .map(fields)
      .map((item) => ({ label: text(field(item, "label"), 120), prompt: text(field(item, "prompt"), 4000) }))
      .filter((item) => item.label && item.prompt),
    placeholder: text(field(appearance, "placeholder"), 200),
    colorScheme: oneOf(field(appearance, "color_scheme"), ["auto", "light", "dark"]),
    accent: matching(field(appearance, "accent"), ACCENT),
    side: oneOf(field(appearance, "launcher_side"), ["right", "left"]),
    label: text(field(appearance, "launcher_label"), 40).trim(),
    history: field(all, "history") === true,
    attachments:
      field(attachments, "enabled") === true
        ? {
            maxCount: whole(field(attachments, "max_files"), 100),
            maxSize: whole(field(attachments, "max_size_mb"), 512) * 1024 * 1024,
          }
        : null,
    fallback: { text: text(field(fallback, "text"), 1000), url: matching(field(fallback, "url"), LINK) },
  };
}
