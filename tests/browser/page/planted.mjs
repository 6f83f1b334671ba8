// Hours of a shop with noise, and incidents planted into them: each kind in a group of its own, with times relative to now.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Noise begins that long before now: a first look at an hour compares it with the hour before. */
const HISTORY = 130 * MINUTE;
/** It goes on for that long after now: a group that fell silent while checks run would be an incident of its own. */
const AHEAD = 5 * MINUTE;
/** Mean time between two events of the noise. */
const INTERVAL = SECOND;
/** How long before now most incidents begin. */
const AGO = 20 * MINUTE;
/** How long before now a clock jumps: a source is missed after a minute, which passes while other checks run. */
const CLOCK_AGO = 20 * SECOND;

const SERVICES = ["web", "pay", "ledger", "search", "mail"];
const TENANTS = ["acme", "bolt", "cargo", "delta", "echo", "fox", "gale", "hill", "iris", "jade", "kiwi", "lime"];
const N_HOSTS = 10;

/** Random numbers that a seed decides. */
class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A number from 0 to 1. */
  share() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n) {
    return Math.floor(this.share() * n);
  }

  pick(of) {
    return of[this.below(of.length)];
  }

  host() {
    return `node-${this.below(N_HOSTS)}`;
  }

  /** Times from `from` to `to` at a mean interval, each by itself. */
  * times(from, to, interval) {
    for (let at = from - Math.log(1 - this.share()) * interval; at < to; at -= Math.log(1 - this.share()) * interval) yield at;
  }
}

function event(random, at, service, level, message, more = {}) {
  return {
    "@timestamp": new Date(at).toISOString(), message, level, service, host: random.host(), version: "v1.8.0", tenant: random.pick(TENANTS),
    trace_id: random.below(2 ** 32).toString(16).padStart(16, "0"), duration_ms: 3 + random.below(80), ...more,
  };
}

/** One event of a day on which nothing happens: mostly requests, some warnings, a few errors of several kinds. */
function noise(random, at) {
  const n = random.below(400);
  const make = (level, message) => event(random, at, random.pick(SERVICES), level, message);
  if (n === 0) return make("error", `connection reset by peer 10.0.${random.below(9)}.${random.below(250)}`);
  if (n === 1) return make("error", `cannot parse order ${random.below(90_000)}: unexpected end`);
  if (n < 8) return make("warn", `slow query took ${500 + random.below(900)} ms`);
  if (n < 40) return make("info", `cache refreshed, ${random.below(5000)} entries`);
  return make("info", `${["GET", "POST"][n % 2]} /${["cart", "item", "find"][n % 3]}/${random.below(9999)} 200`);
}

/** Returns noise around `now`, with a restart now and then. */
export function innocent(seed, now) {
  const random = new Random(seed);
  const events = [...random.times(now - HISTORY, now + AHEAD, INTERVAL)].map((at) => noise(random, at));
  for (let n = 0; n < 3; n += 1) events.push(event(random, now - HISTORY + random.below(100 * MINUTE), "mail", "info", "mail starting"));
  return events;
}

/** The times at which an incident adds events. */
function during(random, now, interval) {
  return [...random.times(now - AGO, now + AHEAD, interval)];
}

/** Takes the events of a host since a time out of `events`, and returns them. */
function take(events, host, since) {
  const isTaken = (one) => one.host === host && Date.parse(one["@timestamp"]) >= since;
  const taken = events.filter(isTaken);
  events.splice(0, events.length, ...events.filter((one) => !isTaken(one)));
  return taken;
}

/**
 * The incidents: each adds to, or takes from, the noise around `now`, and returns texts of which a finding has to contain
 * one. `isError` says whether errors rise, so that the banner tells of it.
 */
