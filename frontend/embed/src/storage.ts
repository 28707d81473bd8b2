/** Keeps the visitor token, a bearer credential, for one tenant. */
export interface TokenStore {
  read(): string | null;
  write(token: string): void;
}

const TOKEN = /^[\x21-\x7e]{1,512}$/;

/**
 * localStorage, or memory where the browser denies it (blocked cookies, a sandboxed frame, a full store).
 * The script reads and writes it only after the visitor has opened the chat.
 */
export function tokenStore(tenant: string, storage: () => Storage = () => window.localStorage): TokenStore {
  const key = `ckp.v1.${tenant}`;
  let memory: string | null = null;
  return {
    read() {
      try {
        const token = storage().getItem(key) ?? memory;
        return token && TOKEN.test(token) ? token : null;
      } catch {
        return memory;
      }
    },
    write(token) {
      if (!TOKEN.test(token)) return;
      memory = token;
      try {
        storage().setItem(key, token);
      } catch {
        // Denied: this visit goes on from memory, the next one starts as a new visitor.
      }
    },
  };
}
