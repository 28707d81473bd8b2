import type { ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import type { Action, Chat, Draft, Fire, Message } from "./chat";
import { FramedChat } from "./framed";
import { HostedChat } from "./hosted";
import { checkOptions, isHosted } from "./options";

/** Stands in for OpenAI's `<openai-chatkit>`: same interface, same events, same two kinds of `api`. */
export class StandInChatKit extends HTMLElement implements OpenAIChatKit {
  /** Where the hosted API and the frame's page are: the origin of this script. */
  static origin = "";

  readonly #root = this.attachShadow({ mode: "open" });
  #chat: Chat | null = null;
  readonly #fire: Fire = (name, detail) => {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  };

  setOptions(options: ChatKitOptions): void {
    checkOptions(options);
    const Kind = isHosted(options.api) ? HostedChat : FramedChat;
    if (!(this.#chat instanceof Kind)) {
      this.#chat?.disconnect();
      this.#chat = new Kind(this, this.#root, StandInChatKit.origin, this.#fire);
    }
    this.#chat.setOptions(options);
    if (this.isConnected) this.#chat.connect();
  }

  connectedCallback(): void {
    this.#chat?.connect();
  }

  disconnectedCallback(): void {
    this.#chat?.disconnect();
  }

  async focusComposer(): Promise<void> {
    await this.#ready().focusComposer();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    await this.#ready().setThreadId(threadId);
  }

  async sendCustomAction(action: Action, itemId?: string): Promise<void> {
    await this.#ready().sendCustomAction(action, itemId);
  }

  async sendUserMessage(message: Message): Promise<void> {
    await this.#ready().sendUserMessage(message);
  }

  async setComposerValue(draft: Draft): Promise<void> {
    await this.#ready().setComposerValue(draft);
  }

  async showHistory(): Promise<void> {
    await this.#ready().showHistory();
  }

  async hideHistory(): Promise<void> {
    await this.#ready().hideHistory();
  }

  async fetchUpdates(): Promise<void> {
    await this.#ready().fetchUpdates();
  }

  #ready(): Chat {
    if (!this.#chat) throw new Error("setOptions() was not called.");
    return this.#chat;
  }
}
