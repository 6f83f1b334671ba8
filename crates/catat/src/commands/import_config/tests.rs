//! Converts configurations that follow the manuals of shippers. catat accepts every result as its own configuration.

use super::*;
use crate::config::{Config, Flags, Layers};

/// Inputs and notes of a configuration; the inputs are settings that are taken.
fn converted(text: &str) -> (Vec<Table>, Vec<String>) {
    let converted = convert(text, None).unwrap_or_else(|failure| panic!("{}\n{text}", &failure.message));
    let config = converted.made.text().expect("TOML");
    let Made::Inputs(inputs) = converted.made else { panic!("no inputs: {config}") };
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("catat.toml");
    std::fs::write(&path, &config).expect("a scratch file");
    let flags = Flags { config: Some(path), ..Flags::default() };
    let read = Layers::read(&flags, &[]).and_then(|layers| Config::of_layers(&layers));
    assert!(read.is_ok(), "{:?}\n{config}", read.err());
    (inputs, converted.notes)
}

fn toml(text: &str) -> Table {
    toml::from_str(text).expect("TOML")
}

#[test]
fn files_of_promtail_keep_labels_first_lines_and_filters() {
    let (inputs, notes) = converted(
        "server: {http_listen_port: 9080}\npositions: {filename: /tmp/p.yaml}\nclients: [{url: http://loki:3100/loki/api/v1/push}]\n\
         scrape_configs:\n- job_name: web\n  static_configs:\n  - targets: [localhost]\n    labels: {job: nginx, env: prod, __path__: /var/log/nginx/*.log}\n\
         \x20 - labels: {__path__: /srv/a.log}\n  pipeline_stages:\n  - cri: {}\n  - multiline: {firstline: '^\\d{4}-', max_wait_time: 3s}\n\
         \x20 - drop: {expression: 'GET /healthz'}\n  - drop: {source: level, expression: debug}\n  - timestamp: {source: t, format: RFC3339}\n\
         - job_name: units\n  journal: {max_age: 12h, labels: {job: systemd}}\n- job_name: pods\n  kubernetes_sd_configs: [{role: pod}]\n",
    );
    assert_eq!(
        inputs[0],
        toml(
            "name='web'\npaths=['/var/log/nginx/*.log']\ngroup='nginx'\ndrop=['GET /healthz']\nmultiline={start='^\\d{4}-'}\nfields={env='prod'}"
        )
    );
    assert_eq!(
        inputs[1],
        toml("name='web-2'\npaths=['/srv/a.log']\ndrop=['GET /healthz']\nmultiline={start='^\\d{4}-'}")
    );
    assert_eq!(inputs[2], toml("name='units'\ntype='journal'\nsince='12h'\ngroup='systemd'"));
    assert_eq!(inputs[3], toml("name='pods'\ntype='containers'"));
    let told = notes.join("\n");
    for path in [
        "scrape_configs[0].pipeline_stages[1].multiline.max_wait_time is not taken",
        "scrape_configs[0].pipeline_stages[3].drop.expression is not taken: it is about more than what a line has",
        "scrape_configs[0].pipeline_stages[4].timestamp is not taken: times",
        "clients is not taken: where events go",
    ] {
        assert!(told.contains(path), "{path}\n{told}");
    }
    assert_eq!(notes.len(), 4, "{told}");
}

#[test]
fn beats_names_with_dots_and_expressions_of_other_kinds() {
    let (inputs, notes) = converted(
        "filebeat.inputs:\n- type: filestream\n  id: shop\n  paths: [/srv/shop/*.log]\n  fields: {team: a}\n  fields_under_root: true\n  tags: [x, y]\n\
         \x20 exclude_lines: ['^DBG', '(?<!a)b']\n  parsers:\n  - multiline: {type: pattern, pattern: '^\\[', negate: true, match: after}\n\
         \x20 close.on_state_change.inactive: 5m\n- type: log\n  enabled: false\n  paths: [/x]\n- type: mqtt\n\
         output.elasticsearch: {hosts: ['http://es:9200']}\nprocessors: [{add_host_metadata: {}}]\n",
    );
    assert_eq!(
        inputs,
        [toml(
            "name='shop'\npaths=['/srv/shop/*.log']\ndrop=['^DBG']\nmultiline={start='^\\['}\nfields={tags='x,y', team='a'}"
        )]
    );
    let told = notes.join("\n");
    for path in [
        "filebeat.inputs[0].exclude_lines is not taken: \"(?<!a)b\"",
        "filebeat.inputs[0].close is not taken",
        "filebeat.inputs[1].type is not taken: the input is not enabled",
        "filebeat.inputs[2].type is not taken: mqtt",
        "output is not taken",
        "processors is not taken",
    ] {
        assert!(told.contains(path), "{path}\n{told}");
    }
}

