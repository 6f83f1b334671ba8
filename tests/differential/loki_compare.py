"""Compares two answers of the Loki API, and names what differs.

Free is the order of vectors, of series and of streams, the order of equal times, statistics, and the last digits of a
float. Everything else counts: labels, times, values, lines, categories. Bytes of volumes and statistics of the index are
estimates in Loki, made of its chunks and of the time that they reach over: of volumes the series and the grid of the times
are compared, of statistics only the names. Which of several types a detected field has depends in Loki on the line that
comes last: a type counts only where all values have it.

Labels, series and volumes are of streams. Loki names each stream that it holds in memory, or that has a chunk that reaches
into the range, whether or not a line of it is in the range: where a question is not about all of the data, Loki may name
more, and nothing else counts.
"""
import json
import math
import re


# Fields of the data whose values are of several types.
MIXED_FIELDS = {"n", "n_extracted", "env", "env_extracted", "took", "size", "addr", "level", "level_extracted", "a_b", "d", "code", "items", "x_extracted", "v", "b", "a", "f", "user", "user_name", "ratio", "x", "group", "nosuch", "c", "msg", "dur"}


def close(a, b):
    """Whether two sample values are equal but for the order in which floats were added."""
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except (TypeError, ValueError):
        return False
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)


def key(labels):
    return json.dumps(labels, sort_keys=True, ensure_ascii=False)


def label_difference(ours, theirs):
    """Names of labels that only one side has, or that have other values."""
    names_ours = {name for labels in ours for name in labels}
    names_theirs = {name for labels in theirs for name in labels}
    if extra := sorted(names_ours - names_theirs):
        return f"labels only in catat: {', '.join(extra)}"
    if missing := sorted(names_theirs - names_ours):
        return f"labels only in Loki: {', '.join(missing)}"
    for name in sorted(names_ours):
        if {labels.get(name) for labels in ours} != {labels.get(name) for labels in theirs}:
            return f"values of label {name} differ"
    return "label sets differ"


def streams(ours, theirs):
    def by_labels(result):
        found = {}
        for one in result:
            found.setdefault(key(one["stream"]), (one["stream"], []))[1].extend(one["values"])
        return found

    a, b = by_labels(ours), by_labels(theirs)
    n_ours, n_theirs = (sum(len(values) for _, values in side.values()) for side in (a, b))
    if n_ours != n_theirs:
        return f"lines: {'fewer' if n_ours < n_theirs else 'more'} in catat"
    if a.keys() != b.keys():
        return label_difference([labels for labels, _ in a.values()], [labels for labels, _ in b.values()])
    for labels in a:
        x, y = a[labels][1], b[labels][1]
        if x == y:
            continue
        if [value[0] for value in x] != [value[0] for value in y]:
            same = sorted(value[0] for value in x) == sorted(value[0] for value in y)
            return "order of lines differs" if same else "other lines are chosen"
        if sorted(map(json.dumps, x)) == sorted(map(json.dumps, y)):
            continue
        if sorted(value[1] for value in x) != sorted(value[1] for value in y):
            return "text of lines differs"
        return categories(x, y)
    return None


def categories(x, y):
    for ours, theirs in zip(x, y):
        a, b = (value[2] if len(value) > 2 else {} for value in (ours, theirs))
        for part in sorted({*a, *b}):
            p, q = a.get(part, {}), b.get(part, {})
            if p != q:
                names = sorted(name for name in {*p, *q} if p.get(name) != q.get(name))
                return f"{part} differs: {', '.join(names[:4])}"
        if a != b:
            return "form of metadata differs"
    return "lines of equal times differ"


def in_order(series, field):
    """Series with the labels of others told apart by a number, in the order of their values; points of one time likewise.

    `label_replace` may give several series the same labels: Loki then writes them in any order.
    """
    series = sorted(series, key=lambda one: (key(one["metric"]), str(one[field])))
    found = {}
    for one in series:
        number = found[key(one["metric"])] = found.get(key(one["metric"]), -1) + 1
        one = {**one, "metric": {**one["metric"], "#": str(number)}} if number else one
        yield {**one, "values": sorted(one["values"])} if field == "values" else one


def samples(ours, theirs, field):
    a, b = ({key(one["metric"]): one for one in in_order(side, field)} for side in (ours, theirs))
    if a.keys() != b.keys():
        if not a or not b:
            return f"series: {'none in catat' if not a else 'none in Loki'}"
        if len(a) != len(b) and {name for one in ours for name in one["metric"]} == {name for one in theirs for name in one["metric"]}:
            return f"series: {'fewer' if len(a) < len(b) else 'more'} in catat"
        return "series: " + label_difference([one["metric"] for one in ours], [one["metric"] for one in theirs])
    for labels in a:
        x, y = a[labels][field], b[labels][field]
        x, y = ([x], [y]) if field == "value" else (x, y)
        if [at for at, _ in x] != [at for at, _ in y]:
            grid = {at for at, _ in x} - {at for at, _ in y} and {at for at, _ in y} - {at for at, _ in x}
            return "times differ" if grid else f"points: {'fewer' if len(x) < len(y) else 'more'} in catat"
        for (_, p), (_, q) in zip(x, y):
            if not close(p, q):
                return "values differ"
    return None


