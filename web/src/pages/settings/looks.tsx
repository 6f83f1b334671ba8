// How this browser shows the page: theme and language. Nothing of it is known to the server.

import { choose, language, LANGUAGES, t, text } from "../../texts.ts";
import { chooseTheme, theme, type Theme } from "../../theme_choice.ts";

const THEMES: readonly { theme: Theme; name: string }[] = [
  { theme: "auto", name: text("System") },
  { theme: "light", name: text("Light") },
  { theme: "dark", name: text("Dark") },
];

/** One of several, by a round button. */
function Choice({
  name,
  value,
  isChosen,
  label,
  lang,
  run,
}: {
  name: string;
  value: string;
  isChosen: boolean;
  label: string;
  lang?: string;
  run: () => void;
}) {
  return (
    <label class="choice">
      <input type="radio" name={name} value={value} checked={isChosen} onChange={run} />{" "}
      <span lang={lang}>{label}</span>
    </label>
  );
}

/** The section. */
export function Looks() {
  return (
    <section data-testid="looks" aria-labelledby="looks">
      <h2 id="looks">{t("Theme and language")}</h2>
      <p class="dim">{t("Saved in this browser, for everyone who uses it.")}</p>
      <div class="looks">
        <fieldset>
          <legend>{t("Theme")}</legend>
          {THEMES.map((one) => (
            <Choice
              key={one.theme}
              name="theme"
              value={one.theme}
              isChosen={theme.value === one.theme}
              label={t(one.name)}
              run={() => chooseTheme(one.theme)}
            />
          ))}
        </fieldset>
        <fieldset>
          <legend>{t("Language")}</legend>
          {LANGUAGES.map((one) => (
            <Choice
              key={one.language}
              name="language"
              value={one.language}
              isChosen={language.value === one.language}
              label={one.name}
              lang={one.language}
              run={() => void choose(one.language)}
            />
          ))}
        </fieldset>
      </div>
    </section>
  );
}
