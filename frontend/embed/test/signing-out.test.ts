import { describe, expect, it, vi } from "vitest";
import { refusal } from "./fake-platform";
import { jwtFor } from "./jwt";
import { becomes, page } from "./page";
import {
  ANONYMOUS_KEY,
  backends,
  endedOf,
  KNOWN_KEY,
  kept,
  onAFreshDevice,
  platform,
  sessionsOf,
} from "./signed-in-platform";

onAFreshDevice();

describe("signing out", () => {
  it("ends the sessions, forgets every token, closes the panel and leaves nothing of the visitor on the page", async () => {
    const { chat, events, find, seen, state } = await page(platform());
    chat.open();
    await becomes(state, "ready");
    await chat.identify(jwtFor("ada"));
    await becomes(state, "ready");

    await chat.signOut();

    expect(endedOf(seen)).toEqual([{ visitor_token: "vt1.k.AQ2.mac" }, { visitor_token: "vt1.k.AA1.mac" }]);
    expect(kept()).toEqual([null, null]);
    expect(find("openai-chatkit")).toBeNull();
    expect(find(".panel").hidden).toBe(true);
    expect(state()).toBe("idle");
    expect(events.slice(-2)).toEqual(["close", "state idle"]);
  });

  it("is done on the page before the platform has answered", async () => {
    const { chat, find, state } = await page(
      platform(() => ({ status: 204, text: "", after: 300 })),
      jwtFor("ada"),
    );
    chat.open();
    await becomes(state, "ready");

    const done = chat.signOut();

    expect(find("openai-chatkit")).toBeNull();
    expect(kept()).toEqual([null, null]);
    await done;
  });

  it("makes the next opening a new visitor's", async () => {
    const { chat, seen, state } = await page(platform(), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");

    await chat.signOut();
    chat.open();
    await becomes(state, "ready");

    expect(sessionsOf(seen)[1]).toEqual({ backends });
  });

  it("is what naming nobody means, also for a person of before the page was loaded anew", async () => {
    sessionStorage.setItem(KNOWN_KEY, `${"0".repeat(32)} vt1.k.AQbefore.mac`);
    const { chat, seen } = await page(platform());

    await chat.identify(null);

    expect(endedOf(seen)).toEqual([{ visitor_token: "vt1.k.AQbefore.mac" }]);
    expect(kept()).toEqual([null, null]);
  });

  it("isn't what naming nobody means where nobody was signed in: the anonymous visitor stays", async () => {
    localStorage.setItem(ANONYMOUS_KEY, "vt1.k.AAkept.mac");
    const { chat, seen } = await page(platform());

    await chat.identify(null);

    expect(seen).toEqual([]);
    expect(kept()[0]).toBe("vt1.k.AAkept.mac");
  });

  it("of a token that counts no more is done", async () => {
    const { chat, state } = await page(
      platform(() => ({ status: 401, json: refusal("token_invalid") })),
      jwtFor("ada"),
    );
    chat.open();
    await becomes(state, "ready");

    await chat.signOut();

    expect(console.error).not.toHaveBeenCalled();
  });

  it("that the platform can't do is told the developer, and done on this device all the same", async () => {
    const down = () => ({ status: 503, json: refusal("platform_unavailable") });
    const { chat, find, state } = await page(platform(down), jwtFor("ada"));
    chat.open();
    await becomes(state, "ready");

    await chat.signOut();

    expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("Cure for platform_unavailable."));
    expect(kept()).toEqual([null, null]);
    expect(find("openai-chatkit")).toBeNull();
  });

  it("while the chat is only opening leaves it shut, and keeps nothing that comes late", async () => {
    const slow = platform();
    const { chat, find, seen, state } = await page(
      (one) => ({ ...slow(one), after: one.path.endsWith("/session/") ? 200 : 0 }),
      jwtFor("ada"),
    );
    chat.open();
    await vi.waitFor(() => expect(sessionsOf(seen)).toHaveLength(1));

    await chat.signOut();
    await vi.waitFor(() => expect(endedOf(seen)).toEqual([{ visitor_token: "vt1.k.AQ1.mac" }]));

    expect([state(), kept()]).toEqual(["idle", [null, null]]);
    expect(find("openai-chatkit")).toBeNull();
  });
});
