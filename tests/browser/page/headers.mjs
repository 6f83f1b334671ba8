// What every answer says about itself, so that no browser takes data for a page.

import assert from "node:assert/strict";

const EVIL = encodeURIComponent('<script evil>window.__xss=1</script>"');

const ask = (own, path, init = {}) => fetch(own.url + path, { ...init, headers: { Authorization: `Bearer ${own.key}`, ...init.headers } });

function assertSafe(path, answer) {
  const header = (name) => answer.headers.get(name) ?? "";
  const policy = header("content-security-policy");
  assert.match(policy, /default-src 'self'/, path);
  assert.doesNotMatch(policy, /unsafe|\*|http:/, `${path}: ${policy}`);
  for (const part of ["object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), `${path}: ${part}`);
  assert.equal(header("x-content-type-options"), "nosniff", path);
  assert.equal(header("x-frame-options"), "DENY", path);
}

async function answersAreNoPages(own) {
  const paths = [
    `/api/v1/query?query=${EVIL}`, `/api/v1/query?query=&from=${EVIL}`, `/api/v1/nothing/${EVIL}`, `/api/v1/groups/${EVIL}`, `/api/v1/lookups/${EVIL}`, `/api/v1/fields/${EVIL}/values`,
    `/api/v1/keys/${EVIL}`, `/api/v1/users/${EVIL}`, `/loki/api/v1/query_range?query=${EVIL}`, `/${EVIL}/_search`, "/api/v1/groups", "/api/v1/rules", "/api/v1/alerts", "/api/v1/keys",
    "/api/v1/users", "/api/openapi.json", "/api/v1/status", "/metrics", "/api/v1/patterns", "/api/v1/lookups", "/-/healthy",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "DELETE", "PATCH"]) {
      if (method === "DELETE" && !path.includes(EVIL)) continue;
      const answer = await ask(own, path, { method, headers: { Accept: "text/html,*/*" } });
      assertSafe(`${method} ${path}`, answer);
      const type = answer.headers.get("content-type") ?? "";
      assert.doesNotMatch(type, /html|xml|javascript/, `${method} ${path}: ${type}`);
    }
  }
}

async function anAddressWithoutAPageIsThePage(own) {
  // A browser gets the same bytes at every such address, none of them from it; whoever sends gets an error as before.
  const asBrowser = (path, method) => ask(own, path, { method, headers: { Accept: "text/html,*/*" } });
  const nowhere = await (await asBrowser("/nowhere", "GET")).text();
  for (const path of [`/${EVIL}`, `/settings.js?v=${EVIL}`]) {
    const answer = await asBrowser(path, "GET");
    assertSafe(path, answer);
    assert.deepEqual([answer.status, await answer.text()], [404, nowhere], path);
    const script = await ask(own, path, { headers: { Accept: "*/*" } });
    assert.doesNotMatch(script.headers.get("content-type") ?? "", /html|xml|javascript/, path);
  }
  for (const method of ["POST", "DELETE", "PATCH"]) {
    const answer = await asBrowser(`/${EVIL}`, method);
    assertSafe(`${method} /EVIL`, answer);
    assert.doesNotMatch(answer.headers.get("content-type") ?? "", /html|xml|javascript/, method);
  }
  own.expectsFailures = true;
  const page = await own.open(`/${EVIL}`);
  await page.getByText("There is no page here").first().waitFor();
  assert.equal(await page.evaluate(() => window.__xss), undefined);
}

async function refusedRequestsAreNoPages(own) {
  const sent = { method: "POST", body: "<script evil>window.__xss=1</script>" };
  for (const [path, type] of [["/api/v1/session", "application/json"], ["/api/v1/users", "application/json"], ["/api/v1/keys", "application/json"], ["/api/v1/query", "application/json"], ["/_bulk", "application/x-ndjson"], ["/loki/api/v1/push", "application/json"], ["/v1/logs", "application/json"], ["/services/collector/event", "application/json"]]) {
    const answer = await ask(own, path, { ...sent, headers: { "Content-Type": type } });
    assertSafe(path, answer);
    assert.ok(answer.status >= 400, `${path}: ${answer.status}`);
    assert.doesNotMatch(answer.headers.get("content-type") ?? "", /html|xml/, path);
  }
  const user = await ask(own, "/api/v1/users", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: "<img src=x>", password: "long enough", role: "read" }) });
  assert.equal(user.status, 400, "no user is called that");
}

async function exportsAreFiles(own) {
  const body = JSON.stringify({ query: "fields message", from: "now-1h", groups: [`${own.prefix}/*`] });
  for (const [accept, name] of [["text/csv", "catat.csv"], ["application/x-ndjson", "catat.ndjson"]]) {
    for (const init of [{ method: "POST", headers: { "Content-Type": "application/json", Accept: accept }, body }, { headers: { Accept: accept } }]) {
      const answer = await ask(own, init.method ? "/api/v1/query" : "/api/v1/query?query=fields%20message&from=now-1h", init);
      assert.equal(answer.status, 200, await answer.clone().text());
      assertSafe(accept, answer);
      assert.ok(answer.headers.get("content-type").startsWith(accept));
      assert.equal(answer.headers.get("content-disposition"), `attachment; filename="${name}"`);
    }
  }
  const table = await ask(own, "/api/v1/lookups/hostile");
  assert.match(table.headers.get("content-disposition") ?? "", /^attachment/);
  const json = await ask(own, "/api/v1/query?query=fields%20message&from=now-1h");
  assert.equal(json.headers.get("content-disposition"), null, "what the page asks for is no file");
}

export const headerChecks = [
  ["row 32, security: answers are never taken for pages, whatever they quote", answersAreNoPages],
  ["row 32, security: an address that no page has is the page, whatever it says", anAddressWithoutAPageIsThePage],
  ["row 32, security: refused requests are told of in no page", refusedRequestsAreNoPages],
  ["row 32, security: exports are files", exportsAreFiles],
];
