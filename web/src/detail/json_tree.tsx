// An event as a tree of values that opens as one looks at it, by mouse and by keys. Only what is open is on the page, and
// only the value that one is at has its buttons.

import { useMemo, useRef, useState } from "preact/hooks";

import type { FieldOfEvent } from "../event.ts";
import { ValueButtons } from "../explore/value_buttons.tsx";
import { bytes, count, cut, printable } from "../format.ts";
import { plural, t } from "../texts.ts";
import { asJson, grow, mayHold, sizeOf, twigs, type Branch, type Grown, type Twig } from "./tree.ts";

/** Branches above this depth are open at first. */
const DEPTH_OPEN = 2;
/** Keys of a branch that are shown before somebody asks for more, and how many each asking adds. */
const KEYS_SHOWN = 100;
/** Characters of a text in the tree. */
const TEXT_CHARS = 500;

interface TreeState {
  /** Branches that are not as they were at first, and how many keys of them are shown. */
  turned: ReadonlySet<string>;
  shown: ReadonlyMap<string, number>;
  /** The item that has the buttons and that Tab comes to. */
  active: string;
  turn: (place: string) => void;
  more: (place: string) => void;
}

function textOf(value: Grown): { text: string; kind: string } {
  if (value instanceof Map || (typeof value === "object" && value !== null)) {
    const n = sizeOf(value);
    return Array.isArray(value)
      ? { text: plural(n, "[{n} element]", "[{n} elements]", count(n)), kind: "summary" }
      : { text: plural(n, "{{n} key}", "{{n} keys}", count(n)), kind: "summary" };
  }
  if (typeof value !== "string") return { text: String(value), kind: value === null ? "null" : typeof value };
  const short = cut(value, TEXT_CHARS);
  return {
    text: `"${printable(short, true)}"${short.length < value.length ? ` … ${bytes(value.length - short.length)}` : ""}`,
    kind: "string",
  };
}

function Item({
  twig,
  place,
  level,
  first,
  tree,
}: {
  twig: Twig;
  place: string;
  level: number;
  first: boolean;
  tree: TreeState;
}) {
  const { key, path, value } = twig;
  const holds = mayHold(value);
  const open = holds && tree.turned.has(place) !== (level < DEPTH_OPEN && typeof value !== "string");
  const { text, kind } = textOf(value);
  const active = tree.active === place;
  const simple = !(value instanceof Map);
  return (
    <li
      role="treeitem"
      aria-level={level}
      aria-expanded={holds ? open : undefined}
      tabIndex={active || (first && tree.active === "") ? 0 : -1}
      data-place={place}
      data-field={path ?? undefined}
      data-value={typeof value === "string" ? cut(value, 2000) : JSON.stringify(asJson(value)).slice(0, 2000)}
    >
      <div class="twig" data-line>
        <span class={`turn${open ? " open" : ""}`} aria-hidden="true">
          {holds ? "▸" : ""}
        </span>
        <span class="key">{printable(key)}:</span> <span class={`leaf ${kind}`}>{text}</span>
        {active && path !== null && (
          <ValueButtons name={path} value={simple ? value : asJson(value)} isWhole={simple} />
        )}
      </div>
      {open && <Branches of={value} path={path} place={place} level={level + 1} tree={tree} />}
    </li>
  );
}

function Branches({
  of,
  path,
  place,
  level,
  tree,
}: {
  of: Grown;
  path: string | null;
  place: string;
  level: number;
  tree: TreeState;
}) {
  const all = useMemo(() => twigs(of, path), [of, path]);
  const shown = tree.shown.get(place) ?? KEYS_SHOWN;
  return (
    <ul role={level === 1 ? "none" : "group"}>
      {all.length === 0 && (
        <li role="treeitem" aria-level={level} class="dim">
          {t("This text is not valid JSON.")}
        </li>
      )}
      {all.slice(0, shown).map((twig, at) => (
        <Item
          key={twig.key}
          twig={twig}
          place={`${place}/${at}`}
          level={level}
          first={level === 1 && at === 0}
          tree={tree}
        />
      ))}
      {all.length > shown && (
        <li
          role="treeitem"
          aria-level={level}
          tabIndex={tree.active === `${place}/more` ? 0 : -1}
          data-place={`${place}/more`}
          data-more={place}
          data-testid="tree-more"
        >
          <span class="link">
            {t("show {n} more of {all}", {
              n: count(Math.min(KEYS_SHOWN, all.length - shown)),
              all: count(all.length),
            })}
          </span>
        </li>
      )}
    </ul>
  );
}

