import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("the guide's component stands byte for byte as the guide prints it", () => {
  const source = readFileSync("react/guide/MyChat.tsx");

  const digest = createHash("sha256").update(source).digest("hex");

  expect(digest).toBe("a69c81d39723fda13d286ff622b5c884a0f95b48b8cce550e353fa22609b83fc");
});
