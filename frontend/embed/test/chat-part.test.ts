import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createPanel } from "../src/panel";
import { TENANT } from "./fake-platform";
import { answerer, becomes, granted, leavePages, page } from "./page";

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(leavePages);

const unreachable = () => Promise.reject(new Error("chat.js couldn't be loaded."));

it("is fetched when the chat is opened, not before, and once", async () => {
  const load = vi.fn(async () => createPanel);
  const { chat, find, state } = await page(answerer(granted), "", load);
  await chat.prepare();
  await chat.identify(() => null);
  chat.onClientTool(() => ({}));
  expect(load).not.toHaveBeenCalled();

  find(".launcher").dispatchEvent(new Event("pointerenter"));
  chat.open();
  await becomes(state, "ready");
  chat.close();
  chat.open();

  expect(load).toHaveBeenCalledTimes(1);
});

it("that can't be loaded is said to the visitor with the tenant's words, and fetched again by trying again", async () => {
  const load = vi.fn(async () => createPanel).mockImplementationOnce(unreachable);
  const { chat, events, find, seen, state, tip } = await page(answerer(granted), "", load);
  await chat.prepare();

  chat.open();
  expect([state(), tip()]).toEqual(["loading", "Opening the chat…"]);
  await becomes(state, "unavailable");

  expect(tip()).toBe("The chat is unavailable\nWrite to usTry again");
  expect(events).toEqual(["state unavailable"]);
  expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("chat.js couldn't be loaded."));
  expect(seen.filter(({ path }) => path.endsWith("/session/"))).toEqual([]);

  find<HTMLButtonElement>(".tip button").click();
  await becomes(state, "ready");
  expect(tip()).toBe("");
});

it("whose fetching ahead failed is fetched again by the opening", async () => {
  const load = vi.fn(async () => createPanel).mockImplementationOnce(unreachable);
  const { chat, find, state } = await page(answerer(granted), "", load);

  find(".launcher").dispatchEvent(new Event("pointerenter"));
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setTimeout(resolve));
  chat.open();

  await becomes(state, "ready");
});

it("that arrives after the visitor signed out starts nothing", async () => {
  let arrive: (part: typeof createPanel) => void = () => undefined;
  const late = new Promise<typeof createPanel>((resolve) => {
    arrive = resolve;
  });
  const { chat, seen, state } = await page(answerer(granted), "", () => late);
  chat.open();
  await becomes(state, "loading");

  await chat.signOut();
  arrive(createPanel);
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(state()).toBe("idle");
  expect(seen.filter(({ path }) => path.endsWith("/session/"))).toEqual([]);
});

it("that never came doesn't keep a visitor from being forgotten", async () => {
  localStorage.setItem(`ckp.v1.${TENANT}`, "vt1.k.AAx.mac");
  const { chat } = await page(answerer(granted), "", unreachable);

  await chat.signOut();

  expect(localStorage.length).toBe(0);
  expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("chat_unreachable"));
});

it("is fetched to end a visitor's sessions where there was a visitor, and stays shut", async () => {
  localStorage.setItem(`ckp.v1.${TENANT}`, "vt1.k.AAx.mac");
  const { chat, find, seen } = await page(answerer(() => ({ status: 204, text: "" })));

  const done = chat.signOut();
  expect(localStorage.length).toBe(0);
  await done;

  expect(seen.filter(({ path }) => path.endsWith("/end/")).map(({ body }) => body)).toEqual([
    { visitor_token: "vt1.k.AAx.mac" },
  ]);
  expect(find(".panel").hidden).toBe(true);
});

it("closing while it is fetched leaves the panel shut", async () => {
  const { chat, find, state, tip } = await page(answerer(granted));

  chat.toggle();
  chat.toggle();
  await vi.waitFor(() => expect(find(".panel")).not.toBeNull());

  expect([state(), tip(), find(".panel").hidden]).toEqual(["idle", "", true]);
});
