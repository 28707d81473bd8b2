import { find } from "./dom";
import { Problem } from "./problem";
import type { AddScript } from "./script";

const TAG = "openai-chatkit";
const TIMEOUT = 15_000;

/**
 * Resolves when `<openai-chatkit>` is defined. A classic script element, since chatkit.js reads `document.currentScript`.
 * The page may carry chatkit.js itself: then its tag is waited for, as a second run would define the element twice.
 */
export function loadChatKit(address: string, nonce: string, addScript: AddScript, timeout = TIMEOUT): Promise<unknown> {
  if (customElements.get(TAG)) return Promise.resolve();
  // What comes first counts; a promise can't be settled twice.
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Problem("chatkit_blocked", reason));
    customElements.whenDefined(TAG).then(resolve);
    setTimeout(fail, timeout, `${address} didn't start within ${timeout / 1000} s.`);
    if (!find(`script[src="${CSS.escape(address)}"]`)) addScript(address, nonce, fail);
  });
}
