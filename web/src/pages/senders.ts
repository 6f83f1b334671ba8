// What sends, and what one writes to make it send here: each as it works against the server's doors (tests/clients). What
// is said around it is translated; what is copied is not.

import { text } from "../texts.ts";

/** Where it is sent to, and with which key. */
export interface To {
  /** The page's address without a slash at its end, and the same with its port always said: some programs think of another. */
  origin: string;
  explicit: string;
  host: string;
  port: string;
  /** What stands before the server's own paths: empty, or such as `/logs`. */
  path: string;
  secure: boolean;
  /** The key, a word in its place, or empty where none is needed. */
  key: string;
  /** The pair that signs requests. */
  accessKey: string;
  secretKey: string;
}

/** Something to copy: what it is for, or the file that it belongs in. */
export interface Piece {
  title: string;
  code: string;
}

/** One that sends. */
export interface Sender {
  id: string;
  name: string;
  /** What is to be known of it, where there is something. */
  note: string;
  pieces: (to: To) => Piece[];
}

/** A piece of text that is only there with a key. */
const keyed = (to: To, said: string) => (to.key === "" ? "" : said);
const bearer = (to: To) => keyed(to, ` -H 'Authorization: Bearer ${to.key}'`);
const flag = (to: To) => keyed(to, ` --key ${to.key}`);
/** Where a token must be said, any will do as long as no key is needed. */
const token = (to: To) => to.key || "any";
const user = (to: To) => keyed(to, `any:${to.key}@`);

const curl = (to: To): Piece[] => [
  {
    title: text("A line"),
    code: `curl -sS '${to.origin}/api/v1/ingest?group=hello&format=text'${bearer(to)} --data-binary 'hello from ${to.host}'`,
  },
  {
    title: text("An event with fields"),
    code: `curl -sS '${to.origin}/api/v1/ingest?group=hello'${bearer(to)} -d '{"message":"order 7 is paid","level":"info","took_ms":12}'`,
  },
  {
    title: text("A file"),
    code: `curl -sS '${to.origin}/api/v1/ingest?group=app&format=text'${bearer(to)} --data-binary @app.log`,
  },
];

const catat = (to: To): Piece[] => [
  {
    title: text("Files and directories, followed as they grow"),
    code: `catat ship --url ${to.origin}${flag(to)} /var/log`,
  },
  {
    title: text("The output of a command"),
    code: `some-job | catat send --url ${to.origin}${flag(to)} --group batch/nightly`,
  },
  { title: text("Shipper and server in one, on a single machine"), code: "catat up /var/log" },
];

const journald = (to: To): Piece[] => [
  {
    title: text("With systemd's own uploader"),
    code: `/lib/systemd/systemd-journal-upload --save-state --url '${to.explicit.replace("://", `://${user(to)}`)}/journal'`,
  },
  {
    title: text("Without it"),
    code: `journalctl -f -a -o json | catat send --url ${to.origin}${flag(to)} --group journal`,
  },
];

const docker = (to: To): Piece[] => [
  {
    title: text("One container"),
    code: `docker run --log-driver splunk --log-opt splunk-url=${to.explicit} --log-opt splunk-token=${token(to)} --log-opt splunk-index=docker IMAGE`,
  },
  {
    title: "/etc/docker/daemon.json",
    code: JSON.stringify(
      {
        "log-driver": "splunk",
        "log-opts": { "splunk-url": to.explicit, "splunk-token": token(to), "splunk-index": "docker" },
      },
      null,
      2,
    ),
  },
  {
    title: "catat.toml · catat ship --config catat.toml",
    code: `[ship]\nurl = ["${to.origin}"]\nkey_file = "/etc/catat/ship.key"\n\n[[input]]\ntype = "containers"   # docker/NAME, kubernetes/NAMESPACE/CONTAINER`,
  },
];

/** The output of Fluent Bit, `indented` by so much. */
function fluentOutput(to: To, index: string, match: string, indented = ""): string {
  const lines = [
    "[OUTPUT]",
    "    Name es",
    `    Match ${match}`,
    `    Host ${to.host}`,
    `    Port ${to.port}`,
    `    Path ${to.path}/elasticsearch`,
    `    Index ${index}`,
    "    Suppress_Type_Name On",
  ];
  if (to.key !== "") lines.push("    HTTP_User any", `    HTTP_Passwd ${to.key}`);
  if (to.secure) lines.push("    tls On");
  return lines.map((line) => indented + line).join("\n");
}

const kubernetes = (to: To): Piece[] => [
  { title: "values.yaml", code: `config:\n  outputs: |\n${fluentOutput(to, "kubernetes", "*", "    ")}` },
  {
    title: text("Fluent Bit's chart, on every node"),
    code: "helm upgrade --install fluent-bit fluent-bit --repo https://fluent.github.io/helm-charts -f values.yaml",
  },
];

