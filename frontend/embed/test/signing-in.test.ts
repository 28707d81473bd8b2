import { describe, expect, it, vi } from "vitest";
import { StandInChatKit } from "../../stand-in/src/element";
import { refusal, type Seen } from "./fake-platform";
import { jwtFor } from "./jwt";
import { becomes, page } from "./page";
import { backends, kept, onAFreshDevice, platform, sessionsOf } from "./signed-in-platform";

onAFreshDevice();

describe("a page that says who is signed in", () => {
  it("by its tag opens that person's chat, and keeps the token for this tab alone", async () => {
    const jwt = jwtFor("ada");
    const { chat, seen, state } = await page(platform(), jwt);

    chat.open();
    await becomes(state, "ready");

    expect(sessionsOf(seen)).toEqual([{ identity_token: jwt, backends }]);
    expect(kept()).toEqual([null, "vt1.k.AQ1.mac"]);
  });

  it("is not asked before the chat is opened, nor is anything stored", async () => {
    const ask = vi.fn(() => jwtFor("ada"));
    const { chat, seen } = await page(platform());

    await chat.prepare();
    await chat.identify(ask);

    expect(ask).not.toHaveBeenCalled();
    expect(sessionsOf(seen)).toEqual([]);
    expect(kept()).toEqual([null, null]);
  });

  it("of the same person again leaves the chat alone", async () => {
    const { chat, find, seen, state } = await page(platform(), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");
    const shown = find("openai-chatkit");

    await chat.identify(jwtFor("ada"));
    await chat.identify(async () => jwtFor("ada"));

    expect(find("openai-chatkit")).toBe(shown);
    expect(sessionsOf(seen)).toHaveLength(1);
  });

  it.each([
    ["a JWT", () => jwtFor("bob")],
    ["a function", () => async () => jwtFor("bob")],
  ])("of another person by %s starts anew: another element, no thread, no token of the last one's", async (_, bob) => {
    const { chat, events, find, seen, state } = await page(platform(), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");
    const shown = find("openai-chatkit");
    shown.dispatchEvent(new CustomEvent("chatkit.thread.change", { detail: { threadId: "cthr_ada" } }));

    await chat.identify(bob());
    expect(shown.isConnected).toBe(false);
    await becomes(state, "ready");

    expect(find("openai-chatkit")).not.toBe(shown);
    expect(find("openai-chatkit").dataset.thread).toBeUndefined();
    expect(sessionsOf(seen).map((body) => body.visitor_token)).toEqual([undefined, undefined]);
    expect(events.slice(-3)).toEqual(["state idle", "state loading", "state ready"]);

    shown.dispatchEvent(new CustomEvent("chatkit.thread.change", { detail: { threadId: "cthr_late" } }));
    expect(events.at(-1)).toBe("state ready");
  });

  it("after an anonymous chat was opened leaves the anonymous visitor's token alone, and its chat", async () => {
    const { chat, find, state } = await page(platform());
    chat.open();
    await becomes(state, "ready");
    const shown = find("openai-chatkit");

    await chat.identify(jwtFor("ada"));
    await becomes(state, "ready");

    expect(shown.isConnected).toBe(false);
    expect(kept()).toEqual(["vt1.k.AA1.mac", "vt1.k.AQ2.mac"]);
  });

  it("while the panel is closed waits for the next opening", async () => {
    const { chat, find, seen, state } = await page(platform(), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");
    chat.close();

    await chat.identify(jwtFor("bob"));

    expect(state()).toBe("idle");
    expect(find("openai-chatkit")).toBeNull();
    expect(sessionsOf(seen)).toHaveLength(1);
  });

  it("by a function that fails doesn't go on showing the last one's chat", async () => {
    const { chat, find, state } = await page(platform(), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");

    await chat.identify(() => Promise.reject(new Error("no answer from /me")));
    await becomes(state, "unavailable");

    expect(find("openai-chatkit")).toBeNull();
    expect(console.error).toHaveBeenCalledWith(expect.stringContaining("no answer from /me"));
  });
});

describe("a visitor who isn't known", () => {
  const refused = (code: string) => (one: Seen) => {
    if (one.path.endsWith("/session/") && !one.body.identity_token) return { status: 401, json: refusal(code) };
    return platform()(one);
  };

  it("at a tenant that demands it is asked to sign in, and the developer is told how", async () => {
    const { chat, notice, state } = await page(refused("identity_required"));

    chat.open();
    await becomes(state, "signin");

    expect(notice()).toContain("Please sign in to chat");
    expect(notice()).not.toContain("Cure");
    expect(notice()).not.toContain("Write to us");
    expect(notice()).toContain("identity_required · req_1");
    expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/Cure for.*\n.*\n.*identify\(\)/));
  });

  it("gets the chat as soon as the page names the person", async () => {
    const { chat, state } = await page(refused("identity_required"));
    chat.open();
    await becomes(state, "signin");

    await chat.identify(jwtFor("ada"));

    await becomes(state, "ready");
  });

  it("whose JWT was refused is asked to sign in again, and it isn't sent again", async () => {
    const { chat, find, notice, seen, state } = await page(
      (one) => (one.path.endsWith("/session/") ? { status: 401, json: refusal("identity_invalid") } : platform()(one)),
      jwtFor("ada"),
    );
    chat.open();
    await becomes(state, "signin");
    expect(notice()).toContain("Please sign in again to chat");

    find<HTMLButtonElement>("button.action").click();
    chat.close();
    chat.open();
    await vi.waitFor(() => expect(state()).toBe("signin"));

    expect(sessionsOf(seen)).toHaveLength(1);
  });
});

it("a refresh that finds another person at the page begins that person's chat", async () => {
  let who = "ada";
  const set = vi.spyOn(StandInChatKit.prototype, "setOptions");
  const { chat, find, seen, state } = await page(platform());
  await chat.identify(async () => jwtFor(who, 0));
  chat.open();
  await becomes(state, "ready");
  const shown = find("openai-chatkit");
  const api = set.mock.calls.at(-1)?.[0].api as { getClientSecret(current: string): Promise<string> };

  who = "bob";
  await expect(api.getClientSecret("ek_1")).rejects.toThrow("Another visitor");
  await becomes(state, "ready");

  expect(shown.isConnected).toBe(false);
  expect(find("openai-chatkit")).toBeInstanceOf(StandInChatKit);
  expect(sessionsOf(seen)).toHaveLength(2);
});
