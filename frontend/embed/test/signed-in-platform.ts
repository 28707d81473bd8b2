import { afterEach, beforeEach, vi } from "vitest";
import { type Reply, type Seen, TENANT } from "./fake-platform";
import { answerer, granted, leavePages } from "./page";

export const ANONYMOUS_KEY = `ckp.v1.${TENANT}`;
export const KNOWN_KEY = `${ANONYMOUS_KEY}.known`;
export const backends = ["hosted_workflow", "platform"];
/** The tokens on this device: the anonymous visitor's, the signed-in person's. */
export const kept = () => [
  localStorage.getItem(ANONYMOUS_KEY),
  sessionStorage.getItem(KNOWN_KEY)?.split(" ")[1] ?? null,
];

/** Before each test a device that knows nobody, after it no page. */
export function onAFreshDevice(): void {
  beforeEach(() => {
    localStorage.clear();
    sessionStorage.clear();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(leavePages);
}

/** A platform that knows a person by whatever identity token it is shown. */
export function platform(end: () => Reply = () => ({ status: 204, text: "" })) {
  let sessions = 0;
  return (seen: Seen): Reply => {
    if (seen.path.endsWith("/session/end/")) return end();
    if (!seen.path.endsWith("/session/")) return answerer(granted)(seen);
    sessions += 1;
    const visitor_token = seen.body.identity_token ? `vt1.k.AQ${sessions}.mac` : `vt1.k.AA${sessions}.mac`;
    return { json: { client_secret: `ek_${sessions}`, backend: "hosted_workflow", visitor_token } };
  };
}

export const sessionsOf = (seen: Seen[]) =>
  seen.filter(({ path }) => path.endsWith("/session/")).map(({ body }) => body);
export const endedOf = (seen: Seen[]) => seen.filter(({ path }) => path.endsWith("/end/")).map(({ body }) => body);
