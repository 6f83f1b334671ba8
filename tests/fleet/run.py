#!/usr/bin/env python3
"""A fleet under load while its nodes, its bucket, its database and its network fail: run.py EXECUTABLE.

What was acknowledged is there once and unaltered afterwards, on every node; what was not is there once at most. The short form takes a minute
or two; CATAT_FAULT_ROUNDS=N is the long form with N failures of nodes. CATAT_FAULT_SEED repeats the choices of a run, CATAT_PREVIOUS names a
previous build to upgrade from, CATAT_FLEET_ONLY the beginnings of sections to run, with commas. The last line counts; the exit code is 0 if nothing was wrong. README.md of tests/ has more.
"""
import glob
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

import machines
import proxy


def missing():
    """What the laboratory cannot do without."""
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        return "PostgreSQL (apt-get install postgresql)"
    try:
        import moto.server  # noqa: F401
    except ImportError:
        return "moto (tests/clients/requirements.txt)"
    return None


def scenarios(run):
    """The sections of a run: a name and what happens."""
    import faults
    choose, plan = run.random, run.plan
    # First: the nodes are of that build, and so are the tables that they have made.
    if run.lab.previous:
        yield "upgrade", run.upgraded
    else:
        print("left out: upgrade from a previous build (CATAT_PREVIOUS names none)")
    kinds = [*faults.KINDS, choose.choice(faults.KINDS)] if not plan.is_long else [choose.choice(faults.KINDS) for _ in range(plan.rounds)]
    for at in range(0, len(kinds), plan.rounds_of_section):
        yield f"nodes-{at // plan.rounds_of_section}", run.nodes_fail(kinds[at:at + plan.rounds_of_section])
    for kind in ("bucket", "database"):
        # What is silent is noticed after half a minute only.
        for state in (proxy.REFUSING, proxy.SILENT) if plan.is_long else (proxy.REFUSING,):
            yield f"{kind}-{state}", run.away(kind, state)
    yield "slow", run.slow
    yield "half-fails", run.half_fails
    yield "answers-lost", run.answers_lost
    if shutil.which("cc"):
        yield "clock", run.clock_off
    else:
        print("left out: a clock that is off (there is no cc)")


def laboratory(binary, work, has_spaces):
    """Runs everything; returns the run."""
    import equality
    import faults
    import preflight
    rounds, seed = os.environ.get("CATAT_FAULT_ROUNDS"), os.environ.get("CATAT_FAULT_SEED") or str(time.time_ns() % 1_000_000)
    only = tuple(os.environ.get("CATAT_FLEET_ONLY", "").split(","))
    plan = faults.Plan(rounds and int(rounds))
    print(f"seed: CATAT_FAULT_SEED={seed}", flush=True)
    # A section that is left out would replace nothing.
    previous = os.environ.get("CATAT_PREVIOUS") if "upgrade".startswith(only) else None
    topology = machines.LONG_FORM if plan.is_long else machines.SHORT_FORM
    lab = machines.Laboratory(binary, work, seed, has_spaces, topology, previous and os.path.abspath(previous))
    preflight.run(lab)
    print("ok - the comparison finds what is wrong; one writer wins a race for a name; gates fail as they are told", flush=True)
    for node in lab.nodes:
        node.start(lab.previous)
    run = faults.Run(lab, plan)
    for name, scenario in scenarios(run):
        if name.startswith(only):
            run.section(name, scenario)
    n_answers, n_rows, n_refused, problems = equality.run(lab, 300 if plan.is_long else 30)
    print(f"{'not ok' if problems else 'ok'} - {n_answers} answers of nodes compared with those of one machine, {n_rows:,} rows, {n_refused} refusals")
    for text in problems[:10]:
        print(f"    {text}", flush=True)
    run.problems += problems
    run.compare_again()
    return run


def main():
    if what := missing():
        print(f"left out: the fleet; there is no {what}")
        return 0
    binary, has_spaces = os.path.abspath(sys.argv[1]), machines.isolate()
    work = pathlib.Path(tempfile.mkdtemp(prefix="catat-fleet-"))
    work.chmod(0o755)
    began, run, status = time.monotonic(), None, 1
    try:
        run = laboratory(binary, work, has_spaces)
        status = 1 if run.problems else 0
        print(f"fleet: {run.n_rounds} failures of nodes in {len(run.loads)} sections, "
              f"{sum(verdict.n_acknowledged for verdict in run.verdicts.values()):,} events acknowledged, {run.total('lost')} lost, "
              f"{run.total('twice')} twice, {run.total('altered')} altered; {len(run.problems)} problems; {time.monotonic() - began:.0f} s")
    except machines.Failed as error:
        print(f"not ok - {error}")
    except Exception:  # noqa: BLE001, the logs are wanted whatever happened.
        traceback.print_exc(file=sys.stdout)
    if status == 0:
        shutil.rmtree(work, ignore_errors=True)
    else:
        print(f"logs of nodes and histories: {work}")
    sys.stdout.flush()
    # Everything that was started ends with this program.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
