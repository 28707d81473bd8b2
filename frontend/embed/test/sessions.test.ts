// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createIdentity } from "../src/identity";
import { connectPlatform } from "../src/platform";
import { type Clock, clock, pauseBefore, type SessionMint, sessionMint } from "../src/sessions";
import { tokenStore } from "../src/storage";
import { CONFIGURATION, fakePlatform, type Reply, refusal, type Seen, settingsFor, TENANT } from "./fake-platform";

let close = (): void => undefined;
afterEach(() => close());

const denied = (): Storage => {
  throw new DOMException("denied", "SecurityError");
};
const memoryStore = () => tokenStore(TENANT, denied, denied);

const backends = ["hosted_workflow", "platform"];

/** The secret of a session, as hosted chats ask for it. */
const secrets =
  ({ open }: SessionMint) =>
  async (current: string | null) =>
    (await open(current !== null)).secret;

/** Time that passes at once and is written down. */
function fastClock() {
  const waits: number[] = [];
  let time = 0;
  const clock: Clock = {
    now: () => time,
    random: () => 0.5,
    async wait(milliseconds) {
      waits.push(milliseconds);
      time += milliseconds;
    },
  };
  return { clock, waits, pass: (milliseconds: number) => (time += milliseconds) };
}

async function connect(answer: (seen: Seen, count: number) => Reply, assistant = "", previewTicket = "") {
  const platform = await fakePlatform(answer);
  close = platform.close;
  const time = fastClock();
  const sessions = sessionMint({
    platform: connectPlatform(settingsFor(platform.base, { assistant, previewTicket }), "embed/1.2.3", fetch),
    identity: createIdentity(null),
    tokens: memoryStore(),
    assistant,
    visit: new AbortController().signal,
    time: time.clock,
  });
  return { mint: secrets(sessions), sessions, seen: platform.seen, ...time };
}

const granted = (count: number): Reply => ({
  json: {
    client_secret: `ek_${count}`,
    expires_at: 2_000_000_000,
    expires_in: 600,
    backend: "hosted_workflow",
    visitor_token: `vt1.${count}`,
  },
});

describe("a session", () => {
  it("is asked for at the tenant's endpoint, with what the script can do and who it is", async () => {
    const { mint, seen } = await connect((_, count) => granted(count), "sales", "pt1.ticket");

    const secret = await mint(null);

    expect(secret).toBe("ek_1");
    expect(seen[0]).toMatchObject({
      method: "POST",
      path: `/api/v1/tenants/${TENANT}/chatkit/session/`,
      body: { assistant: "sales", backends },
    });
    expect(seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-chatkit-client": "embed/1.2.3",
      "x-preview-ticket": "pt1.ticket",
    });
    expect(seen[0]?.headers.cookie).toBeUndefined();
  });

  it.each([
    ["hosted_workflow", 600, 570],
    ["platform", 600, 570],
    ["platform", 40, 20],
    ["platform", 999_999, 570],
    ["platform", undefined, 570],
  ])("of %s that lives %s s is fresh for %s s", async (backend, expires_in, seconds) => {
    const { sessions } = await connect(() => ({ json: { client_secret: "ct1.x", backend, expires_in } }));

    expect(await sessions.open(false)).toMatchObject({ secret: "ct1.x", backend, freshUntil: seconds * 1000 });
  });

  it("is minted anew on a refresh, and stays the same visitor's", async () => {
    const { mint, seen } = await connect((_, count) => granted(count));

    const first = await mint(null);
    const second = await mint(first);

    expect(second).toBe("ek_2");
    expect(seen.map(({ body }) => body)).toEqual([{ backends }, { visitor_token: "vt1.1", refresh: true, backends }]);
  });

  it("is asked for once by callers that overlap", async () => {
    const { mint, seen } = await connect((_, count) => ({ ...granted(count), after: 50 }));

    const secrets = await Promise.all([mint(null), mint(null), mint("ek_0")]);

    expect(secrets).toEqual(["ek_1", "ek_1", "ek_1"]);
    expect(seen).toHaveLength(1);
  });

  it("keeps the token that it has when the answer brings none", async () => {
    const answers: Reply[] = [
      granted(1),
      { json: { client_secret: "ek_2", backend: "hosted_workflow", visitor_token: null } },
      granted(3),
    ];
    const { mint, seen } = await connect((_, count) => answers[count - 1] ?? granted(count));

    await mint(null);
    await mint("ek_1");
    await mint("ek_2");

    expect(seen[2]?.body.visitor_token).toBe("vt1.1");
  });

  it.each([
    [{ client_secret: "" }, "answer_invalid"],
    [{ client_secret: 7 }, "answer_invalid"],
    [null, "answer_invalid"],
    [{ client_secret: "x", backend: "another" }, "integration_outdated"],
  ])("answered with %j is a problem: %s", async (json, code) => {
    const { mint } = await connect(() => ({ text: JSON.stringify(json) }));

    await expect(mint(null)).rejects.toMatchObject({ code });
  });

  it("answered with something other than JSON is a problem", async () => {
    const { mint } = await connect(() => ({ text: "<html>" }));

    await expect(mint(null)).rejects.toMatchObject({ code: "answer_invalid" });
  });

  it("from a platform that isn't there is tried three times, then unreachable", async () => {
    const { mint, waits } = await connect(() => ({}));
    close();

    await expect(mint(null)).rejects.toMatchObject({ code: "unreachable" });
    expect(waits).toEqual([1000, 2000]);
  });
});

