// The dialog behind `?`: the keys, from the table that handles them, and the language in a few lines.

import { KEYS, pageKeys } from "../keys.ts";
import { rich, t, text } from "../texts.ts";
import { go } from "../view.ts";
import { Button } from "./button.tsx";
import { keyName } from "./key_name.tsx";
import { Dialog, layer } from "./layers.tsx";

const EXAMPLES: readonly { query: string; means: string }[] = [
  { query: "connection refused", means: text("plain words: a phrase anywhere in the event") },
  { query: 'filter @level >= "error"', means: text("by level; levels compare by severity") },
  { query: "filter status >= 500 and path like /^\\/api/", means: text("conditions on fields") },
  { query: "stats count(*) by @log\n| sort count(*) desc", means: text("count per group") },
  { query: "stats pct(duration, 95) as p95, count(*) by bin(5m)", means: text("a value per five minutes") },
  {
    query: 'parse @message "user=* " as user\n| stats count_distinct(user)',
    means: text("take fields out of the text"),
  },
];

/** The keys of one line: of many only the first and the last. */
function Keys({ keys, alt }: { keys: readonly string[]; alt: boolean }) {
  const names = keys.map((key) => keyName(key, alt));
  if (names.length > 2)
    return (
      <>
        <kbd>{names[0]}</kbd>–<kbd>{names.at(-1)}</kbd>
      </>
    );
  return (
    <>
      {names.map((name) => (
        <kbd key={name}>{name}</kbd>
      ))}
    </>
  );
}

/** The dialog. */
export function Help() {
  return (
    <Dialog
      open={layer.value === "help"}
      onClose={() => {
        if (layer.peek() === "help") layer.value = "";
      }}
      label={t("Keys and language")}
    >
      <div class="help" data-testid="help-dialog">
        <div class="help-head">
          <h2>{t("Keys")}</h2>
          <Button class="button quiet" label={t("Close")} onClick={() => (layer.value = "")} />
        </div>
        <dl class="keys">
          <div>
            <dt>
              <kbd>Enter</kbd>
            </dt>
            <dd>
              {t(
                "In the query: run it (Shift Enter: a new line; ↑ in the empty box: earlier queries; Tab: complete; Shift Alt F: format; F1: look up the word at the cursor)",
              )}
            </dd>
          </div>
          {[...pageKeys.value.filter((key) => !KEYS.includes(key)), ...KEYS].map((key) => (
            <div
              key={key.label}
              data-testid="key"
              data-keys={JSON.stringify(key.keys.map((one) => (key.alt ? `Alt+${one}` : one)))}
            >
              <dt>
                <Keys keys={key.keys} alt={key.alt ?? false} />
              </dt>
              <dd>{t(key.label)}</dd>
            </div>
          ))}
        </dl>
        <h2>{t("Language")}</h2>
        <p>
          {rich("Every command and function, with examples: {link}.", {
            link: (
              <a href="reference" data-testid="reference">
                {t("the reference")}
              </a>
            ),
          })}
        </p>
        <p>
          {rich("Sending, alerts, running and every error message: {link}.", {
            link: (
              <a href="docs" data-testid="manual">
                {t("the manual")}
              </a>
            ),
          })}
        </p>
        <dl class="examples">
          {EXAMPLES.map(({ query, means }) => (
            <div key={query}>
              <dt>
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    layer.value = "";
                    go({ query, page: "explore", row: "" });
                  }}
                >
                  <code>{query}</code>
                </button>
              </dt>
              <dd>{t(means)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  );
}
