import { currentScript, find } from "./dom";
import type { Tenant } from "./looks";

/** What the script tag says. */
export interface Settings extends Tenant {
  /** A JWT for whoever is signed in on the page; empty = nobody, or the page tells by `identify`. */
  readonly identityToken: string;
  readonly nonce: string;
}

const OWN_ADDRESS = /^(https?:\/\/[^?#]+?)\/widget\/(?:v1|\d+\.\d+\.\d+)\/embed\.js(?:[?#].*)?$/;
const PUBLIC_ID = /^tn_[0-9A-Za-z]{28}$/;
const SLUG = /^[0-9a-z_-]{1,64}$/;

/** The tag that runs now; a tag manager may hide it, then the first tag that is written like ours. */
export function ownTag(): HTMLScriptElement | null {
  return currentScript() ?? find<HTMLScriptElement>('script[data-tenant][src*="/widget/"]');
}

/** Reads the tag; throws an Error whose message says the cure. */
export function readSettings(tag: HTMLScriptElement | null): Settings {
  const base = OWN_ADDRESS.exec(tag?.src ?? "")?.[1];
  if (!tag || !base) {
    throw new Error("embed.js doesn't know its own address: load it by a <script src> ending in /widget/v1/embed.js.");
  }
  const { tenant = "", assistant = "", previewTicket = "", identityToken = "" } = tag.dataset;
  if (!PUBLIC_ID.test(tenant)) {
    throw new Error(
      'data-tenant is missing or mistyped: paste the whole snippet again ("tn_" and 28 letters or digits).',
    );
  }
  if (assistant && !SLUG.test(assistant)) {
    throw new Error("data-assistant isn't an assistant's slug: copy it from the snippet, or leave it away.");
  }
  return { base, tenant, assistant, previewTicket, identityToken, nonce: tag.nonce };
}
