import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakePlatform, type Reply, refusal, TENANT } from "../../embed/test/fake-platform";
import { fetchClientSecret } from "../src/chat/session";

let close = (): void => undefined;
beforeEach(() => localStorage.clear());
afterEach(() => close());

async function connect(answer: (count: number) => Reply) {
  const platform = await fakePlatform((_, count) => answer(count));
  close = platform.close;
  return { apiUrl: `${platform.base}/api/v1/tenants/${TENANT}`, seen: platform.seen };
}

const granted = (count: number): Reply => ({
  json: { client_secret: `ek_${count}`, visitor_token: `vt1.${count}`, backend: "hosted_workflow" },
});

describe("the React integration's client secret", () => {
  it("is new on every refresh, for the same visitor", async () => {
    const { apiUrl, seen } = await connect(granted);

    const first = await fetchClientSecret(apiUrl, null);
    const second = await fetchClientSecret(apiUrl, first);

    expect([first, second]).toEqual(["ek_1", "ek_2"]);
    expect(seen.map(({ path, body }) => [path, body])).toEqual([
      [`/api/v1/tenants/${TENANT}/chatkit/session/`, { backends: ["hosted_workflow"] }],
      [
        `/api/v1/tenants/${TENANT}/chatkit/session/`,
        { visitor_token: "vt1.1", refresh: true, backends: ["hosted_workflow"] },
      ],
    ]);
  });

  it("belongs to the visitor that the embed script knows", async () => {
    localStorage.setItem(`ckp.v1.${TENANT}`, "vt1.from-embed");
    const { apiUrl, seen } = await connect(granted);

    await fetchClientSecret(apiUrl, null);

    expect(seen[0]?.body.visitor_token).toBe("vt1.from-embed");
  });

  it.each([
    [{ status: 503, json: refusal("tenant_misconfigured") }, "tenant_misconfigured"],
    [{ status: 502, text: "<html>" }, "answer_invalid"],
    [{ json: {} }, "answer_invalid"],
  ])("that isn't given is a problem with a code: %j is %s", async (reply, code) => {
    const { apiUrl } = await connect(() => reply);

    await expect(fetchClientSecret(apiUrl, null)).rejects.toMatchObject({ code });
  });

  it("from a platform that isn't there says what to look at", async () => {
    const { apiUrl } = await connect(granted);
    close();

    await expect(fetchClientSecret(apiUrl, null)).rejects.toThrow("allowed domains");
  });
});
