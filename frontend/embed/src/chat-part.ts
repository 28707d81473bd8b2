/** The chat part of the embed script: fetched by the launcher when the visitor opens the chat (`part.ts`). */
import { createChat } from "./chat";
import { type ChatPart, PART } from "./part";

(window as { [PART]?: ChatPart })[PART] = createChat;
