// A line to copy, with the button that copies it.

import { Icon } from "./icons.tsx";
import { copy } from "./layers.tsx";

/** A line to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <code>{text}</code>
      <button type="button" class="tiny" aria-label={`Copy: ${label}`} title="Copy" onClick={() => void copy(text, "Line")}><Icon name="copy" /></button>
    </div>
  );
}
