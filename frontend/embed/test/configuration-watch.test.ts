import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Configuration } from "../src/configuration";
import { watchConfiguration } from "../src/configuration-watch";
import { Problem } from "../src/problem";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  over.abort();
  vi.useRealTimers();
});

let over: AbortController;

/** A chat in hosted mode that was mounted a moment ago. */
function watched() {
  over = new AbortController();
  const now = { backend: "hosted_workflow" as string, open: true, problem: null as Problem | null };
  const ask = vi.fn(async () => {
    if (now.problem) throw now.problem;
    return { backend: now.backend } as Configuration;
  });
  const changed = vi.fn(() => over.abort());
  const terms = { backend: "hosted_workflow", ask, isOpen: () => now.open, changed, over: over.signal } as const;
  return { now, ask, changed, watch: watchConfiguration(terms) };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);
function visible(is: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(!is);
  document.dispatchEvent(new Event("visibilitychange"));
}

it("looks about once a minute while the panel is open, and says nothing while all is well", async () => {
  const { ask, changed } = watched();

  await seconds(59);
  expect(ask).not.toHaveBeenCalled();
  await seconds(9.5 * 60);

  expect(ask.mock.calls.length).toBeGreaterThanOrEqual(9);
  expect(ask.mock.calls.length).toBeLessThanOrEqual(10);
  expect(changed).not.toHaveBeenCalled();
});

it("says once that the backend is another one, and looks no more", async () => {
  const { ask, changed, now } = watched();
  now.backend = "platform";

  await seconds(300);

  expect([ask.mock.calls.length, changed.mock.calls.length]).toEqual([1, 1]);
});

it("asks nothing while the panel is closed, and at once when it is opened after a minute", async () => {
  const { ask, now, watch } = watched();
  now.open = false;
  await seconds(600);
  expect(ask).not.toHaveBeenCalled();

  now.open = true;
  await watch.look();

  expect(ask).toHaveBeenCalledTimes(1);
});

it("asks nothing while the page is hidden, and at once when it is seen again after a minute", async () => {
  const { ask } = watched();
  visible(false);
  await seconds(600);
  expect(ask).not.toHaveBeenCalled();

  visible(true);

  expect(ask).toHaveBeenCalledTimes(1);
});

it("what is known for less than a minute isn't asked for by opening, returning or writing", async () => {
  const { ask, watch } = watched();
  await seconds(59);

  visible(true);
  await watch.look();

  expect(ask).not.toHaveBeenCalled();
});

it("a chat that fails is looked at at once, and again no sooner than 15 s later", async () => {
  const { ask, watch } = watched();
  await seconds(20);

  for (let count = 0; count < 5; count += 1) watch.suspect();
  await seconds(1);
  expect(ask).toHaveBeenCalledTimes(1);

  for (let count = 0; count < 13; count += 1) {
    watch.suspect();
    await seconds(1);
  }
  expect(ask).toHaveBeenCalledTimes(1);
  await seconds(2);
  expect(ask).toHaveBeenCalledTimes(2);
});

it("a failure in a closed panel is looked into when it is opened", async () => {
  const { ask, now, watch } = watched();
  await seconds(20);
  now.open = false;
  watch.suspect();
  await seconds(1);
  expect(ask).not.toHaveBeenCalled();

  now.open = true;
  await watch.look();

  expect(ask).toHaveBeenCalledTimes(1);
});

it.each([
  ["unreachable", 0],
  ["integration_outdated", 1],
])("%s from the platform counts as a change %i times", async (code, times) => {
  const { changed, now } = watched();
  now.problem = new Problem(code, "");

  await seconds(70);

  expect(changed).toHaveBeenCalledTimes(times);
});

it("an answer that comes after the chat was taken away changes nothing", async () => {
  const { ask, changed, now } = watched();
  now.backend = "platform";
  ask.mockImplementationOnce(async () => {
    over.abort();
    return { backend: "platform" } as Configuration;
  });

  await seconds(300);

  expect([ask.mock.calls.length, changed.mock.calls.length]).toEqual([1, 0]);
});
