import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { __VERSION__: JSON.stringify("0.0.0-test"), __CHAT_SRI__: JSON.stringify("") },
  test: {
    environment: "happy-dom",
    // The page's own address: what the tenant's site would be.
    environmentOptions: { happyDOM: { url: "http://127.0.0.1:1/" } },
    include: ["*/test/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // A guard against hangs, not a measurement: the suite shares two cores with four lanes of Python tests.
    testTimeout: 60_000,
  },
});
