// The heads of the columns: dragged to another place, sized by pointer and keys, with a menu for all of that.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { Column } from "../api.ts";
import { Menu, type layer } from "../parts/layers.tsx";
import { adopt } from "../parts/style.ts";
import rules from "../style/columns.css?inline";
import { t } from "../texts.ts";
import { view } from "../view.ts";
import { ColumnMenu } from "./column_menu.tsx";
import { columnTitle } from "./column_title.ts";
import { WIDTH_MAX, WIDTH_MIN, type Placed } from "./layout.ts";
import { hiddenOf, moveColumn, resizeColumn } from "./layout_edit.ts";

adopt(rules);

/** Pixels by which a key sizes a column, and a pointer moves before it drags. */
const STEP = 16;
const DRAG_MIN = 6;

function Sizer({
  placed,
  name,
  head,
}: {
  placed: readonly Placed[];
  name: string;
  head: { current: HTMLElement | null };
}) {
  const now = () => head.current?.offsetWidth ?? 0;
  const told = useSignal(WIDTH_MIN);
  useLayoutEffect(() => {
    told.value = Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, now()));
  });
  const onPointerDown = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const [from, width] = [event.clientX, now()];
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (move) => resizeColumn(placed, name, width + move.clientX - from);
    handle.onpointerup = handle.onpointercancel = () => (handle.onpointermove = null);
    event.preventDefault();
    event.stopPropagation();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    resizeColumn(placed, name, now() + (event.key === "ArrowLeft" ? -STEP : STEP));
    event.preventDefault();
  };
  return (
    <span
      class="sizer"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("Width of {name}", { name: columnTitle(name) })}
      aria-valuenow={told.value}
      aria-valuemin={WIDTH_MIN}
      aria-valuemax={WIDTH_MAX}
      title={t("Drag, or ← and →; a double click fits the content")}
      onPointerDown={onPointerDown}
      onDblClick={() => resizeColumn(placed, name, null)}
      onKeyDown={onKeyDown}
    />
  );
}

/** Where a dragged head would go. */
function targetOf(event: PointerEvent): number {
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-column]");
  return over ? Number(over.dataset["column"]) : -1;
}

function ColumnHead({
  placed,
  index,
  hidden,
}: {
  placed: readonly Placed[];
  index: number;
  hidden: readonly string[];
}) {
  const head = useRef<HTMLSpanElement>(null);
  const dragged = useSignal(false);
  const column = placed[index]?.column;
  if (!column) return null;
  const { name } = column;
  const onPointerDown = (event: PointerEvent) => {
    const own = head.current;
    if (
      event.button !== 0 ||
      !own ||
      (event.target instanceof Element && event.target.closest(".sizer, .panel") !== null)
    )
      return;
    const from = event.clientX;
    const move = (now: PointerEvent) => {
      if (Math.abs(now.clientX - from) > DRAG_MIN) dragged.value = true;
    };
    const end = (now: PointerEvent) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      if (!dragged.peek()) return;
      dragged.value = false;
      // The click that follows on the same head opens no menu.
      const swallow = (click: Event) => click.stopPropagation();
      own.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => own.removeEventListener("click", swallow, { capture: true }), 0);
      moveColumn(placed, name, targetOf(now));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  };
  return (
    <span
      role="columnheader"
      class={`cell${dragged.value ? " dragged" : ""}`}
      ref={head}
      data-column={index}
      data-testid="column-head"
      onPointerDown={onPointerDown}
    >
      <Menu
        name={`column:${name}` as typeof layer.value}
        testId={`column-${name}`}
        label={t("Column {name}", { name: columnTitle(name) })}
        class="column-menu"
        align={index === placed.length - 1 ? "right" : "left"}
        button={<span class="ellipsis">{columnTitle(name)}</span>}
      >
        <ColumnMenu placed={placed} index={index} hidden={hidden} />
      </Menu>
      <Sizer placed={placed} name={name} head={head} />
    </span>
  );
}

/** All heads. */
export function ColumnHeads({ placed, columns }: { placed: readonly Placed[]; columns: readonly Column[] }) {
  const hidden = hiddenOf(columns, view.value.layout);
  return (
    <>
      {placed.map(({ column }, n) => (
        <ColumnHead key={column.name} placed={placed} index={n} hidden={hidden} />
      ))}
    </>
  );
}
