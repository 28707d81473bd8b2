import { describe, expect, it } from "vitest";
import { tokenStore } from "../src/storage";
import { TENANT } from "./fake-platform";

const denied = (): Storage => {
  throw new DOMException("denied", "SecurityError");
};

describe("the visitor token", () => {
  it("is kept under the tenant's own key", () => {
    const store = tokenStore(TENANT);

    store.write("vt1.k.payload.mac");

    expect(localStorage.getItem(`ckp.v1.${TENANT}`)).toBe("vt1.k.payload.mac");
    expect(tokenStore(TENANT).read()).toBe("vt1.k.payload.mac");
    expect(tokenStore(`tn_${"b".repeat(28)}`).read()).toBeNull();
  });

  it("lives in memory for the visit where the browser denies storage", () => {
    const store = tokenStore(TENANT, denied);

    store.write("vt1.k.payload.mac");

    expect(store.read()).toBe("vt1.k.payload.mac");
    expect(tokenStore(TENANT, denied).read()).toBeNull();
  });

  it.each(["", "x".repeat(513), "with blank", "line\nbreak", "ünicode"])("is never %j", (token) => {
    localStorage.clear();
    const store = tokenStore(TENANT);

    store.write(token);

    expect(store.read()).toBeNull();
    expect(localStorage.length).toBe(0);
  });

  it("that something else left behind is ignored when it can't be one", () => {
    localStorage.setItem(`ckp.v1.${TENANT}`, '{"not": "a token"}');

    expect(tokenStore(TENANT).read()).toBeNull();
  });
});
