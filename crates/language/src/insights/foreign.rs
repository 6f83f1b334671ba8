//! What people write who come from other query languages, and what it is called here.
//!
//! SQL, Splunk, Kusto, Kibana and LogQL name the same things differently. Nothing of theirs is accepted by these
//! tables: they only make the hint of an error, so that the right command is one look away.

/// Words that are where a command must, and what to write.
const COMMANDS: &[(&str, &str)] = &[
    ("select", "this is no SQL; write fields a, b | filter c = 1 | sort d desc | limit 20"),
    ("from", "groups are named by source \"group\" at the start, or chosen next to the query"),
    ("group", "groups stand inside of stats: stats count(*) by host"),
    ("having", "filter after stats: stats count(*) as n by host | filter n > 3"),
    ("with", "write a subquery in brackets: filter id in (source \"group\" | fields id)"),
    ("distinct", "write stats count(*) by user, or dedup user"),
    ("union", "name several groups: source \"a\", \"b\""),
    ("index", "write source \"group\", or choose groups next to the query"),
    ("sourcetype", "write source \"group\", or choose groups next to the query"),
    ("search", "write the words alone, or filter @any like \"words\""),
    ("table", "write fields a, b"),
    ("project", "write fields a, b"),
    ("columns", "write fields a, b"),
    ("keep", "write fields a, b"),
    ("extend", "write eval x = a + 1"),
    ("let", "write eval x = a + 1"),
    ("set", "write eval x = a + 1"),
    ("summarize", "write stats count(*) by host"),
    ("summary", "write stats count(*) by host"),
    ("aggregate", "write stats count(*) by host"),
    ("count", "write stats count(*)"),
    ("sum", "write stats sum(bytes) by host"),
    ("avg", "write stats avg(took) by host"),
    ("take", "write limit 10"),
    ("first", "write limit 10"),
    ("last", "write tail 10"),
    ("uniq", "write dedup user, or stats count(*) by user"),
    ("rex", "write parse @message /user=(?<user>\\S+)/"),
    ("regex", "write filter @message like /expression/, or parse @message /user=(?<user>\\S+)/"),
    ("regexp", "write parse @message /user=(?<user>\\S+)/"),
    ("extract", "write parse @message \"user=* took=*\" as user, took"),
    ("spath", "write parse @message json"),
    ("json", "write parse @message json"),
    ("unpack_json", "write parse @message json"),
    ("logfmt", "write parse @message logfmt"),
    ("grok", "write parse @message grok \"%{IP:client}\""),
    ("dissect", "write parse @message \"* [*] *\" as time, level, text"),
    ("unpack", "write parse @message json"),
    ("line_format", "write fields concat(a, \" \", b) as line"),
    ("label_format", "write rename a as b, or eval b = a"),
    ("unwrap", "aggregate the field itself: stats sum(took) by bin(5m)"),
    ("bin", "bins stand inside of stats: stats count(*) by bin(5m)"),
    ("bucket", "bins stand inside of stats: stats count(*) by bin(5m)"),
    ("fillnull", "write fillmissing with 0 for n after a stats by bin(5m), or eval a = coalesce(a, 0)"),
    ("transaction", "write sessionize"),
    ("explode", "write unnest items into item"),
    ("expand", "write unnest items into item"),
    ("reverse", "sort the other way: sort @timestamp asc"),
    ("remove", "write drop a"),
    ("delete", "a query never deletes; events are deleted by catat groups delete-events"),
    ("insert", "a query never writes; events come in over the ingest routes"),
    ("update", "a query never changes events"),
    ("mv", "write rename a as b"),
    ("rate", "write stats rate(counter, 1m) by bin(5m)"),
    ("and", "join conditions in one filter: filter a = 1 and b = 2"),
    ("or", "join conditions in one filter: filter a = 1 or b = 2"),
    ("not", "write filter not (a = 1)"),
];

