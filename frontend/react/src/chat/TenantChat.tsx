import { type Ref, useCallback, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Settings } from "../settings";
import { Attempt, type ClientTool } from "./Attempt";
import type { IdentitySource } from "./shared/identity";
import { createVisitor, subjectOf } from "./visitor";
import "./TenantChat.css";

// An assistant that is switched to and fro must not take the page along each time.
const BETWEEN_REMOUNTS = 10_000;

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
  /** Answers the assistant's client tools; without it a call fails. */
  readonly onClientTool?: ClientTool;
  readonly ref?: Ref<TenantChatHandle>;
}

/** A tenant's chat, in place: it fills its parent. Trying again mounts it anew, and so does another person, and an assistant that is switched. */
export function TenantChat({ settings, identity = null, onClientTool, ref }: Props) {
  const [attempt, setAttempt] = useState(0);
  const [updated, setUpdated] = useState(false);
  const remounted = useRef(Number.NEGATIVE_INFINITY);
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
  const follow = useCallback(
    (shown: boolean): boolean => {
      visitor.forgetConfiguration();
      if (Date.now() - remounted.current < BETWEEN_REMOUNTS) return false;
      remounted.current = Date.now();
      if (shown) setUpdated(true);
      restart();
      return true;
    },
    [visitor, restart],
  );

  const tool = useRef(onClientTool);
  useLayoutEffect(() => {
    tool.current = onClientTool;
  });
  const callTool = useCallback<ClientTool>(async (call) => {
    if (tool.current) return tool.current(call);
    const cure = `The assistant called the client tool "${call.name}": give <TenantChat> an onClientTool.`;
    console.error("[TenantChat]", cure);
    throw new Error(cure);
  }, []);

  useImperativeHandle(ref, () => ({ signOut }), [signOut]);

  useLayoutEffect(() => {
    if (source !== null) visitor.identify(source);
    else if (visitor.isNamed()) void signOut();
  }, [visitor, source, signOut]);

  return (
    <Attempt
      // Nothing of one person's chat is ever another's: another subject is another element.
      key={`${attempt} ${subjectOf(source)}`}
      {...{ settings, visitor, callTool, restart, follow }}
    >
      {updated && (
        <p className="tenant-chat__word" role="status">
          The chat was updated. Earlier messages are not carried over.
          <button type="button" aria-label="Close" onClick={() => setUpdated(false)}>
            ×
          </button>
        </p>
      )}
    </Attempt>
  );
}
