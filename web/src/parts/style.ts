// Styles of parts that are loaded later: they come with their part, so that the shell does not carry them.

const adopted = new Set<string>();

/** Puts a part's rules behind those of the shell, once. */
export function adopt(rules: string): void {
  if (adopted.has(rules)) return;
  adopted.add(rules);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