/// Words that are after a complete expression, and what to write.
const BEHIND: &[(&str, &str)] = &[
    ("group", "write by host, without the word group"),
    ("having", "filter after stats: stats count(*) as n by host | filter n > 3"),
    ("is", "write ispresent(a) for a value that is there, not ispresent(a) for one that is missing"),
    ("isnull", "write not ispresent(a)"),
    ("contains", "write a like \"part\", or strcontains(a, \"part\")"),
    ("includes", "write a like \"part\""),
    ("ilike", "write a like /(?i)part/"),
    ("matches", "write a like /expression/"),
    ("regex", "write a like /expression/"),
    ("regexp", "write a like /expression/"),
    ("rlike", "write a like /expression/"),
    ("startswith", "write startswith(a, \"part\")"),
    ("startsWith", "write startswith(a, \"part\")"),
    ("endswith", "write endswith(a, \"part\")"),
    ("descending", "write desc"),
    ("ascending", "write asc"),
    ("eq", "write a = 1"),
    ("ne", "write a != 1"),
    ("gt", "write a > 1"),
    ("lt", "write a < 1"),
    ("ge", "write a >= 1"),
    ("le", "write a <= 1"),
    ("mod", "write a % 2"),
    ("div", "write a / 2"),
    ("xor", "write (a or b) and not (a and b)"),
    ("order", "write | sort n desc"),
    ("over", "there are no window functions; see autoregress, sessionize and addtotals"),
    ("from", "groups are named by source \"group\" at the start, or chosen next to the query"),
    ("end", "write case(a > 1, \"x\", \"y\")"),
    ("when", "write case(a > 1, \"x\", \"y\")"),
    ("then", "write if(a > 1, \"x\", \"y\")"),
];

/// Functions of other languages, and what to write.
const FUNCTIONS: &[(&str, &str)] = &[
    ("isnull", "write not ispresent(a)"),
    ("isnotnull", "write ispresent(a)"),
    ("exists", "write ispresent(a)"),
    ("has", "write ispresent(a), or a like \"part\""),
    ("ifnull", "write coalesce(a, b)"),
    ("nvl", "write coalesce(a, b)"),
    ("iff", "write if(condition, a, b)"),
    ("iif", "write if(condition, a, b)"),
    ("dc", "write count_distinct(a)"),
    ("dcount", "write count_distinct(a)"),
    ("distinct_count", "write count_distinct(a)"),
    ("uniq", "write count_distinct(a)"),
    ("uniqexact", "write count_distinct(a)"),
    ("cardinality", "write count_distinct(a)"),
    ("distinct", "write count_distinct(a), or values(a) for the values themselves"),
    ("mean", "write avg(a)"),
    ("average", "write avg(a)"),
    ("percentile", "write pct(a, 95), or p95(a)"),
    ("perc", "write pct(a, 95), or p95(a)"),
    ("quantile", "write pct(a, 95), or p95(a)"),
    ("approx_percentile", "write pct(a, 95), or p95(a)"),
    ("stdev", "write stddev(a)"),
    ("var", "write variance(a)"),
    ("estdc", "write count_distinct(a)"),
    ("countif", "write sum(if(condition, 1, 0))"),
    ("count_if", "write sum(if(condition, 1, 0))"),
    ("sumif", "write sum(if(condition, a, 0))"),
    ("eval", "write sum(if(condition, 1, 0)) for a count under a condition"),
    ("array_agg", "write list(a), or values(a)"),
    ("group_concat", "write values(a)"),
    ("make_set", "write values(a)"),
    ("make_list", "write list(a)"),
    ("any_value", "write first(a)"),
    ("len", "write strlen(a)"),
    ("length", "write strlen(a), or array_length(a)"),
    ("char_length", "write strlen(a)"),
    ("substring", "write substr(a, start, length)"),
    ("left", "write substr(a, 0, n)"),
    ("instr", "write strpos(a, \"part\")"),
    ("indexof", "write strpos(a, \"part\")"),
    ("contains", "write a like \"part\", or strcontains(a, \"part\")"),
    ("match", "write a like /expression/"),
    ("regexp_like", "write a like /expression/"),
    ("regexp_matches", "write a like /expression/"),
    ("regex_replace", "write regexp_replace(a, \"expression\", \"with\")"),
    ("ucase", "write upper(a)"),
    ("lcase", "write lower(a)"),
    ("cast", "write toint(a), tonumber(a) or tostring(a)"),
    ("int", "write toint(a)"),
    ("todouble", "write tonumber(a)"),
    ("tolong", "write toint(a)"),
    ("str", "write tostring(a)"),
    ("strftime", "write formatdate(@timestamp, \"%Y-%m-%d\")"),
    ("date_format", "write formatdate(@timestamp, \"%Y-%m-%d\")"),
    ("strptime", "write parsedate(a, \"%Y-%m-%d\")"),
    ("to_timestamp", "write parsedate(a, \"%Y-%m-%d\"), or fromMillis(a)"),
    ("date_trunc", "write bin(1h), or datefloor(@timestamp, 1h)"),
    ("time_bucket", "write bin(5m)"),
    ("date_histogram", "write bin(5m)"),
    ("tostartofhour", "write bin(1h)"),
    ("ago", "write now() - 3600, or choose the range next to the query"),
    ("mvcount", "write array_length(a)"),
    ("size", "write array_length(a)"),
    ("json_extract", "a path reaches into objects: a.b.0.c"),
    ("json_extract_scalar", "a path reaches into objects: a.b.0.c"),
    ("parse_json", "write jsonParse(a)"),
    ("cidrmatch", "write isIpInSubnet(ip, \"10.0.0.0/8\")"),
    ("ipv4_is_in_range", "write isIpv4InSubnet(ip, \"10.0.0.0/8\")"),
    ("power", "write pow(a, b), or a ^ b"),
    ("ln", "write log(a)"),
    ("ceiling", "write ceil(a)"),
    ("truncate", "write toint(a)"),
    ("mod", "write a % b"),
];