#[test]
fn fluent_bit_is_read_in_both_forms() {
    let classic = "[SERVICE]\n    Flush 1\n@INCLUDE x\n[INPUT]\n    Name tail\n    Path /var/log/a.log, /var/log/b.log\n    Tag  app.web\n    Parser json\n\
                   [INPUT]\n    Name systemd\n    Systemd_Filter _SYSTEMD_UNIT=ssh.service\n    Systemd_Filter PRIORITY=3\n[OUTPUT]\n    Name loki\n";
    let (inputs, notes) = converted(classic);
    let tail = "name='files'\npaths=['/var/log/a.log', '/var/log/b.log']\ngroup='app.web'\nbacklog='none'";
    assert_eq!(inputs, [toml(tail), toml("name='journal'\ntype='journal'\nunits=['ssh']")]);
    let told = notes.join("\n");
    assert!(
        told.contains("pipeline.inputs[0].parser") && told.contains("PRIORITY=3") && told.contains("pipeline.outputs"),
        "{told}"
    );
    let (inputs, _) = converted(
        "pipeline:\n  inputs:\n    - {name: tail, path: '/var/log/a.log, /var/log/b.log', tag: app.web}\n    - {name: tail, path: /c, tag: 'kube.*', read_from_head: true}\n",
    );
    assert_eq!(inputs, [toml(tail), toml("name='files-2'\npaths=['/c']\nbacklog='all'")]);
}

#[test]
fn vector_and_the_cloudwatch_agent() {
    let (inputs, notes) = converted(
        "data_dir = '/var/lib/vector'\n[sources.shop]\ntype = 'file'\ninclude = ['/srv/*.log']\nexclude = ['/srv/d.log']\nignore_older_secs = 600\n\
         [sources.shop.multiline]\nstart_pattern = '^\\S'\nmode = 'halt_before'\ncondition_pattern = '^\\S'\ntimeout_ms = 1000\n\
         [sources.k]\ntype = 'kafka'\n[transforms.t]\ntype = 'remap'\n[sinks.s]\ntype = 'loki'\n",
    );
    assert_eq!(inputs, [toml("name='shop'\npaths=['/srv/*.log']\nexclude=['/srv/d.log']\nmultiline={start='^\\S'}")]);
    let told = notes.join("\n");
    for part in ["sources.shop.ignore_older_secs", "sources.shop.multiline.timeout_ms", "kafka", "transforms", "sinks"]
    {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let (inputs, notes) = converted(
        r#"{"agent": {"region": "x"}, "logs": {"logs_collected": {"files": {"collect_list": [
            {"file_path": "/var/log/app.log", "log_group_name": "app", "log_stream_name": "{hostname}", "timezone": "UTC", "timestamp_format": "%H",
             "multi_line_start_pattern": "{timestamp_format}", "filters": [{"type": "exclude", "expression": "debug"}]}]}}}}"#,
    );
    assert_eq!(inputs, [toml("name='files'\npaths=['/var/log/app.log']\ngroup='app'\nzone='UTC'\ndrop=['debug']")]);
    assert!(
        notes.join("\n").contains("log_stream_name is not taken") && notes.join("\n").contains("agent is not taken"),
        "{notes:?}"
    );
}

#[test]
fn what_is_none_is_refused() {
    for text in ["", "a: 1", "[1, 2]", "{", "just words"] {
        assert!(convert(text, None).is_err(), "{text}");
    }
}

