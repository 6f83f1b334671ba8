// A server between the page and catat that is slow, or dies, when it is told to; and what it has seen of each request.

import { createServer, request } from "node:http";

/**
 * What may be done to an answer: `hold` it before its first byte, `stall` it after so many bytes, or another
 * `answer` in its place, which with `stall` has no end and breaks off when it is released.
 */
export class Between {
  /** Requests in their order: `{path, method, body, isOver, isLost}`. */
  seen = [];
  #rules = [];

  static async before(url) {
    const own = new Between();
    own.target = new URL(url);
    own.server = createServer((asked, answer) => own.#pass(asked, answer));
    await new Promise((done) => own.server.listen(0, "127.0.0.1", done));
    own.url = `http://127.0.0.1:${own.server.address().port}`;
    return own;
  }

  /** Does something to answers of requests that hold a text, until `release` is called; `times` of them at most. */
  rule(matches, what, times = Infinity) {
    const rule = { matches, times, ...what, waiting: [] };
    this.#rules.push(rule);
    return {
      release: () => {
        this.#rules = this.#rules.filter((one) => one !== rule);
        rule.stall = undefined;
        for (const go of rule.waiting) go();
      },
      /** What is stalled ends in the middle, as when a server dies. */
      breakOff: () => {
        rule.isBroken = true;
        for (const go of rule.waiting) go();
      },
    };
  }

  /** Requests whose path and body hold a text. */
  of(text) {
    return this.seen.filter((one) => `${one.method} ${one.path} ${one.body}`.includes(text));
  }

  #pass(asked, answer) {
    const pieces = [];
    asked.on("data", (piece) => pieces.push(piece));
    asked.on("end", () => {
      const body = Buffer.concat(pieces);
      const entry = { method: asked.method, path: asked.url, body: body.toString(), isOver: false, isLost: false };
      this.seen.push(entry);
      const rule = this.#rules.find((one) => one.times > 0 && one.matches.test(`${entry.method} ${entry.path} ${entry.body}`));
      if (rule) rule.times -= 1;
      const go = () => this.#forward(asked, body, answer, entry, rule);
      if (rule?.hold) rule.waiting.push(go);
      else go();
      answer.on("close", () => { entry.isLost = !entry.isOver; });
    });
  }

  #forward(asked, body, answer, entry, rule) {
    if (answer.destroyed) return;
    if (rule?.answer) {
      answer.writeHead(rule.status ?? 200, { "content-type": rule.type ?? "application/x-ndjson" });
      entry.isOver = !rule.stall;
      if (!rule.stall) return answer.end(rule.answer);
      answer.write(rule.answer);
      rule.waiting.push(() => answer.destroy());
      return;
    }
    const onward = request({ host: this.target.hostname, port: this.target.port, path: asked.url, method: asked.method, headers: { ...asked.headers, "accept-encoding": "identity" } }, (given) => {
      answer.writeHead(given.statusCode, given.headers);
      answer.flushHeaders();
      let sent = 0;
      given.on("data", (piece) => {
        answer.write(piece);
        sent += piece.length;
        if (rule?.stall !== undefined && sent >= rule.stall) {
          // Nothing more is taken from catat, which waits for its reader.
          given.pause();
          rule.waiting.push(() => (rule.isBroken ? answer.destroy() : given.resume()));
        }
      });
      given.on("end", () => { entry.isOver = true; answer.end(); });
      given.on("error", () => answer.destroy());
    });
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    onward.end(body);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
