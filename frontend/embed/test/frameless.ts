import type { ChatKitOptions, CustomApiConfig } from "@openai/chatkit";
import { StandInChatKit } from "../../stand-in/src/element";
import { checkOptions, isHosted } from "../../stand-in/src/options";

/**
 * The stand-in for a page without frames, as happy-dom's: in custom mode it says that it is ready and asks for the threads by the
 * page's fetch, which is what its frame does first.
 */
export class FramelessChatKit extends StandInChatKit {
  #custom: CustomApiConfig | null = null;
  #started = false;

  /** The origin of chatkit.js, which is also that of the hosted API. */
  static servedFrom(origin: string): void {
    StandInChatKit.origin = origin;
  }

  override setOptions(options: ChatKitOptions): void {
    checkOptions(options);
    this.#custom = isHosted(options.api) ? null : options.api;
    if (!this.#custom) super.setOptions(options);
    else if (this.isConnected) this.#start();
  }

  override connectedCallback(): void {
    if (this.#custom) this.#start();
    else super.connectedCallback();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    setTimeout(() => {
      this.dispatchEvent(new CustomEvent("chatkit.ready"));
      const body = JSON.stringify({ type: "threads.list", params: {} });
      this.#custom?.fetch?.(this.#custom.url, { method: "POST", body }).catch(() => undefined);
    });
  }
}
