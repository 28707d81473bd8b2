/**
 * Builds the browser scripts (launcher, chat part, stand-in) and the modules that the React example shares; they are committed, so that running the platform needs no Node:
 *
 *   node scripts/bundle.mjs            writes them to their places
 *   node scripts/bundle.mjs --check    builds to memory and fails when a committed file differs by a byte
 *
 * The same sources and the same lock give the same bytes on every machine.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const FRONTEND = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const ROOT = resolve(FRONTEND, "..");

/** `import css from "./x.css?inline"` gives the minified text, as it does under Vite and Vitest. */
const inlineCss = {
  name: "inline-css",
  setup(builder) {
    builder.onResolve({ filter: /\.css\?inline$/ }, ({ path, resolveDir }) => ({
      // From the workspace's folder: esbuild writes the path into the bundle, which must be the same on every machine.
      path: relative(FRONTEND, resolve(resolveDir, path.replace(/\?inline$/, ""))),
      namespace: "inline-css",
    }));
    builder.onLoad({ filter: /.*/, namespace: "inline-css" }, async ({ path }) => {
      const source = await readFile(resolve(FRONTEND, path), "utf8");
      const { code } = await transform(source, { loader: "css", minify: true, target: "chrome111" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

async function bundle(entry, { minify, version, chatSri = "" }) {
  const result = await build({
    absWorkingDir: FRONTEND,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    // ASCII, so that a page in another encoding reads the same script.
    charset: "ascii",
    legalComments: "none",
    minify,
    define: { __VERSION__: JSON.stringify(version), __CHAT_SRI__: JSON.stringify(chatSri) },
    banner: { js: `/* ChatKit platform ${version}: built from frontend/${dirname(dirname(entry))}, don't edit. */` },
    plugins: [inlineCss],
  });
  return result.outputFiles[0].contents;
}

/** What the React example takes over from the embed script, letter for letter: `react/src/chat/` must stand alone. */
const SHARED = [
  "chat-api.ts",
  "chat-fetch.ts",
  "configuration.ts",
  "configuration-watch.ts",
  "identity.ts",
  "looks.ts",
  "options.ts",
  "platform.ts",
  "problem.ts",
  "sessions.ts",
  "storage.ts",
];

async function copies() {
  return Promise.all(
    SHARED.map(async (name) => [
      resolve(FRONTEND, "react/src/chat/shared", name),
      await readFile(resolve(FRONTEND, "embed/src", name)),
    ]),
  );
}

async function versionOf(workspace) {
  return JSON.parse(await readFile(resolve(FRONTEND, workspace, "package.json"), "utf8")).version;
}

const sriOf = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;

/** Each built file as [path, bytes]. */
async function outputs() {
  const version = await versionOf("embed");
  const chat = await bundle("embed/src/chat-part.ts", { minify: true, version });
  // The launcher takes this chat part and no other: a page that pins the one has pinned both.
  const chatSri = sriOf(chat);
  const embed = await bundle("embed/src/index.ts", { minify: true, version, chatSri });
  const sri = sriOf(embed);
  const meta = Buffer.from(`${JSON.stringify({ version, sri, chat_sri: chatSri }, null, 2)}\n`);
  const standIn = await bundle("stand-in/src/index.ts", { minify: false, version: await versionOf("stand-in") });
  return [
    [resolve(ROOT, "widget/static_embed/embed.js"), embed],
    [resolve(ROOT, "widget/static_embed/chat.js"), chat],
    [resolve(ROOT, "widget/static_embed/embed.js.meta.json"), meta],
    [resolve(ROOT, "sandbox/static/chatkit.js"), standIn],
    ...(await copies()),
  ];
}

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, bytes] of await outputs()) {
  const name = relative(ROOT, path);
  if (!check) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    console.log(`${name}: ${bytes.length} bytes`);
    continue;
  }
  const there = await readFile(path).catch(() => null);
  if (there && Buffer.compare(there, Buffer.from(bytes)) === 0) continue;
  console.error(`${name} isn't what its source builds: run "npm run build" in frontend/ and commit the result.`);
  stale += 1;
}
process.exitCode = stale ? 1 : 0;
