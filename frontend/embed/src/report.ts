import type { Problem } from "./problem";

const ALLOW_LIST = "https://platform.openai.com/settings/organization/security/domain-allowlist";

let reported: Problem | undefined;

/** For the developer at the console: the code, the cure, and the id to find it by in the platform's log. */
export function report(problem: Problem): void {
  // A refusal met by the launcher stands when the chat is opened; once is enough.
  if (problem === reported) return;
  reported = problem;
  const lines = [`[ChatKitPlatform] ${problem.code}: ${problem.message}`];
  if (problem.requestId) lines.push(`Request id: ${problem.requestId}`);
  if (problem.state === "signin") {
    lines.push("Tell who is signed in: data-identity-token on the script's tag, or ChatKitPlatform.identify().");
  }
  if (problem.state === "blocked") {
    lines.push(
      `Is "${location.hostname}" on the domain allow-list of the OpenAI organisation that owns the key? ${ALLOW_LIST}`,
      "Does the page forbid it, by its Content-Security-Policy (script-src, frame-src) or by COEP, which ChatKit can't bear?",
    );
  }
  console.error(lines.join("\n"));
}
