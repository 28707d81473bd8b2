import { ChatKit, useChatKit } from "@openai/chatkit-react";
import { useCallback, useEffect, useState } from "react";
import type { Settings } from "../settings";
import { loadChatKit } from "./chatkitScript";
import { fetchClientSecret, SessionProblem } from "./session";
import "./TenantChat.css";

type Phase = { name: "loading" | "ready" } | { name: "unavailable"; problem: unknown };

// ChatKit shows nothing at all when its frame is refused, for example on a domain that isn't on OpenAI's allow-list.
const READY_TIMEOUT = 15_000;

/** A tenant's chat, in place: it fills its parent. Trying again mounts it anew. */
export function TenantChat({ settings }: { settings: Settings }) {
  const [attempt, setAttempt] = useState(0);
  return <Attempt key={attempt} settings={settings} retry={() => setAttempt(attempt + 1)} />;
}

function Attempt({ settings, retry }: { settings: Settings; retry: () => void }) {
  const [phase, setPhase] = useState<Phase>({ name: "loading" });

  const fail = useCallback((problem: unknown): void => {
    console.error("[TenantChat]", problem);
    setPhase({ name: "unavailable", problem });
  }, []);

  const { control } = useChatKit({
    api: {
      async getClientSecret(current) {
        try {
          return await fetchClientSecret(settings.apiUrl, current);
        } catch (problem) {
          fail(problem);
          throw problem;
        }
      },
    },
    onReady: () => setPhase((now) => (now.name === "loading" ? { name: "ready" } : now)),
  });

  useEffect(() => {
    if (phase.name !== "loading") return;
    let stale = false;
    const giveUp = (problem: unknown): void => {
      if (!stale) fail(problem);
    };
    loadChatKit(settings.chatkitJsUrl).catch(giveUp);
    const timer = setTimeout(() => {
      giveUp(new Error(`ChatKit wasn't ready in time. Is ${location.hostname} on OpenAI's domain allow-list?`));
    }, READY_TIMEOUT);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [phase.name, settings.chatkitJsUrl, fail]);

  return (
    <div className="tenant-chat" data-state={phase.name}>
      <ChatKit control={control} className="tenant-chat__frame" inert={phase.name !== "ready"} />
      {phase.name === "loading" && <p role="status">Opening the chat…</p>}
      {phase.name === "unavailable" && <Unavailable problem={phase.problem} retry={retry} />}
    </div>
  );
}

function Unavailable({ problem, retry }: { problem: unknown; retry: () => void }) {
  const reference =
    problem instanceof SessionProblem ? [problem.code, problem.requestId].filter(Boolean).join(" · ") : "";
  return (
    <div className="tenant-chat__notice" role="alert">
      <strong>The chat is unavailable</strong>
      <button type="button" onClick={retry}>
        Try again
      </button>
      {reference && <small>{reference}</small>}
    </div>
  );
}
