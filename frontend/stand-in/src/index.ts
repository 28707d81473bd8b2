/**
 * Built to the sandbox's `/chatkit.js`: what a page gets in place of OpenAI's script. The page of the custom mode's frame loads
 * the same script with `data-frame`.
 */
import { StandInChatKit } from "./element";
import { startFrame } from "./frame";

const script = document.currentScript;
if (!(script instanceof HTMLScriptElement)) throw new Error("chatkit.js must be loaded by a classic <script src>.");
if (script.dataset.frame === undefined) {
  StandInChatKit.origin = new URL(script.src).origin;
  customElements.define("openai-chatkit", StandInChatKit);
} else {
  startFrame();
}
