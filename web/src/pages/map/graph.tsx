// The service map as a picture: nodes and edges are links to the traces behind them.

import { useMemo } from "preact/hooks";

import type { MapEdge, MapNode, ServiceMap } from "../../api/traces.ts";
import { cut, percent, printable } from "../../format.ts";
import { t } from "../../texts.ts";
import { address, go, view, type View } from "../../view.ts";
import { linesOf, NODE, placed, worse, type PlacedEdge, type Line, type PlacedNode } from "./layout.ts";
import { callsText, gapsText, kindText, latencyText, rateText, tracesOf, tracesThrough } from "./words.ts";

const NAME_CHARS_MAX = 21;

/** Outlines by kind: services are boxes, databases drums, queues pipes, outside services have cut corners. */
const SHAPES: Record<MapNode["kind"], string> = (() => {
  const { width: w, height: h } = NODE;
  return {
    service: `M8 0H${w - 8}a8 8 0 0 1 8 8V${h - 8}a8 8 0 0 1 -8 8H8a8 8 0 0 1 -8 -8V8a8 8 0 0 1 8 -8Z`,
    database: `M0 9C0 -3 ${w} -3 ${w} 9V${h - 9}C${w} ${h + 3} 0 ${h + 3} 0 ${h - 9}ZM0 9C0 19 ${w} 19 ${w} 9`,
    queue: `M14 0H${w - 14}C${w + 4} 0 ${w + 4} ${h} ${w - 14} ${h}H14C-4 ${h} -4 0 14 0ZM${w - 14} 0C${w - 32} 0 ${w - 32} ${h} ${w - 14} ${h}`,
    external: `M14 0H${w - 14}L${w} 14V${h - 14}L${w - 14} ${h}H14L0 ${h - 14}V14Z`,
  };
})();

function Way({
  to,
  label,
  class: kind,
  testId,
  children,
}: {
  to: Partial<View>;
  label: string;
  class: string;
  testId: string;
  children: preact.ComponentChildren;
}) {
  return (
    <a
      class={kind}
      aria-label={label}
      data-testid={testId}
      href={address({ ...view.value, ...to })}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

function changed(of: MapNode | MapEdge): string {
  return of.before === undefined ? "" : ` ${t("before: {numbers}", { numbers: callsText(of.before) })}`;
}

/** The numbers of an edge; crowded ones are shown while the edge is hovered or focused. */
function Numbers({ edge, line }: { edge: MapEdge; line: Line }) {
  const { x, y } = line.label;
  const bad = worse(edge, edge.before);
  const isGone = edge.requests === 0;
  return (
    <g
      class={`map-text${isGone ? " gone" : ""}${line.isCrowded ? " crowded" : ""}`}
      aria-hidden="true"
      text-anchor="middle"
    >
      <text x={x} y={y - 4} class={bad.errors ? "bad" : ""}>
        {isGone ? t("no calls now") : rateText(edge.requests_per_s)}
        {edge.error_share > 0 ? ` · ${percent(edge.error_share)}` : ""}
      </text>
      <text x={x} y={y + 10} class={bad.latency ? "bad" : ""}>
        {edge.p95_ms === null || isGone ? "" : latencyText(edge.p95_ms)}
      </text>
    </g>
  );
}

function Edge({ one, line }: { one: PlacedEdge; line: Line }) {
  const { edge } = one;
  const bad = worse(edge, edge.before);
  const numbers = callsText(edge);
  const said = t("{from} calls {to}: {numbers}", { from: printable(edge.from), to: printable(edge.to), numbers });
  const state = `${bad.errors || bad.latency ? " worse" : ""}${edge.requests === 0 ? " gone" : ""}`;
  const strokeWidth = `${1 + Math.min(4, Math.log10(1 + edge.requests_per_s * 10))}px`;
  return (
    <>
      <Way class={`map-edge${state}`} label={said + changed(edge)} testId="map-edge" to={tracesOf(edge, one.to.node)}>
        <title>{said + changed(edge)}</title>
        <path class="touch" d={line.path} />
        <path class="line" d={line.path} style={{ strokeWidth }} marker-end="url(#arrow)" />
      </Way>
      {line.isCrowded && <Numbers edge={edge} line={line} />}
    </>
  );
}

function Node({ one, edges }: { one: PlacedNode; edges: readonly MapEdge[] }) {
  const { node, x, y } = one;
  const bad = worse(node, node.before);
  const gaps = gapsText(node);
  const label = `${kindText(node)} ${printable(node.service)}: ${[callsText(node), ...gaps].join("; ")}${changed(node)}`;
  const isDrum = node.kind === "database";
  const name = printable(node.service);
  const isGone = node.requests === 0;
  const state = `${bad.errors || bad.latency ? " worse" : ""}${node.logs_only ? " logs-only" : ""}${isGone ? " gone" : ""}`;
  return (
    <g transform={`translate(${x} ${y})`}>
      <Way class={`map-node ${node.kind}${state}`} label={label} testId="map-node" to={tracesThrough(node, edges)}>
        <title>{label}</title>
        <path class="shape" d={SHAPES[node.kind]} />
      </Way>
      <g class={`map-text${isGone ? " gone" : ""}`} aria-hidden="true">
        <text class="name" x={NODE.width / 2} y={isDrum ? 31 : 23} text-anchor="middle">
          {name.length > NAME_CHARS_MAX ? `${cut(name, NAME_CHARS_MAX - 1)}…` : name}
        </text>
        <text x={NODE.width / 2} y={isDrum ? 47 : 42} text-anchor="middle">
          {rateText(node.requests_per_s)} · <tspan class={bad.errors ? "bad" : ""}>{percent(node.error_share)}</tspan>
          {node.p95_ms !== null && (
            <>
              {" · "}
              <tspan class={bad.latency ? "bad" : ""}>{latencyText(node.p95_ms)}</tspan>
            </>
          )}
        </text>
        {gaps.length > 0 && (
          <text class="gap" x={NODE.width - 12} y={isDrum ? 27 : 15} text-anchor="middle">
            ?
          </text>
        )}
      </g>
    </g>
  );
}

/** The picture. */
export function MapGraph({ map }: { map: ServiceMap }) {
  const { nodes, edges, width, height } = useMemo(() => placed(map.nodes, map.edges), [map]);
  const lines = useMemo(() => linesOf(edges), [edges]);
  return (
    <div
      class="map-box"
      tabIndex={0}
      role="region"
      aria-label={t("Service map; the table has the same numbers")}
      data-testid="map-graph"
    >
      <svg width={width} height={height + 20} viewBox={`0 0 ${width} ${height + 20}`}>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8Z" class="arrow" />
          </marker>
        </defs>
        {edges.map((one, at) => (
          <Edge
            key={`${one.edge.from}
${one.edge.to}`}
            one={one}
            line={lines[at] as Line}
          />
        ))}
        {edges.map(({ edge }, at) =>
          lines[at]?.isCrowded === false ? (
            <Numbers key={`${edge.from}\n${edge.to}`} edge={edge} line={lines[at] as Line} />
          ) : null,
        )}
        {nodes.map((one) => (
          <Node key={one.node.service} one={one} edges={map.edges} />
        ))}
      </svg>
    </div>
  );
}
