// The menu of a part of a chart's time: zoom in, compare it with the rest, mark it.

import { useEffect, useRef } from "preact/hooks";

import { span } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { layer } from "../parts/layers.tsx";
import { adopt } from "../parts/style.ts";
import rules from "../style/cause.css?inline";
import { t } from "../texts.ts";
import { clockText, fullText } from "../time.ts";
import { go, view, zoom } from "../view.ts";
import type { Part } from "./drag.ts";
import { selectionText } from "./comparison.ts";
import { newMark } from "./marks.ts";

adopt(rules);

/** Width that the menu takes at most. */
const WIDE = 300;

/** The menu; `left` is where the part begins in a chart of `width` pixels. */
export function Selection({
  part: { from, to },
  left,
  width,
  onClose,
  onLogs,
}: {
  part: Part;
  left: number;
  width: number;
  onClose: () => void;
  /** Shows the log lines of the part; charts of events have them already. */
  onLogs?: () => void;
}) {
  const root = useRef<HTMLDivElement>(null);
  const zone = view.value.zone;
  useEffect(() => {
    root.current?.querySelector<HTMLElement>("button")?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [from, to]);
  const close = (then: () => void) => () => {
    onClose();
    then();
  };
  return (
    <div
      ref={root}
      class="selection-menu"
      role="dialog"
      aria-label={t("Selected time")}
      data-testid="selection-menu"
      style={{ left: `${Math.max(0, Math.min(left, width - WIDE))}px` }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        const chart = root.current?.parentElement?.querySelector<SVGElement>("svg[tabindex]");
        onClose();
        chart?.focus();
      }}
    >
      <p class="dim">
        {fullText(from, zone)} – {clockText(to, zone)} ({span(Math.max(1, Math.round((to - from) / 1000) * 1000))})
      </p>
      <button type="button" class="button primary" data-testid="selection-zoom" onClick={close(() => zoom(from, to))}>
        {t("Zoom in")}
      </button>
      {onLogs && (
        <Button class="button" label={t("Show its logs")} data-testid="selection-logs" onClick={close(onLogs)} />
      )}
      <button
        type="button"
        class="button"
        data-testid="selection-differs"
        onClick={close(() =>
          go({
            ...(view.peek().language === "promql" ? { query: view.peek().logs } : {}),
            panel: "differs",
            selection: selectionText(from, to),
            chosen: "",
            baseline: "",
            row: "",
            live: false,
          }),
        )}
      >
        {t("What differs")}
      </button>
      <button
        type="button"
        class="button quiet"
        data-testid="selection-mark"
        onClick={close(() => {
          newMark.value = { from, to };
          layer.value = "mark";
        })}
      >
        {t("Add a mark…")}
      </button>
    </div>
  );
}
