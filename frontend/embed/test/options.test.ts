import { describe, expect, it } from "vitest";
import { checkOptions } from "../../stand-in/src/options";
import { readConfiguration } from "../src/configuration";
import { chatkitOptions } from "../src/options";
import { CONFIGURATION } from "./fake-platform";

const api = { getClientSecret: async () => "ek" };
const onClientTool = () => ({});
const now = { api, onClientTool, dark: false, locale: undefined, thread: null };
const configuration = readConfiguration(CONFIGURATION, "http://127.0.0.1:8000");

describe("the options for ChatKit", () => {
  it("say the tenant's appearance in ChatKit's words", () => {
    const options = chatkitOptions(configuration, { ...now, dark: true, locale: "de", thread: "cthr_1" });

    expect(options).toEqual({
      api,
      onClientTool,
      locale: "de",
      frameTitle: "Garden help",
      initialThread: "cthr_1",
      theme: { colorScheme: "dark", color: { accent: { primary: "#0f766e", level: 2 } } },
      history: { enabled: true },
      startScreen: { greeting: "Hello!", prompts: [{ label: "Tulips", prompt: "Tell me about tulips" }] },
      composer: {
        placeholder: "Ask",
        attachments: { enabled: true, maxCount: 3, maxSize: 2097152, accept: { "image/jpeg": [".jpg", ".jpeg"] } },
      },
    });
  });

  it("offer thumbs and another try where the platform itself answers", () => {
    const chat = { url: "http://127.0.0.1:8000/api/v1/tenants/tn_x/chatkit/", domain_key: "local-dev" };
    const served = readConfiguration({ ...CONFIGURATION, backend: "platform", chat }, "http://127.0.0.1:8000");

    expect(chatkitOptions(served, now).threadItemActions).toEqual({ feedback: true, retry: true });
    expect(chatkitOptions(configuration, now).threadItemActions).toBeUndefined();
  });

  it("leave to ChatKit what the tenant left empty", () => {
    const bare = readConfiguration(
      { backend: "hosted_workflow", chatkit_js: "https://cdn.example/chatkit.js" },
      "https://chat.example",
    );

    const options = chatkitOptions(bare, now);

    expect(options).toEqual({
      api,
      onClientTool,
      frameTitle: "Chat",
      initialThread: null,
      theme: { colorScheme: "light" },
      history: { enabled: false },
      startScreen: {},
      composer: { attachments: { enabled: false } },
    });
  });

  it("pass the element's own check", () => {
    expect(() => checkOptions(chatkitOptions(configuration, now))).not.toThrow();
  });
});
