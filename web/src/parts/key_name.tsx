// How keys are printed.

import { t } from "../texts.ts";

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

/** `Alt ←`, `Ctrl K`, `g e`. */
export function keyName(key: string, alt = false): string {
  if (key === " ") return t("Space");
  if (key.startsWith("Mod+"))
    return `${/Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl"} ${key.slice(4).toUpperCase()}`;
  if (key.startsWith("Shift+")) return `⇧ ${NAMES[key.slice(6)] ?? key.slice(6)}`;
  return `${alt ? "Alt " : ""}${NAMES[key] ?? key}`;
}
