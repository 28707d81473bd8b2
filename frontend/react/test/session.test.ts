import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakePlatform, type Reply, refusal, type Seen, TENANT } from "../../embed/test/fake-platform";
import { jwtFor } from "../../embed/test/jwt";
import type { IdentitySource } from "../src/chat/shared/identity";
import { createVisitor, type Visit } from "../src/chat/visitor";

const ANONYMOUS_KEY = `ckp.v1.${TENANT}`;
const KNOWN = "vt1.k.AQknown.mac";
const backends = ["hosted_workflow", "platform"];

let close = (): void => undefined;
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => close());

const secrets =
  ({ sessions }: Visit) =>
  async (old: string | null) =>
    (await sessions.open(old !== null)).secret;

async function connect(answer: (count: number, seen: Seen) => Reply, source: IdentitySource = null) {
  const platform = await fakePlatform((seen, count) => answer(count, seen));
  close = platform.close;
  const visitor = createVisitor(`${platform.base}/api/v1/tenants/${TENANT}`);
  visitor.identify(source);
  return {
    visitor,
    clientSecret: secrets(visitor.begin()),
    seen: platform.seen,
    bodies: () => platform.seen.map(({ body }) => body),
  };
}

const granted = (count: number): Reply => ({
  json: { client_secret: `ek_${count}`, visitor_token: `vt1.k.AA${count}.mac`, backend: "hosted_workflow" },
});
const known = (count: number): Reply => ({ json: { client_secret: `ek_${count}`, visitor_token: KNOWN } });
const invalid: Reply = { status: 401, json: refusal("identity_invalid") };

describe("the React integration's client secret", () => {
  it("is new on every refresh, for the same visitor", async () => {
    const { clientSecret, seen } = await connect(granted);

    const first = await clientSecret(null);
    const second = await clientSecret(first);

    expect([first, second]).toEqual(["ek_1", "ek_2"]);
    expect(seen.map(({ path, body }) => [path, body])).toEqual([
      [`/api/v1/tenants/${TENANT}/chatkit/session/`, { backends }],
      [`/api/v1/tenants/${TENANT}/chatkit/session/`, { visitor_token: "vt1.k.AA1.mac", refresh: true, backends }],
    ]);
  });

  it("belongs to the visitor that the embed script knows", async () => {
    localStorage.setItem(ANONYMOUS_KEY, "vt1.from-embed");
    const { clientSecret, seen } = await connect(granted);

    await clientSecret(null);

    expect(seen[0]?.body.visitor_token).toBe("vt1.from-embed");
  });

  it.each([
    [{ status: 503, json: refusal("tenant_misconfigured") }, "tenant_misconfigured"],
    [{ status: 500, text: "<html>" }, "answer_invalid"],
    [{ json: {} }, "answer_invalid"],
  ])("that isn't given is a problem with a code: %j is %s", async (reply, code) => {
    const { clientSecret } = await connect(() => reply);

    await expect(clientSecret(null)).rejects.toMatchObject({ code });
  });
});

describe("a signed-in visitor", () => {
  it("is told by a JWT, and known again by the token that came for it, in this tab alone", async () => {
    const jwt = jwtFor("ada");
    const { bodies, clientSecret } = await connect(known, jwt);

    await clientSecret(null);
    await clientSecret("ek_1");

    expect(bodies()).toEqual([
      { identity_token: jwt, backends },
      { identity_token: jwt, visitor_token: KNOWN, refresh: true, backends },
    ]);
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 1]);
  });

  it("never lends the token to another person, nor to nobody", async () => {
    const { bodies, clientSecret, visitor } = await connect(known, jwtFor("ada"));
    await clientSecret(null);

    visitor.identify(jwtFor("bob"));
    await secrets(visitor.begin())(null);
    visitor.identify(null);
    await secrets(visitor.begin())(null);

    expect(bodies()[1]).not.toHaveProperty("visitor_token");
    expect(bodies()[2]).toEqual({ backends });
  });

  it("whose JWT was refused is asked for once more where the page can, and never with the same", async () => {
    const asked = await connect(
      () => invalid,
      () => jwtFor("ada"),
    );
    await expect(asked.clientSecret(null)).rejects.toMatchObject({ code: "identity_invalid" });
    expect(new Set(asked.bodies().map((body) => body.identity_token)).size).toBe(2);
    close();

    const told = await connect(() => invalid, jwtFor("ada"));
    await expect(told.clientSecret(null)).rejects.toMatchObject({ code: "identity_invalid" });
    await expect(told.clientSecret(null)).rejects.toMatchObject({ code: "identity_invalid" });
    expect(told.bodies()).toHaveLength(1);
  });

  it("is never followed by another one in the same chat", async () => {
    let who = "ada";
    const { bodies, clientSecret } = await connect(known, () => jwtFor(who, 0));
    await clientSecret(null);

    who = "bob";

    await expect(clientSecret("ek_1")).rejects.toMatchObject({ code: "identity_changed" });
    expect(bodies()).toHaveLength(1);
  });

  it("never becomes an anonymous one in silence", async () => {
    const { clientSecret } = await connect((count) => (count === 1 ? known(count) : granted(count)), jwtFor("ada"));
    await clientSecret(null);

    await expect(clientSecret("ek_1")).rejects.toMatchObject({ code: "identity_invalid" });
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
  });
});

describe("signing out", () => {
  it("ends the sessions and forgets every token", async () => {
    const { bodies, clientSecret, seen, visitor } = await connect(
      (count, { path }) => (path.endsWith("/end/") ? { status: 204, text: "" } : known(count)),
      jwtFor("ada"),
    );
    localStorage.setItem(ANONYMOUS_KEY, "vt1.k.AAbefore.mac");
    await clientSecret(null);

    await visitor.signOut();

    expect(seen.slice(1).map(({ path }) => path.split("/").slice(-3).join("/"))).toEqual([
      "session/end/",
      "session/end/",
    ]);
    expect(bodies().slice(1)).toEqual([{ visitor_token: KNOWN }, { visitor_token: "vt1.k.AAbefore.mac" }]);
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
  });

  it.each([
    ["token_invalid", 0],
    ["platform_unavailable", 1],
  ])("answered with %s is done on this device; lines in the console: %i", async (code, lines) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { clientSecret, visitor } = await connect(
      (count, { path }) => (path.endsWith("/end/") ? { status: 503, json: refusal(code) } : known(count)),
      jwtFor("ada"),
    );
    await clientSecret(null);

    await visitor.signOut();

    expect(console.error).toHaveBeenCalledTimes(lines);
    expect(sessionStorage.length).toBe(0);
  });

  it("ends what is granted while it is on its way", async () => {
    const { clientSecret, seen, visitor } = await connect(
      (count, { path }) => (path.endsWith("/end/") ? { status: 204, text: "" } : { ...known(count), after: 100 }),
      jwtFor("ada"),
    );
    const late = clientSecret(null);
    await vi.waitFor(() => expect(seen).toHaveLength(1));

    await visitor.signOut();

    await expect(late).rejects.toMatchObject({ code: "identity_changed" });
    await vi.waitFor(() => expect(seen[1]?.body).toEqual({ visitor_token: KNOWN }));
    expect(sessionStorage.length).toBe(0);
  });
});

it.each(readdirSync("react/src/chat/shared"))("shared/%s is the embed script's own, letter for letter", (name) => {
  const [ours, theirs] = ["react/src/chat/shared", "embed/src"].map((folder) =>
    readFileSync(`${folder}/${name}`, "utf8"),
  );

  expect(ours).toBe(theirs);
});
