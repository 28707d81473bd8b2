import type { ChatKitOptions, CustomApiConfig, HostedApiConfig } from "@openai/chatkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkOptions } from "../../stand-in/src/options";
import { CONFIGURATION, type Reply, refusal, type Seen, TENANT } from "./fake-platform";
import { FramelessChatKit } from "./frameless";
import { becomes, leavePages, page } from "./page";

const CHAT = `/api/v1/tenants/${TENANT}/chatkit/`;
const UPDATED = "The chat was updated. Earlier messages are not carried over.";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  leavePages();
});

type Backend = "platform" | "hosted_workflow";

/** A platform whose assistant can be switched; `chat` answers the chat endpoint. */
function switchable(first: Backend, chat: (seen: Seen) => Reply = () => ({ json: { data: [], has_more: false } })) {
  const now = { backend: first as string, configured: 0, session: null as Reply | null };
  let sessions = 0;
  const answer = (seen: Seen): Reply => {
    if (seen.path.includes("/widget/")) {
      now.configured += 1;
      const base = `http://${seen.headers.host}`;
      const own = { url: `${base}${CHAT}`, domain_key: "domain_pk_1" };
      return { json: { ...CONFIGURATION, backend: now.backend, chat: now.backend === "platform" ? own : null } };
    }
    if (seen.path === "/v1/chatkit/conversation") return { json: { data: [], has_more: false } };
    if (seen.path.endsWith("/end/")) return { status: 204, text: "" };
    if (seen.path !== `${CHAT}session/`) return chat(seen);
    sessions += 1;
    const client_secret = `${now.backend === "platform" ? "ct1" : "ek"}.${sessions}`;
    return (
      now.session ?? { json: { client_secret, backend: now.backend, expires_in: 600, visitor_token: "vt1.k.AAx.m" } }
    );
  };
  return { now, answer };
}

async function open(first: Backend, chat?: (seen: Seen) => Reply) {
  const set = vi.spyOn(FramelessChatKit.prototype, "setOptions");
  const platform = switchable(first, chat);
  const tools = await page(platform.answer);
  tools.chat.open();
  await becomes(tools.state, "ready");
  const options = () => set.mock.calls.at(-1)?.[0] as ChatKitOptions;
  return {
    ...tools,
    ...platform,
    options,
    custom: () => options().api as CustomApiConfig,
    hosted: () => options().api as HostedApiConfig,
    post: () =>
      (options().api as CustomApiConfig).fetch?.((options().api as CustomApiConfig).url, {
        method: "POST",
        body: "{}",
      }),
    word: () => tools.find(".word").textContent,
    sessions: () => tools.seen.filter(({ path }) => path === `${CHAT}session/`).length,
  };
}

