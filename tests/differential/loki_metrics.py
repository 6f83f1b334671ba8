"""Metric questions for `loki_questions.py`: what a panel or a rule asks of numbers, and what somebody tries."""

CALCULATIONS = ["+", "-", "*", "/", "%", "^"]
COMPARISONS = [">", "<", ">=", "<=", "==", "!="]
AGGREGATIONS = ["sum"] * 6 + ["avg", "avg", "max", "max", "min", "count", "count", "stddev", "stdvar"]
METADATA = {"worker": ["trace_id", "pod"], "nested": ["user_id", "span_id"], "clash": ["app_extracted", "host"]}


class Metrics:
    """The part of a maker that makes metric queries; `pick`, `chance`, `selector`, `pipeline`, … are the maker's."""

    def stages(self, form, can_format):
        """A pipeline, most often one that lets enough lines through for numbers to come out."""
        if self.chance(0.4):
            return self.pipeline(form, can_format)
        stages = [self.pick([f'|= "{self.pick(form.words)}"', '!= "nothing"'])] if self.chance(0.25) else []
        if self.chance(0.75):
            stages.append(self.parser(form))
            if self.chance(0.25):
                stages.append(self.label_filter(form))
            elif self.chance(0.2):
                stages.append('| __error__=""')
            if can_format and self.chance(0.25):
                stages.append(self.format(form))
        return " ".join(stages)

    def some(self, form):
        """A selector, most often of all streams of a form."""
        return self.selector(form) if self.chance(0.35) else f'{{run="{self.run}", app="{form.app}"}}'

    def window(self):
        return self.pick(["1m", "1m", "5m", "5m", "5m", "10m", "30s", "1h", "45s", "90s", "7s", "2m30s", "1m0s", "15s", "20m", "3h", "1d", "1s", "500ms"])

    def offset(self):
        return self.pick([""] * 12 + [" offset 5m", " offset 1m", " offset -5m", " offset 37s", " offset 1h", " offset 1m30s", " offset 500ms", " offset 0s"])

    def a_label(self, form):
        """A label to group by: of the stream, parsed, metadata, one that ingest adds, one that nothing has."""
        names = [name for name, _ in form.labels] * 2 + ["app", "app", *form.texts, *form.numbers, *METADATA.get(form.app, [])]
        return self.pick(names + ["detected_level", "service_name", "run", "nosuch"])

    def labels(self, form, most=3):
        count = self.pick([1, 1, 1, 2, 2, most])
        return ", ".join(dict.fromkeys(self.a_label(form) for _ in range(count)))

    def grouping(self, form):
        if self.chance(0.04):
            return self.pick(["by ()", "without ()", "by (__error__)", "by (app, __error__)"])
        return f"{self.pick(['by', 'by', 'by', 'without'])} ({self.labels(form)})"

    def unwrapped(self, form):
        """A label whose value is a number, in most cases."""
        if self.chance(0.06):
            return self.pick([*form.texts, "app", "nosuch", "detected_level"])
        fitting = [*form.numbers] * 2 + [f"duration({name})" for name in form.durations] + [f"duration_seconds({name})" for name in form.durations]
        fitting += [f"bytes({name})" for name in form.sizes]
        if self.chance(0.12):
            name = self.pick([*form.numbers, *form.durations, *form.sizes])
            return self.pick([name, f"bytes({name})", f"duration({name})"])
        return self.pick(fitting)

    def guard(self, form):
        return self.pick(["", '| __error__=""', '| __error__=""', '| __error__=""', '| __error__=""', '| __error__=""', '| __error__=""', f'| __error__="" {self.label_filter(form)}', self.label_filter(form), '| __error__!="x"'])

    def of_unwrapped(self, form):
        stages = self.stages(form, self.chance(0.15))
        if not any(f"| {parser}" in stages for parser in ("json", "logfmt", "pattern", "regexp", "unpack")):
            stages = f"{stages} {self.parser(form)}"
        function = self.pick(["sum", "sum", "avg", "avg", "max", "min", "first", "last", "stddev", "stdvar", "quantile", "quantile"])
        if function == "quantile":
            head = f"quantile_over_time({self.pick(['0.9', '0.5', '0.99', '0.95', '0', '1', '.25', '1.5'])}, "
        else:
            head = f"{function}_over_time("
        if self.chance(0.14):
            head = self.pick(["rate(", "rate_counter(", "rate(", "absent_over_time("])
        takes_grouping = not head.startswith(("rate", "sum", "absent"))
        tail = f" {self.grouping(form)}" if takes_grouping and self.chance(0.5) else ""
        inner = f"{self.some(form)} {stages} | unwrap {self.unwrapped(form)} {self.guard(form)}".strip()
        return f"{head}{inner} [{self.window()}]{self.offset()}){tail}"

    def of_lines(self, form):
        function = self.pick(["count_over_time"] * 4 + ["rate"] * 3 + ["bytes_over_time", "bytes_rate", "absent_over_time"])
        selector, stages = self.some(form), self.stages(form, self.chance(0.35))
        if self.chance(0.03):
            return f"{function}({selector}[{self.window()}]{self.offset()} {stages})"
        inner = f"{selector} {stages}".strip()
        inner = f"({inner})" if self.chance(0.04) else inner
        return f"{function}({inner}[{self.window()}]{self.offset()})"

    def range_aggregation(self, form):
        can_unwrap = form.numbers or form.durations or form.sizes
        text = self.of_unwrapped(form) if can_unwrap and self.chance(0.5) else self.of_lines(form)
        return " ".join(text.split())

    def aggregation(self, form, text):
        function = self.pick(AGGREGATIONS)
        if self.chance(0.14):
            function = self.pick(["topk", "bottomk", "topk", "bottomk", "sort", "sort_desc"])
        if function in ("topk", "bottomk"):
            return f"{function}({self.pick([1, 2, 3, 5, 10])}, {text}){self.pick(['', '', ' ' + self.grouping(form)])}"
        if function.startswith("sort"):
            return f"{function}({text})"
        return self.pick([f"{function} {self.grouping(form)} ({text})", f"{function} {self.grouping(form)} ({text})", f"{function}({text}) {self.grouping(form)}", f"{function}({text})"])

    def relabelled(self, form, text):
        source = self.a_label(form)
        target = self.pick(["new", "new", source, "app", "env"])
        with_what, regex = self.pick([("$1-x", "(.).*"), ("$1", "(.*)"), ("fixed", ".*"), ("$2$1", "(.)(.+)"), ("", ".*"), ("${1}y", "(p).*"), ("$name", "(?P<name>..).*"), ("x", "nothing")])
        return f'label_replace({text}, "{target}", "{with_what}", "{source}", "{regex}")'

    def vector_of(self, form, depth=0):
        text = self.range_aggregation(form)
        for _ in range(self.pick([0, 1, 1, 1, 1, 2])):
            text = self.aggregation(form, text)
        if self.chance(0.05):
            text = self.relabelled(form, text)
            if self.chance(0.5):
                text = self.aggregation(form, text)
        return f"({text})" if self.chance(0.03) else text

    def matching(self, form):
        modifier = self.pick(["", "", "on (app) ", "ignoring (env) ", "on () ", f"on ({self.labels(form)}) ", f"ignoring ({self.labels(form)}) ", "ignoring () "])
        if modifier and self.chance(0.35):
            modifier += self.pick(["group_left ", "group_right ", "group_left () ", f"group_left ({self.labels(form)}) ", f"group_right ({self.labels(form)}) "])
        return modifier

    def binary(self, form):
        """Two sides of one form, so that series meet; or a side and a number."""
        text = self.vector_of(form)
        if self.chance(0.45):
            operator = self.pick(CALCULATIONS + COMPARISONS)
            operator = f"{operator} bool" if operator in COMPARISONS and self.chance(0.4) else operator
            number = self.pick(["2", "0.5", "100", "0", "-1", "1e2", "10"])
            return f"{text} {operator} {number}" if self.chance(0.65) else f"{number} {operator} {text}"
        if self.chance(0.2):
            return self.pick([f"{text} or vector(0)", f"{text} or on () vector(0)", f"vector(1) or {text}", f"{text} and on () vector(1)", f"{text} unless on () vector(1)",
                              f"{text} * on () group_left vector(3)", f"{text} > on () group_left vector(1)", f"vector(100) / {text}", f"{text} / vector(2)"])
        if self.chance(0.3):
            other = self.pick(["and", "or", "unless"])
            return f"{text} {other} {self.pick(['', '', 'on (app) ', f'on ({self.labels(form)}) ', f'ignoring ({self.labels(form)}) '])}{self.vector_of(form)}"
        if self.chance(0.4):  # A share: both sides grouped alike.
            grouping = f"by ({self.labels(form)})"
            a, b = self.range_aggregation(form), self.range_aggregation(form)
            return f"{self.pick(['', '100 * '])}sum {grouping} ({a}) {self.pick(['/', '/', '-', '>', '>= bool', '%'])} {self.pick(['', 'ignoring (env) ', 'on (app) '])}sum {grouping} ({b})"
        if self.chance(0.3):
            a, b = self.range_aggregation(form), self.range_aggregation(form)
            labels = ", ".join(["app", *(name for name in self.labels(form).split(", ") if name != "app")])
            few, many = f"sum by (app) ({a})", f"sum by ({labels}) ({b})"
            return self.pick([f"{many} / on (app) group_left {few}", f"{few} - on (app) group_right {many}", f"{many} * on (app) group_left () {few}", f"{many} > bool on (app) group_left {few}"])
        operator = self.pick(CALCULATIONS + COMPARISONS)
        operator = f"{operator} bool" if operator in COMPARISONS and self.chance(0.4) else operator
        return f"{text} {operator} {self.matching(form)}{text if self.chance(0.3) else self.vector_of(form)}"

    def constant(self):
        # No number that is none: Loki's parts cannot tell each other of `1 / 0`, and the question gets no answer.
        return self.pick(["vector(1)", "1+1", "vector(2) > bool 1", "2 ^ 3 * vector(2)", "-1 + 2", "vector(3) or vector(4)", "vector(1.5) / 0", "2 ^ 3 ^ 2", "10 - 2 - 3", "7 % 4 * 2", "1 > 2", "1 > bool 2",
                          "vector(1) + vector(2)", "(1 + 2) * 3", "sum(vector(2))", "3", "-3", "vector(0) == 0", "vector(2) ^ -1", "1e3 * 2", "sort(vector(1))",
                          'label_replace(vector(1), "a", "b", "", "")', 'label_replace(vector(1), "a", "b", "c", "d")', "topk(1, vector(3))", "count(vector(3)) by (app)"])

    def metric_query(self):
        form = self.pick(self.forms)
        if self.chance(0.02):
            return self.constant()
        text = self.binary(form) if self.chance(0.22) else self.vector_of(form)
        if self.chance(0.04):
            text = self.aggregation(form, text)
        if self.chance(0.03):
            text = f"{text} {self.pick(CALCULATIONS)} {self.pick(['2', '0.1'])} {self.pick(CALCULATIONS + COMPARISONS)} {self.pick(['3', '1.5'])}"
        return text
