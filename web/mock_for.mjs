// How made-up services are, for the page for everybody: one that is well, one in trouble, one that is silent.

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

const lastMonth = () => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15)).toISOString().slice(0, 7);
};

const WELL = () => ({
  kind: "service",
  at: ago(0),
  up: { state: "up", since: null, last: ago(0), failed_of_100: 0, known_by: "requests" },
  speed: { state: "usual", ms: 412, usual_ms: 400, slow_ms: 900, usual_slow_ms: 880 },
  open: false,
  wrong: [],
  people: [],
  month: { month: lastMonth(), incidents: 0, down_ms: null, repair_ms: null },
  partial: false,
  may_share: true,
});

const STATES = {
  checkout: () => ({
    up: { state: "trouble", since: ago(42), last: ago(0), failed_of_100: 12.4, known_by: "requests" },
    speed: { state: "slower", ms: 3120, usual_ms: 400, slow_ms: 9000, usual_slow_ms: 880 },
    open: true,
    wrong: [
      { kind: "alert", text: null, since: ago(40), until: null, open: true },
      { kind: "errors", text: null, since: ago(41), until: null, open: true, count: 1204, different: 3, sudden: true },
      { kind: "incident", text: "Payments hang <b>often</b>", since: ago(42), until: null, open: true },
      { kind: "requests", text: null, since: ago(42), until: null, open: true },
      { kind: "slow", text: null, since: null, until: null, open: true },
      { kind: "incident", text: "The shop was slow", since: ago(4000), until: ago(3900), open: false },
    ],
    people: [
      { name: "ani", what: "incident" },
      { name: "budi", what: "errors" },
    ],
    month: { month: lastMonth(), incidents: 3, down_ms: 5_400_000, repair_ms: 2_700_000 },
  }),
  batch: () => ({
    up: { state: "silent", since: ago(200), last: ago(200), failed_of_100: null, known_by: "lines" },
    speed: { state: "unknown", ms: null, usual_ms: null },
    open: true,
    wrong: [
      { kind: "silent", text: null, since: ago(200), until: null, open: true },
      { kind: "errors", text: null, since: ago(700), until: null, open: false, count: 1, different: 1, sudden: false },
    ],
  }),
  stopped: () => ({
    up: { state: "down", since: ago(9), last: ago(0), failed_of_100: 96, known_by: "requests" },
    open: true,
    wrong: [{ kind: "requests", text: null, since: ago(9), until: null, open: true }],
  }),
  uneven: () => ({
    speed: { state: "slower-for-some", ms: 110, usual_ms: 100, slow_ms: 5000, usual_slow_ms: 200 },
    open: true,
    wrong: [{ kind: "slow", text: null, since: null, until: null, open: true }],
  }),
};

const links = [];

/** The answer to a request below `/api/v1/for/`, with its status. */
export function answerFor(path, method, link, mood) {
  const [name, part, id] = path.slice("/api/v1/for/".length).split("/").map(decodeURIComponent);
  const problem = (code, message) => ({ error: { code, message } });
  if (link === "expired") return [problem("link-expired", "this link has expired or was withdrawn"), 410];
  if (mood === "broken") return [problem("internal", "the store cannot be read"), 500];
  if (mood === "empty" || name === "nobody") return [problem("not-found", `nothing is known of "${name}"`), 404];
  if (part !== "links") return [{ name, ...WELL(), ...STATES[name]?.(), partial: mood === "partial" }, 200];
  if (method === "POST") {
    links.push({ id: `l${links.length + 1}`, by: "ani", created: ago(0), expires: ago(-7 * 1440) });
    return [{ id: links.at(-1).id, token: `${links.at(-1).id}.made-up`, expires: links.at(-1).expires }, 201];
  }
  if (method === "DELETE") links.splice(links.findIndex((one) => one.id === id) >>> 0, 1);
  return [method === "DELETE" ? { deleted: true } : { links }, 200];
}
