import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIdentity, type IdentitySource } from "../src/identity";
import { Problem } from "../src/problem";
import { jwtFor } from "./jwt";

const NOW = 1_800_000_000_000;
const seconds = (later: number): number => NOW / 1000 + later;

function named(source: IdentitySource) {
  let now = NOW;
  const identity = createIdentity(source, () => now);
  return { identity, current: () => identity.current(200), pass: (ms: number) => (now += ms) };
}

describe("who is signed in", () => {
  it("is read from the JWT's subject, whatever language the name is in", async () => {
    const { current } = named(jwtFor("Żaneta", seconds(300)));

    const { identity } = named(jwtFor("Žaneta", seconds(300)));

    expect((await current())?.subject).toBe((await current())?.subject);
    expect((await current())?.subject).not.toBe((await identity.current(0))?.subject);
  });

  it.each([null, ""])("is nobody when the page says %j", async (source) => {
    expect(await named(source || null).current()).toBeNull();
  });

  it("is a person of its own for whatever isn't a JWT; nothing throws", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (text) => {
        expect(await named(text).current()).toMatchObject({ jwt: text });
        expect((await named(`h.${btoa(encodeURI(text))}.s`).current())?.subject).toContain("h.");
      }),
    );
  });

  it.each([
    ["its own", 300, 291_000, true],
    ["its own, not yet", 300, 289_000, false],
    ["ten minutes, whatever it says and the clock shows", 86_400, 591_000, true],
  ])("a JWT's life is %s", async (_, life, passed, expired) => {
    const { current, pass } = named(jwtFor("ada", seconds(life)));

    pass(passed);

    expect((await current())?.expired).toBe(expired);
  });
});

describe("a page that gave a function", () => {
  it("is asked once while the JWT lives, and again when it has ended", async () => {
    let asked = 0;
    const { current, pass } = named(async () => {
      asked += 1;
      return jwtFor("ada", seconds(300 * asked));
    });

    await current();
    await current();
    expect(asked).toBe(1);

    pass(295_000);
    expect(await current()).toMatchObject({ expired: false });
    expect(asked).toBe(2);
  });

  it("is asked every time while it says that nobody is signed in", async () => {
    let asked = 0;
    const { current } = named(() => {
      asked += 1;
      return null;
    });

    expect([await current(), await current()]).toEqual([null, null]);
    expect(asked).toBe(2);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("401 from /me")), "401 from /me"],
    ["throws at once", () => JSON.parse("<html>"), "SyntaxError"],
    ["gives something else", () => ({ token: "x" }) as unknown as string, "other than a string"],
    ["never answers", () => new Promise<string>(() => undefined), "no answer in time"],
  ])("and %s is told in the console's words", async (_, source, words) => {
    await expect(named(source).current()).rejects.toMatchObject({
      code: "identity_unavailable",
      message: expect.stringContaining(words),
    });
  });

  it("and names another source meanwhile is not believed the old one's answer", async () => {
    let answer: (jwt: string) => void = () => undefined;
    const { identity, current } = named(
      () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        }),
    );
    const asked = current();

    identity.set(jwtFor("bob", seconds(300)));
    answer(jwtFor("ada", seconds(300)));

    await expect(asked).rejects.toMatchObject({ code: "identity_changed" });
    expect((await current())?.subject).toBe("bob");
  });
});

describe("a JWT that the platform refused", () => {
  const refusal = new Problem("identity_invalid", "No.");

  it("is never given again, not even when the page names it again", async () => {
    const jwt = jwtFor("ada", seconds(300));
    const { identity, current } = named(jwt);

    expect(identity.refuse(refusal)).toBe(false);
    identity.set(jwt);

    await expect(current()).rejects.toBe(refusal);
  });

  it("is followed by the next that the page names", async () => {
    const { identity, current } = named(jwtFor("ada", seconds(300)));
    identity.refuse(refusal);

    identity.set(jwtFor("ada", seconds(301)));

    expect((await current())?.subject).toBe("ada");
  });

  it("makes the page's function give another one", async () => {
    let asked = 0;
    const { identity, current } = named(() => {
      asked += 1;
      return jwtFor("ada", seconds(300 + asked));
    });
    await current();

    expect(identity.refuse(refusal)).toBe(true);
    await current();

    expect(asked).toBe(2);
  });
});
