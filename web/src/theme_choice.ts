// The theme: the system's, light or dark; theme.js applies the stored choice before the first paint.

import { signal } from "@preact/signals";

/** What was chosen. */
export type Theme = "auto" | "light" | "dark";

function stored(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** The choice. */
export const theme = signal<Theme>(stored());

/** Takes the next choice. */
export function nextTheme(): void {
  chooseTheme(theme.peek() === "auto" ? "dark" : theme.peek() === "dark" ? "light" : "auto");
}

/** Takes a choice, for this browser. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (theme.peek() === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.peek();
  try {
    if (theme.peek() === "auto") localStorage.removeItem("catat.theme");
    else localStorage.setItem("catat.theme", theme.peek());
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}
