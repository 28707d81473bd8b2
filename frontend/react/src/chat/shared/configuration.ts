import { field, fields, type Looks, matching, readLooks, text } from "./looks";
import { Problem } from "./problem";
import type { Backend } from "./sessions";

/** The assistant's public configuration, each field checked or replaced by a harmless default. */
export interface Configuration extends Looks {
  readonly backend: Backend;
  /** Where the platform itself answers, and the key of OpenAI's list for this website; null = OpenAI's hosted chat. */
  readonly chat: { readonly url: string; readonly domainKey: string } | null;
  readonly name: string;
  readonly chatkitJs: string;
  readonly greeting: string;
  readonly prompts: readonly { readonly label: string; readonly prompt: string }[];
  readonly placeholder: string;
  readonly history: boolean;
  /** Null = no uploads; sizes in bytes. */
  readonly attachments: {
    readonly maxCount: number;
    readonly maxSize: number;
    /** Types of files with the ends of their names; absent = ChatKit's own choice. */
    readonly accept?: Record<string, string[]>;
  } | null;
  /** What a visitor reads at a limit; empty = the fallback's text. */
  readonly limitText: string;
  readonly fallback: { readonly text: string; readonly url: string };
}

const LINK = /^(?:https:\/\/[^\s"'<>\\^`{|}]+|mailto:[^\s"'<>\\^`{|}?]+@[^\s"'<>\\^`{|}]+|tel:\+?[0-9().-]{3,30})$/i;

type Fields = ReturnType<typeof fields>;

const whole = (value: unknown, most: number): number =>
  Number.isInteger(value) && (value as number) >= 1 ? Math.min(value as number, most) : 1;

/** Code and credentials go over https, or over http only where the platform itself does (a machine for trying out). */
function secureAddress(value: unknown, base: string): string {
  const address = text(value, 2000);
  const secure = /^https:\/\/[^\s"'<>\\]+$/.test(address);
  const trial = base.startsWith("http:") && /^http:\/\/[^\s"'<>\\]+$/.test(address);
  return secure || trial ? address : "";
}

function chatAddress(chat: Fields, base: string): Configuration["chat"] {
  const url = secureAddress(field(chat, "url"), base);
  if (!url) throw new Problem("answer_invalid", "The platform's configuration names no usable address of the chat.");
  return { url, domainKey: text(field(chat, "domain_key"), 200) || "local-dev" };
}

/** What is no type, or has no ends, is left out; where nothing is left, the field is. */
function acceptedTypes(types: Fields): { accept?: Record<string, string[]> } {
  const accept: Record<string, string[]> = {};
  for (const type of Object.keys(types)) {
    const ends = field(types, type);
    const usable = (Array.isArray(ends) ? ends : []).map((end) => matching(end, /^\.[a-z0-9]{1,10}$/)).filter(Boolean);
    if (/^[a-z]+\/[a-z0-9.+-]+$/.test(type) && usable.length) accept[type] = usable;
  }
  return Object.keys(accept).length ? { accept } : {};
}

/** Throws a Problem when the answer can't be used at all. */
export function readConfiguration(answer: unknown, base: string): Configuration {
  const all = fields(answer);
  const chatkitJs = secureAddress(field(all, "chatkit_js"), base);
  if (!chatkitJs)
    throw new Problem("answer_invalid", "The platform's configuration names no usable chatkit.js address.");
  const backend = field(all, "backend");
  if (backend !== "hosted_workflow" && backend !== "platform") {
    throw new Problem(
      "integration_outdated",
      "This version of the script can't open this assistant: load the current one.",
    );
  }
  const chat = backend === "platform" ? chatAddress(fields(field(all, "chat")), base) : null;
  const appearance = fields(field(all, "appearance"));
  const attachments = fields(field(all, "attachments"));
  const fallback = fields(field(all, "fallback"));
  const prompts = field(appearance, "prompts");
  return {
    ...readLooks(answer),
    backend,
    chat,
    name: text(field(all, "name"), 80) || "Chat",
    chatkitJs,
    greeting: text(field(appearance, "greeting"), 300),
    prompts: (Array.isArray(prompts) ? prompts : [])
      .slice(0, 12)
      .map(fields)
      .map((item) => ({ label: text(field(item, "label"), 120), prompt: text(field(item, "prompt"), 4000) }))
      .filter((item) => item.label && item.prompt),
    placeholder: text(field(appearance, "placeholder"), 200),
    history: field(all, "history") === true,
    attachments:
      field(attachments, "enabled") === true
        ? {
            maxCount: whole(field(attachments, "max_files"), 100),
            maxSize: whole(field(attachments, "max_size_mb"), 512) * 1024 * 1024,
            ...acceptedTypes(fields(field(attachments, "accept"))),
          }
        : null,
    limitText: text(field(all, "limit_text"), 300),
    fallback: { text: text(field(fallback, "text"), 1000), url: matching(field(fallback, "url"), LINK) },
  };
}
