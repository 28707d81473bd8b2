import { describe, expect, it } from "vitest";
import { inkOn } from "../src/colour";
import { chatkitLocale, panelStringsFor } from "../src/panel-strings";
import { stringsFor } from "../src/strings";

describe("the visitor's language", () => {
  it.each([
    [["de-AT", "en"], "Chat öffnen"],
    [["", "fr"], "Ouvrir le chat"],
    [["ZH_Hans"], "打开聊天"],
    [["pl", "nl"], "Chat openen"],
    [["pl"], "Open chat"],
    [["constructor", undefined], "Open chat"],
    [[], "Open chat"],
  ])("%j reads %s", (tags, open) => {
    expect(stringsFor(tags).open).toBe(open);
  });

  it.each(["en", "de", "fr", "es", "pt", "it", "nl", "ja", "zh"])("%s has every string", (tag) => {
    const strings = Object.values({ ...stringsFor([tag]), ...panelStringsFor([tag]) });

    expect(strings).toHaveLength(10);
    expect(strings.every((text) => text.length > 1)).toBe(true);
  });

  it.each([
    ["de-CH", "de"],
    ["zh-TW", "zh-Hant"],
    ["zh-Hans-CN", "zh"],
    ["pl", undefined],
    ["", undefined],
  ])("on a page in %j ChatKit is told %s", (page, locale) => {
    expect(chatkitLocale(page)).toBe(locale);
  });
});

describe("text on the accent colour", () => {
  it.each([
    ["#000000", "#ffffff"],
    ["#2563eb", "#ffffff"],
    ["#f59e0b", "#000000"],
    ["#ffffff", "#000000"],
  ])("on %s is %s", (colour, ink) => {
    expect(inkOn(colour)).toBe(ink);
  });
});
