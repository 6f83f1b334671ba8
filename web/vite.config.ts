// The build of the page: the shell's scripts, a script for each part that is loaded when it is needed, one style sheet,
// stable names, no source maps, and a hash of the sources beside them (SOURCE_HASH, see README.md), so that `cargo test`
// can tell without Node whether the committed dist is fresh.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, defineConfig, type Plugin } from "vite";

import { INDONESIAN } from "./src/texts/id.ts";

const ROOT = import.meta.dirname;
/** The first script, and what only it or a single part needs: files below `src/`, or folders. One line each, so that two changes meet in peace. */
const OWN = [
  "main.tsx",
  "event.ts",
  "pages/",
  "texts/",
  "api/groups.ts",
  "api/traces.ts",
  "style/traces.css",
  "api/alerts.ts",
  "api/suggestions.ts",
  "parts/help.tsx",
  "parts/palette.tsx",
  "parts/account.tsx",
  "parts/sign_in.tsx",
  "parts/snippet.tsx",
  "api/context.ts",
  "context/",
  "detail/",
  "explore/explore.tsx",
  "explore/other_language.tsx",
  "explore/editor.tsx",
  "explore/query_editor.tsx",
  "explore/query_field.tsx",
  "explore/suggesting.ts",
  "explore/code_mirror.ts",
  "explore/suggest.tsx",
  "api/check.ts",
  "explore/share.tsx",
  "explore/share_menu.tsx",
  "explore/export.ts",
  "explore/saved.tsx",
  "explore/not_run.tsx",
  "explore/saved_entry.tsx",
  "explore/saved_open.ts",
  "api/views.ts",
  "query/chips.ts",
  "query/bin_width.ts",
  "style/keep.css",
  "explore/columns.tsx",
  "explore/column_heads.tsx",
  "explore/column_menu.tsx",
  "explore/column_title.ts",
  "explore/layout_edit.ts",
  "style/columns.css",
  "explore/select_bar.tsx",
  "explore/wrapped.ts",
  "explore/row_list.tsx",
  "explore/anchor.ts",
  "explore/live_rows.tsx",
  "explore/row_detail.tsx",
  "explore/time_picker.tsx",
  "explore/time_panel.tsx",
  "api/time.ts",
  "explore/table.tsx",
  "explore/series.ts",
  "explore/kinds.ts",
  "explore/bars.tsx",
  "style/charts.css",
  "explore/series_chart.tsx",
  "explore/time_chart.tsx",
  "explore/geometry.ts",
  "explore/chart.tsx",
  "explore/level_bars.tsx",
  "explore/axis.tsx",
  "explore/brush.ts",
  "explore/drag.ts",
  "explore/onset.ts",
  "explore/count_table.tsx",
  "explore/tail.ts",
  "explore/arrivals.ts",
  "explore/trouble.tsx",
  "explore/insight.tsx",
  "explore/find_box.tsx",
  "explore/panels.tsx",
  "explore/panel_parts.tsx",
  "explore/changes.tsx",
  "explore/patterns.tsx",
  "explore/offer.tsx",
  "explore/rise.ts",
  "api/changes.ts",
  "sse.ts",
  "api/for_everybody.ts",
  "style/for_everybody.css",
  "rows.ts",
  "explore/sidebar.tsx",
  "explore/value_buttons.tsx",
  "parts/rove.ts",
  "explore/field_numbers.tsx",
  "api/cause.ts",
  "api/issues.ts",
  "style/issues.css",
  "style/cause.css",
  "explore/comparison.ts",
  "explore/difference_list.tsx",
  "explore/differs_panel.tsx",
  "explore/panel_frame.tsx",
  "metrics/",
  "api/dashboards.ts",
  "api/reports.ts",
  "style/dashboards.css",
  "style/board_panels.css",
  "api/metrics.ts",
  "style/metrics.css",
  "explore/language_tools.ts",
  "explore/selection.tsx",
  "explore/marks.ts",
  "explore/mark_lines.tsx",
  "explore/mark_dialog.tsx",
  "explore/heatmap.tsx",
  "style/heatmap.css",
];
/** Pages that are nothing without the text that the server puts in: they are never packed. */
const FRAMES = ["reference.html", "docs.html"];
/** Parts of every exported dashboard file; the page never loads them. */
const BOARD_FILE = ["board_file.js", "board_file.css", "board_file_id.json"];
/** Most bytes of its script: each file has it. */
const BOARD_FILE_BYTES_MAX = 84_000;
/** The sheets that its style is taken from, in the order of the page. */
const BOARD_FILE_SHEETS = ["base", "explore", "rows", "metrics", "charts", "dashboards", "board_panels", "board_file"];
/** Most bytes under brotli of what is loaded before the first paint. */
const SHELL_BYTES_MAX = 45_000;
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
  for (const path of sources())
    hash
      .update(path)
      .update("\0")
      .update(readFileSync(`${ROOT}/${path}`));
  return hash.digest("hex");
}