function useTree(): [TreeState, (place: string) => void] {
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState<ReadonlyMap<string, number>>(new Map());
  const [active, setActive] = useState("");
  const turn = (place: string) =>
    setTurned((now) => {
      const next = new Set(now);
      if (!next.delete(place)) next.add(place);
      return next;
    });
  const more = (place: string) =>
    setShown((now) => new Map(now).set(place, (now.get(place) ?? KEYS_SHOWN) + KEYS_SHOWN));
  return [{ turned, shown, active, turn, more }, setActive];
}

/** What a key does to the item in focus: the item that gets the focus, or `null` where the key is none of the tree's. */
function step(key: string, item: HTMLElement, root: HTMLElement, tree: TreeState): HTMLElement | null {
  const all = [...root.querySelectorAll<HTMLElement>("[role=treeitem][data-place]")];
  const at = all.indexOf(item);
  const expanded = item.getAttribute("aria-expanded");
  const place = item.dataset["place"] ?? "";
  switch (key) {
    case "ArrowDown":
      return all[at + 1] ?? item;
    case "ArrowUp":
      return all[at - 1] ?? item;
    case "Home":
      return all[0] ?? item;
    case "End":
      return all.at(-1) ?? item;
    case "ArrowRight":
      if (expanded === "false") tree.turn(place);
      return expanded === "true" ? (all[at + 1] ?? item) : item;
    case "ArrowLeft":
      if (expanded === "true") tree.turn(place);
      return expanded === "true" ? item : (item.parentElement?.closest<HTMLElement>("[role=treeitem]") ?? item);
    case "Enter":
    case " ":
      if (item.dataset["more"] !== undefined) tree.more(item.dataset["more"]);
      else if (expanded !== null) tree.turn(place);
      return item;
    default:
      return null;
  }
}

/** The tree. */
export function JsonTree({ fields }: { fields: readonly FieldOfEvent[] }) {
  const root = useRef<HTMLDivElement>(null);
  const grown = useMemo((): Branch => grow(fields), [fields]);
  const [tree, setActive] = useTree();
  const itemOf = (target: EventTarget | null) =>
    target instanceof Element ? target.closest<HTMLElement>("[role=treeitem][data-place]") : null;
  const onKey = (event: KeyboardEvent) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      !(event.target instanceof HTMLElement) ||
      event.target.getAttribute("role") !== "treeitem" ||
      !root.current
    )
      return;
    const next = step(event.key, event.target, root.current, tree);
    if (next === null) return;
    event.preventDefault();
    setActive(next.dataset["place"] ?? "");
    next.focus();
  };
  const onClick = (event: MouseEvent) => {
    const item = itemOf(event.target);
    if (!item || (event.target as Element).closest("button") !== null || getSelection()?.isCollapsed === false) return;
    setActive(item.dataset["place"] ?? "");
    if (item.dataset["more"] !== undefined) tree.more(item.dataset["more"]);
    else if (item.hasAttribute("aria-expanded")) tree.turn(item.dataset["place"] ?? "");
  };
  const follow = (event: Event) => {
    const place = itemOf(event.target)?.dataset["place"];
    if (place !== undefined && place !== tree.active) setActive(place);
  };
  return (
    <div
      class="tree block"
      role="tree"
      aria-label={t("The event as JSON")}
      ref={root}
      data-testid="json"
      onKeyDown={onKey}
      onClick={onClick}
      onPointerOver={follow}
      onFocusIn={follow}
    >
      <Branches of={grown} path="" place="" level={1} tree={tree} />
    </div>
  );
}
