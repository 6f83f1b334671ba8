// Stack traces: which lines are frames of libraries, so that one's own stand out. Java, Python, Go, Rust, Node.

/** A part of a text: lines to show, or frames of libraries that are hidden until they are asked for. */
export interface Part {
  text: string;
  /** How many frames are folded away; 0 for what is shown. */
  frames: number;
}

/** Fewer frames than these are not worth folding. */
const FRAMES_MIN = 2;
/** Lines that are looked at. */
const LINES_MAX = 5000;

const JAVA = /^\s*at (?:[\w.-]+@[\w.-]+\/|[\w.-]+\/\/?)?((?:[\w$-]+\.)+)[\w$<>]+\(/;
const JAVA_MORE = /^\s*\.\.\. \d+ (?:more|common frames omitted)/;
const JAVA_LIBRARY =
  /^(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|akka|groovy|clojure|org\.(?:springframework|apache|eclipse|hibernate|jboss|junit|glassfish|postgresql|mockito|gradle|slf4j|codehaus|jetbrains)|io\.(?:netty|undertow|grpc|vertx|micrometer|quarkus|micronaut|opentelemetry)|reactor|com\.(?:fasterxml|google|zaxxer|mysql|sun|netflix|squareup|datadog)|okhttp3|okio|retrofit2|feign|ch\.qos|rx|lombok|net\.bytebuddy)\./;
const NODE = /^\s*at (?:.*\()?((?:node:|file:\/\/|[A-Za-z]:\\|\/|internal\/)[^()]*?)(?::\d+){0,2}\)?$/;
const NODE_BARE = /^\s*at (?:<anonymous>|new Promise \(<anonymous>\)|.* \(<anonymous>\)|.* \(native\))$/;
const NODE_LIBRARY = /^(?:node:|internal\/)|[\\/]node_modules[\\/]/;
const PYTHON = /^\s+File "([^"]+)", line \d+/;
const PYTHON_LIBRARY = /[\\/](?:site-packages|dist-packages)[\\/]|[\\/]lib(?:64)?[\\/]python\d|^<frozen |^<string>/;
const GO_FILE = /^\t(\S.*\.(?:go|s)):\d+(?: \+0x[0-9a-f]+)?$/;
const GO_CALL = /^(?:created by )?[\w./·*()\-[\]]+[\w)\]](?:\(.*\))?(?: in goroutine \d+)?$/;
const GO_LIBRARY =
  /\/(?:go\/pkg\/mod|usr\/local\/go\/src|usr\/lib\/go[\w.-]*\/src|go\/src\/runtime|libexec\/src|vendor)\/|^(?:runtime|net|internal|sync|testing)\//;
const RUST = /^\s*\d+: +(?:0x[0-9a-f]+ - )?(\S.*)$/;
const RUST_PLACE = /^\s+at (\S+?)(?::\d+){0,2}$/;
const RUST_LIBRARY =
  /^<?(?:&?(?:mut )?)?(?:std|core|alloc|tokio|hyper|hyper_util|axum|axum_core|tower|tower_http|tower_service|futures|futures_util|futures_core|rayon|rayon_core|backtrace|anyhow|eyre|color_eyre|tracing|h2|reqwest|actix\w*|crossbeam\w*|parking_lot\w*|serde\w*|test)(?:::|\b)|^(?:_*rust_\w+|rust_begin_unwind|__rust\w*|_start|__libc_start\w*|start_thread|clone3?|main|_?_?pthread\w*)$/;
const RUST_LIBRARY_PLACE = /^\/rustc\/|\/\.cargo\/(?:registry|git)\/|\/library\/(?:std|core|alloc)\//;

/** A frame: how many lines it takes, and whether it is of a library. */
interface Frame {
  lines: number;
  library: boolean;
}

function java(line: string): boolean | null {
  if (JAVA_MORE.test(line)) return true;
  const found = JAVA.exec(line);
  return found ? JAVA_LIBRARY.test(found[1] ?? "") : null;
}

function python(lines: readonly string[], at: number): Frame | null {
  const found = PYTHON.exec(lines[at] ?? "");
  if (!found) return null;
  let end = at + 1;
  // The line of source, and the marks below it.
  while (end < at + 3 && /^ {4,}\S/.test(lines[end] ?? "") && !PYTHON.test(lines[end] ?? "")) end += 1;
  return { lines: end - at, library: PYTHON_LIBRARY.test(found[1] ?? "") };
}

function go(lines: readonly string[], at: number): Frame | null {
  const place = GO_FILE.exec(lines[at + 1] ?? "");
  if (!place || !GO_CALL.test(lines[at] ?? "")) return null;
  const call = lines[at] ?? "";
  return {
    lines: 2,
    library: GO_LIBRARY.test(place[1] ?? "") || /^(?:created by )?(?:runtime|panic|testing)[.(]/.test(call),
  };
}

function rust(lines: readonly string[], at: number): Frame | null {
  const found = RUST.exec(lines[at] ?? "");
  if (!found) return null;
  const place = RUST_PLACE.exec(lines[at + 1] ?? "");
  return {
    lines: place ? 2 : 1,
    library: RUST_LIBRARY.test(found[1] ?? "") || RUST_LIBRARY_PLACE.test(place?.[1] ?? ""),
  };
}

/** The frame that begins at a line, if one does. */
function frameAt(lines: readonly string[], at: number): Frame | null {
  const line = lines[at] ?? "";
  // A frame is short; a long line costs no search through it.
  if (line.length > 400) return null;
  if (/^\s*(?:at |\.\.\. \d)/.test(line)) {
    const node = NODE.exec(line);
    if (node) return { lines: 1, library: NODE_LIBRARY.test(node[1] ?? "") };
    if (NODE_BARE.test(line)) return { lines: 1, library: true };
    const library = java(line);
    return library === null ? null : { lines: 1, library };
  }
  return python(lines, at) ?? rust(lines, at) ?? go(lines, at);
}

/** Cuts a text into what is shown and what is folded. Put together again, the parts are the text. */
export function fold(text: string): Part[] {
  const lines = text.split("\n");
  if (lines.length < FRAMES_MIN + 1 || lines.length > LINES_MAX) return [{ text, frames: 0 }];
  const parts: Part[] = [];
  let shown = 0;
  let at = 0;
  const piece = (from: number, to: number) => lines.slice(from, to).join("\n") + (to < lines.length ? "\n" : "");
  while (at < lines.length) {
    let end = at;
    let frames = 0;
    for (let frame = frameAt(lines, end); frame?.library === true; frame = frameAt(lines, end)) {
      end += frame.lines;
      frames += 1;
    }
    if (frames >= FRAMES_MIN) {
      if (at > shown) parts.push({ text: piece(shown, at), frames: 0 });
      parts.push({ text: piece(at, Math.min(end, lines.length)), frames });
      shown = end;
    }
    at = Math.max(end, at + 1);
  }
  if (shown < lines.length) parts.push({ text: piece(shown, lines.length), frames: 0 });
  return parts;
}
