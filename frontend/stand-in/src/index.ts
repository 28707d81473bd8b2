/** Built to the sandbox's `/chatkit.js`: what a page gets in place of OpenAI's script. */
import { StandInChatKit } from "./element";

const script = document.currentScript;
if (!(script instanceof HTMLScriptElement)) throw new Error("chatkit.js must be loaded by a classic <script src>.");
StandInChatKit.origin = new URL(script.src).origin;
customElements.define("openai-chatkit", StandInChatKit);
