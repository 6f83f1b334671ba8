// The page that one lives in: ask, see when, see what, narrow down.

import { useEffect } from "preact/hooks";

import { askGroups, groupList, isCut, loadingOlder, loadOlder, rows, type Rows } from "../ask.ts";
import { count } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { layer } from "../parts/layers.tsx";
import { soughtTexts } from "../query/lex.ts";
import { go, run, view } from "../view.ts";
import { Chart } from "./chart.tsx";
import { Editor, submit } from "./editor.tsx";
import { FieldsButton } from "./fields_button.tsx";
import { GroupPicker } from "./group_picker.tsx";
import { RowList } from "./row_list.tsx";
import { Share } from "./share.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Cost, Failed, NoMatch, PartialNote, Waiting } from "./states.tsx";
import { TimePicker } from "./time_picker.tsx";

const Onboarding = later(async () => (await import("../pages/start.tsx")).Onboarding);
const LiveRows = later(async () => (await import("./live_rows.tsx")).LiveRows);
const Result = later(async () => (await import("./table.tsx")).Result, true);

/** Whether the store holds nothing at all. */
function isEmptyStore(): boolean {
  const lane = groupList.value;
  return lane.data !== null && lane.data.every((group) => group.events === 0);
}

/** The whole page. */
export function Explore() {
  useEffect(askGroups, []);
  const empty = isEmptyStore();
  useEffect(() => {
    // The first event has arrived: show it.
    if (!empty && groupList.peek().data !== null) run();
  }, [empty]);
  return (
    <main class="explore">
      <QueryBar />
      {empty ? <Onboarding /> : (
        <div class={`work${layer.value === "fields" ? " with-fields" : ""}`}>
          <Sidebar />
          <div class="results">
            <Chart />
            <Results />
          </div>
        </div>
      )}
    </main>
  );
}

function QueryBar() {
  const live = view.value.live;
  return (
    <div class="query-bar" role="search">
      <GroupPicker />
      <Editor />
      <TimePicker />
      <button type="button" class="button primary run" onClick={submit} data-testid="run" title="Run (Enter)"><Icon name="play" /><span>Run</span></button>
      <button type="button" class={`button live${live ? " on" : ""}`} aria-pressed={live} onClick={() => go({ live: !live, row: "" })} data-testid="live" title="Live tail (l)">
        <Icon name={live ? "stop" : "live"} /><span>Live</span></button>
      <Share />
    </div>
  );
}

function Results() {
  if (view.value.live) return <LiveRows List={RowList} />;
  const lane = rows.value;
  const data = lane.data;
  return (
    <section class={`result${lane.state === "loading" && data ? " stale" : ""}`} aria-label="Results" data-testid="results" aria-busy={lane.state === "loading"}>
      <Waiting />
      {lane.state === "error" && (!data || lane.error?.status === 400 || lane.error?.code === "cancelled" || lane.error?.status === 0) ? <Failed /> : null}
      {lane.state === "error" && data && lane.error?.status !== 400 && <p class="note error">These rows are older than the question: {lane.error?.message}</p>}
      {data && !(lane.state === "error" && lane.error?.status === 400) && <Answered data={data} />}
      {!data && lane.state !== "error" && <Skeleton />}
    </section>
  );
}

function Skeleton() {
  return <div class="skeleton" aria-hidden="true">{Array.from({ length: 12 }, (_, n) => <div key={n} style={{ width: `${92 - ((n * 37) % 55)}%` }} />)}</div>;
}

function Answered({ data }: { data: Rows }) {
  const n = data.kind === "events" ? data.events.length : data.table.length;
  const word = data.kind === "events" ? "event" : "row";
  const older = data.more && !isCut(data.query);
  return (
    <>
      <PartialNote data={data} />
      {n === 0 ? <NoMatch data={data} /> : (
        <>
          <div class="result-head">
            <FieldsButton />
            <span role="status" data-testid="shown">{data.more ? `newest ${count(n)} ${word}s` : `${data.kind === "events" && n > 1 && !isCut(data.query) ? "all " : ""}${count(n)} ${n === 1 ? word : `${word}s`}`}</span>
            <Cost data={data} />
          </div>
          {data.kind === "events"
            ? <RowList key={data.query} events={data.events} columns={data.columns} sought={soughtTexts(data.query)} label={`Events, newest first`}
                onEnd={() => { if (older) void loadOlder(); }} footer={loadingOlder.value ? "loading older events…" : older ? "" : data.more ? "The rest is cut off here." : isCut(data.query) ? "" : "That is all in this range."} />
            : <Result key={data.query} data={data} />}
        </>
      )}
    </>
  );
}
