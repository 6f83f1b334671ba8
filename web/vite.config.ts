// The build of the page: one script, one style sheet, stable names, no source maps, and a hash of the sources beside
// them (SOURCE_HASH, see README.md), so that `cargo test` can tell without Node whether the committed dist is fresh.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const ROOT = import.meta.dirname;
const API = process.env["CATAT_URL"] ?? "http://127.0.0.1:22828";

/** Every file the build reads, by its path from here, sorted by the bytes of the path. */
function sources(): string[] {
  const below = readdirSync(`${ROOT}/src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(ROOT.length + 1).replaceAll("\\", "/"));
  const own = ["index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json"];
  return [...below, ...own].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function sourceHash(): string {
  const hash = createHash("sha256");
  for (const path of sources()) hash.update(path).update("\0").update(readFileSync(`${ROOT}/${path}`));
  return hash.digest("hex");
}

/** Copies what must not be bundled, gives every address in the pages its content as `?v=`, and writes SOURCE_HASH. */
function house(): Plugin {
  const plain = ["theme.js", "icon.svg", "reference.html", "reference.css", "reference.js"];
  return {
    name: "house",
    apply: "build",
    generateBundle() {
      for (const name of plain) {
        this.emitFile({ type: "asset", fileName: name, source: readFileSync(`${ROOT}/src/${name}`) });
      }
    },
    writeBundle(options) {
      const dist = options.dir ?? `${ROOT}/dist`;
      for (const name of ["index.html", "reference.html"]) {
        const page = readFileSync(`${dist}/${name}`, "utf8")
          .replaceAll(/(href|src)="(?:\.?\/)?(?:src\/)?([a-z]+\.(?:js|css|svg))"/g, (_, attribute: string, file: string) => {
            const version = createHash("sha256").update(readFileSync(`${dist}/${file}`)).digest("hex").slice(0, 12);
            return `${attribute}="${file}?v=${version}"`;
          })
          .replaceAll(" crossorigin", "");
        writeFileSync(`${dist}/${name}`, page);
      }
      writeFileSync(`${dist}/SOURCE_HASH`, `${sourceHash()}\n`);
    },
  };
}

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [house()],
  server: { proxy: { "/api": API, "/-": API } },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 200,
    rolldownOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "style.css" : "[name][extname]"),
      },
    },
  },
});
