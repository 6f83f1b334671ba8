//! Converts configurations that follow the manuals of shippers. catat accepts every result as its own configuration.

use super::*;
use crate::config::{Config, Flags, Layers};

/// Inputs and notes of a configuration; the inputs are settings that are taken.
fn converted(text: &str) -> (Vec<Table>, Vec<String>) {
    let converted = convert(text, None).unwrap_or_else(|failure| panic!("{}\n{text}", &failure.message));
    let config = converted.text();
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("catat.toml");
    std::fs::write(&path, &config).expect("a scratch file");
    let flags = Flags { config: Some(path), ..Flags::default() };
    let read = Layers::read(&flags, &[]).and_then(|layers| Config::of_layers(&layers));
    assert!(read.is_ok(), "{:?}\n{config}", read.err());
    (converted.inputs, converted.notes)
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
        "scrape_configs[0].pipeline_stages[3].drop.expression is not taken: it is about a value",
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