describe("an assistant that the platform itself answers", () => {
  it("is mounted in custom mode: address, domain key, fetch and two-phase uploads, and no client secret", async () => {
    const { options, custom } = await open("platform");

    expect(Object.keys(custom()).sort()).toEqual(["domainKey", "fetch", "uploadStrategy", "url"]);
    expect(custom()).toMatchObject({ domainKey: "domain_pk_1", uploadStrategy: { type: "two_phase" } });
    expect(() => checkOptions(options())).not.toThrow();
  });

  it("is talked to with the token of the session that opened it, which is stored nowhere", async () => {
    const { seen, sessions } = await open("platform");
    await vi.waitFor(() => expect(seen.some(({ path }) => path === CHAT)).toBe(true));

    expect(seen.find(({ path }) => path === CHAT)?.headers).toMatchObject({
      authorization: "Bearer ct1.1",
      "x-chatkit-client": "embed/1.0.0",
    });
    expect(sessions()).toBe(1);
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }])).not.toContain("ct1.");
  });

  it("at a limit shows the tenant's own words for it, and keeps the button shut until it is over", async () => {
    let limited = false;
    const { find, notice, post, state } = await open("platform", () =>
      limited ? { status: 429, json: refusal("rate_limited", 30) } : { json: { data: [] } },
    );
    limited = true;

    expect((await post())?.status).toBe(429);

    await becomes(state, "unavailable");
    expect(notice()).toContain("Enough for now");
    expect(notice()).not.toContain("Cure");
    expect(find<HTMLButtonElement>("button.action").disabled).toBe(true);
  });

  it("that is out of order shows the tenant's fallback", async () => {
    let broken = false;
    const { notice, post, state } = await open("platform", () =>
      broken ? { status: 503, json: refusal("tenant_misconfigured") } : { json: { data: [] } },
    );
    broken = true;

    await post();

    await becomes(state, "unavailable");
    expect(notice()).toContain("Write to us");
  });

  it.each([
    ["signing out", (chat: Opened["chat"]) => chat.signOut()],
    ["another person", (chat: Opened["chat"]) => chat.identify("a.b.c")],
  ])("has its open streams ended by %s", async (_, leave) => {
    let slow = false;
    const { chat, find, post, seen } = await open("platform", () => ({ json: {}, after: slow ? 3000 : 0 }));
    const shown = find("openai-chatkit");
    slow = true;
    const before = seen.length;
    const stream = post();
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(before));

    const ended = expect(stream).rejects.toThrow();
    await leave(chat);

    await ended;
    expect(find("openai-chatkit")).not.toBe(shown);
  });
});

type Opened = Awaited<ReturnType<typeof open>>;
const failure = () => new CustomEvent("chatkit.error", { detail: { error: new Error("expired") } });

