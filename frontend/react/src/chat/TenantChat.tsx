import { ChatKit, useChatKit } from "@openai/chatkit-react";
import {
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Settings } from "../settings";
import { loadChatKit } from "./chatkitScript";
import type { IdentitySource } from "./identity";
import { Problem } from "./problem";
import { createVisitor, subjectOf, type Visit, type Visitor } from "./visitor";
import "./TenantChat.css";

type Phase = { name: "loading" | "ready" } | { name: "unavailable"; problem: unknown };

// ChatKit shows nothing at all when its frame is refused, for example on a domain that isn't on OpenAI's allow-list.
const READY_TIMEOUT = 15_000;

export interface TenantChatHandle {
  /** Ends the visitor's sessions and forgets the visitor on this device; the chat starts anew, for nobody that is known. */
  signOut(): Promise<void>;
}

interface Props {
  readonly settings: Settings;
  /**
   * Who is signed in: a JWT that your server signed, or a function that gets a fresh one. When it becomes null the visitor
   * has signed out. A function is asked at the next session who it is: give `key` another value to tell at once.
   */
  readonly identity?: IdentitySource;
  readonly ref?: Ref<TenantChatHandle>;
}

/** A tenant's chat, in place: it fills its parent. Trying again mounts it anew, and so does another person. */
export function TenantChat({ settings, identity = null, ref }: Props) {
  const [attempt, setAttempt] = useState(0);
  const restart = useCallback(() => setAttempt((now) => now + 1), []);

  // A function that is written in place is another one at every render, and still the same page's word.
  const latest = useRef(identity);
  useLayoutEffect(() => {
    latest.current = identity;
  });
  const ask = useCallback(() => (typeof latest.current === "function" ? latest.current() : latest.current), []);
  const source = typeof identity === "function" ? ask : identity || null;
  const visitor = useMemo(() => createVisitor(settings.apiUrl), [settings.apiUrl]);

  const signOut = useCallback(async () => {
    const done = visitor.signOut();
    restart();
    await done;
  }, [visitor, restart]);
  useImperativeHandle(ref, () => ({ signOut }), [signOut]);

  useLayoutEffect(() => {
    if (source !== null) visitor.identify(source);
    else if (visitor.isNamed()) void signOut();
  }, [visitor, source, signOut]);

  return (
    <Attempt
      // Nothing of one person's chat is ever another's: another subject is another element.
      key={`${attempt} ${subjectOf(source)}`}
      settings={settings}
      visitor={visitor}
      restart={restart}
    />
  );
}

interface AttemptProps {
  readonly settings: Settings;
  readonly visitor: Visitor;
  readonly restart: () => void;
}

function Attempt({ settings, visitor, restart }: AttemptProps) {
  const [phase, setPhase] = useState<Phase>({ name: "loading" });
  const visit = useRef<Visit | null>(null);

  useLayoutEffect(() => {
    const own = visitor.begin();
    visit.current = own;
    return () => own.end();
  }, [visitor]);

  const fail = useCallback(
    (problem: unknown): void => {
      if (problem instanceof Problem && problem.code === "identity_changed") {
        restart();
        return;
      }
      console.error("[TenantChat]", problem);
      setPhase({ name: "unavailable", problem });
    },
    [restart],
  );

  const { control } = useChatKit({
    api: {
      async getClientSecret(current) {
        const own = visit.current;
        if (!own) throw new Error("The chat isn't mounted.");
        try {
          return await own.clientSecret(current);
        } catch (problem) {
          // Of a chat that was taken away meanwhile nothing is to be told.
          if (own.isRunning()) fail(problem);
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
      {phase.name === "unavailable" && <Unavailable problem={phase.problem} retry={restart} />}
    </div>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  identity_required: "Please sign in to chat",
  identity_invalid: "Please sign in again to chat",
};

function Unavailable({ problem, retry }: { problem: unknown; retry: () => void }) {
  const { code, requestId } = problem instanceof Problem ? problem : { code: "", requestId: "" };
  const reference = [code, requestId].filter(Boolean).join(" · ");
  return (
    <div className="tenant-chat__notice" role="alert">
      <strong>{WORDS[code] ?? "The chat is unavailable"}</strong>
      <button type="button" onClick={retry}>
        Try again
      </button>
      {reference && <small>{reference}</small>}
    </div>
  );
}
