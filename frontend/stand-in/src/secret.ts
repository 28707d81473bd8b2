const SANDBOX_SECRET = /^ek_sandbox_(\d{10})_/;
const DEFAULT_LIFETIME = 600;
const MARGIN = 15;

/**
 * Milliseconds until a client secret should be replaced: 15 s before it expires, or at half its life when that is shorter.
 * OpenAI's element knows the expiry from its frame; the sandbox writes it, in epoch seconds, into the secret.
 */
export function refreshDelay(secret: string, now: number): number {
  const expiry = Number(SANDBOX_SECRET.exec(secret)?.[1] ?? now / 1000 + DEFAULT_LIFETIME);
  const lifetime = Math.max(expiry - now / 1000, 0);
  return 1000 * (lifetime > 2 * MARGIN ? lifetime - MARGIN : lifetime / 2);
}
