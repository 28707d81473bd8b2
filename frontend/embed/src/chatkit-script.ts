import { element, find, pageHead } from "./dom";
import { Problem } from "./problem";

const TAG = "openai-chatkit";
const TIMEOUT = 15_000;

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

/**
 * Resolves when `<openai-chatkit>` is defined. A classic script element, since chatkit.js reads `document.currentScript`.
 * The page may carry chatkit.js itself: then its tag is waited for, as a second run would define the element twice.
 */
export function loadChatKit(address: string, nonce: string, timeout = TIMEOUT): Promise<unknown> {
  if (customElements.get(TAG)) return Promise.resolve();
  // What comes first counts; a promise can't be settled twice.
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Problem("chatkit_blocked", reason));
    customElements.whenDefined(TAG).then(resolve);
    setTimeout(fail, timeout, `${address} didn't start within ${timeout / 1000} s.`);
    if (find(`script[src="${CSS.escape(address)}"]`)) return;
    const script = element("script");
    script.async = true;
    if (nonce) script.nonce = nonce;
    script.onerror = () => {
      script.remove();
      fail(`${address} couldn't be loaded.`);
    };
    try {
      script.src = trusted(address);
    } catch {
      fail('Trusted Types refused it: add "chatkit-platform" to the page\'s trusted-types directive.');
      return;
    }
    pageHead().append(script);
  });
}
