import { describe, expect, it } from "vitest";
import { readSettings } from "../src/settings";
import { TENANT } from "./fake-platform";

function tag(src: string, data: Record<string, string> = {}): HTMLScriptElement {
  const script = document.createElement("script");
  script.setAttribute("src", src);
  for (const [name, value] of Object.entries({ tenant: TENANT, ...data })) script.dataset[name] = value;
  return script;
}

describe("the script's own tag", () => {
  it.each([
    ["https://chat.example/widget/v1/embed.js", "https://chat.example"],
    ["https://chat.example/widget/1.24.3/embed.js", "https://chat.example"],
    ["https://example.com/tools/chat/widget/v1/embed.js?x=1#y", "https://example.com/tools/chat"],
    ["http://127.0.0.1:8000/widget/v1/embed.js", "http://127.0.0.1:8000"],
  ])("%s belongs to the platform at %s", (src, base) => {
    expect(readSettings(tag(src)).base).toBe(base);
  });

  it.each([
    "https://chat.example/embed.js",
    "https://chat.example/widget/latest/embed.js",
    "https://chat.example/?/widget/v1/embed.js",
  ])("%s is no address of ours", (src) => {
    expect(() => readSettings(tag(src))).toThrow("doesn't know its own address");
  });

  it("names assistant, preview ticket and identity only when the tag does", () => {
    const src = "https://chat.example/widget/v1/embed.js";

    const plain = readSettings(tag(src));
    const full = readSettings(tag(src, { assistant: "sales", previewTicket: "pt1.x", identityToken: "h.p.s" }));

    expect(plain).toMatchObject({ tenant: TENANT, assistant: "", previewTicket: "", identityToken: "" });
    expect(full).toMatchObject({ assistant: "sales", previewTicket: "pt1.x", identityToken: "h.p.s" });
  });

  it.each(["", "tn_short", `tn_${"a".repeat(27)}-`, `${TENANT}/../x`])(
    "refuses %j as a tenant and says the cure",
    (tenant) => {
      expect(() => readSettings(tag("https://chat.example/widget/v1/embed.js", { tenant }))).toThrow(
        "paste the whole snippet again",
      );
    },
  );

  it("refuses an assistant that isn't a slug", () => {
    expect(() => readSettings(tag("https://chat.example/widget/v1/embed.js", { assistant: "a&b" }))).toThrow("slug");
  });

  it("without a tag says how to load it", () => {
    expect(() => readSettings(null)).toThrow("<script src>");
  });
});
