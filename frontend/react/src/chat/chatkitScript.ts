let loading: Promise<unknown> | null = null;

/** Puts OpenAI's script on the page once; resolves when `<openai-chatkit>` is defined. A failed load may be tried again. */
export function loadChatKit(address: string): Promise<unknown> {
  if (customElements.get("openai-chatkit")) return Promise.resolve();
  loading ??= new Promise((resolve, reject) => {
    customElements.whenDefined("openai-chatkit").then(resolve);
    const script = document.createElement("script");
    script.src = address;
    script.async = true;
    script.onerror = () => {
      script.remove();
      loading = null;
      reject(new Error(`${address} couldn't be loaded.`));
    };
    document.head.append(script);
  });
  return loading;
}
