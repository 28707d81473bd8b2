/**
 * Keeps the visitor's tokens, bearer credentials, for one tenant. Read and written only after the visitor opened the chat.
 *
 *   localStorage["ckp.v1.<public id>"]          the anonymous visitor's, for next time
 *   sessionStorage["ckp.v1.<public id>.known"]  "<digest of the subject> <token>": a signed-in person's, for reloads of this tab
 *
 * Where the browser denies storage (blocked cookies, a sandboxed frame, a full store) memory takes its place.
 */
export interface TokenStore {
  anonymous(): string | null;
  /** The token that was given for this subject, and for no other. */
  known(subject: string): Promise<string | null>;
  /** A token that is given to a subject is kept for the subject; null = an anonymous visitor's. */
  keep(token: string, subject: string | null): Promise<void>;
  /** Whether a signed-in person's token is here, whoever that was. */
  hasKnown(): boolean;
  /** Forgets the signed-in person's. */
  forgetKnown(): void;
  /** Forgets all; returns what there was. */
  forget(): string[];
}

const TOKEN = /^[\x21-\x7e]{1,512}$/;

function slot(storage: () => Storage, key: string) {
  let memory: string | null = null;
  return {
    read(): string | null {
      try {
        return storage().getItem(key) ?? memory;
      } catch {
        return memory;
      }
    },
    write(value: string | null): void {
      memory = null;
      try {
        if (value === null) storage().removeItem(key);
        else storage().setItem(key, value);
      } catch {
        // Denied: this visit goes on from memory, the next one starts as a new visitor.
        memory = value;
      }
    },
  };
}

/** Hex, or null on a page without https: there is no SHA-256 then, and nothing of a person is stored. */
async function digestOf(text: string): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function tokenStore(
  tenant: string,
  local: () => Storage = () => window.localStorage,
  session: () => Storage = () => window.sessionStorage,
): TokenStore {
  const forLater = slot(local, `ckp.v1.${tenant}`);
  const forTab = slot(session, `ckp.v1.${tenant}.known`);
  let person: { subject: string; token: string } | null = null;

  const checked = (token: string | null | undefined): string | null => (token && TOKEN.test(token) ? token : null);
  const anonymous = (): string | null => checked(forLater.read());
  const stored = (): string[] => (forTab.read() ?? "").split(" ");
  const digest = (subject: string): Promise<string | null> => digestOf(`${tenant} ${subject}`);
  const anyKnown = (): string | null => person?.token ?? checked(stored()[1]);
  function forgetKnown(): void {
    person = null;
    forTab.write(null);
  }

  return {
    anonymous,
    async known(subject) {
      if (person) return person.subject === subject ? person.token : null;
      const [whose, token] = stored();
      return whose && whose === (await digest(subject)) ? checked(token) : null;
    },
    async keep(token, subject) {
      if (!checked(token)) return;
      if (subject === null) return forLater.write(token);
      person = { subject, token };
      const whose = await digest(subject);
      // The person may have left while the digest was made.
      if (whose && person?.token === token) forTab.write(`${whose} ${token}`);
    },
    hasKnown: () => anyKnown() !== null,
    forgetKnown,
    forget() {
      const tokens = [anyKnown(), anonymous()].filter((token) => token !== null);
      forgetKnown();
      forLater.write(null);
      return tokens;
    },
  };
}
