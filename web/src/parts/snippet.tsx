// A line to copy, with the button that copies it.

import { t } from "../texts.ts";
import { IconButton } from "./icons.tsx";
import { copy } from "./layers.tsx";

/** A line to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <code>{text}</code>
      <IconButton
        icon="copy"
        aria-label={t("Copy: {what}", { what: label })}
        title={t("Copy")}
        onClick={() => void copy(text, t("Line"))}
      />
    </div>
  );
}
