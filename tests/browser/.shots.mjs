import { chromium } from "playwright-core";
const base = process.env.CATAT_URL ?? "http://127.0.0.1:22829";
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-gpu","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"] });
const log = [];
async function shot(name, path, { dark = false, width = 1440, height = 860, act } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && log.push(`${name}: ${m.text()}`));
  page.on("pageerror", (e) => log.push(`${name}: PAGEERROR ${e.stack}`));
  await page.goto(base + path);
  await page.waitForTimeout(700);
  if (act) { try { await act(page); } catch (e) { log.push(`${name}: ACT ${e.message}`); } await page.waitForTimeout(500); }
  await page.screenshot({ path: `/tmp/shot-${name}.png` });
  await context.close();
}
const want = process.argv.slice(2);
const all = {
  light: () => shot("light", "/"),
  dark: () => shot("dark", "/?q=" + encodeURIComponent('filter @level >= "warn"'), { dark: true }),
  expanded: () => shot("expanded", "/", { act: async (p) => { await p.locator("[data-testid=row]").nth(2).click(); } }),
  expandeddark: () => shot("expandeddark", "/?q=connection+refused&from=now-24h", { dark: true, act: async (p) => { await p.locator("[data-testid=row]").nth(2).click(); await p.locator("[data-testid=field]").nth(3).click(); } }),
  stats: () => shot("stats", "/?from=now-6h&q=" + encodeURIComponent("stats count(*) by host, @level")),
  error: () => shot("error", "/?q=" + encodeURIComponent("filter status = 500\n| stast count(*) by host")),
  nomatch: () => shot("nomatch", "/?q=" + encodeURIComponent('filter status = 999 and host = "web-1"')),
  narrow: () => shot("narrow", "/", { width: 380, height: 760 }),
  narrowopen: () => shot("narrowopen", "/", { width: 380, height: 760, dark: true, act: async (p) => { await p.locator("[data-testid=row]").nth(1).click(); } }),
  time: () => shot("time", "/", { act: async (p) => { await p.keyboard.press("Escape"); await p.keyboard.press("t"); } }),
  help: () => shot("help", "/", { act: async (p) => { await p.click("[data-testid=help]"); } }),
  alerts: () => shot("alerts", "/alerts"),
  groups: () => shot("groups", "/groups", { dark: true }),
  live: () => shot("live", "/?live=1", { act: async (p) => { await p.waitForTimeout(3000); await p.locator("[data-testid=rows]").evaluate((e) => { e.scrollTop = 100; }); await p.waitForTimeout(2000); } }),
  empty: async () => { await fetch(base + "/mock/empty", { method: "POST" }); await shot("empty", "/"); await fetch(base + "/mock/full", { method: "POST" }); },
};
for (const name of want.length ? want : Object.keys(all)) await all[name]();
console.log(log.join("\n"));
await browser.close();