/** A script of the bundle, as far as it is looked at here. */
interface Script {
  imports?: string[];
  dynamicImports?: string[];
}

/** Returns the script that a part of the page is loaded as. */
function scriptOf(bundle: object, part: string): string {
  const scripts = Object.entries(bundle as Record<string, { facadeModuleId?: string | null }>);
  const found = scripts.find(([, { facadeModuleId: id }]) => id?.endsWith(`/src/${part}`));
  if (!found) throw new Error(`${part} is not loaded by itself`);
  return found[0];
}

/** Gives every import between scripts, and every start of a worker, the content of what is named as `?v=`, and so on up to the first script. */
function nameByContent(
  dist: string,
  scripts: Record<string, Script>,
  workers: readonly string[],
): (name: string) => string {
  const known = new Map<string, string>();
  const version = (name: string): string => {
    const before = known.get(name);
    if (before === "") throw new Error(`${name} imports itself in a circle: its version would depend on itself`);
    if (before !== undefined) return before;
    known.set(name, "");
    const path = `${dist}/${name}`;
    const { imports = [], dynamicImports = [] } = scripts[name] ?? {};
    for (const other of new Set([...imports, ...dynamicImports])) {
      const text = readFileSync(path, "utf8");
      const named = text.replaceAll(
        new RegExp(`(["'\`])\\./${other.replace(".", "\\.")}\\1`, "g"),
        `$1./${other}?v=${version(other)}$1`,
      );
      if (named === text) throw new Error(`${name} imports ${other} in a way that is not recognised`);
      writeFileSync(path, named);
    }
    const text = name.endsWith(".js") ? readFileSync(path, "utf8") : "";
    for (const worker of workers.filter((one) => one !== name && text.includes(`\`${one}\``))) {
      writeFileSync(path, readFileSync(path, "utf8").replaceAll(`\`${worker}\``, `\`${worker}?v=${version(worker)}\``));
    }
    const own = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 10);
    known.set(name, own);
    return own;
  };
  return version;
}

/** Fewer bytes than this fit into a packet as they are. */
const PACKED_BYTES_MIN = 512;

/** Puts each file beside itself as brotli and gzip, as small as they can make it, and lists of which content that is (PACKED). */
function pack(dist: string): void {
  const names = readdirSync(dist).sort();
  for (const name of names.filter((one) => /\.(?:br|gz)$/.test(one))) rmSync(`${dist}/${name}`);
  const packed: string[] = [];
  for (const name of names.filter(
    (one) => /\.(?:js|css|html|svg)$/.test(one) && ![...FRAMES, ...BOARD_FILE].includes(one),
  )) {
    const bytes = readFileSync(`${dist}/${name}`);
    if (bytes.length < PACKED_BYTES_MIN) continue;
    writeFileSync(
      `${dist}/${name}.br`,
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    );
    writeFileSync(`${dist}/${name}.gz`, gzipSync(bytes, { level: 9 }));
    packed.push(`${createHash("sha256").update(bytes).digest("hex")} ${name}\n`);
  }
  writeFileSync(`${dist}/PACKED`, packed.join(""));
}

/** What is loaded before the first paint may not grow unseen. */
function weigh(dist: string, files: readonly string[]): void {
  const sent = (name: string) =>
    Math.min(
      ...[name, `${name}.br`].flatMap((one) => {
        try {
          return [readFileSync(`${dist}/${one}`).length];
        } catch {
          return [];
        }
      }),
    );
  const bytes = files.reduce((sum, name) => sum + sent(name), 0);
  console.log(`the shell has ${bytes} bytes under brotli: ${files.join(", ")}`);
  if (bytes > SHELL_BYTES_MAX) throw new Error(`the shell may have ${SHELL_BYTES_MAX} bytes under brotli`);
}

