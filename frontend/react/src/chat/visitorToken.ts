/**
 * The visitor token says which visitor comes back: with it a new session shows the same conversations. It is a bearer
 * credential of the platform, kept under the same key as the embed script's, and only after a chat was opened.
 */
const inMemory = new Map<string, string>();

const keyFor = (apiUrl: string): string => `ckp.v1.${apiUrl.split("/").pop()}`;

export function readVisitorToken(apiUrl: string): string | undefined {
  const key = keyFor(apiUrl);
  try {
    return localStorage.getItem(key) ?? inMemory.get(key);
  } catch {
    return inMemory.get(key);
  }
}

export function keepVisitorToken(apiUrl: string, token: string): void {
  const key = keyFor(apiUrl);
  inMemory.set(key, token);
  try {
    localStorage.setItem(key, token);
  } catch {
    // The browser denies storage: this visit goes on from memory.
  }
}
