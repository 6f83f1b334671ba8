// What the start shows to copy, of every sender: each text is read by what it is written for, its own program where that is
// at hand, else the language that it is in.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";

/** Runs a program on a file of this name and text; `null` where there is no such program. */
function run(program, parameters, name, text) {
  const directory = mkdtempSync(join(tmpdir(), "catat-snippet-"));
  try {
    const file = join(directory, name);
    writeFileSync(file, `${text}\n`);
    const done = spawnSync(program, parameters.map((one) => one.replace("FILE", file)), { encoding: "utf8", timeout: 20_000 });
    return done.error?.code === "ENOENT" ? null : { isGood: done.status === 0, said: `${done.stdout}${done.stderr}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Has a program read it; those of a machine with everything are asked where they are. */
function read(program, parameters, name, text) {
  const done = run(program, parameters, name, text);
  if (done) assert.ok(done.isGood, `${program} about\n${text}\n${done.said}`);
  return done !== null;
}

const shell = (text) => assert.ok(read("bash", ["-n", "FILE"], "line.sh", text), "there is no bash");
const python = (text) => assert.ok(read("python3", ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", "FILE"], "program.py", text), "there is no python3");

/** Brackets and quotes are closed: what there is to be said of a language that nobody here reads. */
function balanced(text) {
  const open = [];
  for (const [token] of text.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, "").matchAll(/["{}[\]()]/g)) {
    assert.notEqual(token, '"', `a quote is not closed: ${text}`);
    const partner = { "}": "{", "]": "[", ")": "(" }[token];
    if (partner) assert.equal(open.pop(), partner, text);
    else open.push(token);
  }
  assert.deepEqual(open, [], text);
}

/** Fluent Bit's own form: sections, and in each a name and a value on a line. */
function fluentBit(text) {
  let hasName = true;
  for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
    if (/^\[[A-Z]+\]$/.test(line)) {
      assert.ok(hasName, text);
      hasName = false;
    } else {
      assert.match(line, /^ {4}\S+ +\S/, text);
      hasName ||= /^ {4}Name /.test(line);
    }
  }
  read("fluent-bit", ["--dry-run", "-c", "FILE"], "fluent-bit.conf", text);
}

function rsyslog(text) {
  const hasModule = existsSync("/usr/lib") && readdirSync("/usr/lib").some((one) => existsSync(`/usr/lib/${one}/rsyslog/omelasticsearch.so`));
  if (text.includes("omelasticsearch") && !hasModule) return balanced(text);
  read("rsyslogd", ["-N1", "-f", "FILE"], "rsyslog.conf", text);
}

/** What reads a piece, by its title: a file's name, or else lines for a shell. */
const READERS = [
  [/\.json$/, (text) => JSON.parse(text)],
  [/^values\.yaml$/, (text) => fluentBit(parseYaml(text).config.outputs.trimEnd())],
  [/^otelcol\.yaml$/, (text) => {
    const { receivers, exporters, service } = parseYaml(text);
    for (const one of service.pipelines.logs.receivers) assert.ok(one in receivers, one);
    for (const one of service.pipelines.logs.exporters) assert.ok(one in exporters, one);
    read("otelcol", ["validate", "--config", "FILE"], "otelcol.yaml", text);
  }],
  [/^promtail\.yaml$/, (text) => {
    const { clients, scrape_configs: [files] } = parseYaml(text);
    assert.ok(clients[0].url.endsWith("/loki/api/v1/push") && files.static_configs[0].labels.__path__);
    read("promtail", ["-check-syntax", "-config.file", "FILE"], "promtail.yaml", text);
  }],
  [/\.ya?ml$/, (text) => {
    assert.equal(typeof parseYaml(text), "object");
    read("filebeat", ["test", "config", "-c", "FILE"], "filebeat.yml", text);
  }],
  [/^catat\.toml/, (text) => {
    parseToml(text);
    const told = run(process.env.CATAT_EXECUTABLE, ["check", "--config", "FILE"], "catat.toml", text);
    // The key's file belongs to whoever ships.
    assert.ok(told.isGood || /key_file|ship\.key/.test(told.said), told.said);
  }],
  [/^vector\.toml$/, (text) => {
    const { sources, sinks } = parseToml(text);
    for (const sink of Object.values(sinks)) for (const input of sink.inputs) assert.ok(input in sources, input);
    read("vector", ["validate", "--no-environment", "FILE"], "vector.toml", text);
  }],
  [/^fluent-bit\.conf$/, fluentBit],
  [/^\/etc\/rsyslog\.d|^Or by syslog/, rsyslog],
  [/^config\.alloy$/, balanced],
  [/^logstash\.conf$/, (text) => {
    balanced(text);
    read("logstash", ["-t", "-f", "FILE"], "logstash.conf", text);
  }],
  [/^~\/\.aws\/credentials$/, (text) => { for (const line of text.split("\n")) assert.match(line, /^(?:\[\w+\]|\w+ = \S+)$/); }],
  [/^boto3$|^In the program$/, python],
  [/./, shell],
];

/** Every piece of every sender, as the page shows it: `{sender, title, code}`. */
async function piecesOf(page) {
  const found = [];
  for (const sender of await page.getByRole("tab").allTextContents()) {
    await page.getByRole("tab", { name: sender, exact: true }).click();
    await page.waitForFunction((text) => document.querySelector("[role=tab][aria-selected=true]")?.textContent === text, sender);
    const pieces = await page.getByTestId("sender").locator(".piece").evaluateAll((all) => all.map((one) => ({ title: one.querySelector("h3").textContent, code: one.querySelector("code").textContent })));
    assert.ok(pieces.length > 0, sender);
    found.push(...pieces.map((piece) => ({ sender, ...piece })));
  }
  return found;
}

function areRead(withKey) {
  return async (own) => {
    own.expectsFailures = true;
    const page = await own.open("/reference");
    // Whoever has come by a key needs one to send.
    if (withKey) await page.evaluate((key) => sessionStorage.setItem("catat.key", key), own.adminKey);
    await page.goto(`${own.url}/start`);
    await page.getByTestId("waiting").waitFor();
    const pieces = await piecesOf(page);
    assert.equal(new Set(pieces.map((one) => one.sender)).size, 15);
    const used = new Set();
    for (const { sender, title, code } of pieces) {
      const [pattern, reader] = READERS.find(([pattern]) => pattern.test(title));
      used.add(pattern);
      try {
        reader(code);
      } catch (error) {
        throw new Error(`${sender}, ${title}: ${error.message}`);
      }
      assert.ok(!/undefined|\[object|NaN/.test(code), `${sender}, ${title}: ${code}`);
    }
    assert.deepEqual(READERS.filter(([pattern]) => !used.has(pattern)).map(([pattern]) => String(pattern)), [], "a reader that nothing is read by");
    // Syslog goes to the port that the configuration beside it names.
    const syslog = pieces.filter((one) => one.sender === "rsyslog").map((one) => one.code);
    const port = /omfwd.*port="(\d+)"/.exec(syslog.join("\n"))[1];
    assert.ok(parseToml(syslog.find((one) => one.startsWith("[syslog]"))).syslog.tcp.endsWith(`:${port}`));
  };
}

export const snippetChecks = [
  ["row 27, start: what is written for each of fifteen senders is read by what it is written for", areRead(false)],
  ["row 27, start: the same with a key", areRead(true)],
];
