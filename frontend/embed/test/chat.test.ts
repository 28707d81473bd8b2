import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StandInChatKit } from "../../stand-in/src/element";
import { CONFIGURATION, type Reply, refusal, TENANT } from "./fake-platform";
import { answerer, becomes, granted, leavePages, page } from "./page";

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(leavePages);

describe("before the visitor opens the chat", () => {
  it("only the public configuration is asked for, and nothing is stored", async () => {
    const { chat, seen, find } = await page(answerer(granted));

    await chat.prepare();

    expect(seen.map(({ method, path }) => [method, path])).toEqual([["GET", `/api/v1/tenants/${TENANT}/widget/`]]);
    expect(localStorage.length).toBe(0);
    expect(find("openai-chatkit")).toBeNull();
  });

  it("the launcher is dressed as the tenant wants it", async () => {
    const { chat, find } = await page(answerer(granted));

    await chat.prepare();

    expect(find(".launcher").textContent).toBe("Help");
    expect(find(".root").dataset.side).toBe("left");
    expect(find(".launcher").getAttribute("aria-expanded")).toBe("false");
  });
});

describe("opening the chat", () => {
  it("mints one session, mounts ChatKit and keeps the visitor's token", async () => {
    const { chat, events, find, paths, state } = await page(answerer(granted));

    chat.open();
    await becomes(state, "ready");
    await vi.waitFor(() => expect(paths()).toContain("conversation"));

    expect(paths().filter((path) => path === "session")).toHaveLength(1);
    expect(events.slice(0, 3)).toEqual(["open", "state loading", "state ready"]);
    expect(find("openai-chatkit")).toBeInstanceOf(StandInChatKit);
    expect(localStorage.getItem(`ckp.v1.${TENANT}`)).toBe("vt1.x");
  });

  it("a second time goes on with the same element", async () => {
    const { chat, find, paths, state } = await page(answerer(granted));
    chat.open();
    await becomes(state, "ready");
    const first = find("openai-chatkit");

    chat.close();
    chat.open();

    expect(find("openai-chatkit")).toBe(first);
    expect(paths().filter((path) => path === "session")).toHaveLength(1);
  });

  it("on a page that isn't allowed is refused with the platform's cure, and no session is asked for", async () => {
    const refused = () => ({ status: 403, json: refusal("origin_not_allowed") });
    const { chat, find, notice, paths, state } = await page(answerer(granted, refused));

    await chat.prepare();
    chat.open();
    await becomes(state, "refused");

    expect(notice()).toContain("Cure for origin_not_allowed.");
    expect(notice()).toContain("origin_not_allowed · req_1");
    expect(find("button.action")).toBeNull();
    expect(paths()).toEqual(["widget"]);
    expect(console.error).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("Cure for origin_not_allowed."));
  });

  it("of a tenant whose key is dead shows the tenant's own words and link, and can be tried again", async () => {
    const dead: Reply = { status: 503, json: refusal("tenant_misconfigured") };
    const { chat, find, notice, state } = await page(answerer((count) => (count === 1 ? dead : granted(count))));

    chat.open();
    await becomes(state, "unavailable");
    expect(notice()).toContain("Write to us");
    expect(notice()).not.toContain("Cure");
    expect(find<HTMLAnchorElement>("a").getAttribute("href")).toBe("mailto:help@garden.example");

    find<HTMLButtonElement>("button.action").click();
    await becomes(state, "ready");
  });

  it("while the platform says when to come back keeps the button shut until then", async () => {
    const { chat, find, state } = await page(answerer(() => ({ status: 429, json: refusal("rate_limited", 30) })));

    chat.open();
    await becomes(state, "unavailable");

    expect(find<HTMLButtonElement>("button.action").disabled).toBe(true);
  });

  it("asks for the configuration again when it couldn't be had at first", async () => {
    let asked = 0;
    const { chat, state } = await page(
      answerer(granted, () => {
        asked += 1;
        return asked === 1 ? { status: 503, json: refusal("platform_unavailable") } : { json: CONFIGURATION };
      }),
    );

    await chat.prepare();
    chat.open();

    await becomes(state, "ready");
  });

  it("with a configuration full of markup draws text, never elements", async () => {
    const payload = "<img src=x onerror=alert(1)><script>alert(1)</script>";
    const json = {
      ...CONFIGURATION,
      name: payload,
      appearance: { ...CONFIGURATION.appearance, launcher_label: payload, accent: "red;}*{display:none}" },
      fallback: { text: payload, url: "javascript:alert(1)" },
    };
    const dead = () => ({ status: 503, json: refusal("tenant_misconfigured") });
    const { chat, find, notice, state } = await page(answerer(dead, () => ({ json })));

    chat.open();
    await becomes(state, "unavailable");

    expect(notice()).toContain(payload);
    expect(find("img, script, a")).toBeNull();
  });
});