/** The style of everything that is loaded later, as one sheet: nobody waits for it before the first paint. */
function styleOfParts(): string {
  const directory = `${ROOT}/src/style/parts`;
  const sheets = readdirSync(directory)
    .sort()
    .map((name) => readFileSync(`${directory}/${name}`, "utf8"));
  return sheets
    .join("")
    .replaceAll(/\/\*.*?\*\//gs, "")
    .replaceAll(/\n\s*/g, "\n")
    .trimStart();
}

/** Returns the script that draws the panels of a dashboard in a file: one piece that imports nothing. */
async function scriptOfBoardFile(): Promise<string> {
  const entry = `${ROOT}/src/pages/dashboards/file.tsx`;
  const built = await build({
    configFile: false,
    logLevel: "warn",
    root: ROOT,
    build: {
      target: "es2022",
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: entry,
        // Nothing else is taken of a module that is not used; signals make components follow them when they are loaded.
        treeshake: { moduleSideEffects: (id) => id === entry || id.includes("/@preact/signals/") },
        output: { format: "iife" },
      },
    },
  });
  const files = [built].flat().flatMap((one) => ("output" in one ? one.output : []));
  const [script, ...others] = files.filter((file) => file.type === "chunk");
  if (!script || others.length > 0) throw new Error("the script of a dashboard's file has to be one piece");
  const strange = Object.keys(script.modules).filter((id) => /codemirror|\/src\/(?:api|session|view)\.ts$/.test(id));
  if (strange.length > 0) throw new Error(`a dashboard's file needs none of ${strange.join(", ")}`);
  const text = script.code.trim();
  // It stands within an element of HTML, as its hash says: neither may end or change it.
  if (/<\/script|<!--|\r/i.test(text)) throw new Error("the script of a dashboard's file would end its element");
  console.log(`the script of a dashboard's file has ${text.length} bytes`);
  if (text.length > BOARD_FILE_BYTES_MAX) throw new Error(`it may have ${BOARD_FILE_BYTES_MAX} bytes`);
  return text;
}

