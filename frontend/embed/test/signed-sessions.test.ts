// @vitest-environment node
import { afterEach, describe, expect, it, vi } from "vitest";
import { createIdentity, type IdentitySource } from "../src/identity";
import { connectPlatform } from "../src/platform";
import { clock, SIGNED_OUT, sessionMint } from "../src/sessions";
import { tokenStore } from "../src/storage";
import { fakePlatform, type Reply, refusal, type Seen, settingsFor, TENANT } from "./fake-platform";
import { jwtFor } from "./jwt";

const ANONYMOUS = "vt1.k.AAanonymous.mac";
const KNOWN = "vt1.k.AQknown.mac";

let close = (): void => undefined;
afterEach(() => close());

const denied = (): Storage => {
  throw new DOMException("denied", "SecurityError");
};

async function visit(source: IdentitySource, answer: (seen: Seen, count: number) => Reply, now = Date.now) {
  const platform = await fakePlatform(answer);
  close = platform.close;
  const tokens = tokenStore(TENANT, denied, denied);
  const identity = createIdentity(source, now);
  const over = new AbortController();
  const sessions = sessionMint({
    platform: connectPlatform(settingsFor(platform.base), "embed/1.2.3", fetch),
    identity,
    tokens,
    assistant: "",
    visit: over.signal,
    time: { ...clock, wait: async () => undefined },
  });
  return {
    ...sessions,
    mint: async (current: string | null) => (await sessions.open(current !== null)).secret,
    identity,
    over,
    tokens,
    seen: platform.seen,
    bodies: () => platform.seen.map(({ body }) => body),
  };
}

const granted =
  (token: string) =>
  (_: Seen, count: number): Reply => ({
    json: { client_secret: `ek_${count}`, backend: "hosted_workflow", visitor_token: token },
  });
const invalid: Reply = { status: 401, json: refusal("identity_invalid") };
const backends = ["hosted_workflow", "platform"];

describe("a signed-in visitor's session", () => {
  it("is asked for with the JWT, and again with the JWT and the token that came for it", async () => {
    const jwt = jwtFor("ada");
    const { bodies, mint, subject, tokens } = await visit(jwt, granted(KNOWN));

    await mint("ek_0");
    await mint("ek_1");

    expect(subject()).toBe("ada");
    expect(bodies()).toEqual([
      { identity_token: jwt, refresh: true, backends },
      { identity_token: jwt, visitor_token: KNOWN, refresh: true, backends },
    ]);
    expect([await tokens.known("ada"), tokens.anonymous()]).toEqual([KNOWN, null]);
  });

  it("goes on with the token alone when the JWT has ended and the page can't give another", async () => {
    let now = Date.now();
    const { bodies, mint } = await visit(jwtFor("ada"), granted(KNOWN), () => now);
    await mint(null);

    now += 301_000;
    await mint("ek_1");

    expect(bodies()[1]).toEqual({ visitor_token: KNOWN, refresh: true, backends });
  });

  it("has a fresh JWT when the page can give one", async () => {
    let now = Date.now();
    const { bodies, mint } = await visit(
      () => jwtFor("ada", now / 1000 + 300),
      granted(KNOWN),
      () => now,
    );
    await mint(null);

    now += 301_000;
    await mint("ek_1");

    const [first, second] = bodies();
    expect(second).toMatchObject({ visitor_token: KNOWN, identity_token: expect.any(String) });
    expect(second?.identity_token).not.toBe(first?.identity_token);
  });

  it("takes a JWT that seems to have ended to the platform when there is no token: the clock may be wrong", async () => {
    const jwt = jwtFor("ada", 1_000_000_000);
    const { bodies, mint } = await visit(jwt, granted(KNOWN));

    await mint(null);

    expect(bodies()[0]?.identity_token).toBe(jwt);
  });

  it("at a tenant that leaves everybody anonymous stays the anonymous visitor's", async () => {
    const { bodies, mint, tokens } = await visit(jwtFor("ada"), granted(ANONYMOUS));
    await mint(null);
    await mint("ek_1");

    expect(bodies()[1]).toMatchObject({ visitor_token: ANONYMOUS, identity_token: expect.any(String) });
    expect([await tokens.known("ada"), tokens.anonymous()]).toEqual([null, ANONYMOUS]);
  });

  it("never becomes an anonymous one in silence", async () => {
    const { mint, tokens } = await visit(jwtFor("ada"), (seen, count) =>
      granted(count === 1 ? KNOWN : ANONYMOUS)(seen, count),
    );
    await mint(null);

    await expect(mint("ek_1")).rejects.toMatchObject({ code: "identity_invalid" });
    expect([await tokens.known("ada"), tokens.anonymous()]).toEqual([null, null]);
  });

  it("of a person whose token is of another person starts without it", async () => {
    const { bodies, mint, tokens } = await visit(jwtFor("bob"), granted(KNOWN));
    await tokens.keep("vt1.k.AQada.mac", "ada");

    await mint(null);

    expect(bodies()[0]).not.toHaveProperty("visitor_token");
  });

  it("of nobody never carries a known token", async () => {
    const { bodies, mint, tokens } = await visit(null, granted(ANONYMOUS));
    await tokens.keep(KNOWN, "ada");

    await mint(null);

    expect(bodies()).toEqual([{ backends }]);
  });
});

