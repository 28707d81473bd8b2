import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StandInChatKit } from "../../stand-in/src/element";
import { type Reply, refusal, type Seen, TENANT } from "./fake-platform";
import { jwtFor } from "./jwt";
import { answerer, becomes, granted, leavePages, page } from "./page";

const ANONYMOUS_KEY = `ckp.v1.${TENANT}`;
const KNOWN_KEY = `${ANONYMOUS_KEY}.known`;
const kept = () => [localStorage.getItem(ANONYMOUS_KEY), sessionStorage.getItem(KNOWN_KEY)?.split(" ")[1] ?? null];

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(leavePages);

/** A platform that knows a person by whatever identity token it is shown. */
function platform(end: () => Reply = () => ({ status: 204, text: "" })) {
  let sessions = 0;
  return (seen: Seen): Reply => {
    if (seen.path.endsWith("/session/end/")) return end();
    if (!seen.path.endsWith("/session/")) return answerer(granted)(seen);
    sessions += 1;
    const visitor_token = seen.body.identity_token ? `vt1.k.AQ${sessions}.mac` : `vt1.k.AA${sessions}.mac`;
    return { json: { client_secret: `ek_${sessions}`, backend: "hosted_workflow", visitor_token } };
  };
}

const sessionsOf = (seen: Seen[]) => seen.filter(({ path }) => path.endsWith("/session/")).map(({ body }) => body);
const endedOf = (seen: Seen[]) => seen.filter(({ path }) => path.endsWith("/end/")).map(({ body }) => body);

describe("a page that says who is signed in", () => {
  it("by its tag opens that person's chat, and keeps the token for this tab alone", async () => {
    const jwt = jwtFor("ada");
    const { chat, seen, state } = await page(platform(), jwt);

    chat.open();
    await becomes(state, "ready");

    expect(sessionsOf(seen)).toEqual([{ identity_token: jwt, backends: ["hosted_workflow"] }]);
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

    expect(sessionsOf(seen)[1]).toEqual({ backends: ["hosted_workflow"] });
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
