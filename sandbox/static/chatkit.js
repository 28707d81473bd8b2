/* ChatKit platform 1.0.0: built from frontend/stand-in, don't edit. */
"use strict";
(() => {
  // stand-in/src/dom.ts
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  // inline-css:stand-in/src/framed.css
  var framed_default = ":host{display:block}iframe{display:block;width:100%;height:100%;min-height:inherit;border:0}";

  // stand-in/src/options.ts
  var InvalidFrameParamsError = class extends Error {
    name = "InvalidFrameParamsError";
    constructor(complaint) {
      super(`ChatKit.create(): ${complaint}`);
    }
  };
  var KNOWN = {
    api: true,
    locale: true,
    theme: true,
    frameTitle: true,
    initialThread: true,
    onClientTool: true,
    header: true,
    history: true,
    startScreen: true,
    threadItemActions: true,
    composer: true,
    disclaimer: true,
    entities: true,
    commands: true,
    widgets: true,
    thread: true
  };
  var CUSTOM = {
    url: true,
    fetch: true,
    domainKey: true,
    uploadStrategy: true
  };
  var isHosted = (api) => "getClientSecret" in api;
  function checkOptions(options) {
    if (typeof options !== "object" || options === null) throw new InvalidFrameParamsError("Invalid input");
    const unknown = Object.keys(options).filter((key) => !Object.hasOwn(KNOWN, key));
    if (unknown.length > 0) {
      const names = unknown.map((key) => `"${key}"`).join(", ");
      throw new InvalidFrameParamsError(`Unrecognized key${unknown.length > 1 ? "s" : ""}: ${names}`);
    }
    const api = options.api ?? {};
    const keys = Object.keys(api);
    const hosted = typeof api.getClientSecret === "function" && keys.length === 1;
    const custom = typeof api.url === "string" && typeof api.domainKey === "string" && keys.every((key) => Object.hasOwn(CUSTOM, key));
    if (!hosted && !custom) throw new InvalidFrameParamsError("Invalid input\n  \u2192 at api");
    if (custom && options.composer?.attachments?.enabled && !api.uploadStrategy) {
      throw new InvalidFrameParamsError("Invalid input\n  \u2192 at api.uploadStrategy");
    }
  }

  // stand-in/src/rpc.ts
  var Moved = class {
    constructor(value, moved) {
      this.value = value;
      this.moved = moved;
    }
    value;
    moved;
  };
  var ANSWER = "answer";
  var Rpc = class {
    #port;
    #waiting = /* @__PURE__ */ new Map();
    #questions = 0;
    constructor(port, handlers) {
      this.#port = port;
      port.onmessage = ({ data }) => {
        if (data.kind === ANSWER) this.#take(data);
        else void this.#handle(handlers[data.kind], data);
      };
    }
    tell(kind, payload) {
      this.#port.postMessage({ kind, payload });
    }
    ask(kind, payload) {
      this.#questions += 1;
      const question2 = this.#questions;
      return new Promise((resolve, reject) => {
        this.#waiting.set(question2, { resolve, reject });
        this.#port.postMessage({ kind, payload, question: question2 });
      });
    }
    close() {
      this.#port.close();
      for (const { reject } of this.#waiting.values()) reject(new Error("The chat was taken off the page."));
      this.#waiting.clear();
    }
    async #handle(handler, { kind, payload, question: question2 }) {
      try {
        if (!handler) throw new Error(`Nobody handles ${kind}.`);
        const told = await handler(payload);
        if (question2 === void 0) return;
        const { value, moved } = told instanceof Moved ? told : { value: told, moved: [] };
        this.#port.postMessage({ kind: ANSWER, payload: { value }, question: question2 }, moved);
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        if (question2 === void 0) console.error(error);
        else this.#port.postMessage({ kind: ANSWER, payload: { error: [error.name, error.message] }, question: question2 });
      }
    }
    #take({ payload, question: question2 = 0 }) {
      const waiting = this.#waiting.get(question2);
      this.#waiting.delete(question2);
      const { value, error } = payload;
      if (error) waiting?.reject(Object.assign(new Error(error[1]), { name: error[0] }));
      else waiting?.resolve(value);
    }
  };

  // stand-in/src/framed.ts
  var HELLO = "stand-in-chatkit:hello";
  var FramedChat = class {
    #host;
    #root;
    #origin;
    #fire;
    #running = /* @__PURE__ */ new Map();
    #frame = null;
    #options = null;
    #rpc;
    #connected = () => void 0;
    #live = null;
    constructor(host, root, origin, fire) {
      this.#host = host;
      this.#root = root;
      this.#origin = origin;
      this.#fire = fire;
      this.#rpc = this.#awaitFrame();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(framed_default);
      root.adoptedStyleSheets = [sheet];
      root.replaceChildren();
    }
    setOptions(options) {
      this.#options = options;
      if (this.#frame) this.#frame.title = options.frameTitle ?? "Chat";
      this.#live?.tell("options", this.#told());
    }
    connect() {
      if (this.#frame) return;
      const attributes = {
        src: `${this.#origin}/chatkit-frame.html`,
        name: "chatkit",
        title: this.#options?.frameTitle ?? "Chat",
        allow: "clipboard-read; clipboard-write"
      };
      this.#frame = element("iframe", attributes);
      window.addEventListener("message", this.#greet);
      this.#root.append(this.#frame);
    }
    disconnect() {
      window.removeEventListener("message", this.#greet);
      for (const controller of this.#running.values()) controller.abort();
      this.#running.clear();
      this.#live?.close();
      this.#live = null;
      this.#rpc = this.#awaitFrame();
      this.#frame?.remove();
      this.#frame = null;
      this.#host.removeAttribute("data-busy");
    }
    focusComposer() {
      return this.#call("focusComposer");
    }
    setThreadId(threadId) {
      return this.#call("setThreadId", threadId);
    }
    sendCustomAction(action, itemId) {
      return this.#call("sendCustomAction", action, itemId);
    }
    sendUserMessage(message) {
      return this.#call("sendUserMessage", message);
    }
    setComposerValue(draft) {
      return this.#call("setComposerValue", draft);
    }
    showHistory() {
      return this.#call("showHistory");
    }
    hideHistory() {
      return this.#call("hideHistory");
    }
    fetchUpdates() {
      return this.#call("fetchUpdates");
    }
    async #call(method, ...args) {
      const rpc = await this.#rpc;
      await rpc.ask("call", { method, args });
    }
    #awaitFrame() {
      return new Promise((resolve) => {
        this.#connected = resolve;
      });
    }
    /** The frame says hello when its script runs, and gets a port of its own: nobody else can speak to either side. */
    #greet = ({ data, source, origin }) => {
      if (data !== HELLO || origin !== this.#origin || !source || source !== this.#frame?.contentWindow) return;
      const { port1, port2 } = new MessageChannel();
      const rpc = new Rpc(port1, {
        event: ({ name, detail }) => this.#fire(name, detail),
        failed: ({ name, message }) => {
          this.#fire("chatkit.error", { error: Object.assign(new Error(message), { name }) });
        },
        state: (state) => this.#show(state),
        fetch: (request) => this.#fetch(request),
        // Also said of what has ended in order, which an abort then leaves as it is.
        abort: (id) => {
          this.#running.get(id)?.abort();
          this.#running.delete(id);
        },
        tool: (call) => this.#options?.onClientTool?.(call),
        action: ({ action, item }) => this.#options?.widgets?.onAction?.(action, item)
      });
      this.#live = rpc;
      source.postMessage(this.#told(), { targetOrigin: origin, transfer: [port2] });
      this.#connected(rpc);
    };
    #show(state) {
      for (const [name, value] of Object.entries(state)) {
        if (value === null) delete this.#host.dataset[name];
        else this.#host.dataset[name] = value;
      }
    }
    /** Lets the page's own fetch make the call; its body goes to the frame as it comes. */
    async #fetch({ id, body }) {
      const api = this.#api();
      const controller = new AbortController();
      this.#running.set(id, controller);
      try {
        const response = await (api.fetch ?? fetch)(api.url, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json" },
          body,
          signal: controller.signal
        });
        const told = { status: response.status, headers: [...response.headers], body: response.body };
        return new Moved(told, response.body ? [response.body] : []);
      } catch (error) {
        this.#running.delete(id);
        throw error;
      }
    }
    #api() {
      const api = this.#options?.api;
      if (!api || isHosted(api)) throw new Error("This chat has no server of its own.");
      return api;
    }
    #told() {
      const options = JSON.parse(JSON.stringify(this.#options));
      const api = { ...this.#api(), url: new URL(this.#api().url, document.baseURI).href };
      return {
        options: { ...options, api: JSON.parse(JSON.stringify(api)) },
        pageFetches: Boolean(api.fetch),
        pageHasTools: Boolean(this.#options?.onClientTool),
        pageHandlesActions: Boolean(this.#options?.widgets?.onAction)
      };
    }
  };

  // stand-in/src/chat.ts
  var textFrom = ({ text, content }) => text ?? (content ?? []).map((part) => part.text).join("");

  // stand-in/src/protocol.ts
  var textOf = (item) => (item.content ?? []).map((part) => part.text ?? "").join("");
  var userInput = (text, attachments = []) => ({
    content: [{ type: "input_text", text }],
    attachments,
    quoted_text: null,
    inference_options: {}
  });
  var Refused = class extends Error {
    constructor(status, text) {
      super(text);
      this.status = status;
    }
    status;
  };
  async function refusal(response, request) {
    const told = `${request.type} answered ${response.status}`;
    try {
      const body = await response.json();
      return new Refused(response.status, body.error?.message ? `${told}: ${body.error.message}` : told);
    } catch {
      return new Refused(response.status, told);
    }
  }
  async function ask(send, request) {
    const response = await send(request);
    if (!response.ok) throw await refusal(response, request);
    return await response.json();
  }
  async function* stream(send, request, signal) {
    const response = await send(request, signal);
    if (!response.ok || !response.body) throw await refusal(response, request);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let waiting = "";
    for (; ; ) {
      const { done, value } = await reader.read();
      const blocks = (waiting + (value ?? "")).replaceAll("\r\n", "\n").split("\n\n");
      waiting = done ? "" : blocks.pop() ?? "";
      for (const block of blocks) {
        const lines = block.split("\n").filter((line) => line.startsWith("data:"));
        const data = lines.map((line) => line.slice(5).trimStart()).join("\n");
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
      if (done) return;
    }
  }

  // stand-in/src/secret.ts
  var SANDBOX_SECRET = /^ek_sandbox_(\d{10})_/;
  var DEFAULT_LIFETIME = 600;
  var MARGIN = 15;
  function refreshDelay(secret, now) {
    const expiry = Number(SANDBOX_SECRET.exec(secret)?.[1] ?? now / 1e3 + DEFAULT_LIFETIME);
    const lifetime = Math.max(expiry - now / 1e3, 0);
    return 1e3 * (lifetime > 2 * MARGIN ? lifetime - MARGIN : lifetime / 2);
  }

  // embed/src/colour.ts
  function inkOn(colour) {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    return luminance > 0.1791 ? "#000000" : "#ffffff";
  }

  // inline-css:stand-in/src/view.css
  var view_default = ':host{--surface: #fff;--ink: #16181d;--soft: #6b7280;--line: #e6e8ec;--sunk: #f3f4f6;display:block;color:var(--ink);font:400 15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif}:host([data-scheme="dark"]){--surface: #17181c;--ink: #f2f3f5;--soft: #9aa2b1;--line: #2b2d34;--sunk: #24262c}*{box-sizing:border-box}[hidden]{display:none!important}.frame{display:flex;flex-direction:column;height:100%;min-height:inherit;background:var(--surface)}button{font:inherit;color:inherit;cursor:pointer}:focus-visible{outline:2px solid var(--accent);outline-offset:1px}header{display:flex;align-items:center;gap:4px;padding:6px 10px 6px 16px}header strong{flex:1;min-width:0;overflow:hidden;font-weight:500;text-overflow:ellipsis;white-space:nowrap}header button{min-height:36px;padding:0 12px;border:0;border-radius:18px;background:none;color:var(--soft);font-size:13px}header button:hover{background:var(--sunk)}.scroll{display:flex;flex:1;flex-direction:column;gap:12px;min-height:0;padding:12px 16px;overflow-y:auto}.message{max-width:100%;margin:0;overflow-wrap:anywhere;white-space:pre-wrap}.message[data-role=user]{align-self:flex-end;max-width:85%;padding:8px 14px;border-radius:18px 18px 4px;background:var(--accent);color:var(--on-accent)}.error{margin:0;padding:8px 12px;border-radius:12px;background:#fee4e2;color:#7a271a;font-size:13px}.start{margin:auto 0;text-align:center}.start h2{margin:0 0 16px;font-size:20px;font-weight:600}.list{display:grid;gap:8px}.list button{min-height:44px;padding:8px 16px;border:1px solid var(--line);border-radius:14px;background:none;text-align:start}.list button:hover{background:var(--sunk)}form{display:flex;align-items:flex-end;gap:6px;margin:4px 12px;padding:6px;border:1px solid var(--line);border-radius:26px}form:focus-within{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}textarea{flex:1;min-width:0;height:40px;max-height:120px;padding:8px 12px;border:0;background:none;color:inherit;font:inherit;resize:none;field-sizing:content}textarea:focus-visible{outline:0}textarea::placeholder{color:var(--soft);opacity:1}.send{display:grid;place-items:center;width:40px;height:40px;padding:0;border:0;border-radius:50%;background:var(--accent);color:var(--on-accent)}.send:disabled{opacity:.4;cursor:default}footer{padding:2px 12px 8px;color:var(--soft);font-size:11px;text-align:center}';

  // stand-in/src/view.ts
  var View = class {
    composer = element("textarea", { "data-testid": "composer", rows: "1" });
    #host;
    #deeds;
    #colours = new CSSStyleSheet();
    #title = element("strong");
    #historyButton = element("button", { type: "button", "data-testid": "history-button" }, "History");
    #thread = element("div", {
      class: "scroll",
      "data-testid": "thread",
      role: "log",
      tabindex: "0",
      "aria-label": "Conversation"
    });
    #history = element("div", { class: "scroll", "data-testid": "history", hidden: "" });
    #send = element(
      "button",
      { type: "submit", class: "send", "data-testid": "send", "aria-label": "Send message" },
      "\u2191"
    );
    #options = null;
    constructor(host, root, deeds) {
      this.#host = host;
      this.#deeds = deeds;
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(view_default);
      root.adoptedStyleSheets = [sheet, this.#colours];
      const fresh = element("button", { type: "button", "data-testid": "new-thread" }, "New chat");
      const form = element("form", { "data-testid": "composer-form" }, this.composer, this.#send);
      const header = element("header", {}, this.#title, fresh, this.#historyButton);
      const footer = element("footer", {}, "Sandbox stand-in for OpenAI ChatKit");
      root.replaceChildren(element("div", { class: "frame" }, header, this.#thread, this.#history, form, footer));
      fresh.addEventListener("click", () => deeds.openThread(null));
      this.#historyButton.addEventListener("click", () => deeds.toggleHistory());
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#submit();
      });
      this.composer.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.#submit();
      });
      this.composer.addEventListener("input", () => this.#drawSend());
    }
    apply(options) {
      this.#options = options;
      const theme = typeof options.theme === "string" ? { colorScheme: options.theme } : options.theme;
      const dark = theme?.colorScheme === "dark";
      const primary = theme?.color?.accent?.primary ?? "";
      const accent = /^#[0-9a-f]{6}$/i.test(primary) ? primary : dark ? "#f2f3f5" : "#16181d";
      this.#host.dataset.scheme = dark ? "dark" : "light";
      this.#colours.replaceSync(`:host{--accent:${accent};--on-accent:${inkOn(accent)}}`);
      const placeholder = options.composer?.placeholder ?? "Message the AI";
      this.composer.placeholder = placeholder;
      this.composer.setAttribute("aria-label", placeholder);
      this.#historyButton.hidden = options.history?.enabled === false;
      this.#drawSend();
    }
    /** The page's own title when it gave one, else the thread's. */
    setTitle(thread) {
      this.#title.textContent = this.#options?.header?.title?.text ?? thread;
    }
    showStart() {
      const start = this.#options?.startScreen;
      const greeting = element("h2", { "data-testid": "greeting" }, start?.greeting ?? "What can I help with today?");
      const prompts = (start?.prompts ?? []).map(({ label, prompt }) => {
        const button2 = element("button", { type: "button", "data-testid": "prompt" }, label);
        const text = typeof prompt === "string" ? prompt : prompt.map((part) => part.text).join("");
        button2.addEventListener("click", () => this.#deeds.send(text));
        return button2;
      });
      this.#thread.replaceChildren(
        element(
          "div",
          { class: "start" },
          greeting,
          element("div", { class: "list", "data-testid": "prompts" }, ...prompts)
        )
      );
    }
    /** Draws a message, or draws it anew. */
    showItem(item) {
      const role = item.type.startsWith("user") ? "user" : "assistant";
      this.#messageOf(item.id, role).textContent = textOf(item);
      this.#thread.scrollTop = this.#thread.scrollHeight;
    }
    extendItem(id, text) {
      this.#messageOf(id, "assistant").append(text);
      this.#thread.scrollTop = this.#thread.scrollHeight;
    }
    clear() {
      this.#thread.replaceChildren();
    }
    showError(text) {
      this.#thread.append(element("p", { class: "error", role: "alert", "data-testid": "error" }, text));
    }
    showHistory(threads, open) {
      this.#host.dataset.threads = String(threads.length);
      this.#historyButton.setAttribute("aria-expanded", String(open));
      const items = threads.map((thread) => {
        const attributes = { type: "button", "data-testid": "history-item", "data-thread-id": thread.id };
        const button2 = element("button", attributes, thread.title || thread.id);
        button2.addEventListener("click", () => this.#deeds.openThread(thread.id));
        return button2;
      });
      const empty = element("p", { class: "message" }, "No earlier conversations.");
      this.#history.replaceChildren(element("div", { class: "list" }, ...items.length > 0 ? items : [empty]));
      this.#history.hidden = !open;
      this.#thread.hidden = open;
    }
    setBusy(busy) {
      this.#host.toggleAttribute("data-busy", busy);
      this.#drawSend();
    }
    setDraft(text) {
      this.composer.value = text;
      this.#drawSend();
    }
    #messageOf(id, role) {
      const messages = [...this.#thread.children];
      const there = messages.find((message2) => message2.dataset.itemId === id);
      if (there) return there;
      this.#thread.querySelector(".start")?.remove();
      const attributes = { class: "message", "data-testid": "message", "data-role": role, "data-item-id": id };
      const message = element("p", attributes);
      this.#thread.append(message);
      return message;
    }
    #submit() {
      const text = this.composer.value.trim();
      if (text && !this.#send.disabled) this.#deeds.send(text);
    }
    #drawSend() {
      this.#send.disabled = this.#host.hasAttribute("data-busy") || !this.composer.value.trim();
    }
  };

  // stand-in/src/hosted.ts
  var HostedChat = class {
    #host;
    #origin;
    #fire;
    #options = null;
    #secret = null;
    #asking = null;
    #refresh;
    #started = false;
    #threadId = null;
    #threads = [];
    #historyOpen = false;
    #busy = false;
    #view;
    /** `origin`: where the hosted API is. */
    constructor(host, root, origin, fire) {
      this.#host = host;
      this.#origin = origin;
      this.#fire = fire;
      this.#view = new View(host, root, {
        send: (text) => void this.sendUserMessage({ text }).catch(() => void 0),
        openThread: (id) => void this.setThreadId(id).catch(() => void 0),
        toggleHistory: () => void (this.#historyOpen ? this.hideHistory() : this.showHistory())
      });
    }
    setOptions(options) {
      this.#options = options;
      this.#view.apply(options);
      this.#drawTitle();
      if (!this.#threadId && !this.#busy) this.#view.showStart();
    }
    connect() {
      if (this.#options) void this.#start();
    }
    disconnect() {
      clearTimeout(this.#refresh);
      this.#started = false;
      this.#secret = null;
    }
    async focusComposer() {
      this.#refuseWhenBusy();
      this.#view.composer.focus();
    }
    async setThreadId(threadId) {
      this.#refuseWhenBusy();
      await this.hideHistory();
      this.#view.clear();
      if (threadId === null) this.#view.showStart();
      else await this.#load(threadId);
      this.#enterThread(threadId);
    }
    async sendCustomAction(action, itemId) {
      this.#refuseWhenBusy();
      if (!this.#threadId) throw new Error("There is no thread to send an action to.");
      const params = { thread_id: this.#threadId, item_id: itemId ?? null, action };
      await this.#converse({ type: "threads.custom_action", params });
    }
    async sendUserMessage(message) {
      this.#refuseWhenBusy();
      const text = textFrom(message).trim();
      if (!text) throw new Error("A message needs text.");
      if (message.newThread) await this.setThreadId(null);
      await this.hideHistory();
      const input = userInput(text);
      this.#view.setDraft("");
      const sent = await this.#converse(
        this.#threadId ? { type: "threads.add_user_message", params: { input, thread_id: this.#threadId } } : { type: "threads.create", params: { input } }
      );
      if (!sent) this.#view.setDraft(text);
      await this.#listThreads();
    }
    async setComposerValue(draft) {
      this.#refuseWhenBusy();
      if (draft.text !== void 0 || draft.content) this.#view.setDraft(textFrom(draft));
    }
    async showHistory() {
      if (this.#options?.history?.enabled === false || this.#historyOpen) return;
      this.#historyOpen = true;
      await this.#listThreads();
      this.#fire("chatkit.history.open");
    }
    async hideHistory() {
      if (!this.#historyOpen) return;
      this.#historyOpen = false;
      this.#view.showHistory(this.#threads, false);
      this.#fire("chatkit.history.close");
    }
    async fetchUpdates() {
      this.#refuseWhenBusy();
      await this.#listThreads();
      if (this.#threadId) await this.#load(this.#threadId);
    }
    /** Once per mount: the frame is ready, then the first secret is asked for. */
    async #start() {
      if (this.#started || !this.#options) return;
      this.#started = true;
      await new Promise((resolve) => setTimeout(resolve));
      this.#fire("chatkit.ready");
      try {
        await this.#obtainSecret();
        await this.#listThreads();
        const { initialThread } = this.#options;
        if (initialThread && !this.#threadId) await this.setThreadId(initialThread);
      } catch (error) {
        this.#complain(error);
      }
    }
    /** Asks the page for a secret, `null` first and the current one afterwards, and again before the new one expires. */
    #obtainSecret() {
      this.#asking ??= this.#askForSecret().finally(() => {
        this.#asking = null;
      });
      return this.#asking;
    }
    async #askForSecret() {
      const api = this.#options?.api;
      if (!api || !isHosted(api)) throw new Error("There is no getClientSecret.");
      const secret = await api.getClientSecret(this.#secret);
      if (typeof secret !== "string" || !secret) throw new Error("getClientSecret() must resolve to a non-empty string.");
      this.#secret = secret;
      clearTimeout(this.#refresh);
      if (this.#host.isConnected) {
        const renew = () => void this.#obtainSecret().catch((error) => this.#complain(error));
        this.#refresh = setTimeout(renew, refreshDelay(secret, Date.now()));
      }
      return secret;
    }
    #send = async (request) => {
      const secret = this.#secret ?? await this.#obtainSecret();
      return fetch(`${this.#origin}/v1/chatkit/conversation`, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${secret}` },
        body: JSON.stringify(request)
      });
    };
    /** Sends one request and draws what streams back; false when it failed, which is then on the screen. */
    async #converse(request) {
      this.#setBusy(true);
      this.#fire("chatkit.response.start");
      try {
        for await (const event of stream(this.#send, request)) this.#draw(event);
        return true;
      } catch (error) {
        this.#complain(error);
        return false;
      } finally {
        this.#setBusy(false);
        this.#fire("chatkit.response.end");
      }
    }
    #draw(event) {
      switch (event.type) {
        case "thread.created":
          this.#enterThread(event.thread.id);
          break;
        case "thread.item.added":
        case "thread.item.done":
        case "thread.item.replaced":
          if (event.item.type.endsWith("_message")) this.#view.showItem(event.item);
          break;
        case "thread.item.updated":
          if ("delta" in event.update) this.#view.extendItem(event.item_id, event.update.delta);
          break;
        case "error":
          throw new Error(event.message ?? "The server reported an error.");
      }
    }
    async #load(threadId) {
      this.#fire("chatkit.thread.load.start", { threadId });
      const thread = await ask(this.#send, { type: "threads.get_by_id", params: { thread_id: threadId } });
      this.#view.clear();
      for (const item of thread.items?.data ?? []) if (isMessage(item)) this.#view.showItem(item);
      this.#fire("chatkit.thread.load.end", { threadId });
    }
    async #listThreads() {
      if (this.#options?.history?.enabled === false) return;
      try {
        const params = { limit: 20, order: "desc" };
        const page = await ask(this.#send, { type: "threads.list", params });
        this.#threads = page.data;
        this.#drawTitle();
        this.#view.showHistory(this.#threads, this.#historyOpen);
      } catch (error) {
        this.#complain(error);
      }
    }
    #enterThread(threadId) {
      if (threadId === this.#threadId) return;
      this.#threadId = threadId;
      if (threadId) this.#host.dataset.thread = threadId;
      else delete this.#host.dataset.thread;
      this.#drawTitle();
      this.#fire("chatkit.thread.change", { threadId });
    }
    #drawTitle() {
      this.#view.setTitle(this.#threads.find(({ id }) => id === this.#threadId)?.title ?? "");
    }
    #setBusy(busy) {
      this.#busy = busy;
      this.#view.setBusy(busy);
    }
    #refuseWhenBusy() {
      if (this.#busy) throw new Error("ChatKit is busy with a response.");
    }
    #complain(cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#view.showError(error.message);
      this.#fire("chatkit.error", { error });
    }
  };
  var isMessage = (item) => item.type.endsWith("_message");

  // stand-in/src/element.ts
  var StandInChatKit = class _StandInChatKit extends HTMLElement {
    /** Where the hosted API and the frame's page are: the origin of this script. */
    static origin = "";
    #root = this.attachShadow({ mode: "open" });
    #chat = null;
    #fire = (name, detail) => {
      this.dispatchEvent(new CustomEvent(name, { detail }));
    };
    setOptions(options) {
      checkOptions(options);
      const Kind = isHosted(options.api) ? HostedChat : FramedChat;
      if (!(this.#chat instanceof Kind)) {
        this.#chat?.disconnect();
        this.#chat = new Kind(this, this.#root, _StandInChatKit.origin, this.#fire);
      }
      this.#chat.setOptions(options);
      if (this.isConnected) this.#chat.connect();
    }
    connectedCallback() {
      this.#chat?.connect();
    }
    disconnectedCallback() {
      this.#chat?.disconnect();
    }
    async focusComposer() {
      await this.#ready().focusComposer();
    }
    async setThreadId(threadId) {
      await this.#ready().setThreadId(threadId);
    }
    async sendCustomAction(action, itemId) {
      await this.#ready().sendCustomAction(action, itemId);
    }
    async sendUserMessage(message) {
      await this.#ready().sendUserMessage(message);
    }
    async setComposerValue(draft) {
      await this.#ready().setComposerValue(draft);
    }
    async showHistory() {
      await this.#ready().showHistory();
    }
    async hideHistory() {
      await this.#ready().hideHistory();
    }
    async fetchUpdates() {
      await this.#ready().fetchUpdates();
    }
    #ready() {
      if (!this.#chat) throw new Error("setOptions() was not called.");
      return this.#chat;
    }
  };

  // stand-in/src/frame/uploads.ts
  var MEGABYTE = 1024 * 1024;
  var DEFAULT_SIZE = 100 * MEGABYTE;
  var DEFAULT_COUNT = 10;
  var Uploads = class {
    #tray;
    #page;
    #changed;
    #chips = [];
    constructor(tray, page, changed) {
      this.#tray = tray;
      this.#page = page;
      this.#changed = changed;
    }
    /** The ids of what has arrived. */
    get ready() {
      return this.#chips.flatMap(({ attachment }) => attachment ? [attachment.id] : []);
    }
    async add(files) {
      const most = this.#page.told.options.composer?.attachments?.maxCount ?? DEFAULT_COUNT;
      await Promise.all(
        files.map((file) => {
          const chip = this.#draw(file.name);
          if (this.#chips.length > most) return this.#fail(chip, `No more than ${most} files.`);
          return this.#upload(file, chip);
        })
      );
    }
    /** Takes away what was sent, and leaves what was added meanwhile. */
    clear(sent) {
      for (const { attachment, node } of this.#chips) if (attachment && sent.includes(attachment.id)) node.remove();
      this.#chips = this.#chips.filter(({ node }) => node.isConnected);
      this.#changed();
    }
    async #upload(file, chip) {
      const most = this.#largest(file.type);
      if (file.size > most) return this.#fail(chip, `${file.name} is larger than ${Math.floor(most / MEGABYTE)} MB.`);
      try {
        const attachment = await this.#send(file);
        chip.attachment = attachment;
        chip.node.dataset.state = "ready";
        if (attachment.type === "image" && attachment.preview_url) chip.node.prepend(picture(attachment));
        this.#changed();
      } catch (error) {
        this.#fail(chip, `${file.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
    async #send(file) {
      const { api } = this.#page.told.options;
      const strategy = "url" in api ? api.uploadStrategy : void 0;
      if (strategy?.type === "direct") {
        const form = new FormData();
        form.append("file", file);
        const response2 = await fetch(strategy.uploadUrl, { method: "POST", body: form, credentials: "omit" });
        if (!response2.ok) throw new Error(`the upload answered ${response2.status}`);
        return await response2.json();
      }
      const mimeType = file.type || "application/octet-stream";
      const params = { name: file.name, size: file.size, mime_type: mimeType };
      const announced = await ask(this.#page.send, { type: "attachments.create", params });
      const there = announced.upload_descriptor;
      if (!there) throw new Error("the server named no place for the upload");
      const { url, method } = there;
      const headers = { "Content-Type": mimeType, ...there.headers };
      const response = await fetch(url, { method, headers, body: file, credentials: "omit" });
      if (!response.ok) throw new Error(`the upload answered ${response.status}`);
      return announced;
    }
    #largest(type) {
      const limit = this.#page.told.options.composer?.attachments?.maxSize ?? DEFAULT_SIZE;
      if (typeof limit === "number") return limit;
      return limit[type] ?? limit[`${type.split("/")[0]}/*`] ?? limit["*"] ?? limit[""] ?? DEFAULT_SIZE;
    }
    #draw(name) {
      const remove = element(
        "button",
        { type: "button", "data-testid": "attachment-remove", "aria-label": `Remove ${name}` },
        "\xD7"
      );
      const node = element(
        "span",
        { class: "chip", "data-testid": "attachment", "data-state": "uploading" },
        name,
        remove
      );
      const chip = { node, attachment: null };
      this.#chips = [...this.#chips, chip];
      this.#tray.append(node);
      remove.addEventListener("click", () => this.#remove(chip));
      return chip;
    }
    #fail(chip, text) {
      chip.node.dataset.state = "failed";
      chip.node.firstChild?.replaceWith(text);
    }
    #remove(chip) {
      this.#chips = this.#chips.filter((each) => each !== chip);
      chip.node.remove();
      this.#changed();
      if (!chip.attachment) return;
      const params = { attachment_id: chip.attachment.id };
      ask(this.#page.send, { type: "attachments.delete", params }).catch((error) => this.#page.complain(error));
    }
  };
  function picture({ preview_url, name }) {
    return element("img", { "data-testid": "picture", src: preview_url ?? "", alt: name });
  }

  // stand-in/src/frame/widgets.ts
  function drawWidget({ widget }, press) {
    const box = element("div", { class: "widget", "data-testid": "widget" });
    if (widget) box.append(draw(widget, press));
    return box;
  }
  function draw(part, press) {
    const children = Array.isArray(part.children) ? part.children : [];
    const inner = children.map((child) => draw(child, press));
    const text = [part.value, part.label].find((each) => typeof each === "string");
    const action = part.onClickAction ?? part.onSubmitAction;
    if (part.type === "Button") {
      const button2 = element(
        "button",
        { type: part.submit ? "submit" : "button", "data-testid": "widget-button" },
        text ?? ""
      );
      if (action) button2.addEventListener("click", () => press(action));
      return button2;
    }
    if (part.type === "Form") {
      const form = element("form", {}, ...inner);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const filled = Object.fromEntries(new FormData(form).entries());
        if (action) press({ ...action, payload: { ...action.payload, ...filled } });
      });
      return form;
    }
    if (part.type === "Input" || part.type === "Textarea") {
      return element("input", { name: String(part.name), "data-testid": "widget-input" });
    }
    if (part.type === "Image") return element("img", { src: String(part.src), alt: String(part.alt ?? "") });
    const node = element("div", {}, ...text ? [text] : [], ...inner);
    if (action) node.addEventListener("click", () => press(action));
    return node;
  }

  // stand-in/src/frame/items.ts
  var Items = class {
    #thread;
    #deeds;
    #shown = /* @__PURE__ */ new Map();
    constructor(thread, deeds) {
      this.#thread = thread;
      this.#deeds = deeds;
    }
    /** Draws an item, or draws it anew. */
    show(item) {
      const drawn = this.#draw(item);
      if (!drawn) return;
      this.#shown.set(item.id, item);
      drawn.dataset.itemId = item.id;
      const there = this.#find(item.id);
      if (there) there.replaceWith(drawn);
      else this.#append(drawn);
    }
    extend(id, text) {
      const there = this.#find(id)?.querySelector(".text");
      if (there) there.append(text);
      else this.show({ id, type: "assistant_message", content: [{ type: "output_text", text }] });
      this.#scroll();
    }
    redraw(id, widget) {
      const item = this.#shown.get(id);
      if (item) this.show({ ...item, widget });
    }
    remove(id) {
      this.#find(id)?.remove();
    }
    removeAfter(id) {
      const there = this.#find(id);
      while (there?.nextElementSibling) there.nextElementSibling.remove();
    }
    lastOfUser() {
      const messages = this.#thread.querySelectorAll('[data-role="user"]');
      return messages[messages.length - 1]?.dataset.itemId ?? null;
    }
    showTool(call, state) {
      const attributes = { class: "note", "data-testid": "tool", "data-state": state, "data-item-id": call.id };
      const drawn = element("p", attributes, `${call.name}: ${state}`);
      const there = this.#find(call.id);
      if (there) there.replaceWith(drawn);
      else this.#append(drawn);
    }
    #draw(item) {
      switch (item.type) {
        case "user_message":
        case "assistant_message":
          return this.#message(item);
        case "structured_input":
          return item.status === "pending" ? this.#questions(item) : answered(item);
        case "widget":
          return drawWidget(item, (action) => this.#deeds.press(item, action));
        case "workflow": {
          const title = item.workflow?.summary?.title ?? item.workflow?.tasks.at(-1)?.title ?? "Working";
          return element("p", { class: "note", "data-testid": "workflow" }, title);
        }
        default:
          return null;
      }
    }
    #message(item) {
      const role = item.type === "user_message" ? "user" : "assistant";
      const text = element("div", { class: "text" }, textOf(item));
      const files = (item.attachments ?? []).map(
        (file) => file.type === "image" && file.preview_url ? picture(file) : element("span", { "data-testid": "file" }, file.name)
      );
      const message = element("div", { class: "message", "data-testid": "message", "data-role": role }, ...files, text);
      if (role === "assistant" && this.#deeds.options.threadItemActions?.feedback) message.append(this.#thumbs(item.id));
      return message;
    }
    #thumbs(id) {
      const thumbs = ["positive", "negative"].map((kind) => {
        const attributes = { type: "button", "data-testid": `feedback-${kind}`, "aria-pressed": "false" };
        const button2 = element("button", attributes, kind === "positive" ? "Good" : "Bad");
        button2.addEventListener("click", () => {
          button2.setAttribute("aria-pressed", "true");
          this.#deeds.feedback(id, kind);
        });
        return button2;
      });
      return element("div", { class: "thumbs" }, ...thumbs);
    }
    #questions(item) {
      const inputs = item.inputs ?? [];
      const submit = element("button", { type: "submit", "data-testid": "submit-answers" }, "Answer");
      const skip = element("button", { type: "button", "data-testid": "skip-answers" }, "Skip");
      const form = element(
        "form",
        { class: "questions", "data-testid": "questions" },
        ...inputs.map(question),
        element("div", { class: "row" }, submit, skip)
      );
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const data = new FormData(form);
        const told = inputs.map(({ id }) => {
          const values = data.getAll(id).map(String).filter(Boolean);
          return [id, { values, skipped: values.length === 0 }];
        });
        this.#deeds.answer(item.id, { status: "answered", answers: Object.fromEntries(told) });
      });
      skip.addEventListener("click", () => this.#deeds.answer(item.id, { status: "skipped", answers: {} }));
      return form;
    }
    #append(drawn) {
      this.#thread.querySelector(".start")?.remove();
      this.#thread.append(drawn);
      this.#scroll();
    }
    #scroll() {
      this.#thread.scrollTop = this.#thread.scrollHeight;
    }
    #find(id) {
      const items = [...this.#thread.children];
      return items.find((each) => each.dataset.itemId === id);
    }
  };
  function question({ id, question: question2, description, options, multiple }) {
    const choices = (options ?? []).map(({ value }) => {
      const box = element("input", { type: multiple ? "checkbox" : "radio", name: id, value, "data-testid": "option" });
      return element("label", {}, box, value);
    });
    const free = element("input", { type: "text", name: id, "data-testid": "answer", "aria-label": question2 });
    const hint = description ? [element("p", {}, description)] : [];
    const legend = element("legend", {}, question2);
    return element("fieldset", { "data-testid": "question" }, legend, ...hint, ...choices.length ? choices : [free]);
  }
  function answered({ status, inputs }) {
    const rows = (inputs ?? []).map(({ question: question2, answer }) => `${question2} ${answer?.values.join(", ") || "\u2014"}`);
    return element("p", { class: "note", "data-testid": "answered", "data-status": status ?? "" }, rows.join(" \xB7 "));
  }

  // stand-in/src/frame/page.ts
  var Page = class {
    #rpc;
    #calls = 0;
    told;
    constructor(rpc, told) {
      this.#rpc = rpc;
      this.told = told;
    }
    fire(name, detail) {
      this.#rpc.tell("event", { name, detail });
    }
    complain({ name, message }) {
      this.#rpc.tell("failed", { name, message });
    }
    show(state) {
      this.#rpc.tell("state", state);
    }
    tool(name, params) {
      return this.#rpc.ask("tool", { name, params });
    }
    action(action, item) {
      return this.#rpc.ask("action", { action, item });
    }
    /** One call of the chat's server: by the page's fetch where it gave one, else from here. */
    send = async (request, signal) => {
      const { options, pageFetches } = this.told;
      const body = JSON.stringify(request);
      if (!pageFetches) {
        const url = "url" in options.api ? options.api.url : "";
        const headers = { "Content-Type": "application/json", Accept: "text/event-stream, application/json" };
        return fetch(url, { method: "POST", headers, body, credentials: "omit", ...signal && { signal } });
      }
      this.#calls += 1;
      const id = this.#calls;
      signal?.addEventListener("abort", () => this.#rpc.tell("abort", id));
      const told = await this.#rpc.ask("fetch", { id, body });
      const empty = told.status === 204 || told.status === 304;
      return new Response(empty ? null : told.body, {
        status: told.status,
        headers: told.headers
      });
    };
  };

  // stand-in/src/frame/tools.ts
  async function outputOf(call, threadId, page, items) {
    items.showTool(call, "running");
    let result;
    try {
      if (!page.told.pageHasTools) throw new Error("The page has no client tools.");
      result = await page.tool(call.name ?? "", call.arguments ?? {});
      items.showTool(call, "done");
    } catch (error) {
      result = { error: String(error) };
      items.showTool(call, "failed");
    }
    return { type: "threads.add_client_tool_output", params: { thread_id: threadId, result: result ?? {} } };
  }

  // inline-css:stand-in/src/frame/frame.css
  var frame_default = ":host{height:100vh}.text{white-space:pre-wrap}.note{margin:0;padding:4px 16px;color:var(--soft);font-size:13px}.troubles:not(:empty){display:grid;gap:8px;justify-items:start;margin:4px 16px}.troubles button,.thumbs button,.row button,.questions button,.widget button{min-height:36px;padding:4px 14px;border:1px solid var(--line);border-radius:18px;background:none}.thumbs button[aria-pressed=true]{border-color:var(--accent)}.thumbs,.row,.tray{display:flex;flex-wrap:wrap;gap:6px}.row [data-testid=history-item],.row input{flex:1;min-width:0;text-align:start}.tray:not(:empty){margin:4px 16px}.chip{display:inline-flex;align-items:center;gap:6px;padding:4px 10px;border:1px solid var(--line);border-radius:14px;font-size:13px}.chip[data-state=failed]{border-color:#b91c1c;color:#b91c1c}.chip button{border:0;background:none}img{display:block;max-width:100%;max-height:120px;border-radius:8px}.chip img{max-height:32px}.questions,.widget{display:grid;gap:8px;margin:0;padding:12px;border:1px solid var(--line);border-radius:14px}.questions{align-items:stretch}.questions .row{justify-content:flex-start}fieldset{display:grid;gap:6px;margin:0;padding:0;border:0}input[type=file]{width:92px;font-size:12px;color:transparent}";

  // stand-in/src/frame/view.ts
  var button = (testId, label, attributes = {}) => element("button", { type: "button", "data-testid": testId, ...attributes }, label);
  var FrameView = class {
    composer = element("textarea", { "data-testid": "composer", rows: "1" });
    thread = element("div", {
      class: "scroll",
      "data-testid": "thread",
      role: "log",
      tabindex: "0",
      "aria-label": "Conversation"
    });
    attachments = element("div", { class: "tray", "data-testid": "attachments" });
    #deeds;
    #host;
    #colours = new CSSStyleSheet();
    #title = element("strong");
    #historyButton = button("history-button", "History");
    #history = element("div", { class: "scroll", "data-testid": "history", hidden: "" });
    #troubles = element("div", { class: "troubles" });
    #progress = element("p", { class: "note", "data-testid": "progress", hidden: "" });
    #send = element(
      "button",
      { type: "submit", class: "send", "data-testid": "send", "aria-label": "Send message" },
      "\u2191"
    );
    #stop = button("stop", "\u25A0", { class: "send", "aria-label": "Stop", hidden: "" });
    #file = element("input", {
      type: "file",
      multiple: "",
      "data-testid": "attach",
      "aria-label": "Attach a file"
    });
    #options = null;
    #busy = false;
    #mayStop = false;
    constructor(body, deeds) {
      this.#host = element("div", { class: "host" });
      this.#deeds = deeds;
      const root = this.#host.attachShadow({ mode: "open" });
      const sheets = [view_default, frame_default].map((text) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(text);
        return sheet;
      });
      root.adoptedStyleSheets = [...sheets, this.#colours];
      const fresh = button("new-thread", "New chat");
      const form = element("form", { "data-testid": "composer-form" }, this.#file, this.composer, this.#send, this.#stop);
      const header = element("header", {}, this.#title, fresh, this.#historyButton);
      const footer = element("footer", {}, "Sandbox stand-in for OpenAI ChatKit, custom mode");
      const parts = [header, this.thread, this.#history, this.#progress, this.#troubles, this.attachments, form, footer];
      root.append(element("div", { class: "frame" }, ...parts));
      body.replaceChildren(this.#host);
      fresh.addEventListener("click", () => deeds.openThread(null));
      this.#historyButton.addEventListener("click", () => deeds.toggleHistory());
      this.#stop.addEventListener("click", () => deeds.stop());
      this.#file.addEventListener("change", () => {
        deeds.attach([...this.#file.files ?? []]);
        this.#file.value = "";
      });
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!this.#send.disabled) deeds.send(this.composer.value.trim());
      });
      this.composer.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
      });
      this.composer.addEventListener("input", () => this.drawButtons());
    }
    apply(options) {
      this.#options = options;
      const theme = typeof options.theme === "string" ? { colorScheme: options.theme } : options.theme;
      const dark = theme?.colorScheme === "dark";
      const primary = theme?.color?.accent?.primary ?? "";
      const accent = /^#[0-9a-f]{6}$/i.test(primary) ? primary : dark ? "#f2f3f5" : "#16181d";
      this.#host.dataset.scheme = dark ? "dark" : "light";
      this.#colours.replaceSync(`:host{--accent:${accent};--on-accent:${inkOn(accent)}}`);
      const placeholder = options.composer?.placeholder ?? "Message the AI";
      this.composer.placeholder = placeholder;
      this.composer.setAttribute("aria-label", placeholder);
      this.#historyButton.hidden = options.history?.enabled === false;
      const files = options.composer?.attachments;
      this.#file.hidden = !files?.enabled;
      this.#file.accept = Object.entries(files?.accept ?? {}).flat(2).join(",");
      this.drawButtons();
    }
    setTitle(thread) {
      this.#title.textContent = this.#options?.header?.title?.text ?? thread;
    }
    showStart() {
      const start = this.#options?.startScreen;
      const greeting = element("h2", { "data-testid": "greeting" }, start?.greeting ?? "What can I help with today?");
      const prompts = (start?.prompts ?? []).map(({ label, prompt }) => {
        const node = button("prompt", label);
        const text = typeof prompt === "string" ? prompt : prompt.map((part) => part.text).join("");
        node.addEventListener("click", () => this.#deeds.send(text));
        return node;
      });
      const list = element("div", { class: "list", "data-testid": "prompts" }, ...prompts);
      this.thread.replaceChildren(element("div", { class: "start" }, greeting, list));
    }
    clear() {
      this.thread.replaceChildren();
      this.clearTroubles();
    }
    clearTroubles() {
      this.#troubles.replaceChildren();
    }
    showError(text, mayRetry) {
      const error = element("p", { class: "error", role: "alert", "data-testid": "error" }, text);
      this.#troubles.replaceChildren(error);
      if (mayRetry) {
        const retry = button("retry", "Try again");
        retry.addEventListener("click", () => this.#deeds.retry());
        this.#troubles.append(retry);
      }
      this.thread.scrollTop = this.thread.scrollHeight;
    }
    showNotice(level, text) {
      this.#troubles.append(element("p", { class: "note", "data-testid": "notice", "data-level": level }, text));
    }
    showProgress(text) {
      this.#progress.textContent = text;
      this.#progress.hidden = !text;
    }
    showHistory(threads, open) {
      this.#historyButton.setAttribute("aria-expanded", String(open));
      const empty = element("p", { class: "message" }, "No earlier conversations.");
      const rows = threads.map((thread) => this.#historyRow(thread));
      this.#history.replaceChildren(element("div", { class: "list" }, ...rows.length > 0 ? rows : [empty]));
      this.#history.hidden = !open;
      this.thread.hidden = open;
    }
    allowStop(allowed) {
      this.#mayStop = allowed;
      this.drawButtons();
    }
    setBusy(busy) {
      this.#busy = busy;
      if (!busy) this.#mayStop = false;
      this.drawButtons();
    }
    setDraft(text) {
      this.composer.value = text;
      this.drawButtons();
    }
    drawButtons() {
      const files = this.attachments.querySelectorAll('[data-state="ready"]').length;
      const uploading = this.attachments.querySelector('[data-state="uploading"]') !== null;
      this.#stop.hidden = !(this.#busy && this.#mayStop);
      this.#send.hidden = !this.#stop.hidden;
      this.#send.disabled = this.#busy || uploading || !(this.composer.value.trim() || files);
    }
    #historyRow({ id, title }) {
      const open = button("history-item", title || id, { "data-thread-id": id });
      open.addEventListener("click", () => this.#deeds.openThread(id));
      const row = element("div", { class: "row" }, open);
      const { showDelete, showRename } = this.#options?.history ?? {};
      if (showRename !== false) {
        const rename = button("history-rename", "Rename");
        rename.addEventListener("click", () => row.replaceChildren(this.#renaming(id, title ?? "")));
        row.append(rename);
      }
      if (showDelete !== false) {
        const remove = button("history-delete", "Delete");
        remove.addEventListener("click", () => this.#deeds.deleteThread(id));
        row.append(remove);
      }
      return row;
    }
    #renaming(id, title) {
      const input = element("input", { "data-testid": "rename-input", value: title, "aria-label": "Title" });
      input.addEventListener("keydown", ({ key }) => {
        if (key === "Enter" && input.value.trim()) this.#deeds.renameThread(id, input.value.trim());
      });
      return input;
    }
  };

  // stand-in/src/frame/chat.ts
  var MOST_TOOL_CALLS = 10;
  var LOST = "The connection to the chat was lost.";
  var FrameChat = class {
    #page;
    #view;
    #items;
    #uploads;
    #threadId = null;
    #threads = [];
    #historyOpen = false;
    #running = null;
    #call = null;
    constructor(body, rpc, told) {
      this.#page = new Page(rpc, told);
      this.#view = new FrameView(body, {
        send: (text) => this.#quietly(() => this.sendUserMessage({ text })),
        stop: () => this.#running?.abort(),
        attach: (files) => void this.#uploads.add(files),
        openThread: (id) => this.#quietly(() => this.setThreadId(id)),
        toggleHistory: () => this.#quietly(() => this.#historyOpen ? this.hideHistory() : this.showHistory()),
        renameThread: (id, title) => this.#quietly(() => this.#change("threads.update", { thread_id: id, title })),
        deleteThread: (id) => this.#quietly(() => this.#deleteThread(id)),
        retry: () => this.#quietly(() => this.#retry())
      });
      this.#items = new Items(this.#view.thread, this);
      this.#uploads = new Uploads(this.#view.attachments, this.#page, () => this.#view.drawButtons());
      this.apply(told);
    }
    apply(told) {
      this.#page.told = told;
      this.#view.apply(told.options);
      this.#drawTitle();
      if (!this.#threadId && !this.#running) this.#view.showStart();
    }
    get options() {
      return this.#page.told.options;
    }
    async start() {
      this.#page.fire("chatkit.ready");
      await this.#listThreads();
      const { initialThread } = this.options;
      if (initialThread && !this.#threadId) await this.setThreadId(initialThread).catch((error) => this.#complain(error));
    }
    /** A method of the page's element. */
    async call(method, args) {
      const methods = {
        focusComposer: async () => this.#view.composer.focus(),
        setThreadId: () => this.setThreadId(args[0]),
        sendCustomAction: () => this.#act(args[0], args[1]),
        sendUserMessage: () => this.sendUserMessage(args[0]),
        setComposerValue: async () => this.#view.setDraft(textFrom(args[0])),
        showHistory: () => this.showHistory(),
        hideHistory: () => this.hideHistory(),
        fetchUpdates: () => this.#fetchUpdates()
      };
      if (this.#running && !method.endsWith("History")) throw new Error("ChatKit is busy with a response.");
      await methods[method]?.();
    }
    async setThreadId(threadId) {
      this.#running?.abort();
      await this.hideHistory();
      this.#view.clear();
      if (threadId === null) this.#view.showStart();
      else await this.#load(threadId);
      this.#enterThread(threadId);
    }
    async sendUserMessage(message) {
      const text = textFrom(message).trim();
      if (this.#running || !(text || this.#uploads.ready.length)) return;
      if (message.newThread) await this.setThreadId(null);
      await this.hideHistory();
      const files = this.#uploads.ready;
      const input = userInput(text, [...files, ...(message.attachments ?? []).map(({ id }) => id)]);
      this.#view.setDraft("");
      const known = this.#threadId;
      const sent = await this.#converse(
        known ? { type: "threads.add_user_message", params: { input, thread_id: known } } : { type: "threads.create", params: { input } }
      );
      if (sent) this.#uploads.clear(files);
      else this.#view.setDraft(text);
      await this.#listThreads();
    }
    async showHistory() {
      if (this.options.history?.enabled === false || this.#historyOpen) return;
      this.#historyOpen = true;
      await this.#listThreads();
      this.#page.fire("chatkit.history.open");
    }
    async hideHistory() {
      if (!this.#historyOpen) return;
      this.#historyOpen = false;
      this.#view.showHistory(this.#threads, false);
      this.#page.fire("chatkit.history.close");
    }
    // What the visitor does with an item.
    feedback(id, kind) {
      const params = { thread_id: this.#threadId, item_ids: [id], kind };
      this.#quietly(async () => void await ask(this.#page.send, { type: "items.feedback", params }));
    }
    answer(id, input) {
      const params = { thread_id: this.#threadId, item_id: id, input };
      this.#quietly(async () => void await this.#converse({ type: "threads.add_structured_input", params }));
    }
    press(item, action) {
      this.#quietly(async () => {
        if (action.handler === "client" && this.#page.told.pageHandlesActions) await this.#page.action(action, item);
        else await this.#act({ type: action.type, payload: action.payload ?? {} }, item.id);
      });
    }
    async #act(action, itemId) {
      if (!this.#threadId) throw new Error("There is no thread to send an action to.");
      const params = { thread_id: this.#threadId, item_id: itemId ?? null, action };
      await this.#converse({ type: "threads.custom_action", params });
    }
    async #retry() {
      const item = this.#items.lastOfUser();
      if (!this.#threadId || !item) return;
      this.#items.removeAfter(item);
      const params = { thread_id: this.#threadId, item_id: item };
      await this.#converse({ type: "threads.retry_after_item", params });
    }
    /** A request whose answer streams, and those that follow it: the outputs of the page's tools. False: it was refused. */
    async #converse(first) {
      let request = first;
      let begun = false;
      this.#view.clearTroubles();
      this.#setRunning(new AbortController());
      this.#page.fire("chatkit.response.start");
      try {
        for (let turn = 0; request && turn < MOST_TOOL_CALLS; turn += 1) {
          this.#call = null;
          for await (const event of stream(this.#page.send, request, this.#running?.signal)) {
            begun = true;
            if (this.#running?.signal.aborted) break;
            this.#draw(event);
          }
          request = this.#call && !this.#running?.signal.aborted ? await outputOf(this.#call, this.#threadId, this.#page, this.#items) : null;
        }
      } catch (error) {
        if (!this.#running?.signal.aborted) this.#complain(begun ? new Error(LOST) : error, begun);
      } finally {
        this.#running?.abort();
        this.#setRunning(null);
        this.#view.showProgress("");
        this.#page.fire("chatkit.response.end");
      }
      return begun;
    }
    #draw(event) {
      switch (event.type) {
        case "thread.created":
          this.#enterThread(event.thread.id);
          break;
        case "thread.updated":
          this.#threads = this.#threads.map((thread) => thread.id === event.thread.id ? event.thread : thread);
          this.#drawTitle();
          break;
        case "thread.item.added":
        case "thread.item.done":
        case "thread.item.replaced":
          if (event.item.type === "client_tool_call" && event.item.status === "pending") this.#call = event.item;
          this.#view.showProgress("");
          this.#items.show(event.item);
          break;
        case "thread.item.updated":
          if ("delta" in event.update) this.#items.extend(event.item_id, event.update.delta);
          if ("widget" in event.update) this.#items.redraw(event.item_id, event.update.widget);
          break;
        case "thread.item.removed":
          this.#items.remove(event.item_id);
          break;
        case "stream_options":
          this.#view.allowStop(event.stream_options.allow_cancel);
          break;
        case "progress_update":
          this.#view.showProgress(event.text);
          break;
        case "notice":
          this.#view.showNotice(event.level, [event.title, event.message].filter(Boolean).join(": "));
          break;
        case "client_effect":
          this.#page.fire("chatkit.effect", { name: event.name, data: event.data ?? {} });
          break;
        case "error":
          this.#complain(new Error(event.message || "Something went wrong."), event.allow_retry === true);
          break;
      }
    }
    async #load(threadId) {
      this.#page.fire("chatkit.thread.load.start", { threadId });
      const thread = await ask(this.#page.send, { type: "threads.get_by_id", params: { thread_id: threadId } });
      this.#view.clear();
      for (const item of thread.items?.data ?? []) this.#items.show(item);
      this.#page.fire("chatkit.thread.load.end", { threadId });
    }
    async #fetchUpdates() {
      await this.#listThreads();
      if (this.#threadId) await this.#load(this.#threadId);
    }
    async #listThreads() {
      if (this.options.history?.enabled === false) return;
      try {
        const params = { limit: 20, order: "desc" };
        const page = await ask(this.#page.send, { type: "threads.list", params });
        this.#threads = page.data;
        this.#page.show({ threads: String(page.data.length) });
        this.#drawTitle();
        this.#view.showHistory(this.#threads, this.#historyOpen);
      } catch (error) {
        this.#complain(error);
      }
    }
    async #deleteThread(id) {
      await this.#change("threads.delete", { thread_id: id });
      if (id !== this.#threadId) return;
      this.#enterThread(null);
      this.#view.showStart();
    }
    async #change(type, params) {
      await ask(this.#page.send, { type, params });
      await this.#listThreads();
    }
    #enterThread(threadId) {
      if (threadId === this.#threadId) return;
      this.#threadId = threadId;
      this.#page.show({ thread: threadId });
      this.#drawTitle();
      this.#page.fire("chatkit.thread.change", { threadId });
    }
    #drawTitle() {
      this.#view.setTitle(this.#threads.find(({ id }) => id === this.#threadId)?.title ?? "");
    }
    #setRunning(controller) {
      this.#running = controller;
      this.#view.setBusy(controller !== null);
      this.#page.show({ busy: controller ? "" : null });
    }
    /** What the visitor presses: its failure is on the screen, and nobody waits for it. */
    #quietly(deed) {
      deed().catch((error) => this.#complain(error));
    }
    #complain(cause, retry = false) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#view.showError(error.message, retry && this.#items.lastOfUser() !== null);
      this.#page.complain(error);
    }
  };

  // stand-in/src/frame/index.ts
  function startFrame() {
    const connect = ({ data, ports, source }) => {
      const [port] = ports;
      if (source !== window.parent || !port) return;
      window.removeEventListener("message", connect);
      let chat = null;
      const rpc = new Rpc(port, {
        options: (options) => chat?.apply(options),
        call: ({ method, args }) => chat?.call(method, args)
      });
      chat = new FrameChat(document.body, rpc, data);
      void chat.start();
    };
    window.addEventListener("message", connect);
    window.parent.postMessage(HELLO, "*");
  }

  // stand-in/src/index.ts
  var script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) throw new Error("chatkit.js must be loaded by a classic <script src>.");
  if (script.dataset.frame === void 0) {
    StandInChatKit.origin = new URL(script.src).origin;
    customElements.define("openai-chatkit", StandInChatKit);
  } else {
    startFrame();
  }
})();
