/**
 * The embed script: reads its own tag, puts a launcher on the page, and fetches the tenant's chat when the visitor asks for it.
 *
 *   <script async src="https://platform.example/widget/v1/embed.js" data-tenant="tn_…"></script>
 */
import type { ChatKitPlatform } from "./api";
import { pageBody, pageRoot } from "./dom";
import { createLauncher } from "./launcher";
import { loadPart } from "./part";
import { addScript } from "./script";
import { ownTag, readSettings, type Settings } from "./settings";

declare const __VERSION__: string;

// At once: currentScript is null as soon as anything has been awaited.
const tag = ownTag();

function install(settings: Settings): ChatKitPlatform {
  const page = new AbortController();
  const launcher = createLauncher(settings, __VERSION__, () => loadPart(settings, addScript));

  // Turbo and its kin replace the whole body; the launcher moves to the new one.
  const bodies = new MutationObserver(() => {
    if (placed) launcher.attach();
  });
  let placed = false;
  const place = (): void => {
    placed = true;
    launcher.attach();
  };

  const whenIdle = (): void => {
    const start = (): void => {
      if (!page.signal.aborted) void launcher.prepare().then(() => page.signal.aborted || place());
    };
    // Safari has no requestIdleCallback.
    if (window.requestIdleCallback) window.requestIdleCallback(start, { timeout: 2000 });
    else setTimeout(start, 200);
  };
  if (pageBody()) whenIdle();
  else addEventListener("DOMContentLoaded", whenIdle, { once: true, signal: page.signal });
  bodies.observe(pageRoot(), { childList: true });

  return {
    version: __VERSION__,
    open() {
      place();
      launcher.open();
    },
    close: () => launcher.close(),
    toggle() {
      place();
      launcher.toggle();
    },
    identify: (identity) => launcher.identify(identity),
    signOut: () => launcher.signOut(),
    onClientTool: (handler) => launcher.onClientTool(handler),
    on: (name, listener) => launcher.host.addEventListener(name, listener as EventListener),
    off: (name, listener) => launcher.host.removeEventListener(name, listener as EventListener),
    destroy() {
      page.abort();
      bodies.disconnect();
      launcher.stop();
      delete window.ChatKitPlatform;
    },
  };
}

// `<img id="ChatKitPlatform">` makes a global of that name too, so look for a deed of ours.
if (typeof window.ChatKitPlatform?.destroy === "function") {
  console.warn("[ChatKitPlatform] embed.js is on this page twice; the second tag does nothing.");
} else {
  try {
    window.ChatKitPlatform = install(readSettings(tag));
  } catch (error) {
    console.error(`[ChatKitPlatform] ${(error as Error).message}`);
  }
}
