// The switches of the sandbox: reads /control/state every two seconds, posts what is pressed. No secrets pass here:
// keys come masked, sessions without theirs.

const HOST_MODES = [
  ["Up", { mode: "up" }],
  ["Down: 503", { mode: "down", status: 503 }],
  ["Down: 500", { mode: "down", status: 500 }],
  ["Slow: 2 s", { mode: "slow", delay_ms: 2000 }],
  ["Dripping", { mode: "dripping", interval_ms: 500 }],
  ["Hangs", { mode: "hang" }],
  ["Resets connections", { mode: "reset" }],
];
const KEY_STATES = [
  ["Valid", "valid"],
  ["Invalid", "invalid"],
  ["Missing scopes", "unscoped"],
  ["Billing", "billing"],
  ["Throttled", "throttled"],
  ["IP not allowed", "ip_blocked"],
  ["Region", "region_blocked"],
];
const NEWEST = 25;
const EVERY_MS = 2000;

const byId = (id) => document.getElementById(id);
const status = byId("status");
// A table is drawn only when it has changed, so that a refresh takes neither the focus nor a selection away.
const drawn = new Map();

function element(tag, text = "", attributes = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function say(text, bad = false) {
  status.textContent = text;
  status.classList.toggle("bad", bad);
}

async function call(method, path, body) {
  const options = { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) };
  const response = await fetch(`/control/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `answered ${response.status}`);
  return answer;
}

async function press(text, method, path, body) {
  try {
    await call(method, path, body);
    say(text);
    await refresh();
  } catch (error) {
    say(String(error.message ?? error), true);
  }
}

function choices(options, isChosen, choose) {
  const row = element("div", "", { class: "buttons" });
  for (const [label, value] of options) {
    const button = element("button", label, { type: "button", "aria-pressed": String(isChosen(value)) });
    button.addEventListener("click", () => choose(label, value));
    row.append(button);
  }
  return row;
}

function draw(id, data, make) {
  const text = JSON.stringify(data);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  byId(id).replaceChildren(...make(data));
}

function rowsOf(cells, emptyText, columns) {
  if (cells.length === 0) {
    const row = element("tr");
    row.append(element("td", emptyText, { class: "empty", colspan: String(columns) }));
    return [row];
  }
  return cells.map((parts) => {
    const row = element("tr");
    row.append(...parts);
    return row;
  });
}

const cell = (content, attributes) => {
  if (typeof content === "string") return element("td", content, attributes);
  const box = element("td", "", attributes);
  box.append(content);
  return box;
};
const code = (text) => element("code", text.replace(/\*{4,}/, "…"));

function drawHost(host) {
  const isChosen = (value) => value.mode === host.mode && (value.status ?? host.status) === host.status;
  draw("host", host, () => choices(HOST_MODES, isChosen, (label, value) => press(`The host: ${label}`, "POST", "host", value)).children);
}

function drawKeys(keys) {
  draw("keys", keys, () =>
    rowsOf(
      keys.map((key) => {
        const change = (label, state) => press(`${key.masked.slice(-4)}: ${label}`, "POST", "keys/state", { fingerprint: key.fingerprint, state });
        return [cell(code(key.masked)), cell(key.project), cell(choices(KEY_STATES, (state) => state === key.state, change))];
      }),
      "No key has been used yet.",
      3,
    ),
  );
}

function drawWorkflows(projects) {
  const rows = projects.flatMap((project) =>
    [...new Set([...project.workflows, ...project.missing])].sort().map((id) => ({ id, project: project.id, exists: !project.missing.includes(id) })),
  );
  draw("workflows", rows, () =>
    rowsOf(
      rows.map((row) => {
        const options = [["Exists", true], ["Missing", false]];
        const change = (label, exists) => press(`${row.id}: ${label}`, "POST", "workflows", { id: row.id, project: row.project, exists });
        return [cell(code(row.id)), cell(row.project), cell(choices(options, (exists) => exists === row.exists, change))];
      }),
      "No workflow has been used yet.",
      3,
    ),
  );
}

function drawCalls(calls) {
  draw("calls", calls, () =>
    rowsOf(
      calls.map((entry) => [
        cell(new Date(entry.time * 1000).toLocaleTimeString("en-GB")),
        cell(`${entry.method} ${entry.path.replace(/_([0-9a-f]{6})[0-9a-f]{20,}/, "_$1…")}${entry.op ? ` ${entry.op}` : ""}`),
        cell(entry.status === null ? "none" : String(entry.status), { class: entry.status === 200 ? "good" : "bad" }),
        cell(entry.user ?? "", { class: "cut", title: entry.user ?? "" }),
        cell(entry.workflow ?? "", { class: "cut", title: entry.workflow ?? "" }),
        cell(entry.key ?? "", { class: "cut" }),
      ]),
      "Nothing yet.",
      6,
    ),
  );
}

async function refresh() {
  const [state, calls] = await Promise.all([call("GET", "state"), call("GET", `calls?limit=${NEWEST}`)]);
  drawHost(state.host);
  drawKeys(state.keys);
  drawWorkflows(state.projects);
  drawCalls(calls.reverse());
  byId("live").textContent = state.live_sessions;
  byId("threads").textContent = state.threads;
  byId("total").textContent = state.calls;
  const armed = state.faults.map((rule) => `${rule.kind} × ${rule.remaining ?? "∞"}`).join(", ");
  byId("fault-armed").textContent = armed ? `Armed: ${armed}` : "None is armed.";
}

async function start() {
  byId("base-url").textContent = `${location.origin}/v1`;
  const kinds = await call("GET", "faults");
  byId("fault-kind").append(...kinds.map((fault) => element("option", `${fault.name}: ${fault.says}`, { value: fault.name })));
  byId("fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const kind = byId("fault-kind").value;
    press(`Armed: ${kind}`, "POST", "fault", { kind, count: Number(byId("fault-count").value) });
  });
  byId("fault-clear").addEventListener("click", () => press("No fault is armed.", "DELETE", "fault"));
  byId("expire").addEventListener("click", () => press("All sessions have expired.", "POST", "sessions/expire", {}));
  byId("forget").addEventListener("click", () => press("The list is empty.", "DELETE", "calls"));
  byId("reset").addEventListener("click", () => {
    if (confirm("Forget all keys, sessions, conversations and calls?")) press("Everything is forgotten.", "POST", "reset", {});
  });
  for (;;) {
    try {
      await refresh();
      if (status.classList.contains("bad")) say("");
    } catch {
      say("The sandbox does not answer.", true);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

start();