export const INCIDENTS = {
  deploy: {
    title: "a bad deploy on one of ten hosts", isError: true,
    plant(random, events, now) {
      const host = random.host();
      const of = { host, version: "v1.9.0" };
      for (const one of take(events, host, now - AGO)) events.push({ ...one, version: of.version });
      events.push(event(random, now - AGO - 20 * SECOND, "pay", "info", "pay v1.9.0 starting, pool max_size=8 (was 64)", of));
      for (const at of during(random, now, 3 * SECOND)) events.push(event(random, at, "pay", "error", `order ${random.below(90_000)} failed: pool exhausted after 5000 ms`, of));
      return ["v1.9.0", `host = ${host}`];
    },
  },
  // The text does not name the dependency: a field does.
  dependency: {
    title: "a dependency that times out", isError: true,
    plant(random, events, now) {
      for (const at of during(random, now, 2 * SECOND)) {
        const ms = 5000 + random.below(40);
        events.push(event(random, at, random.pick(["pay", "ledger"]), "error", `call timed out after ${ms} ms`, { dependency: "ledger-db", duration_ms: ms }));
      }
      return ["ledger-db"];
    },
  },
  disk: {
    title: "a full disk", isError: true,
    plant(random, events, now) {
      const host = random.host();
      for (const at of during(random, now, 5 * SECOND)) events.push(event(random, at, "ledger", "error", `write /var/lib/ledger/${random.below(500)}.log: no space left on device`, { host }));
      return [`host = ${host}`];
    },
  },
  certificate: {
    title: "an expired certificate", isError: true,
    plant(random, events, now) {
      for (const at of during(random, now, 4 * SECOND)) events.push(event(random, at, "mail", "error", `TLS handshake with 10.0.4.${random.below(4)} failed: certificate has expired`));
      return ["certificate has expired"];
    },
  },
  tenant: {
    title: "the load of one tenant", isError: false,
    plant(random, events, now) {
      const tenant = random.pick(TENANTS);
      for (const at of during(random, now, SECOND / 3)) events.push(event(random, at, random.pick(["web", "search"]), "info", `GET /find/${random.below(9999)} 200`, { tenant }));
      return [`tenant = ${tenant}`];
    },
  },
  storm: {
    title: "a retry storm", isError: false,
    plant(random, events, now) {
      for (const at of during(random, now, SECOND / 3)) {
        const attempt = 2 + random.below(8);
        events.push(event(random, at, "pay", "warn", `retrying charge ${random.below(90_000)}, attempt ${attempt}`, { attempt }));
      }
      return ["retrying charge"];
    },
  },
  silence: {
    title: "a silent source", isError: false,
    plant(random, events, now) {
      const host = random.host();
      take(events, host, now - AGO);
      return [`host ${host} sends nothing`];
    },
  },
};

/** Returns the events of an incident around `now`, and what a finding has to say. */
export function planted(name, seed, now) {
  const events = innocent(seed, now);
  const causes = INCIDENTS[name].plant(new Random(seed + 1), events, now);
  return { events, causes };
}

/** Returns calls of a service to its database over half an hour: those since a time fail. */
export function calls(seed, now, since) {
  const random = new Random(seed);
  return [...random.times(now - 30 * MINUTE, now, 2 * SECOND)].map((at) => {
    const fails = at >= since;
    const id = random.below(2 ** 32).toString(16).padStart(16, "0");
    return {
      "@timestamp": new Date(at).toISOString(), "@type": "span", trace_id: id.padStart(32, "1"), span_id: id, name: "SELECT", message: "SELECT", kind: "client",
      service: "pay", "service.name": "pay", "db.system": "postgresql", status: fails ? "error" : "ok", duration_ms: fails ? 5000 : 8 + random.below(8), level: "info",
    };
  });
}

/** Returns noise in which the clock of a busy host jumped half an hour back: what came before that, what comes `late`, and the host. */
export function jumped(seed, now) {
  const [random, events, host] = [new Random(seed + 1), innocent(seed, now), "clock-1"];
  for (const at of random.times(now - HISTORY, now + AHEAD, 2 * SECOND)) events.push(event(random, at, "web", "info", `GET /cart/${random.below(9999)} 200`, { host }));
  const late = take(events, host, now - CLOCK_AGO).map((one) => ({ ...one, "@timestamp": new Date(Date.parse(one["@timestamp"]) - 30 * MINUTE).toISOString() }));
  return { events, late, host };
}
