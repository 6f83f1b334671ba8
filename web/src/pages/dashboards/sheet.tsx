// A table of a panel: the rows of its query, or the numbers that its chart draws.

import { useMemo, useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { count, oneLine } from "../../format.ts";
import { compare, SortHead } from "../../parts/table.tsx";
import type { Json } from "../../query/edit.ts";
import { plural } from "../../texts.ts";
import { fullText, type Zone } from "../../time.ts";
import type { Sheet } from "./csv.ts";
import { GradeWord } from "./figures.tsx";
import { gradeOf, withUnit } from "./units.ts";

/** Rows that are shown before more are asked for. */
const STEP = 200;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

function Cell({ value, panel, zone }: { value: Json | undefined; panel: BoardPanel; zone: Zone }) {
  if (value === null || value === undefined) return <span class="dim">–</span>;
  if (typeof value === "number") {
    const grade = gradeOf(value, panel.thresholds);
    return (
      <span class={`grade-${grade ?? "none"}`}>
        {withUnit(value, panel.unit, panel.decimals)} <GradeWord grade={grade} />
      </span>
    );
  }
  if (typeof value === "string" && TIME.test(value)) return <>{fullText(Date.parse(value), zone)}</>;
  return <>{oneLine(value, 500)}</>;
}

/** The table; its heads sort it. */
export function SheetTable({
  made,
  panel,
  label,
  zone,
}: {
  made: () => Sheet;
  panel: BoardPanel;
  label: string;
  zone: Zone;
}) {
  const sheet = useMemo(made, [made]);
  const [order, setOrder] = useState<{ at: number; isDown: boolean } | null>(null);
  const [most, setMost] = useState(STEP);
  const rows = useMemo(() => {
    if (order === null) return sheet.rows;
    const sign = order.isDown ? -1 : 1;
    return [...sheet.rows].sort((a, b) => sign * compare(a[order.at], b[order.at]));
  }, [sheet, order]);
  const isNumber = sheet.heads.map((_, at) => sheet.rows.some((row) => typeof row[at] === "number"));
  return (
    <div class="table-box flat board-table" tabIndex={0} role="region" aria-label={label} data-testid="board-table">
      <table>
        <thead>
          <tr>
            {sheet.heads.map((head, at) => (
              <SortHead
                key={at}
                isNumeric={isNumber[at] === true}
                isDown={order?.at === at ? order.isDown : null}
                onSort={() => setOrder({ at, isDown: order?.at === at ? !order.isDown : true })}
              >
                {head}
              </SortHead>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((row, n) => (
            <tr key={n}>
              {sheet.heads.map((_, at) => (
                <td key={at} class={isNumber[at] ? "numeric" : ""}>
                  <Cell value={row[at]} panel={panel} zone={zone} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && (
        <button type="button" class="link" onClick={() => setMost(most + 5 * STEP)}>
          {plural(rows.length - most, "{n} more row", "{n} more rows", count(rows.length - most))}
        </button>
      )}
    </div>
  );
}
