import type { Configuration } from "./configuration";
import type { Problem } from "./problem";
import type { Backend } from "./sessions";

// What is known for longer than this is looked at again: by the clock, and when the visitor turns to the chat.
const OLD = 60_000;
// A chat that fails again and again doesn't ask more often than this.
const BETWEEN_LOOKS = 15_000;
// A timer may come a little early by the wall clock.
const SLACK = 50;

export interface Watched {
  /** The mode that is mounted. */
  readonly backend: Backend;
  readonly ask: () => Promise<Configuration>;
  /** A chat that nobody sees asks nothing. */
  readonly isOpen: () => boolean;
  /** Called once, when the assistant has another backend than the mounted one. */
  readonly changed: () => void;
  /** Ends with the mounted chat. */
  readonly over: AbortSignal;
}

/**
 * Notices that the assistant was switched where nothing else tells: OpenAI's chat says only that a message failed, since the
 * switch has cancelled its session. At most one GET of the public configuration per 15 s, about one a minute while all is well.
 */
export function watchConfiguration({ backend, ask, isOpen, changed, over }: Watched) {
  let looked = Date.now();
  let due: number;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function plan(next: number, spread: number): void {
    due = next;
    clearTimeout(timer);
    // Spread, so that pages that were opened together don't return as one.
    timer = setTimeout(look, Math.max(due - Date.now(), 0) * (1 + spread) + SLACK);
  }

  /** Asks, if it is time to and somebody is there. */
  async function look(): Promise<void> {
    if (over.aborted || Date.now() < due || document.hidden || !isOpen()) return;
    looked = Date.now();
    plan(looked + OLD, Math.random() / 4);
    try {
      if ((await ask()).backend === backend) return;
    } catch (problem) {
      // An outage says nothing of the backend; a backend that this script doesn't know does.
      if ((problem as Problem).code !== "integration_outdated") return;
    }
    if (!over.aborted) changed();
  }

  plan(looked + OLD, Math.random() / 4);
  document.addEventListener("visibilitychange", look, { signal: over });
  over.addEventListener("abort", () => clearTimeout(timer), { once: true });

  return {
    /** The visitor turns to the chat, or writes. */
    look,
    /** The chat failed, and a switch may be why. */
    suspect: (): void => plan(Math.min(due, Math.max(looked + BETWEEN_LOOKS, Date.now())), 0),
  };
}
