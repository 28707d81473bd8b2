import { TenantChat } from "./chat/TenantChat";
import type { Settings } from "./settings";

export function App({ settings }: { settings: Settings }) {
  return (
    <main>
      <header>
        <h1>Talk to us</h1>
        <p>This page uses React and @openai/chatkit-react; the sessions come from your tenant on the platform.</p>
      </header>
      <TenantChat settings={settings} />
    </main>
  );
}
