import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { readConfiguration } from "../src/configuration";
import { Problem } from "../src/problem";
import { CONFIGURATION } from "./fake-platform";

const BASE = "https://chat.example";
const answer = { ...CONFIGURATION, chatkit_js: "https://cdn.example/chatkit.js" };

const withAppearance = (change: object) => ({ ...answer, appearance: { ...answer.appearance, ...change } });

describe("the public configuration", () => {
  it("is read field by field", () => {
    expect(readConfiguration(answer, BASE)).toEqual({
      backend: "hosted_workflow",
      chat: null,
      limitText: "Enough for now",
      name: "Garden help",
      chatkitJs: "https://cdn.example/chatkit.js",
      greeting: "Hello!",
      prompts: [{ label: "Tulips", prompt: "Tell me about tulips" }],
      placeholder: "Ask",
      colorScheme: "auto",
      accent: "#0f766e",
      side: "left",
      label: "Help",
      history: true,
      attachments: { maxCount: 3, maxSize: 2 * 1024 * 1024, accept: { "image/jpeg": [".jpg", ".jpeg"] } },
      fallback: { text: "Write to us", url: "mailto:help@garden.example" },
    });
  });

  it("has harmless defaults for all but the script's address and the backend", () => {
    const bare = { backend: "hosted_workflow", chatkit_js: "https://cdn.example/chatkit.js" };

    expect(readConfiguration(bare, BASE)).toMatchObject({
      name: "Chat",
      side: "right",
      colorScheme: "auto",
      attachments: null,
    });
  });

  it.each(["red", "#fff", "#12345g", "#123456;}*{display:none", "url(javascript:alert(1))", 7])(
    "drops the accent %j",
    (accent) => {
      expect(readConfiguration(withAppearance({ accent }), BASE).accent).toBe("");
    },
  );

  it.each(["https://shop.example/contact?a=1#b", "mailto:help@shop.example", "tel:+49-30-1234567"])(
    "keeps the link %s",
    (url) => {
      expect(readConfiguration({ ...answer, fallback: { text: "", url } }, BASE).fallback.url).toBe(url);
    },
  );

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " https://shop.example",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://shop.example",
    "//shop.example",
    'https://shop.example/"onclick=',
    "mailto:a@b?body=<script>",
    "tel:javascript:alert(1)",
  ])("drops the link %j", (url) => {
    expect(readConfiguration({ ...answer, fallback: { text: "", url } }, BASE).fallback.url).toBe("");
  });

  it.each([
    ["https://cdn.example/chatkit.js", "https://chat.example", true],
    ["http://cdn.example/chatkit.js", "https://chat.example", false],
    ["http://127.0.0.1:8002/chatkit.js", "http://127.0.0.1:8000", true],
    ["javascript:alert(1)", "http://127.0.0.1:8000", false],
    ["data:text/javascript,alert(1)", "http://127.0.0.1:8000", false],
    ["", "https://chat.example", false],
  ])("a chatkit.js at %s for the platform %s is accepted: %s", (chatkitJs, base, accepted) => {
    const read = () => readConfiguration({ ...answer, chatkit_js: chatkitJs }, base);

    if (accepted) expect(read().chatkitJs).toBe(chatkitJs);
    else expect(read).toThrow(Problem);
  });

  it("of an assistant that the platform itself answers says where, and the key of OpenAI's list", () => {
    const chat = { url: "https://chat.example/api/v1/tenants/tn_x/chatkit/", domain_key: "domain_pk_1" };

    const read = readConfiguration({ ...answer, backend: "platform", chat }, BASE);

    expect(read).toMatchObject({ backend: "platform", chat: { url: chat.url, domainKey: "domain_pk_1" } });
  });

  it.each([null, {}, { url: "http://chat.example/" }, { url: "javascript:alert(1)" }, { url: 7 }])(
    "sends no token to %j",
    (chat) => {
      expect(() => readConfiguration({ ...answer, backend: "platform", chat }, BASE)).toThrow("no usable address");
    },
  );

  it("of a backend that this script doesn't know says that the script is too old", () => {
    expect(() => readConfiguration({ ...answer, backend: "another" }, BASE)).toThrow("load the current one");
  });

  describe("on a page with a polluted Object.prototype", () => {
    const pollution = Object.prototype as unknown as Record<string, unknown>;

    afterEach(() => {
      delete pollution.enabled;
      delete pollution.url;
    });

    it("reads own fields only", () => {
      pollution.enabled = true;
      pollution.url = "https://evil.example";

      const configuration = readConfiguration({ ...answer, attachments: {}, fallback: {} }, BASE);

      expect(configuration.attachments).toBeNull();
      expect(configuration.fallback.url).toBe("");
    });
  });

  it("leaves out what is no type of file", () => {
    const accept = { "image/png": [".png", 3, "png"], "text/csv": "csv", nonsense: [".x"], __proto__: [".x"] };
    const configuration = readConfiguration(
      { ...CONFIGURATION, attachments: { enabled: true, accept } },
      "http://127.0.0.1:2",
    );

    expect(configuration.attachments?.accept).toEqual({ "image/png": [".png"] });
  });

  it("of any shape is either refused with a Problem or keeps to its grammars", () => {
    const shape = fc.record(
      {
        backend: fc.constantFrom("hosted_workflow", "hosted_workflow", "platform", 3),
        chatkit_js: fc.oneof(fc.constant("https://cdn.example/chatkit.js"), fc.webUrl(), fc.anything()),
        name: fc.anything(),
        appearance: fc.oneof(
          fc.anything(),
          fc.record({
            accent: fc.oneof(fc.string(), fc.anything()),
            prompts: fc.anything(),
            launcher_side: fc.anything(),
          }),
        ),
        attachments: fc.oneof(
          fc.anything(),
          fc.record({ enabled: fc.constant(true), accept: fc.dictionary(fc.string(), fc.anything()) }),
        ),
        fallback: fc.oneof(fc.anything(), fc.record({ text: fc.anything(), url: fc.oneof(fc.string(), fc.webUrl()) })),
      },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(fc.oneof(shape, fc.anything()), (any) => {
        try {
          const configuration = readConfiguration(any, BASE);
          expect(configuration.accent).toMatch(/^(#[0-9a-f]{6})?$/i);
          expect(configuration.fallback.url).toMatch(/^(|(https|mailto|tel):.*)$/);
          expect(configuration.chatkitJs).toMatch(/^https:/);
          expect(["left", "right"]).toContain(configuration.side);
          expect(typeof configuration.name).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
      { numRuns: 500 },
    );
  });
});