/** Returns the words of a script that may be classes: those of texts that are nothing but such words, and places filled in. */
function classesIn(script: string): Set<string> {
  const texts = script.split(/["'`]/).map((text) => text.replaceAll(/\$\{[^}]*(?:\}|$)/g, " "));
  const plain = texts.filter((text) => /^[\s\w-]*$/.test(text));
  return new Set(plain.join(" ").match(/[a-z][\w-]*/g));
}

/** Returns the rules of a style sheet with the selectors whose classes are all `used`. */
function usedRules(sheet: string, used: ReadonlySet<string>): string {
  // `level-` stands for all of its kind.
  const isUsedClass = (name: string) => used.has(name) || used.has(name.slice(0, name.lastIndexOf("-") + 1));
  const isUsed = (selector: string) =>
    [...selector.matchAll(/[.#]([a-z][\w-]*)/g)].every(([, name = ""]) => isUsedClass(name));
  let kept = "";
  for (let at = 0, open = sheet.indexOf("{"); open >= 0; open = sheet.indexOf("{", at)) {
    let end = open + 1;
    for (let depth = 1; depth > 0 && end < sheet.length; end += 1)
      depth += sheet[end] === "{" ? 1 : sheet[end] === "}" ? -1 : 0;
    const [head, inner] = [sheet.slice(at, open).trim(), sheet.slice(open + 1, end - 1)];
    at = end;
    if (head.startsWith("@")) {
      // Nothing of a file is animated.
      const rules = head.startsWith("@keyframes") ? "" : usedRules(inner, used);
      if (rules !== "") kept += `${head}{${rules}}\n`;
      continue;
    }
    const selectors = head.split(/,(?![^(]*\))/).map((one) => one.trim());
    const short = inner
      .replaceAll(/\s+/g, " ")
      .replaceAll(/([;:,]) /g, "$1")
      .trim();
    const own = selectors.filter(isUsed);
    if (own.length > 0) kept += `${own.join(",")}{${short}}\n`;
  }
  return kept;
}

/** Returns the rules of the page's style sheets that the panels of a file use, and those of its frame. */
function styleOfBoardFile(script: string): string {
  const sheets = BOARD_FILE_SHEETS.map((name) => readFileSync(`${ROOT}/src/style/${name}.css`, "utf8"));
  const used = classesIn(script);
  for (const [, name = ""] of (sheets.at(-1) ?? "").matchAll(/\.([a-z][\w-]*)/g)) used.add(name);
  return usedRules(sheets.join("").replaceAll(/\/\*.*?\*\//gs, ""), used);
}

/** Returns the Indonesian of the texts that a script has. */
function textsOf(script: string): string {
  const isIn = (english: string) =>
    ['"', "'", "`"].some((quote) =>
      script.includes(quote + JSON.stringify(english).slice(1, -1).replaceAll('\\"', '"') + quote),
    );
  return JSON.stringify(Object.fromEntries(Object.entries(INDONESIAN).filter(([english]) => isIn(english))));
}

/** Gives the same to the server of `npm run dev`. */
function freshStyleOfParts(): Plugin {
  return {
    name: "style-of-parts",
    apply: "serve",
    configureServer: (server) => {
      server.middlewares.use("/parts.css", (_, answer) => {
        answer.setHeader("Content-Type", "text/css");
        answer.end(styleOfParts());
      });
    },
  };
}

/** Of what Vite puts around imports of parts, only the import is left: their styles come from `parts/later.tsx` and `parts/style.ts`. */
function plainImports(): Plugin {
  return {
    name: "plain-imports",
    apply: "build",
    enforce: "pre",
    load: (id) => (id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : null),
  };
}

/** Copies what must not be bundled, gives every address its content as `?v=`, and writes SOURCE_HASH. */
function house(): Plugin {
  const plain = ["theme.js", "early.js", "icon.svg", ...FRAMES, "reference.css", "reference.js", "docs.js"];
  return {
    name: "house",
    apply: "build",
    async generateBundle() {
      for (const name of plain) {
        this.emitFile({ type: "asset", fileName: name, source: readFileSync(`${ROOT}/src/${name}`) });
      }
      this.emitFile({ type: "asset", fileName: "parts.css", source: styleOfParts() });
      const script = await scriptOfBoardFile();
      [script, styleOfBoardFile(script), textsOf(script)].forEach((source, at) =>
        this.emitFile({ type: "asset", fileName: BOARD_FILE[at] ?? "", source }),
      );
    },
    writeBundle(options, bundle) {
      const dist = options.dir ?? `${ROOT}/dist`;
      const workers = Object.values(bundle).filter(
        (file) =>
          file.type === "asset" && file.fileName.endsWith(".js") && ![...plain, ...BOARD_FILE].includes(file.fileName),
      );
      const version = nameByContent(
        dist,
        bundle as Record<string, Script>,
        workers.map((file) => file.fileName),
      );
      const shell = new Set(["index.html"]);
      // Also what a script imports, and so on, is waited for.
      const add = (file: string): void => {
        shell.add(file);
        (bundle as Record<string, Script>)[file]?.imports?.forEach(add);
      };
      const boards = new Set<string>();
      const addBoards = (file: string): void => {
        if (shell.has(file) || boards.has(file)) return;
        boards.add(file);
        (bundle as Record<string, Script>)[file]?.imports?.forEach(addBoards);
      };
      for (const name of ["index.html", ...FRAMES]) {
        const page = readFileSync(`${dist}/${name}`, "utf8")
          // The first script imports it: both are fetched at once.
          .replace('<script type="module"', '<link rel="modulepreload" href="core.js">\n    <script type="module"')
          .replaceAll(
            /(href|src)="(?:\.?\/)?(?:src\/)?([a-z]+\.(?:js|css|svg))"/g,
            (_, attribute: string, file: string) => {
              if (name === "index.html" && file !== "parts.css") add(file);
              return `${attribute}="${file}?v=${version(file)}"`;
            },
          )
          .replaceAll(" crossorigin", "")
          // By now it is known what the shell has itself.
          .replace('data-boards=""', () => {
            addBoards(scriptOf(bundle, "pages/dashboards.tsx"));
            return `data-boards="${[...boards].map((file) => `${file}?v=${version(file)}`).join(" ")}"`;
          });
        writeFileSync(`${dist}/${name}`, page);
      }
      writeFileSync(`${dist}/SOURCE_HASH`, `${sourceHash()}\n`);
      pack(dist);
      weigh(dist, [...shell]);
    },
  };
}

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [plainImports(), house(), freshStyleOfParts()],
  // The worker that reads answers has all it needs in its own file.
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name].js" } } },
  server: { proxy: { "/api": API, "/-": API, "/prometheus": API } },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 300,
    rolldownOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        // What several parts share stands in a script of its own: the first script names those that are loaded later by
        // their content, so none of them can name the first.
        codeSplitting: {
          groups: [
            {
              name: "core",
              test: (id) =>
                // A package may have a folder `src`, too.
                /\/node_modules\/@?preact\/|^(?!.*\/node_modules\/).*\/src\//.test(id) &&
                !OWN.some((own) => id.includes(`/src/${own}`)),
            },
          ],
        },
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "style.css" : "[name][extname]",
      },
    },
  },
});
