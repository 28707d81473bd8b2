/** Where the chat is. Built in from `.env`; a `config.json` beside the built app overrides it without a new build. */
export interface Settings {
  /** `<site>/api/v1/tenants/<public id>`, without a trailing slash. */
  readonly apiUrl: string;
  /** Empty = the address that the tenant's configuration names. */
  readonly chatkitJsUrl: string;
}

export async function loadSettings(): Promise<Settings> {
  const answer = await fetch("config.json", { cache: "no-store" });
  const override: Partial<Settings> = answer.ok ? await answer.json().catch(() => ({})) : {};
  const apiUrl = override.apiUrl || import.meta.env.VITE_API_URL;
  if (!apiUrl) {
    throw new Error("VITE_API_URL is not defined: copy .env.example to .env and set it to your tenant's address.");
  }
  return {
    apiUrl: apiUrl.replace(/\/+$/, ""),
    chatkitJsUrl: override.chatkitJsUrl || import.meta.env.VITE_CHATKIT_JS_URL || "",
  };
}
