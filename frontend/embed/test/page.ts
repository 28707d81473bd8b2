import { expect, vi } from "vitest";
import { createLauncher } from "../src/launcher";
import { createPanel } from "../src/panel";
import type { ChatPart } from "../src/part";
import { CONFIGURATION, fakePlatform, type Reply, type Seen, settingsFor } from "./fake-platform";
import { FramelessChatKit } from "./frameless";

/** The platform, and OpenAI's API for the stand-in element, behind one address. */
export function answerer(
  session: (count: number) => Reply,
  configuration: () => Reply = () => ({ json: CONFIGURATION }),
) {
  let sessions = 0;
  return ({ path }: Seen): Reply => {
    if (path.includes("/widget/")) return configuration();
    if (path === "/v1/chatkit/conversation") return { json: { data: [], has_more: false } };
    sessions += 1;
    return session(sessions);
  };
}

export const granted = (count: number): Reply => ({
  json: { client_secret: `ek_${count}`, backend: "hosted_workflow", visitor_token: "vt1.x" },
});

let clean: (() => void)[] = [];

export function leavePages(): void {
  for (const tidy of clean) tidy();
  clean = [];
}

/** A page with the script on it; `leavePages` takes it away again. */
export async function page(
  answer: (seen: Seen) => Reply,
  identityToken = "",
  load: () => Promise<ChatPart> = async () => createPanel,
) {
  const platform = await fakePlatform(answer);
  FramelessChatKit.servedFrom(platform.base);
  if (!customElements.get("openai-chatkit")) customElements.define("openai-chatkit", FramelessChatKit);
  const settings = settingsFor(platform.base, { identityToken });
  const events: string[] = [];
  const chat = createLauncher(settings, "1.0.0", load);
  for (const name of ["open", "close", "state", "thread"]) {
    chat.host.addEventListener(name, (event) => {
      events.push(name === "state" ? `state ${(event as CustomEvent).detail.state}` : name);
    });
  }
  chat.attach();
  clean.push(() => chat.stop(), platform.close);
  const shadow = chat.host.shadowRoot as ShadowRoot;
  return {
    chat,
    events,
    seen: platform.seen,
    paths: () => platform.seen.map(({ path }) => path.split("/").filter(Boolean).at(-1)),
    state: () => chat.host.dataset.state,
    notice: () => shadow.querySelector(".notice")?.textContent ?? "",
    tip: () => shadow.querySelector(".tip")?.textContent ?? "",
    find: <T extends HTMLElement>(selector: string) => shadow.querySelector<T>(selector) as T,
  };
}

export const becomes = (state: () => string | undefined, wanted: string) =>
  vi.waitFor(() => expect(state()).toBe(wanted), { timeout: 4000 });
