// (d) The shape of OpenAI's Next.js route, on Node's own `http` and `fetch` without Next around it, which only adds to it.
// WORKERS > 1: Node's cluster module. It checks nothing: no origin, no limits, no tenant, no ledger.
import cluster from "node:cluster";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_WORKFLOW_ID, PORT, WORKERS } = process.env;
const COOKIE = "chatkit_session_id";
const COOKIE_SECONDS = 30 * 24 * 3600;

async function createSession(request, response) {
  if (request.method !== "POST") return answer(response, 405, { error: "Method Not Allowed" });
  const body = await readBody(request);
  const workflow = body?.workflow?.id ?? body?.workflowId ?? OPENAI_WORKFLOW_ID;
  if (!workflow) return answer(response, 400, { error: "Missing workflow id" });
  const known = cookieOf(request.headers.cookie);
  const user = known ?? randomUUID();
  const setCookie = known
    ? undefined
    : `${COOKIE}=${user}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax; Secure`;
  const upstream = await fetch(`${OPENAI_BASE_URL}/chatkit/sessions`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${OPENAI_API_KEY}`,
      "OpenAI-Beta": "chatkit_beta=v1",
    },
    body: JSON.stringify({
      workflow: { id: workflow },
      user,
      chatkit_configuration: { file_upload: { enabled: body?.chatkit_configuration?.file_upload?.enabled ?? false } },
    }),
  });
  const payload = await upstream.json().catch(() => ({}));
  if (!upstream.ok) {
    return answer(response, upstream.status, { error: payload?.error?.message ?? "Failed", details: payload }, setCookie);
  }
  const { client_secret = null, expires_after = null } = payload;
  answer(response, 200, { client_secret, expires_after }, setCookie);
}

async function readBody(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  if (pieces.length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    return {};
  }
}

function cookieOf(header) {
  for (const pair of (header ?? "").split(";")) {
    const [name, ...value] = pair.split("=");
    if (name?.trim() === COOKIE && value.length > 0) return value.join("=").trim();
  }
  return undefined;
}

function answer(response, status, payload, cookie) {
  const text = JSON.stringify(payload);
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
  if (cookie) headers["Set-Cookie"] = cookie;
  response.writeHead(status, headers).end(text);
}

const workers = Number(WORKERS ?? "1");
if (workers > 1 && cluster.isPrimary) {
  for (let number = 0; number < workers; number += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit(0);
  });
} else {
  const server = createServer((request, response) => {
    createSession(request, response).catch(() => answer(response, 500, { error: "Unexpected error" }));
  });
  server.keepAliveTimeout = 75_000;
  server.listen({ host: "127.0.0.1", port: Number(PORT), backlog: 4096 });
}
