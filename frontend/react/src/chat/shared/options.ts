import type { ChatKitOptions, StartScreenOption, SupportedLocale } from "@openai/chatkit";
import type { Configuration } from "./configuration";

export interface Circumstances {
  readonly api: ChatKitOptions["api"];
  readonly onClientTool: NonNullable<ChatKitOptions["onClientTool"]>;
  readonly dark: boolean;
  /** Undefined = ChatKit takes the browser's. */
  readonly locale: SupportedLocale | undefined;
  /** The conversation to go on with after a remount; null = a new one. */
  readonly thread: string | null;
}

/** The tenant's appearance in ChatKit's own words; what the tenant left empty stays ChatKit's default. */
export function chatkitOptions(configuration: Configuration, now: Circumstances): ChatKitOptions {
  const { accent, attachments, chat, greeting, history, name, placeholder, prompts } = configuration;
  const startScreen: StartScreenOption = {};
  if (greeting) startScreen.greeting = greeting;
  if (prompts.length) startScreen.prompts = prompts.map(({ label, prompt }) => ({ label, prompt }));
  return {
    api: now.api,
    ...(now.locale && { locale: now.locale }),
    frameTitle: name,
    initialThread: now.thread,
    theme: {
      colorScheme: now.dark ? "dark" : "light",
      ...(accent && { color: { accent: { primary: accent, level: 2 } } }),
    },
    onClientTool: now.onClientTool,
    history: { enabled: history },
    // Served by the platform itself, which keeps what visitors think of an answer, and answers again.
    ...(chat && { threadItemActions: { feedback: true, retry: true } }),
    startScreen,
    composer: {
      ...(placeholder && { placeholder }),
      attachments: attachments ? { enabled: true, ...attachments } : { enabled: false },
    },
  };
}