#[test]
fn alloy_is_followed_from_sources_to_stages() {
    let (inputs, notes) = converted(
        r#"// A file of Alloy's.
logging { level = "info" }
local.file_match "logs" {
  path_targets = [{"__path__" = "/var/log/{syslog,auth.log}", "job" = "system", "host" = constants.hostname}]
}
loki.source.file "files" {
  targets    = concat(local.file_match.logs.targets, [{__path__ = "/srv/app/*.log", env = "prod"}])
  forward_to = [loki.process.first.receiver]
}
loki.process "first" {
  stage.multiline { firstline = "^\\d{4}-" }
  stage.static_labels { values = {team = "a"} }
  forward_to = [loki.process.second.receiver]
}
loki.process "second" {
  stage.drop { expression = `GET /healthz` }
  stage.drop {
    expression = "old"
    older_than = "24h"
  }
  stage.json { expressions = {level = "lvl"} }
  forward_to = [loki.write.default.receiver]
}
loki.source.journal "units" {
  max_age    = "12h"
  forward_to = [loki.write.default.receiver]
}
discovery.docker "here" { host = "unix:///var/run/docker.sock" }
loki.source.docker "pods" {
  host       = "unix:///var/run/docker.sock"
  targets    = discovery.docker.here.targets
  forward_to = [loki.write.default.receiver]
}
loki.write "default" { endpoint { url = sys.env("URL") } }
"#,
    );
    let of_both = "drop=['GET /healthz']\nmultiline={start='^\\d{4}-'}";
    assert_eq!(
        inputs,
        [
            toml("name='pods'\ntype='containers'"),
            toml(&format!(
                "name='files'\ngroup='system'\npaths=['/var/log/syslog','/var/log/auth.log']\n{of_both}\nfields={{team='a'}}"
            )),
            toml(&format!("name='files-2'\npaths=['/srv/app/*.log']\n{of_both}\nfields={{env='prod',team='a'}}")),
            toml("name='units'\ntype='journal'\nsince='12h'"),
        ]
    );
    let told = notes.join("\n");
    for part in [
        "targets.host is not taken: it is computed: constants.hostname",
        "loki.process.second.stage.drop.expression is not taken: it is about more",
        "loki.process.second.stage.json is not taken",
        "loki.write.default is not taken: where events go",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!(notes.len(), 4, "{told}");
    for (text, place) in [
        ("loki.write \"a\" {\n x = \n}", "line 3"),
        ("loki.write \"a {}\n", "line 1"),
        ("loki.write \"a\" {", "line 1"),
    ] {
        let problem = convert(text, None).err().expect("a mistake").message;
        assert!(problem.contains(place), "{text}: {problem}");
    }
    let deep = format!("loki.x \"a\" {{ a = {} }}", "[".repeat(10_000));
    assert!(convert(&deep, None).is_err());
}

#[test]
fn rsyslog_is_read_in_both_forms() {
    let (inputs, notes) = converted(
        "module(load=\"imuxsock\") # local\nmodule(load=\"imklog\")\n$ModLoad imudp\n$UDPServerAddress 10.0.0.1\n$UDPServerRun 514\n\
         input(type=\"imtcp\"\n  port=[\"514\", \"601\"] Address=\"::1\")\n\
         input(type=\"imfile\" File=\"/var/log/nginx/*.log\" Tag=\"nginx:\" startmsg.regex=\"^[[:digit:]]\" ruleset=\"r\")\n\
         $InputFileName /srv/app.log\n$InputFileTag app:\n$InputFileStateFile s\n$InputRunFileMonitor\n\
         template(name=\"t\" type=\"list\") { property(name=\"msg\") constant(value=\"}\") }\n\
         if $programname == 'a' and\n  $msg contains '}' then {\n  action(type=\"omfile\" file=\"/x\")\n} else stop\n\
         auth.* /var/log/auth.log\n*.* @@log.example.org:514\n",
    );
    let expected = [
        "name='journal'\ntype='journal'",
        "name='syslog'\ntype='syslog'\nudp='10.0.0.1:514'",
        "name='syslog-2'\ntype='syslog'\ntcp='[::1]:514'",
        "name='syslog-3'\ntype='syslog'\ntcp='[::1]:601'",
        "name='files'\ngroup='nginx'\npaths=['/var/log/nginx/*.log']\nmultiline={start='^[[:digit:]]'}",
        "name='files-2'\ngroup='app'\npaths=['/srv/app.log']",
    ];
    assert_eq!(inputs, expected.map(toml));
    let told = notes.join("\n");
    for part in [
        "line 8 input.ruleset is not taken",
        "line 13 template.t is not taken",
        "line 14 is not taken: if $programname",
        "line 18 is not taken: auth.*",
        "line 19 is not taken: *.* @@log.example.org:514: where events go",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!(notes.len(), 5, "{told}");
    assert!(convert("module(load=\"imfile\"\ninput(", None).is_err_and(|problem| problem.message.contains("line 2")));
}

/// The rules of a file, and the notes; the rules are ones that a server takes.
fn rules_of(text: &str) -> (Vec<Value>, Vec<String>) {
    let converted = convert(text, None).unwrap_or_else(|failure| panic!("{}\n{text}", &failure.message));
    let file = converted.made.text().expect("YAML");
    assert_eq!(alert::RuleSet::default().add("r.yaml", &file), Ok(()), "{file}");
    let Made::Rules(groups) = converted.made else { panic!("no rules: {file}") };
    (groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect(), converted.notes)
}

#[test]
fn rules_of_loki_keep_their_queries() {
    let (rules, notes) = rules_of(
        "groups:\n- name: g\n  interval: 1m\n  limit: 5\n  rules:\n  - alert: many\n    expr: 'sum by (job) (rate({app=\"x\"} |= \"error\" [10m])) > 0.05'\n\
         \x20   for: 10m\n    labels: {severity: page}\n    annotations: {summary: '{{ $labels.job }}: {{ $value | humanize }}', other: '{{ $externalLabels.a }}'}\n\
         \x20 - alert: many\n    expr: 'count_over_time({app=\"y\"}[1m]) > 3'\n  - alert: lines\n    expr: '{app=\"x\"}'\n  - record: a:b\n    expr: 'rate({app=\"x\"}[1m])'\n",
    );
    assert_eq!(
        rules[0],
        json!({"name": "many", "language": "logql", "window": "10m", "for": "10m", "labels": {"severity": "page"},
               "query": "sum by (job) (rate({app=\"x\"} |= \"error\" [10m])) > 0.05",
               "annotations": {"summary": "{{ $labels.job }}: {{ $value | humanize }}"}})
    );
    assert_eq!((&rules[1]["name"], &rules[1]["window"]), (&json!("many (2)"), &json!("1m")));
    assert_eq!(rules[2]["record"], "a:b");
    let told = notes.join("\n");
    for part in ["groups[0].limit", "rules[2].expr is not taken: it gives lines", "externalLabels"] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!((rules.len(), notes.len()), (3, 3), "{told}");
    let own = "groups: [{name: g, rules: [{alert: a, expr: up == 0}]}]";
    assert!(convert(own, None).is_err_and(|problem| problem.message.contains("unchanged")));
    let (rules, _) = rules_of(&format!("kind: PrometheusRule\nspec: {{{own}}}"));
    assert_eq!(rules, [json!({"alert": "a", "expr": "up == 0"})]);
}

/// The rule of ElastAlert's with some settings.
fn elastalert(more: &str) -> Value {
    let text = format!(
        "name: r\nindex: logs-%Y.%m.%d\nalert: [slack]\nslack_webhook_url: https://x\nfilter:\n- query: {{query_string: {{query: 'level:error'}}}}\n{more}"
    );
    let (mut rules, notes) = rules_of(&text);
    assert_eq!(notes.iter().filter(|note| note.contains("is a channel of ours")).count(), 2, "{notes:?}");
    rules.remove(0)
}

#[test]
fn every_type_of_elastalert_rule_says_what_it_counts() {
    let filter = "filter @level = \"error\" or level = \"error\"";
    for (more, query, window, condition) in [
        ("type: any", "stats count(*) as count", "5m", "count > 0"),
        (
            "type: frequency\nnum_events: 50\ntimeframe: {hours: 1, minutes: 30}\nquery_key: user.name.keyword",
            "stats count(*) as count by user.name",
            "5400s",
            "count >= 50",
        ),
        ("type: flatline\nthreshold: 3\ntimeframe: {minutes: 5}", "stats count(*) as count", "300s", "count < 3"),
        (
            "type: blacklist\ncompare_key: user\nblacklist: [a, 'b\"c']",
            r#"filter user in ["a", "b\"c"] | stats count(*) as count by user"#,
            "5m",
            "count > 0",
        ),
        (
            "type: whitelist\ncompare_key: user\nignore_null: true\nwhitelist: [a]",
            r#"filter ispresent(user) and user not in ["a"] | stats count(*) as count by user"#,
            "5m",
            "count > 0",
        ),
        (
            "type: change\ncompare_key: country\nignore_null: true\nquery_key: user\ntimeframe: {days: 1}",
            "stats count_distinct(country) as n1 by user",
            "86400s",
            "n1 > 1",
        ),
        (
            "type: cardinality\ncardinality_field: user\nmax_cardinality: 5\ntimeframe: {minutes: 1}",
            "stats count_distinct(user) as value",
            "60s",
            "value > 5",
        ),
        (
            "type: metric_aggregation\nmetric_agg_key: took\nmetric_agg_type: avg\nmin_threshold: 1\nmax_threshold: 9\nbuffer_time: {minutes: 2}",
            "stats avg(took) as value",
            "120s",
            "value < 1 or value > 9",
        ),
        (
            "type: spike\nspike_height: 3\nspike_type: up\nthreshold_cur: 5\ntimeframe: {minutes: 1}",
            "eval now_counts = if(@timestamp >= (now() - 60) * 1000, 1, 0) | stats sum(now_counts) as recent, count(*) - sum(now_counts) as before",
            "120s",
            "recent >= 3 * before and before > 0 and recent > 0 and recent >= 5",
        ),
    ] {
        let rule = elastalert(more);
        assert_eq!(rule["query"], format!("{filter} | {query}"), "{more}");
        assert_eq!(
            (&rule["window"], &rule["condition"], &rule["groups"]),
            (&json!(window), &json!(condition), &json!(["logs-*"])),
            "{more}"
        );
    }
}

#[test]
fn elastalert_rules_of_shares_and_those_without_an_equal() {
    let filter = "filter @level = \"error\" or level = \"error\"";
    let share = elastalert(
        "type: percentage_match\nmatch_bucket_filter: [{terms: {status: [500, 502]}}]\nmax_percentage: 5\nquery_key: host\nmin_denominator: 100",
    );
    assert_eq!(
        (&share["kind"], &share["query"], &share["by"], &share["min_count"]),
        (&json!("ratio"), &json!(filter), &json!(["host"]), &json!(100))
    );
    assert_eq!(
        (&share["bad"], &share["condition"]),
        (&json!("status has \"500\" or status has \"502\""), &json!("value * 100 > 5"))
    );
    for (more, part) in [
        ("type: new_term\nfields: [user]", "new_term"),
        ("type: any\nfilter: [{geo_distance: {a: 1}}]", "geo_distance"),
        ("type: frequency\ntimeframe: {minutes: 5}", "num_events"),
        ("type: frequency\nnum_events: 2\ntimeframe: {fortnights: 5}", "fortnights"),
        ("type: blacklist\ncompare_key: a\nblacklist: ['!file /x']", "lookup table"),
    ] {
        let problem =
            convert(&format!("name: r\nindex: a\nalert: debug\n{more}"), None).err().expect("refused").message;
        assert!(problem.contains(part), "{problem}");
    }
}

/// The bodies of what a server is asked to make, and the notes.
fn orders_of(text: &str) -> (Vec<Value>, Vec<String>) {
    let converted = convert(text, None).unwrap_or_else(|failure| panic!("{}\n{text}", &failure.message));
    let Made::Orders(orders) = converted.made else { panic!("nothing to make") };
    (orders.into_iter().map(|order| order.body).collect(), converted.notes)
}

#[test]
fn searches_of_kibana_are_views_with_their_filters() {
    let search = |title: &str, source: Value, more: Value| {
        // Kibana exports it as a text, integrations contain the object.
        let source = if title == "plain" { source } else { source.to_string().into() };
        let mut attributes = json!({"title": title, "kibanaSavedObjectMeta": {"searchSourceJSON": source}});
        attributes.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        json!({"type": "search", "id": title, "attributes": attributes, "references": [{"name": "ref", "type": "index-pattern", "id": "p"}]}).to_string()
    };
    let phrase =
        |field: &str, value: &str, meta: Value| json!({"meta": meta, "query": {"match_phrase": {field: value}}});
    let filters = json!([
        phrase("env", "dev", json!({"negate": true})),
        phrase("a", "b", json!({"disabled": true})),
        {"meta": {"type": "range"}, "range": {"status": {"gte": 500, "lt": 600}}},
        {"meta": {"type": "combined", "relation": "OR", "params": [phrase("x", "1", json!({})), {"meta": {"negate": true}, "query": {"exists": {"field": "y"}}}]}},
    ]);
    let lines = [
        json!({"type": "index-pattern", "id": "p", "attributes": {"title": "logs-shop*,other"}}).to_string(),
        search(
            "both",
            json!({"query": {"query": "level: error and took >= 5", "language": "kuery"}, "filter": filters, "indexRefName": "ref"}),
            json!({"columns": ["service", "message"], "sort": [["took", "asc"]]}),
        ),
        search(
            "plain",
            json!({"query": {"query": "status:[500 TO 599]", "language": "lucene"}, "index": "gone"}),
            json!({"columns": ["_source"], "sort": ["@timestamp", "desc"]}),
        ),
        search("scripted", json!({"filter": [{"query": {"script": {}}}]}), json!({})),
        json!({"type": "dashboard", "id": "d", "attributes": {"title": "d"}}).to_string(),
        json!({"exportedCount": 4}).to_string(),
    ];
    let (views, notes) = orders_of(&lines.join("\n"));
    assert_eq!(
        views,
        [
            json!({"name": "both", "description": "", "shared": true, "view": {"groups": "logs-shop*,other", "columns": "service,@message",
                   "q": "filter @level = \"error\" and took >= 5 | filter env not has \"dev\" and (status >= 500 and status < 600) and (x has \"1\" or not ispresent(y)) | sort took asc"}}),
            json!({"name": "plain", "description": "", "shared": true, "view": {"q": "filter status between 500 and 599"}}),
        ]
    );
    let told = notes.join("\n");
    for part in ["\"gone\" is not in the file", "\"scripted\" is not taken: filter: ", "of the type dashboard"] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!(notes.len(), 3, "{told}");
}

#[test]
fn alarms_lose_what_is_told_of_them() {
    let (orders, notes) = orders_of(
        &json!({
            "MetricAlarms": [{"AlarmName": "a", "AlarmArn": "x", "StateValue": "OK", "Namespace": "AWS/EC2", "Threshold": 5.0, "Dimensions": [],
                              "AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:ops", "arn:aws:autoscaling:eu-central-1:1:x"]}],
            "CompositeAlarms": [{"AlarmName": "b", "AlarmRule": "ALARM(a)", "ActionsSuppressor": "c"}],
            "metricFilters": [{"filterName": "f", "logGroupName": "g", "creationTime": 1, "filterPattern": ""}],
        })
        .to_string(),
    );
    assert_eq!(
        orders,
        [
            json!({"filterName": "f", "logGroupName": "g", "filterPattern": ""}),
            json!({"AlarmName": "a", "Namespace": "AWS/EC2", "Threshold": 5.0, "AlarmActions": ["arn:aws:sns:eu-central-1:000000000000:ops"]}),
            json!({"AlarmName": "b", "AlarmRule": "ALARM(a)"}),
        ]
    );
    let told = notes.join("\n");
    assert!(
        told.contains("autoscaling")
            && told.contains("ActionsSuppressor")
            && told.contains("AWS/EC2")
            && notes.len() == 3,
        "{told}"
    );
}
