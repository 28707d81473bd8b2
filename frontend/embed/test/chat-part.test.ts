import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createChat } from "../src/chat";
import { Problem } from "../src/problem";
import { answerer, becomes, granted, leavePages, page } from "./page";

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(leavePages);

const unreachable = () => Promise.reject(new Problem("chat_unreachable", "chat.js couldn't be loaded."));

it("is fetched when the chat is opened, not before, and once", async () => {
  const load = vi.fn(async () => createChat);
  const { chat, state } = await page(answerer(granted), "", load);
  await chat.prepare();
  await chat.identify(() => null);
  chat.onClientTool(() => ({}));
  expect(load).not.toHaveBeenCalled();

  chat.intend();
  chat.open();
  await becomes(state, "ready");
  chat.close();
  chat.open();

  expect(load).toHaveBeenCalledTimes(1);
});

it("that can't be loaded is said to the visitor with the tenant's words, and fetched again by trying again", async () => {
  const load = vi.fn(async () => createChat).mockImplementationOnce(unreachable);
  const { chat, find, notice, seen, state } = await page(answerer(granted), "", load);

  chat.open();
  await becomes(state, "unavailable");

  expect(notice()).toContain("Write to us");
  expect(notice()).toContain("chat_unreachable");
  expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("chat.js couldn't be loaded."));
  expect(seen.filter(({ path }) => path.endsWith("/session/"))).toEqual([]);

  find<HTMLButtonElement>("button.action").click();
  await becomes(state, "ready");
});

it("whose fetching ahead failed is fetched again by the opening", async () => {
  const load = vi.fn(async () => createChat).mockImplementationOnce(unreachable);
  const { chat, state } = await page(answerer(granted), "", load);

  chat.intend();
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setTimeout(resolve));
  chat.open();

  await becomes(state, "ready");
});

it("that arrives after the visitor signed out starts nothing", async () => {
  let arrive: (part: typeof createChat) => void = () => undefined;
  const late = new Promise<typeof createChat>((resolve) => {
    arrive = resolve;
  });
  const { chat, seen, state } = await page(answerer(granted), "", () => late);
  chat.open();
  await becomes(state, "loading");

  await chat.signOut();
  arrive(createChat);
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(state()).toBe("idle");
  expect(seen.filter(({ path }) => path.endsWith("/session/"))).toEqual([]);
});
