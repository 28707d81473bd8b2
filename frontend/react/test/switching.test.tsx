import type { ChatKitOptions, CustomApiConfig } from "@openai/chatkit";
import { StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CONFIGURATION, fakePlatform, type Reply, refusal, type Seen, TENANT } from "../../embed/test/fake-platform";
import { FramelessChatKit } from "../../embed/test/frameless";
import { checkOptions } from "../../stand-in/src/options";
import type { ClientTool } from "../src/chat/Attempt";
import { TenantChat } from "../src/chat/TenantChat";

const CHAT = `/api/v1/tenants/${TENANT}/chatkit/`;
const UPDATED = "The chat was updated. Earlier messages are not carried over.";

let root: Root;
let close = (): void => undefined;
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  root.unmount();
  close();
});

/** The component at a tenant whose assistant can be switched. */
async function open(first: string, onClientTool?: ClientTool) {
  const now = { backend: first, chat: { json: { data: [], has_more: false } } as Reply };
  let sessions = 0;
  const platform = await fakePlatform((seen: Seen): Reply => {
    if (seen.path.includes("/widget/")) {
      const own = { url: `http://${seen.headers.host}${CHAT}`, domain_key: "domain_pk_1" };
      return { json: { ...CONFIGURATION, backend: now.backend, chat: now.backend === "platform" ? own : null } };
    }
    if (!seen.path.endsWith("/session/"))
      return seen.path === CHAT ? now.chat : { json: { data: [], has_more: false } };
    sessions += 1;
    return {
      json: { client_secret: `s.${sessions}`, backend: now.backend, expires_in: 600, visitor_token: "vt1.k.AAx.m" },
    };
  });
  close = platform.close;
  FramelessChatKit.servedFrom(platform.base);
  if (!customElements.get("openai-chatkit")) customElements.define("openai-chatkit", FramelessChatKit);
  const set = vi.spyOn(FramelessChatKit.prototype, "setOptions");
  const settings = { apiUrl: `${platform.base}/api/v1/tenants/${TENANT}`, chatkitJsUrl: "" };
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  root = createRoot(place);
  flushSync(() =>
    root.render(
      <StrictMode>
        <TenantChat settings={settings} onClientTool={onClientTool} />
      </StrictMode>,
    ),
  );
  const state = () => place.querySelector<HTMLElement>(".tenant-chat")?.dataset.state;
  await until(() => expect(state()).toBe("ready"));
  const options = () => set.mock.calls.at(-1)?.[0] as ChatKitOptions;
  return {
    now,
    state,
    options,
    custom: () => options().api as CustomApiConfig,
    text: () => place.textContent ?? "",
    chat: () => place.querySelector("openai-chatkit") as HTMLElement,
    seen: platform.seen,
    change: () =>
      place
        .querySelector("openai-chatkit")
        ?.dispatchEvent(
          new CustomEvent("chatkit.effect", { detail: { name: "chatkit_platform.configuration_changed" } }),
        ),
  };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000 });

it("shows an assistant that the platform answers in custom mode, with the session's token", async () => {
  const { custom, options, seen } = await open("platform");

  expect(() => checkOptions(options())).not.toThrow();
  expect(custom()).toMatchObject({ domainKey: "domain_pk_1", uploadStrategy: { type: "two_phase" } });
  await until(() => expect(seen.find(({ path }) => path === CHAT)?.headers.authorization).toBe("Bearer s.1"));
  expect(seen.filter(({ path }) => path.endsWith("/session/"))).toHaveLength(1);
});

it.each(["platform", "hosted_workflow"])("goes on by itself when the assistant is switched from %s", async (first) => {
  const { change, chat, custom, now, state, text } = await open(first);
  const shown = chat();
  now.backend = first === "platform" ? "hosted_workflow" : "platform";

  change();
  await until(() => expect([state(), chat() === shown]).toEqual(["ready", false]));

  expect(custom().url === undefined).toBe(first === "platform");
  expect(text()).toContain(UPDATED);
});

it.each([
  ["a failure in OpenAI's chat", 16, "chatkit.error"],
  ["a message after a minute", 61, "chatkit.response.start"],
])("notices the switch by %s", async (_, seconds, event) => {
  const { chat, custom, now, text } = await open("hosted_workflow");
  now.backend = "platform";
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });

  chat().dispatchEvent(new CustomEvent(event));

  await until(() => expect(custom().domainKey).toBe("domain_pk_1"));
  expect(text()).toContain(UPDATED);
});

it("follows a 409 of the chat endpoint", async () => {
  const { custom, now } = await open("platform");
  now.chat = { status: 409, json: refusal("integration_outdated") };
  now.backend = "hosted_workflow";

  // The frame asks too, and may be the first to be told.
  await custom()
    .fetch?.(custom().url, { method: "POST", body: "{}" })
    .catch(() => undefined);

  await until(() => expect(custom().url).toBeUndefined());
});

it("follows once in ten seconds, and then says so", async () => {
  const { change, chat, state } = await open("platform");
  const shown = chat();
  change();
  await until(() => expect([state(), chat() === shown]).toEqual(["ready", false]));

  change();

  await until(() => expect(state()).toBe("unavailable"));
});

it("says the tenant's words at a limit", async () => {
  const { custom, now, text } = await open("platform");
  now.chat = { status: 429, json: refusal("quota_exceeded", 30) };

  await custom().fetch?.(custom().url, { method: "POST", body: "{}" });

  await until(() => expect(text()).toContain("Enough for now"));
});

it("answers client tools by the page's function, and fails without one", async () => {
  const { options } = await open("hosted_workflow", ({ name }) => ({ did: name }));
  expect(await options().onClientTool?.({ name: "add", params: {} })).toEqual({ did: "add" });
  root.unmount();
  close();

  const without = await open("hosted_workflow");
  await expect(without.options().onClientTool?.({ name: "add", params: {} })).rejects.toThrow("onClientTool");
});