describe("a refused JWT", () => {
  it("is never sent twice", async () => {
    const { bodies, mint } = await visit(jwtFor("ada"), () => invalid);

    await expect(mint(null)).rejects.toMatchObject({ code: "identity_invalid", requestId: "req_1" });
    await expect(mint(null)).rejects.toMatchObject({ code: "identity_invalid" });

    expect(bodies()).toHaveLength(1);
  });

  it("is followed by one fresh one, and no more", async () => {
    let asked = 0;
    const page = () => {
      asked += 1;
      return jwtFor("ada");
    };
    const { bodies, mint } = await visit(page, () => invalid);

    await expect(mint(null)).rejects.toMatchObject({ code: "identity_invalid" });

    expect(asked).toBe(2);
    expect(new Set(bodies().map((body) => body.identity_token)).size).toBe(2);
  });

  it("is made good by a fresh one", async () => {
    const { mint } = await visit(
      () => jwtFor("ada"),
      (seen, count) => (count === 1 ? invalid : granted(KNOWN)(seen, count)),
    );

    expect(await mint(null)).toBe("ek_2");
  });

  it.each([["identity_required"], ["quota_exceeded"]])("isn't what %s means: nothing is asked again", async (code) => {
    const { bodies, mint } = await visit(
      () => jwtFor("ada"),
      () => ({ status: 401, json: refusal(code) }),
    );

    await expect(mint(null)).rejects.toMatchObject({ code });
    expect(bodies()).toHaveLength(1);
  });
});

describe("another person", () => {
  it("is never given a session of a chat that shows the last one's", async () => {
    let who = "ada";
    let now = Date.now();
    const { bodies, mint } = await visit(
      () => jwtFor(who, now / 1000 + 300),
      granted(KNOWN),
      () => now,
    );
    await mint(null);

    who = "bob";
    now += 301_000;

    await expect(mint("ek_1")).rejects.toMatchObject({ code: "identity_changed" });
    expect(bodies()).toHaveLength(1);
  });

  it("isn't mistaken for the last one, whose answer comes late: it is thrown away", async () => {
    const { mint, over, seen, tokens } = await visit(jwtFor("ada"), (one, count) => ({
      ...granted(KNOWN)(one, count),
      after: 100,
    }));
    const late = mint(null);
    await vi.waitFor(() => expect(seen).toHaveLength(1));

    over.abort();

    await expect(late).rejects.toMatchObject({ code: "identity_changed" });
    expect([await tokens.known("ada"), tokens.anonymous()]).toEqual([null, null]);
    expect(seen).toHaveLength(1);
  });
});

it("an element that asks after its visit is over is given nothing, and nobody is asked who is signed in", async () => {
  const page = vi.fn(() => jwtFor("bob"));
  const { mint, over, seen } = await visit(page, granted(KNOWN));

  over.abort();

  await expect(mint(null)).rejects.toMatchObject({ code: "identity_changed" });
  expect(page).not.toHaveBeenCalled();
  expect(seen).toHaveLength(0);
});

it("a session that comes after signing out is ended at once", async () => {
  const { mint, over, seen } = await visit(jwtFor("ada"), (one, count) =>
    one.path.endsWith("/end/") ? { status: 204, text: "" } : { ...granted(KNOWN)(one, count), after: 100 },
  );
  const late = mint(null);
  await vi.waitFor(() => expect(seen).toHaveLength(1));

  over.abort(SIGNED_OUT);

  await expect(late).rejects.toMatchObject({ code: "identity_changed" });
  await vi.waitFor(() =>
    expect(seen[1]).toMatchObject({
      method: "POST",
      path: `/api/v1/tenants/${TENANT}/chatkit/session/end/`,
      body: { visitor_token: KNOWN },
    }),
  );
});
