import { beforeEach, describe, expect, it } from "vitest";
import { tokenStore } from "../src/storage";
import { TENANT } from "./fake-platform";

const denied = (): Storage => {
  throw new DOMException("denied", "SecurityError");
};
const OTHER = `tn_${"b".repeat(28)}`;
const KNOWN = `ckp.v1.${TENANT}.known`;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

describe("an anonymous visitor's token", () => {
  it("is kept under the tenant's own key", async () => {
    await tokenStore(TENANT).keep("vt1.k.payload.mac", null);

    expect(localStorage.getItem(`ckp.v1.${TENANT}`)).toBe("vt1.k.payload.mac");
    expect(tokenStore(TENANT).anonymous()).toBe("vt1.k.payload.mac");
    expect(tokenStore(OTHER).anonymous()).toBeNull();
  });

  it("lives in memory for the visit where the browser denies storage", async () => {
    const store = tokenStore(TENANT, denied, denied);

    await store.keep("vt1.k.payload.mac", null);

    expect(store.anonymous()).toBe("vt1.k.payload.mac");
    expect(tokenStore(TENANT, denied, denied).anonymous()).toBeNull();
  });

  it("that another tab removed is gone here too", async () => {
    const store = tokenStore(TENANT);
    await store.keep("vt1.k.payload.mac", null);

    localStorage.clear();

    expect(store.anonymous()).toBeNull();
  });

  it.each(["", "x".repeat(513), "with blank", "line\nbreak", "ünicode"])("is never %j", async (token) => {
    const store = tokenStore(TENANT);

    await store.keep(token, null);
    await store.keep(token, "ada");

    expect([store.anonymous(), await store.known("ada")]).toEqual([null, null]);
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
  });

  it("that something else left behind is ignored when it can't be one", () => {
    localStorage.setItem(`ckp.v1.${TENANT}`, '{"not": "a token"}');

    expect(tokenStore(TENANT).anonymous()).toBeNull();
  });
});

describe("a signed-in person's token", () => {
  it("outlives a reload of the tab, and is nobody else's", async () => {
    await tokenStore(TENANT).keep("vt1.ada", "ada@shop.example");

    const reloaded = tokenStore(TENANT);
    expect(await reloaded.known("ada@shop.example")).toBe("vt1.ada");
    expect(await reloaded.known("bob@shop.example")).toBeNull();
    expect(await tokenStore(OTHER).known("ada@shop.example")).toBeNull();
  });

  it("never reaches localStorage, nor does the person's name reach any storage", async () => {
    await tokenStore(TENANT).keep("vt1.ada", "ada@shop.example");

    expect(localStorage.length).toBe(0);
    expect(sessionStorage.getItem(KNOWN)).toMatch(/^[0-9a-f]{32} vt1\.ada$/);
  });

  it("gives way to the next person's", async () => {
    const store = tokenStore(TENANT);
    await store.keep("vt1.ada", "ada");

    await store.keep("vt1.bob", "bob");

    expect([await store.known("ada"), await store.known("bob")]).toEqual([null, "vt1.bob"]);
    expect(await tokenStore(TENANT).known("ada")).toBeNull();
  });

  it("leaves the anonymous visitor's where it is", async () => {
    const store = tokenStore(TENANT);
    await store.keep("vt1.anonymous", null);

    await store.keep("vt1.ada", "ada");

    expect(store.anonymous()).toBe("vt1.anonymous");
  });

  it("lives in memory where the browser denies storage", async () => {
    const store = tokenStore(TENANT, denied, denied);

    await store.keep("vt1.ada", "ada");

    expect([await store.known("ada"), await store.known("bob")]).toEqual(["vt1.ada", null]);
  });

  it("that is only just being stored isn't, when the person leaves meanwhile", async () => {
    const store = tokenStore(TENANT);

    const storing = store.keep("vt1.ada", "ada");
    store.forget();
    await storing;

    expect(sessionStorage.length).toBe(0);
    expect(await store.known("ada")).toBeNull();
  });

  it.each(["", "x", "0123 ", "vt1.ada"])("isn't read from %j", async (left) => {
    sessionStorage.setItem(KNOWN, left);

    expect(await tokenStore(TENANT).known("ada")).toBeNull();
  });
});

it("forgetting removes both, and tells what there was, after a reload too", async () => {
  const before = tokenStore(TENANT);
  await before.keep("vt1.anonymous", null);
  await before.keep("vt1.ada", "ada");
  const store = tokenStore(TENANT);

  expect(store.hasKnown()).toBe(true);
  expect(store.forget()).toEqual(["vt1.ada", "vt1.anonymous"]);

  expect([localStorage.length, sessionStorage.length, store.hasKnown()]).toEqual([0, 0, false]);
  expect(store.forget()).toEqual([]);
});
