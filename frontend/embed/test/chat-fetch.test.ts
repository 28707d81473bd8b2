import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { chatFetch, type Terms } from "../src/chat-fetch";
import { Problem } from "../src/problem";
import type { Session } from "../src/sessions";
import { refusal } from "./fake-platform";

const URL_ = "https://chat.example/api/v1/tenants/tn_x/chatkit/";

interface Call {
  readonly url: string;
  readonly token: string | null;
  readonly body: unknown;
  readonly init: RequestInit;
}

/** A server that accepts the tokens it is told to, and a mint that counts. */
function bench(accepts: (token: string) => boolean, more: Partial<Terms> = {}, answer?: () => Response) {
  const calls: Call[] = [];
  const failed: Problem[] = [];
  let mints = 0;
  let minting = 0;
  let most = 0;
  let time = 0;
  let delay = 1;
  const session = (count: number): Session => ({
    secret: `ct1.${count}`,
    backend: "platform",
    freshUntil: time + 1000,
  });
  const network = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const token = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "") ?? null;
    calls.push({ url: String(input), token, body: init.body, init });
    await new Promise((resolve) => setTimeout(resolve, delay));
    if (init.signal?.aborted) throw init.signal.reason;
    if (token !== null && !accepts(token)) return Response.json(refusal("token_invalid"), { status: 401 });
    return answer?.() ?? Response.json({ ok: true });
  };
  const send = chatFetch({
    url: URL_,
    client: "embed/1.2.3",
    previewTicket: "",
    first: session(0),
    visit: new AbortController().signal,
    network,
    now: () => time,
    failed: (problem) => failed.push(problem),
    async mint() {
      minting += 1;
      most = Math.max(most, minting);
      await new Promise((resolve) => setTimeout(resolve, 2));
      minting -= 1;
      mints += 1;
      return session(mints);
    },
    ...more,
  });
  const post = (body: BodyInit = "{}") => send(URL_, { method: "POST", body });
  return {
    calls,
    failed,
    send,
    post,
    mints: () => mints,
    most: () => most,
    pass: (ms: number) => (time += ms),
    slow: () => (delay = 300),
  };
}

it("adds the token, the client and a preview's ticket, and no cookies", async () => {
  const { calls, post } = bench(() => true, { previewTicket: "pt1.x" });

  await post('{"type":"threads.list"}');

  const headers = new Headers(calls[0]?.init.headers);
  expect([headers.get("Authorization"), headers.get("X-ChatKit-Client"), headers.get("X-Preview-Ticket")]).toEqual([
    "Bearer ct1.0",
    "embed/1.2.3",
    "pt1.x",
  ]);
  expect(calls[0]).toMatchObject({ url: URL_, body: '{"type":"threads.list"}', init: { credentials: "omit" } });
});

it.each([
  "https://chat.example/api/v1/tenants/tn_x/chatkit/attachments/atc_1/upload/?sig=1",
  "https://chat.example/api/v1/tenants/tn_x/chatkit/session/",
  "https://chat.example.evil/api/v1/tenants/tn_x/chatkit/",
  "http://chat.example/api/v1/tenants/tn_x/chatkit/",
  "https://chat.example/api/v1/tenants/tn_y/chatkit/",
  "https://user@evil.example/api/v1/tenants/tn_x/chatkit/",
  "/api/v1/tenants/tn_x/chatkit/",
])("gives no token to %s, and lets it pass untouched", async (url) => {
  const { calls, send } = bench(() => true);
  const init = { method: "PUT", body: "bytes", headers: { "X-Own": "1" } };

  await send(url, init);

  expect(calls[0]).toMatchObject({ url, token: null });
  expect(calls[0]?.init).toBe(init);
});

it("mints anew before the token ends, and not sooner", async () => {
  const { calls, mints, pass, post } = bench(() => true);

  await post();
  expect(mints()).toBe(0);

  pass(1001);
  await post();
  await post();

  expect(calls.map(({ token }) => token)).toEqual(["ct1.0", "ct1.1", "ct1.1"]);
  expect(mints()).toBe(1);
});

it("repeats a refused request once with another token, body and all", async () => {
  const { calls, post } = bench((token) => token === "ct1.1");

  const response = await post('{"n":1}');

  expect(response.status).toBe(200);
  expect(calls.map(({ token, body }) => [token, body])).toEqual([
    ["ct1.0", '{"n":1}'],
    ["ct1.1", '{"n":1}'],
  ]);
});

