// Links, files and commands of what is on screen.

import * as api from "../api.ts";
import { copyLink } from "../keys.ts";
import { Icon } from "../parts/icons.tsx";
import { copy, layer, Menu, tell } from "../parts/layers.tsx";
import { address, frozen, view } from "../view.ts";

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function asCurl(): string {
  const of = frozen(view.peek());
  const url = new URL("api/v1/query", document.baseURI).href;
  return `curl -sS ${shellQuote(url)} -H 'Content-Type: application/json' -d ${shellQuote(JSON.stringify(api.queryBody(of.query, of, of.zone)))}`;
}

function asCommand(): string {
  const of = frozen(view.peek());
  const groups = of.groups.map((name) => ` --group ${shellQuote(name)}`).join("");
  return `catat query --from ${of.from} --to ${of.to}${groups} ${shellQuote(of.query)}`;
}

async function save(accept: string, name: string): Promise<void> {
  layer.value = "";
  tell("Preparing the file…");
  const of = frozen(view.peek());
  try {
    const blob = await api.download(of.query, of, of.zone, accept);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    tell(`${name} saved`);
  } catch (error) {
    tell(error instanceof Error ? error.message : "that did not work");
  }
}

/** The menu. */
export function Share() {
  const asIs = () => void copy(new URL(address(view.peek()), location.href).href, "Link");
  const then = (action: () => void) => () => { layer.value = ""; action(); };
  return (
    <Menu name="share" testId="share" label="Share and export" isPicture align="right" button={<Icon name="more" />}>
      <ul class="actions-list">
        <li><button data-autofocus type="button" data-testid="copy-link" onClick={then(copyLink)}>Copy link <span class="dim">with fixed times</span></button></li>
        <li><button type="button" onClick={then(asIs)}>Copy link <span class="dim">as it is, “now” moves on</span></button></li>
        <li><button type="button" onClick={then(() => void copy(asCommand(), "Command"))}>Copy as <code>catat query</code></button></li>
        <li><button type="button" onClick={then(() => void copy(asCurl(), "Command"))}>Copy as <code>curl</code></button></li>
        <li><button type="button" onClick={() => void save("text/csv", "catat.csv")}>Save all as CSV</button></li>
        <li><button type="button" onClick={() => void save("application/x-ndjson", "catat.ndjson")}>Save all as NDJSON</button></li>
      </ul>
    </Menu>
  );
}
