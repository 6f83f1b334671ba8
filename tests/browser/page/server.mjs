// A server of a program's own: a fresh directory, a port that the kernel chose, keys in force as soon as one is made.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const READY_MS_MAX = 30_000;

/** Starts `CATAT_EXECUTABLE`; `files` are written below the directory it is started with, `catat.toml` is its configuration. The kernel chooses the port unless one is given. */
export async function startServer(files = {}, port = 0) {
  const executable = process.env.CATAT_EXECUTABLE;
  assert.ok(executable, "CATAT_EXECUTABLE is not set: give the path of a built catat");
  const directory = mkdtempSync(join(tmpdir(), "catat-browser-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll("DIRECTORY", directory));
  }
  const config = "catat.toml" in files ? ["--config", join(directory, "catat.toml")] : [];
  const data = join(directory, "data");
  const child = spawn(executable, ["serve", ...config, "--data-dir", data, "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "pipe"] });
  const url = await new Promise((found, fail) => {
    let said = "";
    const late = setTimeout(() => fail(new Error(`the server did not get ready:\n${said}`)), READY_MS_MAX);
    const read = (piece) => {
      said += piece;
      const address = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said)?.[0];
      if (address) { clearTimeout(late); found(address); }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => fail(new Error(`the server ended with ${code}:\n${said}`)));
  });
  for (;;) {
    const ready = await fetch(`${url}/-/ready`).then((answer) => answer.ok, () => false);
    if (ready) break;
  }
  return {
    url,
    pid: child.pid,
    adminKey: () => readFileSync(join(data, "admin.key"), "utf8").trim(),
    stop: () => new Promise((done) => {
      child.once("exit", () => { rmSync(directory, { recursive: true, force: true }); done(); });
      child.kill();
    }),
  };
}
