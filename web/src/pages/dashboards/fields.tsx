// Fields of the forms: texts, choices, switches.

import { useState } from "preact/hooks";

import type { ComponentChildren } from "preact";

import type { PanelLanguage } from "../../api/dashboards.ts";
import { Options } from "../../parts/options.tsx";
import { t } from "../../texts.ts";
import { LANGUAGE_NAMES } from "../../view.ts";

/** Languages of queries, by their names. */
export const LANGUAGES = Object.entries(LANGUAGE_NAMES).map(([language, name]) => ({
  language: language as PanelLanguage,
  name,
}));

/** A field of one line. */
export function TextField({
  label,
  value,
  onText,
  testId,
  placeholder,
}: {
  label: string;
  value: string;
  onText: (value: string) => void;
  testId?: string;
  placeholder?: string;
}) {
  return (
    <label>
      {label}{" "}
      <input
        autocomplete="off"
        spellcheck={false}
        value={value}
        placeholder={placeholder}
        data-testid={testId}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </label>
  );
}

/** A field of several lines in code. */
export function CodeField({
  label,
  value,
  onText,
  testId,
  rows = 3,
}: {
  label: string;
  value: string;
  onText: (value: string) => void;
  testId?: string;
  rows?: number;
}) {
  return (
    <label class="wide-field">
      {label}
      <textarea
        class="mono"
        rows={rows}
        spellcheck={false}
        value={value}
        data-testid={testId}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </label>
  );
}

/** A choice of one. */
export function ChoiceField<T extends string>({
  label,
  value,
  choices,
  onChoose,
  testId,
}: {
  label: string;
  value: T;
  choices: readonly (readonly [value: T, name: string])[];
  onChoose: (value: T) => void;
  testId?: string;
}) {
  return (
    <label>
      {label}{" "}
      <select value={value} data-testid={testId} onChange={(event) => onChoose(event.currentTarget.value as T)}>
        <Options of={choices} />
      </select>
    </label>
  );
}

/** A switch. */
export function SwitchField({
  label,
  value,
  onSwitch,
}: {
  label: string;
  value: boolean;
  onSwitch: (value: boolean) => void;
}) {
  return (
    <label class="choice">
      <input type="checkbox" checked={value} onChange={(event) => onSwitch(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** Names between commas, as they are typed. */
export function NamesField({
  label,
  names,
  onNames,
  placeholder,
  testId,
}: {
  label: string;
  names: readonly string[];
  onNames: (names: string[]) => void;
  placeholder?: string;
  testId?: string;
}) {
  const [written, setWritten] = useState(names.join(", "));
  return (
    <TextField
      label={label}
      value={written}
      {...(placeholder === undefined ? {} : { placeholder })}
      {...(testId === undefined ? {} : { testId })}
      onText={(value) => {
        setWritten(value);
        onNames(value.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()])));
      }}
    />
  );
}

/** A part of a form that can be folded. */
export function Part({
  title,
  isOpen = false,
  children,
}: {
  title: string;
  isOpen?: boolean;
  children: ComponentChildren;
}) {
  return (
    <details open={isOpen}>
      <summary>{title}</summary>
      <div class="board-fields">{children}</div>
    </details>
  );
}

/** Returns a text, or nothing of an empty one: a document has no empty keys. */
export const orNothing = (value: string): string | undefined => (value.trim() === "" ? undefined : value);

/** The choices of a language. */
export function LanguageField({
  value,
  onChoose,
  testId,
}: {
  value: PanelLanguage;
  onChoose: (value: PanelLanguage) => void;
  testId?: string;
}) {
  return (
    <ChoiceField
      label={t("Language")}
      value={value}
      choices={LANGUAGES.map(({ language, name }) => [language, name] as const)}
      onChoose={onChoose}
      {...(testId === undefined ? {} : { testId })}
    />
  );
}
