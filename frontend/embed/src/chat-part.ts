/** The chat part of the embed script: fetched by the launcher when the visitor opens the chat (`part.ts`). */
import { createPanel } from "./panel";
import { type ChatPart, PART } from "./part";

(window as { [PART]?: ChatPart })[PART] = createPanel;
