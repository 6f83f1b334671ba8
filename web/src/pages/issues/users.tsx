// How many users an issue affects: the different values of a field that people choose, which stays in this browser.

import { signal } from "@preact/signals";

import { askUsers } from "../../api/issues.ts";
import { count } from "../../format.ts";
import { useLane } from "../../parts/use_lane.ts";
import { rich, t } from "../../texts.ts";
import { Where } from "./where.tsx";

const KEY = "catat.users-field";
const FIELD = "user_id";

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? FIELD;
  } catch {
    return FIELD;
  }
}

/** The field that tells users apart, the same for all issues. */
const field = signal(remembered());

function choose(name: string): void {
  field.value = name.trim() || FIELD;
  try {
    localStorage.setItem(KEY, field.value);
  } catch {
    // It holds until the page is closed.
  }
}

/** The number, the users with most events, and the field. */
export function Users({ id }: { id: string }) {
  const name = field.value;
  const { state, data, error } = useLane((signal) => askUsers(id, name, signal), [id, name]);
  return (
    <div class="issue-users" data-testid="issue-users">
      <p class="labels">
        <span class="dim">{t("Users affected")}</span>
        {state === "error" && <span class="dim">{error?.message}</span>}
        {state === "loading" && <span class="dim">{t("Loading…")}</span>}
        {state === "done" && data !== null && (
          <b class="number" data-testid="users-count">
            {data.more ? t("more than {n}", { n: count(data.count) }) : count(data.count)}
          </b>
        )}
        <label class="dim">
          {rich("by the field {field}", {
            field: (
              <input
                type="text"
                value={name}
                spellcheck={false}
                aria-label={t("Field that tells users apart")}
                data-testid="users-field"
                onChange={(event) => choose(event.currentTarget.value)}
              />
            ),
          })}
        </label>
      </p>
      {data !== null && <Where title="" all={data.values.map((one) => [String(one.value), one.events])} />}
    </div>
  );
}