describe("a refresh", () => {
  const secretOf = (find: (selector: string) => HTMLElement) => {
    const set = vi.spyOn(StandInChatKit.prototype, "setOptions");
    return {
      set,
      get: () => set.mock.calls.at(-1)?.[0].api as { getClientSecret(s: string | null): Promise<string> },
      find,
    };
  };

  it("mints anew", async () => {
    const { chat, find, state } = await page(answerer(granted));
    const options = secretOf(find);
    chat.open();
    await becomes(state, "ready");
    await vi.waitFor(async () => expect(await options.get().getClientSecret("ek_1")).toBe("ek_2"));
  });

  it("that fails takes the chat's place with an explanation, and trying again mounts a new chat", async () => {
    const dead: Reply = { status: 503, json: refusal("tenant_misconfigured") };
    const { chat, find, notice, state } = await page(answerer((count) => (count === 2 ? dead : granted(count))));
    const options = secretOf(find);
    chat.open();
    await becomes(state, "ready");
    const first = find("openai-chatkit");

    await expect(options.get().getClientSecret("ek_1")).rejects.toThrow("Cure for tenant_misconfigured.");
    await becomes(state, "unavailable");
    expect(notice()).toContain("Write to us");
    expect(find(".chat").hasAttribute("inert")).toBe(true);

    find<HTMLButtonElement>("button.action").click();
    await becomes(state, "ready");
    expect(find("openai-chatkit")).not.toBe(first);
  });
});

it("a chat whose tenant is suspended meanwhile says so as soon as the session endpoint did", async () => {
  let suspended = false;
  const refused: Reply = { status: 404, json: refusal("tenant_unknown") };
  const { chat, find, notice, paths, state } = await page(
    answerer(
      (count) => (suspended ? { cut: true } : granted(count)),
      () => (suspended ? refused : { json: CONFIGURATION }),
    ),
  );
  const set = vi.spyOn(StandInChatKit.prototype, "setOptions");
  chat.open();
  await becomes(state, "ready");
  const api = set.mock.calls.at(-1)?.[0].api as { getClientSecret(s: string): Promise<string> };
  suspended = true;

  await expect(api.getClientSecret("ek_1")).rejects.toThrow("Cure for tenant_unknown.");

  expect(state()).toBe("refused");
  expect(notice()).toContain("tenant_unknown · req_1");
  expect(find(".chat").hasAttribute("inert")).toBe(true);
  expect(paths().filter((path) => path === "session")).toHaveLength(2);
});

describe("the keyboard", () => {
  it("closes the panel by Escape", async () => {
    const { chat, find, state } = await page(answerer(() => ({ status: 503, json: refusal("tenant_misconfigured") })));
    chat.open();
    await becomes(state, "unavailable");

    find(".panel").focus();
    find(".panel").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));

    expect(find(".panel").hidden).toBe(true);
    expect(find(".launcher").getAttribute("aria-expanded")).toBe("false");
  });
});

it("stopping takes everything off the page", async () => {
  const { chat } = await page(answerer(granted));
  chat.open();

  chat.stop();

  expect(document.querySelector("chatkit-platform")).toBeNull();
});