fn find<'h>(table: &[(&str, &'h str)], word: &str) -> Option<&'h str> {
    table.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, hint)| *hint)
}

/// Returns what to write instead of a word that is where a command must.
pub(super) fn command(word: &str) -> Option<&'static str> {
    find(COMMANDS, word)
}

/// Returns what to write instead of a word that is after a complete expression.
pub(super) fn behind(word: &str) -> Option<&'static str> {
    find(BEHIND, word)
}

/// Returns what to write instead of a function.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let is_percentile = |prefix: &str| {
        let digits = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
        digits.is_some() && name.len() > prefix.len() && name[prefix.len()..].bytes().all(|b| b.is_ascii_digit())
    };
    if is_percentile("perc") || is_percentile("pctl") || is_percentile("q") {
        return find(FUNCTIONS, "percentile");
    }
    find(FUNCTIONS, name)
}

/// Returns what to write instead of signs that are where none is expected. `behind` says whether an expression is
/// complete.
pub(super) fn signs(rest: &str, behind: bool) -> Option<&'static str> {
    const ANYWHERE: &[(&str, &str)] = &[
        ("||", "write `or` and `and`"),
        ("&&", "write `or` and `and`"),
        ("|=", "a filter of its own holds a text: filter @message like \"part\""),
        ("|~", "a filter of its own matches: filter @message like /expression/"),
        ("|", "something is missing before this `|`"),
        ("--", "a comment starts with #"),
        ("//", "a comment starts with #"),
        (";", "commands are separated by `|` or stand on lines of their own"),
        ("“", "write straight quotes: \"text\""),
        ("”", "write straight quotes: \"text\""),
        ("„", "write straight quotes: \"text\""),
        ("‘", "write straight quotes: 'text'"),
        ("’", "write straight quotes: 'text'"),
        ("$", "there are no variables; put a field with other signs in its name in backticks"),
    ];
    const BEHIND: &[(&str, &str)] = &[
        ("~=", "write a =~ /expression/"),
        ("~", "write a =~ /expression/"),
        ("::", "write tonumber(a), toint(a) or tostring(a)"),
        (":", "write a = \"value\""),
        (".", "texts are put together by concat(a, b)"),
        ("[", "an element of a list is reached by its index: a.0"),
        (")", "there is no `(` to this `)`"),
        ("!", "write a != 1, or not like"),
        ("&", "write `and`"),
    ];
    const BEFORE: &[(&str, &str)] = &[
        ("!", "write `not`"),
        (">", "write a >= 1 or a <= 1, with the equals sign last"),
        ("<", "write a >= 1 or a <= 1, with the equals sign last"),
        ("!=", "write a != 1"),
        ("/", "a regular expression follows like, =~ or !~"),
        ("*", "a star means all only in count(*)"),
        ("{", "this looks like LogQL: choose that language next to the query"),
    ];
    let table = if behind { BEHIND } else { BEFORE };
    let mut all = ANYWHERE.iter().chain(table);
    all.find(|(sign, _)| rest.starts_with(sign)).map(|(_, hint)| *hint)
}
