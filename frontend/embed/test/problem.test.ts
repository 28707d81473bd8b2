import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Problem, readProblem } from "../src/problem";

const STATES: [code: string, state: string, transient: boolean][] = [
  ["tenant_unknown", "refused", false],
  ["origin_missing", "refused", false],
  ["origin_null", "refused", false],
  ["origin_malformed", "refused", false],
  ["origin_not_allowed", "refused", false],
  ["method_not_allowed", "refused", false],
  ["content_type_invalid", "refused", false],
  ["body_invalid", "refused", false],
  ["body_too_large", "refused", false],
  ["assistant_unknown", "refused", false],
  ["integration_outdated", "refused", false],
  ["identity_required", "signin", false],
  ["identity_invalid", "signin", false],
  ["token_invalid", "refused", false],
  ["rate_limited", "unavailable", true],
  ["quota_exceeded", "unavailable", false],
  ["tenant_misconfigured", "unavailable", false],
  ["busy", "unavailable", true],
  ["upstream_throttled", "unavailable", true],
  ["upstream_unavailable", "unavailable", true],
  ["upstream_invalid", "unavailable", true],
  ["platform_unavailable", "unavailable", true],
  ["internal_error", "unavailable", false],
  ["not_found", "refused", false],
  ["host_invalid", "refused", false],
  ["https_required", "refused", false],
];

const OURS: typeof STATES = [
  ["unreachable", "unavailable", true],
  ["timeout", "unavailable", true],
  ["answer_invalid", "unavailable", false],
  ["chatkit_blocked", "blocked", false],
  ["identity_unavailable", "unavailable", false],
  ["a_code_of_tomorrow", "unavailable", false],
];

describe("every code has its state", () => {
  it.each([...STATES, ...OURS])("%s: %s, worth another try at once: %s", (code, state, transient) => {
    const problem = new Problem(code, "");

    expect([problem.state, problem.transient]).toEqual([state, transient]);
  });

  it("and there is none of the platform's without", () => {
    const source = readFileSync(`${import.meta.dirname}/../../../platform/gateway/errors.py`, "utf8");
    const codes = [...source.matchAll(/^ {4}[A-Z_]+ = "([a-z_]+)"$/gm)].map(([, code]) => code);

    expect(codes.length).toBeGreaterThan(20);
    expect(STATES.map(([code]) => code).sort()).toEqual(codes.sort());
  });
});

describe("a refusal", () => {
  it("is read with its code, sentence, request id and waiting time", async () => {
    const body = { error: { code: "busy", message: "Come back.", request_id: "req_9", retry_after: 4 } };

    const problem = await readProblem(new Response(JSON.stringify(body), { status: 503 }));

    expect(problem).toMatchObject({ code: "busy", message: "Come back.", requestId: "req_9", retryAfter: 4 });
  });

  it("takes the waiting time and the request id from the headers when the body has none", async () => {
    const headers = { "Retry-After": "7", "X-Request-ID": "req_h" };
    const body = { error: { code: "busy", message: "", request_id: null, retry_after: null } };

    const problem = await readProblem(new Response(JSON.stringify(body), { status: 503, headers }));

    expect(problem).toMatchObject({ retryAfter: 7, requestId: "req_h" });
  });

  it.each(["-3", "Wed, 21 Oct 2026 07:28:00 GMT", "NaN", ""])("reads a Retry-After of %j as none", async (value) => {
    const problem = await readProblem(new Response("{}", { status: 503, headers: { "Retry-After": value } }));

    expect(problem.retryAfter).toBe(0);
  });

  it("never waits longer than five minutes", async () => {
    const problem = await readProblem(new Response("{}", { status: 503, headers: { "Retry-After": "86400" } }));

    expect(problem.retryAfter).toBe(300);
  });

  it.each([
    [502, "<html>Bad gateway</html>", "platform_unavailable"],
    [429, "slow down", "platform_unavailable"],
    [404, "<html>Not found</html>", "answer_invalid"],
    [500, '{"error": "a string"}', "answer_invalid"],
    [403, '{"error": {"code": "<img src=x>", "message": "x"}}', "answer_invalid"],
  ])("of status %i from a stranger before the platform (%s) becomes %s", async (status, text, code) => {
    const problem = await readProblem(new Response(text, { status }));

    expect(problem.code).toBe(code);
  });
});