const vector = (to: To): Piece[] => [
  {
    title: "vector.toml",
    code: `[sources.files]\ntype = "file"\ninclude = ["/var/log/**/*.log"]\n\n[sinks.catat]\ntype = "elasticsearch"\ninputs = ["files"]\nendpoints = ["${to.explicit}/elasticsearch"]\nbulk.index = "vector"${keyed(to, `\nauth.strategy = "basic"\nauth.user = "any"\nauth.password = "${to.key}"`)}`,
  },
];

const fluentBit = (to: To): Piece[] => [
  {
    title: "fluent-bit.conf",
    code: `[INPUT]\n    Name tail\n    Path /var/log/*.log\n    Tag files\n\n${fluentOutput(to, "fluent-bit", "*")}`,
  },
];

const otel = (to: To): Piece[] => [
  {
    title: "otelcol.yaml",
    code: `receivers:\n  filelog:\n    include: [/var/log/*.log]\nexporters:\n  otlphttp:\n    logs_endpoint: ${to.origin}/v1/logs${keyed(to, `\n    headers: { authorization: "Bearer ${to.key}" }`)}\nservice:\n  pipelines:\n    logs: { receivers: [filelog], exporters: [otlphttp] }`,
  },
  {
    title: text("A program with an OpenTelemetry SDK"),
    code: `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${to.origin}/v1/logs\nexport OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf${keyed(to, `\nexport OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer%20${to.key}"`)}`,
  },
];

const loki = (to: To): Piece[] => [
  {
    title: "config.alloy",
    code: `local.file_match "logs" {\n  path_targets = [{ __path__ = "/var/log/*.log", job = "files" }]\n}\nloki.source.file "logs" {\n  targets    = local.file_match.logs.targets\n  forward_to = [loki.write.catat.receiver]\n}\nloki.write "catat" {\n  endpoint {\n    url = "${to.origin}/loki/api/v1/push"${keyed(to, `\n    basic_auth {\n      username = "any"\n      password = "${to.key}"\n    }`)}\n  }\n}`,
  },
  {
    title: "promtail.yaml",
    code: `positions: { filename: /var/lib/promtail/positions.yaml }\nclients:\n  - url: ${to.origin}/loki/api/v1/push${keyed(to, `\n    basic_auth: { username: any, password: ${to.key} }`)}\nscrape_configs:\n  - job_name: files\n    static_configs:\n      - labels: { job: files, __path__: /var/log/*.log }`,
  },
];

const filebeat = (to: To): Piece[] => [
  {
    title: "filebeat.yml",
    code: `filebeat.inputs:\n  - type: filestream\n    id: files\n    paths: [/var/log/*.log]\noutput.elasticsearch:\n  hosts: ["${to.explicit}/elasticsearch"]${keyed(to, `\n  api_key: "any:${to.key}"`)}`,
  },
];

const logstash = (to: To): Piece[] => [
  {
    title: "logstash.conf",
    code: `input { file { path => "/var/log/*.log" } }\noutput {\n  elasticsearch {\n    hosts => "${to.explicit}/elasticsearch"${keyed(to, `\n    user => "any"\n    password => "${to.key}"`)}\n    index => "logstash"\n  }\n}`,
  },
];

/** A server listens for syslog where it is told to; to this port it may without being root. */
const SYSLOG_PORT = 5514;

const rsyslog = (to: To): Piece[] => [
  {
    title: "/etc/rsyslog.d/90-catat.conf",
    code: `module(load="omelasticsearch")\ntemplate(name="catat" type="list" option.json="on") {\n  constant(value="{\\"@timestamp\\":\\"") property(name="timereported" dateFormat="rfc3339")\n  constant(value="\\",\\"host\\":\\"") property(name="hostname")\n  constant(value="\\",\\"appname\\":\\"") property(name="programname")\n  constant(value="\\",\\"severity\\":\\"") property(name="syslogseverity-text")\n  constant(value="\\",\\"message\\":\\"") property(name="msg") constant(value="\\"}")\n}\naction(type="omelasticsearch" server="${to.host}" serverport="${to.port}"${to.secure ? ' usehttps="on"' : ""}${keyed(to, ` uid="any" pwd="${to.key}"`)}\n       searchType="" bulkmode="on" searchIndex="syslog" template="catat" action.resumeRetryCount="-1")`,
  },
  {
    title: text("Or by syslog, to the port that the server's configuration names below"),
    code: `*.* action(type="omfwd" target="${to.host}" port="${SYSLOG_PORT}" protocol="tcp")`,
  },
  {
    title: "catat.toml",
    code: `[syslog]\ntcp = "0.0.0.0:${SYSLOG_PORT}"\nallow = ["10.0.0.0/8"]   # who may send beside this machine: syslog knows no keys`,
  },
];