describe("a refusal", () => {
  it("that passes is waited for, as long as the platform says and a little longer", async () => {
    const { mint, waits } = await connect((_, count) =>
      count < 3 ? { status: 503, json: refusal("busy", 2) } : granted(count),
    );

    expect(await mint(null)).toBe("ek_3");
    expect(waits).toEqual([2500, 2500]);
  });

  it.each(["tenant_misconfigured", "quota_exceeded", "origin_not_allowed", "internal_error"])(
    "of %s isn't asked again",
    async (code) => {
      const { mint, seen } = await connect(() => ({ status: 503, json: refusal(code) }));

      await expect(mint(null)).rejects.toMatchObject({ code, requestId: "req_1", message: `Cure for ${code}.` });
      expect(seen).toHaveLength(1);
    },
  );

  it("that lasts is said at once, and nothing is sent before its time is over", async () => {
    const { mint, seen, pass } = await connect((_, count) =>
      count === 1
        ? { status: 429, headers: { "Retry-After": "60" }, json: refusal("rate_limited", 60) }
        : granted(count),
    );

    await expect(mint(null)).rejects.toMatchObject({ code: "rate_limited", retryAfter: 60 });
    await expect(mint(null)).rejects.toMatchObject({ code: "rate_limited" });
    expect(seen).toHaveLength(1);

    pass(60_000);
    expect(await mint(null)).toBe("ek_2");
  });

  it("that the browser hides is asked of the configuration endpoint at once, before any other attempt", async () => {
    const { mint, seen, waits } = await connect(({ method }) =>
      method === "POST" ? { cut: true } : { status: 404, json: refusal("tenant_unknown") },
    );

    await expect(mint("ek_0")).rejects.toMatchObject({ code: "tenant_unknown", message: "Cure for tenant_unknown." });
    expect(seen.map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(waits).toEqual([]);
  });

  it("is not read into a cut connection when the configuration is to be had", async () => {
    const { mint, waits } = await connect(({ method }, count) =>
      method === "GET" ? { json: CONFIGURATION } : count < 3 ? { cut: true } : granted(count),
    );

    expect(await mint(null)).toBe("ek_3");
    expect(waits).toEqual([1000]);
  });
});

describe("the visitor's patience", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    // The browser's own timeout, which fake timers don't turn.
    vi.spyOn(AbortSignal, "timeout").mockImplementation((milliseconds) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), milliseconds);
      return stop.signal;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Each attempt's answer comes after so many milliseconds; the last one's for all that follow. */
  async function ask(answers: { after: number; status: number; json: unknown }[]) {
    let posts = 0;
    const network: typeof fetch = (_, init) =>
      new Promise((resolve, reject) => {
        const { after, status, json } = answers[Math.min(posts, answers.length - 1)] as (typeof answers)[number];
        posts += 1;
        setTimeout(() => resolve(Response.json(json, { status })), after);
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    const time = { ...clock, now: () => Date.now(), random: () => 0 };
    const opened = Date.now();
    const sessions = sessionMint({
      platform: connectPlatform(settingsFor("https://platform.example"), "1.2.3", network),
      identity: createIdentity(null),
      tokens: memoryStore(),
      assistant: "",
      visit: new AbortController().signal,
      time,
    });
    const outcome = secrets(sessions)(null).then(
      (secret) => ({ said: secret, seconds: (Date.now() - opened) / 1000, posts }),
      ({ code }) => ({ said: code, seconds: (Date.now() - opened) / 1000, posts }),
    );
    await vi.advanceTimersByTimeAsync(60_000);
    return outcome;
  }

  const unavailable = (after: number) => ({ after, status: 503, json: refusal("upstream_unavailable", 5) });
  const busy = (after: number) => ({ after, status: 503, json: refusal("busy", 1) });
  const session = (after: number) => ({ after, ...(granted(1) as { json: unknown }), status: 200 });

  it.each([
    ["OpenAI takes nearly all the time it has", [session(8000)], { said: "ek_1", seconds: 8, posts: 1 }],
    ["OpenAI hangs", [unavailable(8000)], { said: "upstream_unavailable", seconds: 8, posts: 1 }],
    ["OpenAI is down", [unavailable(100)], { said: "upstream_unavailable", seconds: 5.2, posts: 2 }],
    ["OpenAI stumbles once", [unavailable(100), session(900)], { said: "ek_1", seconds: 6, posts: 2 }],
    ["the platform is busy", [busy(100)], { said: "busy", seconds: 2.9, posts: 3 }],
    ["the platform hangs", [session(60_000)], { said: "timeout", seconds: 10, posts: 1 }],
    ["the platform hangs after a stumble", [busy(100), session(60_000)], { said: "timeout", seconds: 10, posts: 2 }],
    ["an attempt was slow to fail", [busy(3100), session(100)], { said: "busy", seconds: 3.1, posts: 1 }],
  ])("ends within ten seconds when %s", async (_, answers, expected) => {
    expect(await ask(answers)).toEqual(expected);
  });
});

describe("the pause before an attempt", () => {
  it.each([
    [1, 0, 0, 800],
    [2, 0, 0, 1600],
    [1, 0, 1, 1200],
    [1, 5, 0, 5000],
    [2, 5, 1, 7500],
  ])("number %i, told %i s, at chance %f, is %i ms", (attempt, retryAfter, random, pause) => {
    expect(pauseBefore(attempt, retryAfter, random)).toBe(pause);
  });
});
