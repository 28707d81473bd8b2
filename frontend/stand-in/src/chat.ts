import type { ChatKitEvents, ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";

export type Message = Parameters<OpenAIChatKit["sendUserMessage"]>[0];
export type Draft = Parameters<OpenAIChatKit["setComposerValue"]>[0];
export type Action = Parameters<OpenAIChatKit["sendCustomAction"]>[0];
export const textFrom = ({ text, content }: Pick<Message, "text" | "content">): string =>
  text ?? (content ?? []).map((part) => part.text).join("");
export type Fire = <K extends keyof ChatKitEvents>(name: K, detail?: ChatKitEvents[K]["detail"]) => void;

/** The methods of the element that return a promise. */
export const METHODS = [
  "focusComposer",
  "setThreadId",
  "sendCustomAction",
  "sendUserMessage",
  "setComposerValue",
  "showHistory",
  "hideHistory",
  "fetchUpdates",
] as const;
export type Method = (typeof METHODS)[number];

/** One of the element's two kinds: the hosted chat in its shadow root, or the frame of the custom mode. */
export interface Chat extends Pick<OpenAIChatKit, Method> {
  setOptions(options: ChatKitOptions): void;
  connect(): void;
  disconnect(): void;
}
