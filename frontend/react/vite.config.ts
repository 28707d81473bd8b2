import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Relative addresses: the built app works at any path of any origin.
export default defineConfig({ base: "./", plugins: [react()] });
