// Which groups are asked: all, some, or a pattern with `*`.

import { signal } from "@preact/signals";

import { askGroups, groupList } from "../ask.ts";
import { compact, count } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { layer, Menu } from "../parts/layers.tsx";
import { t } from "../texts.ts";
import { go, view } from "../view.ts";
import { useEffect } from "preact/hooks";

const sought = signal("");
const SHOWN_MAX = 200;

function toggle(name: string): void {
  const now = view.peek().groups;
  go({ groups: now.includes(name) ? now.filter((one) => one !== name) : [...now, name], row: "" });
}

/** The button that shows the groups, and its panel. */
export function GroupPicker() {
  const chosen = view.value.groups;
  const label =
    chosen.length === 0
      ? t("All groups")
      : chosen.length === 1
        ? (chosen[0] ?? "")
        : t("{n} groups", { n: count(chosen.length) });
  const open = layer.value === "groups";
  useEffect(() => {
    if (open) askGroups();
  }, [open]);
  return (
    <Menu
      name="groups"
      testId="groups"
      label={t("Groups: {groups}", { groups: label })}
      class="groups"
      button={
        <>
          <Icon name="layers" />
          <span class="sr-only">{t("Groups: {groups}", { groups: "" })}</span>
          <span class="ellipsis">{label}</span>
        </>
      }
    >
      <GroupChoice />
    </Menu>
  );
}

function GroupChoice() {
  const chosen = view.value.groups;
  const all = groupList.value.data ?? [];
  const text = sought.value.trim().toLowerCase();
  const found = all.filter((group) => group.name.toLowerCase().includes(text.replaceAll("*", ""))).slice(0, SHOWN_MAX);
  const patterns = chosen.filter((name) => !all.some((group) => group.name === name));
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (sought.value.trim() !== "") {
            toggle(sought.value.trim());
            sought.value = "";
          }
        }}
      >
        <input
          data-autofocus
          data-testid="group-text"
          aria-label={t("Find a group, or a pattern such as app/*")}
          placeholder={t("Find, or a pattern: app/*")}
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      </form>
      {chosen.length > 0 && <Button label={t("All groups")} onClick={() => go({ groups: [], row: "" })} />}
      <ul class="checklist">
        {patterns.map((name) => (
          <li key={name}>
            <label class="choice">
              <input type="checkbox" checked onChange={() => toggle(name)} />
              <span class="ellipsis">{name}</span>
            </label>
          </li>
        ))}
        {found.map((group) => (
          <li key={group.name}>
            <label class="choice">
              <input type="checkbox" checked={chosen.includes(group.name)} onChange={() => toggle(group.name)} />
              <span class="ellipsis" title={group.name}>
                {group.name}
              </span>
              <span class="dim number" title={group.archive}>
                {group.archive === undefined ? compact(group.events) : t("archive")}
              </span>
            </label>
          </li>
        ))}
      </ul>
      {groupList.value.state === "error" && <p class="note error">{groupList.value.error?.message}</p>}
      {groupList.value.state === "done" && all.length === 0 && <p class="dim">{t("There is no group yet.")}</p>}
    </>
  );
}
