import { element, pageHead } from "./dom";

type ScriptPolicy = { createScriptURL(address: string): string };
type TrustedTypes = { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };

let policy: ScriptPolicy | null = null;

/** Under `require-trusted-types-for 'script'` only a policy's product may become a script's address. */
function trusted(address: string): string {
  const types = (window as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (!types) return address;
  policy ??= types.createPolicy("chatkit-platform", { createScriptURL: (url) => url });
  return policy.createScriptURL(address);
}

/** Puts a classic script on the page, or says why it didn't come; what didn't come is taken away again. */
export type AddScript = typeof addScript;

export function addScript(
  address: string,
  nonce: string,
  fail: (reason: string) => void,
  integrity = "",
): HTMLScriptElement | null {
  const script = element("script");
  script.async = true;
  if (nonce) script.nonce = nonce;
  if (integrity) {
    script.integrity = integrity;
    // Without it a script of another origin is opaque, and its hash can't be compared.
    script.crossOrigin = "anonymous";
  }
  script.onerror = () => {
    script.remove();
    fail(`${address} couldn't be loaded.`);
  };
  try {
    script.src = trusted(address);
  } catch {
    fail('Trusted Types refused it: add "chatkit-platform" to the page\'s trusted-types directive.');
    return null;
  }
  pageHead().append(script);
  return script;
}
