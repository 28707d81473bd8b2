/** Builds the integration guide's component as it stands: `VITE_API_URL=… npm run build:guide -- --outDir /tmp/guide`. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

process.env.VITE_CHATKIT_JS_URL ??= "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js";

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: { outDir: "../dist/guide", emptyOutDir: true },
});
