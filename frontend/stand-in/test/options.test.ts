import type { ChatKitOptions } from "@openai/chatkit";
import { describe, expect, it } from "vitest";
import { checkOptions } from "../src/options";
import { refreshDelay } from "../src/secret";

const getClientSecret = async () => "ek";

const EVERYTHING: ChatKitOptions = {
  api: { getClientSecret },
  locale: "de",
  theme: { colorScheme: "dark", radius: "soft", color: { accent: { primary: "#0f766e", level: 2 } } },
  frameTitle: "Chat",
  initialThread: null,
  onClientTool: () => ({}),
  header: { enabled: true, title: { text: "Hi" } },
  history: { enabled: true, showDelete: true },
  startScreen: { greeting: "Hello", prompts: [{ label: "a", prompt: "b", icon: "bolt" }] },
  threadItemActions: { feedback: true },
  composer: { placeholder: "Ask", attachments: { enabled: false } },
  disclaimer: { text: "Mind the gap" },
  entities: {},
  commands: { enabled: true },
  widgets: {},
  thread: { autoScroll: true },
};

describe("the element's options", () => {
  it("may be all that the official type has", () => {
    expect(() => checkOptions(EVERYTHING)).not.toThrow();
  });

  it("may name an own server", () => {
    expect(() => checkOptions({ api: { url: "/chatkit", domainKey: "local-dev" } })).not.toThrow();
  });

  it.each([
    [{ api: { getClientSecret }, colour: "red" }, 'Unrecognized key: "colour"'],
    [{ api: { getClientSecret }, a: 1, b: 2 }, 'Unrecognized keys: "a", "b"'],
    [{ api: { getClientSecret, url: "/chatkit", domainKey: "x" } }, "Invalid input\n  → at api"],
    [{ api: {} }, "Invalid input\n  → at api"],
    [{}, "Invalid input\n  → at api"],
    [{ api: { url: "/chatkit" } }, "Invalid input\n  → at api"],
    [{ api: { url: "/chatkit", domainKey: "x", headers: {} } }, "Invalid input\n  → at api"],
    [
      { api: { url: "/chatkit", domainKey: "x" }, composer: { attachments: { enabled: true } } },
      "Invalid input\n  → at api.uploadStrategy",
    ],
    [{ api: { getClientSecret: "ek" } }, "Invalid input\n  → at api"],
    [null, "Invalid input"],
  ])("%j is refused: %s", (options, complaint) => {
    const set = () => checkOptions(options as unknown as ChatKitOptions);

    expect(set).toThrow(`ChatKit.create(): ${complaint}`);
    expect(set).toThrow(expect.objectContaining({ name: "InvalidFrameParamsError" }));
  });
});

describe("a client secret", () => {
  const now = 1_800_000_000_000;

  it.each([
    ["ek_sandbox_1800000600_ab", 585_000],
    ["ek_sandbox_1800000031_ab", 16_000],
    ["ek_sandbox_1800000020_ab", 10_000],
    ["ek_sandbox_1800000008_ab", 4_000],
    ["ek_sandbox_1799999000_ab", 0],
    ["ek_of_another_make", 585_000],
  ])("%s is replaced after %i ms", (secret, delay) => {
    expect(refreshDelay(secret, now)).toBe(delay);
  });
});