describe("an assistant that is switched while its chat is open", () => {
  const effect = (name: string) => new CustomEvent("chatkit.effect", { detail: { name, data: {} } });

  it.each(["platform", "hosted_workflow"] as const)(
    "from %s by the effect goes on in the other mode",
    async (first) => {
      const { custom, events, find, now, options, state, word } = await open(first);
      const shown = find("openai-chatkit");
      shown.dispatchEvent(new CustomEvent("chatkit.thread.change", { detail: { threadId: "thr_1" } }));
      now.backend = first === "platform" ? "hosted_workflow" : "platform";

      shown.dispatchEvent(effect("chatkit_platform.configuration_changed"));
      await vi.waitFor(() => expect(events.slice(-3)).toEqual(["state idle", "state loading", "state ready"]));

      expect(shown.isConnected).toBe(false);
      expect(custom().url === undefined).toBe(first === "platform");
      expect(() => checkOptions(options())).not.toThrow();
      expect(options().initialThread).toBeNull();
      expect([state(), word()]).toEqual(["ready", UPDATED]);
    },
  );

  it("by 409 from the chat endpoint goes on with OpenAI's", async () => {
    let outdated = false;
    const { hosted, now, post, word } = await open("platform", () =>
      outdated ? { status: 409, json: refusal("integration_outdated") } : { json: { data: [] } },
    );
    outdated = true;
    now.backend = "hosted_workflow";

    await post()?.catch(() => undefined); // answered, or ended with the chat that asked
    await vi.waitFor(() => expect(hosted().getClientSecret).toBeTypeOf("function"));
    await vi.waitFor(() => expect(word()).toBe(UPDATED));
  });

  it("by a session of the other backend goes on with the platform's", async () => {
    const { custom, hosted, now, word } = await open("hosted_workflow");
    now.backend = "platform";

    await expect(hosted().getClientSecret("ek.1")).rejects.toThrow("platform by now");

    await vi.waitFor(() => expect(custom().domainKey).toBe("domain_pk_1"));
    await vi.waitFor(() => expect(word()).toBe(UPDATED));
  });

  it("by 409 from the session endpoint asks for the configuration anew", async () => {
    const { custom, hosted, now } = await open("hosted_workflow");
    now.backend = "platform";
    now.session = { status: 409, json: refusal("integration_outdated") };
    const asked = hosted().getClientSecret("ek.1");
    await expect(asked).rejects.toMatchObject({ code: "integration_outdated" });
    now.session = null;

    await vi.waitFor(() => expect(custom().domainKey).toBe("domain_pk_1"));
  });

  it.each([
    ["a failure in OpenAI's chat", 16, (shown: HTMLElement) => shown.dispatchEvent(failure())],
    ["a message after a minute", 61, (shown: HTMLElement) => shown.dispatchEvent(new Event("chatkit.response.start"))],
    ["the page, seen again after a minute", 61, () => document.dispatchEvent(new Event("visibilitychange"))],
    [
      "opening the panel again after a minute",
      61,
      (_: HTMLElement, chat: Opened["chat"]) => {
        chat.close();
        chat.open();
      },
    ],
  ])("is noticed by %s", async (_, seconds, deed) => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { chat, custom, find, now, word } = await open("hosted_workflow");
    now.backend = "platform";
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });

    deed(find("openai-chatkit"), chat);

    await vi.waitFor(() => expect(custom().domainKey).toBe("domain_pk_1"));
    await vi.waitFor(() => expect(word()).toBe(UPDATED));
  });

  it("to and fro is followed once in ten seconds; then the visitor may try again", async () => {
    const { events, find, now, notice, state, word } = await open("platform");
    find("openai-chatkit").dispatchEvent(effect("chatkit_platform.configuration_changed"));
    await vi.waitFor(() => expect(word()).toBe(UPDATED));
    const configured = now.configured;

    for (let count = 0; count < 5; count += 1) {
      find("openai-chatkit").dispatchEvent(effect("chatkit_platform.configuration_changed"));
    }
    await becomes(state, "unavailable");

    expect(now.configured).toBe(configured);
    expect(notice()).toContain("configuration_changed");
    expect(events.filter((event) => event === "state ready")).toHaveLength(2);
  });

  it("to a backend that this script doesn't know is refused with the cure, not asked for again and again", async () => {
    const { find, now, state } = await open("platform");
    now.backend = "third";

    find("openai-chatkit").dispatchEvent(effect("chatkit_platform.configuration_changed"));
    await becomes(state, "refused");

    expect(now.configured).toBe(2);
  });

  it("while the panel is closed is followed at the next opening, and told then", async () => {
    const { chat, find, now, state, word } = await open("platform");
    const shown = find("openai-chatkit");
    chat.close();
    now.backend = "hosted_workflow";

    shown.dispatchEvent(effect("chatkit_platform.configuration_changed"));
    expect([state(), find("openai-chatkit")]).toEqual(["idle", null]);

    chat.open();
    await becomes(state, "ready");
    expect(word()).toBe(UPDATED);
    chat.close();
    expect(word()).toBe("");
  });

  it("hears no effect of another name", async () => {
    const { find, now } = await open("platform");

    find("openai-chatkit").dispatchEvent(effect("confetti"));

    expect(now.configured).toBe(1);
  });
});

describe("a client tool", () => {
  it.each(["platform", "hosted_workflow"] as const)("of %s is the page's function's doing", async (backend) => {
    const { chat, options } = await open(backend);
    chat.onClientTool(async ({ name, params }) => ({ did: name, with: params }));

    const result = await options().onClientTool?.({ name: "add_to_cart", params: { sku: "a1" } });

    expect(result).toEqual({ did: "add_to_cart", with: { sku: "a1" } });
  });

  it("may be given before the chat is opened", async () => {
    const set = vi.spyOn(FramelessChatKit.prototype, "setOptions");
    const { chat, state } = await page(switchable("platform").answer);
    chat.onClientTool(() => ({ early: true }));
    chat.open();
    await becomes(state, "ready");

    expect(await set.mock.calls.at(-1)?.[0].onClientTool?.({ name: "x", params: {} })).toEqual({ early: true });
  });

  it("without a handler fails, and the console says the cure", async () => {
    const { options } = await open("platform");

    await expect(options().onClientTool?.({ name: "add_to_cart", params: {} })).rejects.toThrow("add_to_cart");

    expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/add_to_cart.*onClientTool\(fn\)/));
  });
});
