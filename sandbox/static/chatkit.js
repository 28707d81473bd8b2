/* ChatKit platform 1.0.0: built from frontend/stand-in, don't edit. */
"use strict";
(() => {
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
  }

  // stand-in/src/protocol.ts
  var textOf = (item) => (item.content ?? []).map((part) => part.text ?? "").join("");
  var userInput = (text) => ({
    content: [{ type: "input_text", text }],
    attachments: [],
    quoted_text: null,
    inference_options: {}
  });
  async function ask(send, request) {
    const response = await send(request);
    if (!response.ok) throw new Error(`${request.type} answered ${response.status}`);
    return await response.json();
  }
  async function* stream(send, request) {
    const response = await send(request);
    if (!response.ok || !response.body) throw new Error(`${request.type} answered ${response.status}`);
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
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
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
    constructor(host, deeds) {
      this.#host = host;
      this.#deeds = deeds;
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(view_default);
      const shadow = host.attachShadow({ mode: "open" });
      shadow.adoptedStyleSheets = [sheet, this.#colours];
      const fresh = element("button", { type: "button", "data-testid": "new-thread" }, "New chat");
      const form = element("form", { "data-testid": "composer-form" }, this.composer, this.#send);
      const header = element("header", {}, this.#title, fresh, this.#historyButton);
      const footer = element("footer", {}, "Sandbox stand-in for OpenAI ChatKit");
      shadow.append(element("div", { class: "frame" }, header, this.#thread, this.#history, form, footer));
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
        const button = element("button", { type: "button", "data-testid": "prompt" }, label);
        const text = typeof prompt === "string" ? prompt : prompt.map((part) => part.text).join("");
        button.addEventListener("click", () => this.#deeds.send(text));
        return button;
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
        const button = element("button", attributes, thread.title || thread.id);
        button.addEventListener("click", () => this.#deeds.openThread(thread.id));
        return button;
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

  // stand-in/src/element.ts
  var textFrom = ({ text, content }) => text ?? (content ?? []).map((part) => part.text).join("");
  var StandInChatKit = class _StandInChatKit extends HTMLElement {
    /** Where the hosted API is: the origin of this script. */
    static origin = "";
    #options = null;
    #secret = null;
    #asking = null;
    #refresh;
    #started = false;
    #threadId = null;
    #threads = [];
    #historyOpen = false;
    #busy = false;
    #view = new View(this, {
      send: (text) => void this.sendUserMessage({ text }).catch(() => void 0),
      openThread: (id) => void this.setThreadId(id).catch(() => void 0),
      toggleHistory: () => void (this.#historyOpen ? this.hideHistory() : this.showHistory())
    });
    setOptions(options) {
      checkOptions(options);
      this.#options = options;
      this.#view.apply(options);
      this.#drawTitle();
      if (!this.#threadId && !this.#busy) this.#view.showStart();
      if (this.isConnected) void this.#start();
    }
    connectedCallback() {
      if (this.#options) void this.#start();
    }
    disconnectedCallback() {
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
        if (isHosted(this.#options.api)) await this.#obtainSecret();
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
      if (this.isConnected) {
        const renew = () => void this.#obtainSecret().catch((error) => this.#complain(error));
        this.#refresh = setTimeout(renew, refreshDelay(secret, Date.now()));
      }
      return secret;
    }
    #send = async (request) => {
      const api = this.#options?.api;
      if (!api) throw new Error("setOptions() was not called.");
      const body = JSON.stringify(request);
      if (!isHosted(api)) {
        const headers = { "Content-Type": "application/json" };
        return (api.fetch ?? fetch)(api.url, { method: "POST", headers, body });
      }
      const post = (secret) => fetch(`${_StandInChatKit.origin}/v1/chatkit/conversation`, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${secret}` },
        body
      });
      const response = await post(this.#secret ?? await this.#obtainSecret());
      return response.status === 401 ? post(await this.#obtainSecret()) : response;
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
      if (threadId) this.dataset.thread = threadId;
      else delete this.dataset.thread;
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
    #fire(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail }));
    }
  };
  var isMessage = (item) => item.type.endsWith("_message");

  // stand-in/src/index.ts
  var script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) throw new Error("chatkit.js must be loaded by a classic <script src>.");
  StandInChatKit.origin = new URL(script.src).origin;
  customElements.define("openai-chatkit", StandInChatKit);
})();
