/** What the launcher needs of the public configuration. */
export interface Looks {
  readonly label: string;
  readonly accent: string;
  readonly side: "left" | "right";
  readonly colorScheme: "auto" | "light" | "dark";
  readonly fallback: { readonly text: string };
}

export const ACCENT = /^#[0-9a-f]{6}$/i;

type Fields = Readonly<Record<string, unknown>>;

// Own fields only: on a page with a polluted Object.prototype a missing field would read as the pollution.
export const field = (from: Fields, name: string): unknown => (Object.hasOwn(from, name) ? from[name] : undefined);
export const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
export const text = (value: unknown, most: number): string => (typeof value === "string" ? value.slice(0, most) : "");
export const matching = (value: unknown, grammar: RegExp): string => {
  const candidate = text(value, 2000);
  return grammar.test(candidate) ? candidate : "";
};
export const oneOf = <T extends string>(value: unknown, words: readonly T[]): T =>
  words.find((word) => word === value) ?? (words[0] as T);

/** Each field checked or replaced by a harmless default. */
export function readLooks(answer: unknown): Looks {
  const all = fields(answer);
  const appearance = fields(field(all, "appearance"));
  return {
    label: text(field(appearance, "launcher_label"), 40).trim(),
    accent: matching(field(appearance, "accent"), ACCENT),
    side: oneOf(field(appearance, "launcher_side"), ["right", "left"]),
    colorScheme: oneOf(field(appearance, "color_scheme"), ["auto", "light", "dark"]),
    fallback: { text: text(field(fields(field(all, "fallback")), "text"), 1000) },
  };
}

/** Whose chat, and where; `base` is the platform's address without a trailing slash. */
export interface Tenant {
  readonly base: string;
  readonly tenant: string;
  /** A slug; empty = the tenant's default. */
  readonly assistant: string;
  readonly previewTicket: string;
}

/** The public configuration's address, and the terms of every call to the platform: no cookies, and the preview's ticket. */
export function configurationCall(settings: Tenant, timeout: number): [string, RequestInit] {
  const query = settings.assistant ? `?assistant=${encodeURIComponent(settings.assistant)}` : "";
  const headers: Record<string, string> = settings.previewTicket ? { "X-Preview-Ticket": settings.previewTicket } : {};
  const signal = AbortSignal.timeout(timeout);
  const terms: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", signal, headers };
  // Without a prototype: a polluted Object.prototype.body would otherwise make every GET throw.
  const init = Object.assign(Object.create(null), terms);
  return [`${settings.base}/api/v1/tenants/${settings.tenant}/widget/${query}`, init];
}