it("can send a Request with a body twice", async () => {
  const { calls, send } = bench((token) => token === "ct1.1");

  const response = await send(new Request(URL_, { method: "POST", body: '{"n":2}' }));

  expect(response.status).toBe(200);
  expect(await Promise.all(calls.map(({ body }) => (body as Blob).text()))).toEqual(['{"n":2}', '{"n":2}']);
});

it("gives a second 401 back, readable, and tells nobody", async () => {
  const { calls, failed, mints, post } = bench(() => false);

  const response = await post();

  expect([response.status, (await response.json()).error.code]).toEqual([401, "token_invalid"]);
  expect([calls.length, mints(), failed]).toEqual([2, 1, []]);
});

it("gives a 401 that isn't about the token back at once", async () => {
  const { calls, post } = bench(
    () => true,
    {},
    () => Response.json(refusal("identity_required"), { status: 401 }),
  );

  expect((await post()).status).toBe(401);
  expect(calls).toHaveLength(1);
});

it.each([
  [429, "rate_limited", true],
  [429, "quota_exceeded", true],
  [503, "tenant_misconfigured", true],
  [409, "integration_outdated", true],
  [409, "thread_locked", false],
  [404, "not_found", false],
  [400, "body_invalid", false],
  [500, "internal_error", false],
])("tells of %i %s: %s, and gives it back", async (status, code, told) => {
  const { failed, post } = bench(
    () => true,
    {},
    () => Response.json(refusal(code, 7), { status }),
  );

  const response = await post();

  expect((await response.json()).error.code).toBe(code);
  expect(failed.map((problem) => problem.code)).toEqual(told ? [code] : []);
});

it("tells of a token that can't be minted, and rejects", async () => {
  const { calls, failed, pass, post } = bench(() => true, {
    mint: () => Promise.reject(new Problem("quota_exceeded", "Enough.")),
  });
  pass(1001);

  await expect(post()).rejects.toMatchObject({ code: "quota_exceeded" });
  expect(failed.map(({ code }) => code)).toEqual(["quota_exceeded"]);
  expect(calls).toEqual([]);
});

it("ends with the visit, and sends nothing after it", async () => {
  const visit = new AbortController();
  const { calls, post, slow } = bench(() => true, { visit: visit.signal });
  slow();

  const open = post();
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  visit.abort();

  await expect(open).rejects.toMatchObject({ name: "AbortError" });
  await expect(post()).rejects.toMatchObject({ name: "AbortError" });
  expect(calls).toHaveLength(1);
});

it("ends when ChatKit cancels its own call", async () => {
  const cancel = new AbortController();
  const { calls, send, slow } = bench(() => true);
  slow();

  const open = send(URL_, { method: "POST", body: "{}", signal: cancel.signal });
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  cancel.abort();

  await expect(open).rejects.toMatchObject({ name: "AbortError" });
});

it("whatever overlaps: one mint at a time, at most one for what a token served, two sendings at most", async () => {
  await fc.assert(
    fc.asyncProperty(
      // Which generation of tokens the server accepts, and in what order callers come and time passes.
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.record({ callers: fc.integer({ min: 1, max: 6 }), pass: fc.constantFrom(0, 400, 1200) }), {
        minLength: 1,
        maxLength: 5,
      }),
      async (least, rounds) => {
        const { calls, mints, most, pass, post } = bench((token) => Number(token.split(".")[1]) >= least);
        for (const { callers, pass: milliseconds } of rounds) {
          pass(milliseconds);
          const [sent, minted] = [calls.length, mints()];
          const statuses = await Promise.all(Array.from({ length: callers }, async () => (await post()).status));
          expect(calls.length - sent).toBeLessThanOrEqual(2 * callers);
          // One where the token had ended, one where it was refused; never one a caller.
          expect(mints() - minted).toBeLessThanOrEqual(2);
          if (mints() >= least) expect(statuses.at(-1)).toBe(200);
        }
        expect(most()).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 60 },
  );
});

it("tells that no answer came, as when the tenant is suspended meanwhile, and rejects", async () => {
  const network = async (): Promise<Response> => {
    throw new TypeError("Failed to fetch");
  };
  const { failed, post } = bench(() => true, { network });

  await expect(post()).rejects.toThrow("Failed to fetch");

  expect(failed.map(({ code, state }) => [code, state])).toEqual([["unreachable", "unavailable"]]);
});
