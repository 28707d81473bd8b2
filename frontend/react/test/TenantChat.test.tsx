import { createRef, StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CONFIGURATION, fakePlatform, type Reply, refusal, type Seen, TENANT } from "../../embed/test/fake-platform";
import { FramelessChatKit } from "../../embed/test/frameless";
import { jwtFor } from "../../embed/test/jwt";
import type { IdentitySource } from "../src/chat/shared/identity";
import { TenantChat, type TenantChatHandle } from "../src/chat/TenantChat";

let root: Root;
let close = (): void => undefined;
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  root.unmount();
  close();
});

const isSession = ({ path }: Seen): boolean => path.endsWith("/session/");

/** The component on a page, with a platform that knows a person by any JWT. */
async function page(identity: IdentitySource, session?: (seen: Seen) => Reply | undefined) {
  let count = 0;
  const platform = await fakePlatform((seen) => {
    if (seen.path.endsWith("/end/")) return { status: 204, text: "" };
    if (seen.path.includes("/widget/")) return { json: CONFIGURATION };
    if (!isSession(seen)) return { json: { data: [], has_more: false } };
    count += 1;
    const visitor_token = `vt1.k.${seen.body.identity_token ? "AQ" : "AA"}${count}.mac`;
    return session?.(seen) ?? { json: { client_secret: `ek_${count}`, visitor_token } };
  });
  close = platform.close;
  FramelessChatKit.servedFrom(platform.base);
  if (!customElements.get("openai-chatkit")) customElements.define("openai-chatkit", FramelessChatKit);
  const settings = { apiUrl: `${platform.base}/api/v1/tenants/${TENANT}`, chatkitJsUrl: `${platform.base}/chatkit.js` };
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  const ref = createRef<TenantChatHandle>();
  root = createRoot(place);
  const show = (who: IdentitySource): void =>
    flushSync(() =>
      root.render(
        <StrictMode>
          <TenantChat ref={ref} settings={settings} identity={who} />
        </StrictMode>,
      ),
    );
  show(identity);
  return {
    show,
    ref,
    text: () => place.textContent ?? "",
    chat: () => place.querySelector("openai-chatkit") as HTMLElement,
    sessions: () => platform.seen.filter(isSession).map(({ body }) => body),
    ended: () => platform.seen.filter(({ path }) => path.endsWith("/end/")).map(({ body }) => body.visitor_token),
    state: () => place.querySelector<HTMLElement>(".tenant-chat")?.dataset.state,
  };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000 });

it("opens the chat of whom the page names", async () => {
  const jwt = jwtFor("ada");
  const { sessions, state } = await page(jwt);

  await until(() => expect([state(), sessions().length]).toEqual(["ready", 1]));

  expect(sessions()[0]?.identity_token).toBe(jwt);
});

it("stays when the same person's JWT is a fresh one, and when a function is written in place", async () => {
  const { chat, sessions, show, state } = await page(jwtFor("ada"));
  await until(() => expect([state(), sessions().length]).toEqual(["ready", 1]));
  const shown = chat();

  show(jwtFor("ada"));
  expect(chat()).toBe(shown);

  show(async () => jwtFor("ada"));
  const asked = chat();
  show(async () => jwtFor("ada"));
  expect(chat()).toBe(asked);
});

it("is another element for another person, with none of the last one's tokens", async () => {
  const { chat, sessions, show, state } = await page(jwtFor("ada"));
  await until(() => expect(state()).toBe("ready"));
  const shown = chat();

  show(jwtFor("bob"));
  await until(() => expect(sessions()).toHaveLength(2));

  expect(shown.isConnected).toBe(false);
  expect(sessions()[1]).not.toHaveProperty("visitor_token");
});

it.each([
  ["identity becomes null", async (tools: Awaited<ReturnType<typeof page>>) => tools.show(null)],
  ["signOut is called", async (tools: Awaited<ReturnType<typeof page>>) => tools.ref.current?.signOut()],
])("signs out when %s: sessions ended, another element, nobody known", async (_, leave) => {
  const tools = await page(jwtFor("ada"));
  await until(() => expect([tools.state(), sessionStorage.length]).toEqual(["ready", 1]));
  const shown = tools.chat();

  await leave(tools);
  await until(() => expect(tools.sessions()).toHaveLength(2));

  expect(shown.isConnected).toBe(false);
  expect(tools.ended()).toEqual(["vt1.k.AQ1.mac"]);
  expect(tools.sessions()[1]).toEqual({ backends: ["hosted_workflow", "platform"] });
  expect(sessionStorage.length).toBe(0);
});

it.each([
  ["identity_required", null, "Please sign in to chat"],
  ["identity_invalid", jwtFor("ada"), "Please sign in again to chat"],
  ["tenant_misconfigured", null, "The chat is unavailable"],
])("says in the visitor's words what %s means", async (code, identity, words) => {
  const { state, text } = await page(identity, () => ({ status: 401, json: refusal(code) }));

  await until(() => expect(state()).toBe("unavailable"));

  expect(text()).toContain(words);
  expect(text()).not.toContain("Cure");
});