def data(ours, theirs):
    kinds = ours.get("resultType"), theirs.get("resultType")
    if kinds[0] != kinds[1]:
        return f"result type: {kinds[0]} in catat, {kinds[1]} in Loki"
    a, b = ours.get("result") or [], theirs.get("result") or []
    if kinds[0] == "streams":
        if ours.get("encodingFlags") != theirs.get("encodingFlags"):
            return "encodingFlags differ"
        return streams(a, b)
    if kinds[0] == "scalar":
        return None if a[0] == b[0] and close(a[1], b[1]) else "scalar differs"
    difference = samples(a, b, "values" if kinds[0] == "matrix" else "value")
    return difference


def volumes(ours, theirs):
    """Volumes: the same series; no time that Loki does not have, and no bytes where it has none."""
    a, b = ({key(one["metric"]): one for one in side.get("result") or []} for side in (ours, theirs))
    if a.keys() != b.keys():
        return "series: " + (label_difference([one["metric"] for one in a.values()], [one["metric"] for one in b.values()])
                             if a and b else "none in catat" if not a else "none in Loki")
    for labels in a:
        x, y = ({at for at, bytes in one.get("values", [one.get("value")]) if bytes != "0"} for one in (a[labels], b[labels]))
        if x - {at for at, _ in b[labels].get("values", [b[labels].get("value")])}:
            return "times differ"
        if not x and y:
            return "no bytes in catat"
    return None


def is_sorted_query(question):
    return question.path.endswith("/query") and question.parameters.get("query", "").startswith("sort")


def named(items, name):
    return {item[name]: {k: v for k, v in item.items() if k != name} for item in items or []}


def bodies(question, ours, theirs):
    """What differs between two answers of status 200, as one phrase; `None` where nothing does."""
    if isinstance(ours, str) or isinstance(theirs, str):
        return None if ours == theirs else "text differs"
    a, b = ours.get("data"), theirs.get("data")
    if question.kind in ("labels", "values", "series", "detected_labels", "volume", "volume_range") and not question.is_whole:
        return in_part(question, ours, theirs)
    if question.kind in ("volume", "volume_range"):
        return volumes(a, b)
    if question.kind == "stats":
        return None if ours.keys() == theirs.keys() else "body differs"
    if isinstance(a, dict) and isinstance(b, dict) and "resultType" in b:
        difference = data(a, b)
        if difference is None and is_sorted_query(question):
            order = [[float(one["value"][1]) for one in side["result"]] for side in (a, b)]
            return None if order[0] == order[1] else "order of a sorted vector differs"
        return difference
    if question.kind == "series":
        x, y = {key(one) for one in a or []}, {key(one) for one in b or []}
        return None if x == y else label_difference(a or [], b or []) if a and b else "number of series differs"
    if question.kind in ("labels", "values"):
        x, y = set(a or []), set(b or [])
        return None if x == y else f"{question.kind}: " + "; ".join(
            f"only in {side}: {', '.join(sorted(only)[:4])}" for side, only in (("catat", x - y), ("Loki", y - x)) if only)
    if question.kind == "detected_fields":
        return detected(named(ours.get("fields"), "label"), named(theirs.get("fields"), "label"), "fields")
    if question.kind == "detected_labels":
        return detected(named(ours.get("detectedLabels"), "label"), named(theirs.get("detectedLabels"), "label"), "labels")
    if question.kind == "field_values":
        x, y = set(ours.get("values") or []), set(theirs.get("values") or [])
        return None if x == y else "values of a field differ"
    if question.kind == "patterns":
        x, y = ({one["pattern"] for one in side or []} for side in (a, b))
        return None if x == y else "patterns differ"
    ours.pop("warnings", None), theirs.pop("warnings", None)
    return None if ours == theirs else "body differs"


def in_part(question, ours, theirs):
    """What Loki does not name of what catat names, of a question about a part of the data."""
    def names(body):
        if question.kind == "detected_labels":
            return {one["label"] for one in body.get("detectedLabels") or []}
        if question.kind.startswith("volume"):
            return {key(one["metric"]) for one in body["data"].get("result") or []}
        return {key(one) for one in body.get("data") or []}

    extra = sorted(names(ours) - names(theirs))
    return f"{question.kind}: only in catat: {', '.join(extra[:4])}" if extra else None


def detected(ours, theirs, what):
    if extra := sorted(ours.keys() - theirs.keys()):
        return f"{what} only in catat: {', '.join(extra[:4])}"
    if missing := sorted(theirs.keys() - ours.keys()):
        return f"{what} only in Loki: {', '.join(missing[:4])}"
    for name in sorted(ours):
        for part in sorted({*ours[name], *theirs[name]} - ({"type"} if name in MIXED_FIELDS else set())):
            p, q = ours[name].get(part), theirs[name].get(part)
            if part == "cardinality" and what == "fields" and q > 50 and abs(p - q) <= 0.03 * q:
                continue  # Loki's is an estimate.
            if (sorted(p) if part == "parsers" and p else p) != (sorted(q) if part == "parsers" and q else q):
                return f"{part} of a {what[:-1]} differs"
    return None


def normal_error(text):
    """An error without what is different each time."""
    text = re.sub(r"\d+", "N", text.strip().splitlines()[0] if text.strip() else "(empty)")
    return re.sub(r"(\"[^\"]{0,80}\"|`[^`]{0,80}`|'[^']{0,80}')", "…", text)[:140]
