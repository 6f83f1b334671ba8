// What the page says, in the language of whoever reads it. English stands where it is used and is the key of the table
// in `texts/id.ts`, which is loaded when it is wanted. Texts with marked places (`{n} events`) are filled in after they
// were translated, as the order of words differs.

import { signal } from "@preact/signals";
import type { ComponentChild } from "preact";

/** A language that the page speaks, by its BCP 47 name. */
export type Language = "en" | "id";

/** Every language, by the name that its speakers give it. */
export const LANGUAGES: readonly { language: Language; name: string }[] = [
  { language: "en", name: "English" },
  { language: "id", name: "Bahasa Indonesia" },
];

const KEPT = "catat.language";

/** The language that is spoken now. */
export const language = signal<Language>("en");

let table: Readonly<Record<string, string>> = {};

/** Says a sentence of the server in the language spoken now. */
let sentence = (_code: string, english: string): string => english;

/** The chosen language, else the first of the browser's that the page speaks. */
function wanted(): Language {
  const wishes = [storedChoice(), ...navigator.languages.map((tag) => tag.split("-")[0] ?? "")];
  return (
    wishes.map((wish) => LANGUAGES.find((one) => one.language === wish)?.language).find((one) => one !== undefined) ??
    "en"
  );
}

function storedChoice(): string {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

/** Speaks `next` from now on; English where its table cannot be loaded. */
async function speak(next: Language): Promise<void> {
  try {
    const indonesian = next === "en" ? null : await import("./texts/id.ts");
    table = indonesian?.INDONESIAN ?? {};
    sentence = indonesian?.sentence ?? ((_, english) => english);
  } catch {
    table = {};
    next = "en";
  }
  document.documentElement.lang = next;
  language.value = next;
}

/** Speaks the language that is wanted; to be awaited before anything is shown. */
export function beginToSpeak(): Promise<void> {
  return speak(wanted());
}

/** Chooses a language for this browser. */
export function choose(next: Language): Promise<void> {
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // It is spoken until the page is closed.
  }
  return speak(next);
}

/** Speaks `next` from now on, from a table that is there already. */
export function speakFrom(next: Language, texts: Readonly<Record<string, string>>): void {
  table = texts;
  language.value = next;
}

/** Marks a text that is translated where it is shown, as in a table of commands. */
export function text(english: string): string {
  return english;
}

/** The text in the language spoken now, `values` in its marked places. */
export function t(english: string, values?: Readonly<Record<string, string | number>>): string {
  // Whoever shows it is drawn anew when the language changes.
  void language.value;
  const said = table[english] ?? english;
  return values === undefined
    ? said
    : said.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** What the server says about something that has a code, in the language spoken now where that has words for it. */
export function told(code: string, english: string): string {
  void language.value;
  return shortTimes(sentence(code, english));
}

/** Times of a sentence without fractions of a second, which no person says; one that a query would end with is rounded up. */
export function shortTimes(said: string): string {
  return said.replace(/(=?)(\d{4}-\d\d-\d\dT[\d:]{8})\.\d+Z/g, (_, is: string, time: string) =>
    is === "" ? `${time}Z` : `=${new Date(Date.parse(`${time}Z`) + 1000).toISOString().slice(0, 19)}Z`,
  );
}

/** The first text for one, else the second; `{n}` is the number as `written`. */
export function plural(
  n: number,
  one: string,
  more: string,
  written: string,
  values?: Readonly<Record<string, string | number>>,
): string {
  return t(n === 1 ? one : more, { ...values, n: written });
}

/** The text with elements in its marked places. */
export function rich(english: string, elements: Readonly<Record<string, ComponentChild>>): ComponentChild[] {
  return t(english)
    .split(/\{(\w+)\}/)
    .map((piece, at) => (at % 2 === 0 ? piece : elements[piece]));
}