const cloudwatch = (to: To): Piece[] => [
  {
    title: "boto3",
    code: `import time, boto3\n\nlogs = boto3.client("logs", endpoint_url="${to.origin}/cloudwatch", region_name="eu-west-1",\n                    aws_access_key_id="${to.accessKey}", aws_secret_access_key="${to.secretKey}")\nlogs.create_log_group(logGroupName="app")\nlogs.create_log_stream(logGroupName="app", logStreamName="web-1")\nlogs.put_log_events(logGroupName="app", logStreamName="web-1",\n                    logEvents=[{"timestamp": int(time.time() * 1000), "message": "hello"}])`,
  },
  {
    title: "amazon-cloudwatch-agent.json",
    code: JSON.stringify(
      {
        agent: { region: "eu-west-1" },
        logs: {
          endpoint_override: `${to.origin}/cloudwatch`,
          logs_collected: {
            files: {
              collect_list: [{ file_path: "/var/log/app.log", log_group_name: "app", log_stream_name: "{hostname}" }],
            },
          },
        },
      },
      null,
      2,
    ),
  },
  {
    title: "~/.aws/credentials",
    code: `[AmazonCloudWatchAgent]\naws_access_key_id = ${to.accessKey}\naws_secret_access_key = ${to.secretKey}`,
  },
];

const splunk = (to: To): Piece[] => [
  {
    title: text("An event"),
    code: `curl -sS '${to.origin}/services/collector/event' -H 'Authorization: Splunk ${token(to)}' -d '{"event":"it works","index":"web"}'`,
  },
  {
    title: text("A file"),
    code: `curl -sS '${to.origin}/services/collector/raw?index=web' -H 'Authorization: Splunk ${token(to)}' --data-binary @app.log`,
  },
];

const python = (to: To): Piece[] => [
  { title: text("Once"), code: "pip install python-logging-loki" },
  {
    title: text("In the program"),
    code: `import logging, logging_loki\n\nlogging.getLogger().addHandler(logging_loki.LokiHandler(\n    url="${to.origin}/loki/api/v1/push", tags={"job": "app"}, version="1"${keyed(to, `, auth=("any", "${to.key}")`)}))\nlogging.warning("hello")`,
  },
];

/** All of them, the nearest first. */
export const SENDERS: readonly Sender[] = [
  { id: "curl", name: "curl", note: "", pieces: curl },
  {
    id: "catat",
    name: "catat",
    note: text("The same executable as the server. It remembers its position and sends each line once."),
    pieces: catat,
  },
  {
    id: "journald",
    name: "journald",
    note: text("The group is “journal”; repeated entries are stored once."),
    pieces: journald,
  },
  {
    id: "docker",
    name: "Docker",
    note: text(
      "The driver sends from the host, so the address is the host's. catat can also read the files that Docker writes.",
    ),
    pieces: docker,
  },
  {
    id: "kubernetes",
    name: "Kubernetes",
    note: text("The address must be one that the nodes can reach."),
    pieces: kubernetes,
  },
  { id: "vector", name: "Vector", note: text("The index is the group."), pieces: vector },
  { id: "fluent-bit", name: "Fluent Bit", note: text("The index is the group."), pieces: fluentBit },
  {
    id: "otel",
    name: "OpenTelemetry",
    note: text("The group is the service’s name. gRPC uses the same port."),
    pieces: otel,
  },
  {
    id: "alloy",
    name: "Alloy, Promtail",
    note: text("The group is the label “group”, else “job” or “service_name”."),
    pieces: loki,
  },
  {
    id: "filebeat",
    name: "Filebeat",
    note: text("The index is the group. Templates and policies are accepted; nothing needs to be prepared."),
    pieces: filebeat,
  },
  {
    id: "rsyslog",
    name: "rsyslog",
    note: text("Needs the package rsyslog-elasticsearch, or a server that listens for syslog."),
    pieces: rsyslog,
  },
  { id: "logstash", name: "Logstash", note: text("The index is the group."), pieces: logstash },
  {
    id: "cloudwatch",
    name: "CloudWatch",
    note: text(
      "For the agent and every AWS SDK. Log group and stream are kept; requests are signed with the access key pair of a key.",
    ),
    pieces: cloudwatch,
  },
  { id: "splunk", name: "Splunk HEC", note: text("The group is the index."), pieces: splunk },
  { id: "python", name: "Python logging", note: text("The group is the tag “job”."), pieces: python },
];
