import {
  ChatKit,
  type ChatKitEvents,
  type ChatKitOptions,
  type OpenAIChatKit,
  useChatKit,
} from "@openai/chatkit-react";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Settings } from "../settings";
import { loadChatKit } from "./chatkitScript";
import type { Configuration } from "./shared/configuration";
import { watchConfiguration } from "./shared/configuration-watch";
import { chatkitOptions } from "./shared/options";
import { Problem } from "./shared/problem";
import type { Opened, Visitor } from "./visitor";

export type ClientTool = NonNullable<ChatKitOptions["onClientTool"]>;

// ChatKit shows nothing at all when its frame is refused, for example on a domain that isn't on OpenAI's allow-list.
const READY_TIMEOUT = 15_000;
const CONFIGURATION_CHANGED = "chatkit_platform.configuration_changed";

interface Props {
  readonly settings: Settings;
  readonly visitor: Visitor;
  readonly callTool: ClientTool;
  readonly restart: () => void;
  /** The assistant was switched to its other backend: false when that was followed just now. */
  readonly follow: (shown: boolean) => boolean;
  /** Above the chat. */
  readonly children: ReactNode;
}

/** One opening of the chat, in the mode of the assistant's backend at that time. */
export function Attempt({ settings, visitor, callTool, restart, follow, children }: Props) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [ready, setReady] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [configuration, setConfiguration] = useState<Configuration | null>(null);

  const shown = useRef(false);

  const fail = useCallback(
    (error: unknown): void => {
      const code = error instanceof Problem ? error.code : "";
      if (code === "identity_changed") {
        restart();
        return;
      }
      if (code === "integration_outdated" && follow(shown.current)) return;
      console.error("[TenantChat]", error);
      setProblem(error);
    },
    [restart, follow],
  );

  useEffect(() => {
    const visit = visitor.begin();
    const failed = (error: unknown): void => {
      // Of a chat that was taken away meanwhile nothing is to be told.
      if (visit.isRunning()) fail(error);
    };
    async function open(): Promise<void> {
      // React's strict mode mounts twice: the first time is over before anything was asked.
      await null;
      if (!visit.isRunning()) return;
      let known: Configuration;
      try {
        known = await visit.configure();
      } catch (error) {
        // A backend that this component doesn't know can't be followed.
        console.error("[TenantChat]", error);
        if (visit.isRunning()) setProblem(error);
        return;
      }
      const loading = loadChatKit(settings.chatkitJsUrl || known.chatkitJs);
      loading.catch(() => undefined);
      if (visit.isRunning()) setConfiguration(known);
      const arrived = await visit.open(known, failed);
      await loading;
      if (visit.isRunning()) setOpened(arrived);
    }
    open().catch(failed);
    return () => visit.end();
  }, [visitor, settings.chatkitJsUrl, fail]);

  useEffect(() => {
    if (ready || problem) return;
    const reason = `ChatKit wasn't ready in time. Is ${location.hostname} on OpenAI's domain allow-list?`;
    const timer = setTimeout(() => fail(new Error(reason)), READY_TIMEOUT);
    return () => clearTimeout(timer);
  }, [ready, problem, fail]);

  const changed = useCallback(() => fail(new Problem("integration_outdated", "The assistant was switched.")), [fail]);

  const state = problem ? "unavailable" : ready ? "ready" : "loading";
  return (
    <div className="tenant-chat" data-state={state}>
      {children}
      {opened && (
        <Mounted
          opened={opened}
          callTool={callTool}
          inert={state !== "ready"}
          onReady={() => {
            shown.current = true;
            setReady(true);
          }}
          onChanged={changed}
        />
      )}
      {state === "loading" && (
        <p className="tenant-chat__loading" role="status">
          Opening the chat…
        </p>
      )}
      {problem !== null && <Unavailable problem={problem} configuration={configuration} retry={restart} />}
    </div>
  );
}

interface MountedProps {
  readonly opened: Opened;
  readonly callTool: ClientTool;
  readonly inert: boolean;
  readonly onReady: () => void;
  readonly onChanged: () => void;
}

function Mounted({ opened: { api, ask, configuration }, callTool, inert, onReady, onChanged }: MountedProps) {
  const { colorScheme } = configuration;
  const dark = colorScheme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : colorScheme === "dark";
  const { control } = useChatKit(
    chatkitOptions(configuration, { api, dark, locale: undefined, thread: null, onClientTool: callTool }),
  );
  const chatkit = useRef<OpenAIChatKit>(null);
  // Not by the hook's handlers: they are attached after the frame was told to start, which may be ready by then.
  useLayoutEffect(() => {
    const listening = new AbortController();
    const hear = (name: string, listener: (event: Event) => void): void =>
      chatkit.current?.addEventListener(name, listener, { signal: listening.signal });
    hear("chatkit.ready", onReady);
    hear("chatkit.effect", (event) => {
      if ((event as ChatKitEvents["chatkit.effect"]).detail.name === CONFIGURATION_CHANGED) onChanged();
    });
    return () => listening.abort();
  }, [onReady, onChanged]);
  useLayoutEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    const watch = watchConfiguration({
      ...{ ask, backend: configuration.backend, over: signal, changed: onChanged },
      isOpen: () => chatkit.current?.checkVisibility() ?? false,
    });
    chatkit.current?.addEventListener("chatkit.error", watch.suspect, { signal });
    chatkit.current?.addEventListener("chatkit.response.start", watch.look, { signal });
    return () => listening.abort();
  }, [ask, configuration, onChanged]);
  return <ChatKit ref={chatkit} control={control} className="tenant-chat__frame" inert={inert} />;
}

const WORDS: Readonly<Record<string, string>> = {
  identity_required: "Please sign in to chat",
  identity_invalid: "Please sign in again to chat",
};

interface UnavailableProps {
  readonly problem: unknown;
  readonly configuration: Configuration | null;
  readonly retry: () => void;
}

function Unavailable({ problem, configuration, retry }: UnavailableProps) {
  const { code, requestId } = problem instanceof Problem ? problem : { code: "", requestId: "" };
  const reference = [code, requestId].filter(Boolean).join(" · ");
  const limited = code === "rate_limited" || code === "quota_exceeded";
  const words = (limited && configuration?.limitText) || (code in WORDS ? "" : configuration?.fallback.text);
  return (
    <div className="tenant-chat__notice" role="alert">
      <strong>{WORDS[code] ?? "The chat is unavailable"}</strong>
      {words && <span>{words}</span>}
      <button type="button" onClick={retry}>
        Try again
      </button>
      {reference && <small>{reference}</small>}
    </div>
  );
}
