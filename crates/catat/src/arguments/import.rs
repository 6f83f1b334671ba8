//! What can be typed after `catat import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use types::Secret;

use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) source: ImportSource,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportSource {
    /// Documents of Elasticsearch or OpenSearch, 7 and later: an index or data stream becomes a group
    Elasticsearch(FromElasticsearch),
    /// Lines of Loki with their labels, as if they were pushed
    Loki(FromLoki),
    /// Events of VictoriaLogs with their fields
    Victorialogs(FromVictoriaLogs),
    /// A log group of CloudWatch Logs, as if a subscription had delivered it
    Cloudwatch(FromCloudWatch),
    /// Files, folders and buckets: text, NDJSON, CSV, Parquet, lists of records, plain or packed
    Archive(FromArchive),
}

/// What every source needs.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// Address of the source
    #[arg(value_name = "SOURCE")]
    pub(crate) source: reqwest::Url,
    /// Directory that knows what was imported, new or empty, or of an import that was interrupted
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub(crate) dir: Option<PathBuf>,
    /// End, inclusive: RFC 3339, `now-2h`, `now/d`, or seconds since 1970 (default: now)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// The header `Authorization` for the source, such as 'ApiKey …', 'Bearer …' or 'Basic …'
    #[arg(long, env = "CATAT_SOURCE_AUTHORIZATION", value_name = "VALUE", hide_env_values = true)]
    pub(crate) authorization: Option<Secret>,
    /// Most events a second that the source is asked for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Say what would be imported, and import nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FromElasticsearch {
    #[command(flatten)]
    pub(crate) options: ImportOptions,
    /// Start, in the forms of --to (default: the oldest document)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Indices, data streams and aliases; `*` matches any characters
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    pub(crate) index: String,
    /// Only documents that match, in Lucene's syntax
    #[arg(long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// The field with the time of a document
    #[arg(long, value_name = "FIELD", default_value = "@timestamp")]
    pub(crate) time_field: String,
}

#[derive(Debug, Args)]
pub(crate) struct FromLoki {
    #[command(flatten)]
    pub(crate) options: ImportOptions,
    /// Start, in the forms of --to
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// The streams, such as '{namespace="shop"}'
    #[arg(long = "match", value_name = "SELECTOR")]
    pub(crate) selector: String,
    /// The tenant, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FromVictoriaLogs {
    #[command(flatten)]
    pub(crate) options: ImportOptions,
    /// Start, in the forms of --to (default: the oldest event)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Only events that match, in LogsQL, such as '{app="shop"}'
    #[arg(long = "match", value_name = "FILTER", default_value = "*")]
    pub(crate) filter: String,
    /// The group of all events
    #[arg(long, value_name = "GROUP", default_value = "victorialogs")]
    pub(crate) group: String,
    /// The tenant, where there are several
    #[arg(long, value_name = "ACCOUNT:PROJECT")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FromCloudWatch {
    #[command(flatten)]
    pub(crate) options: ImportOptions,
    /// Start, in the forms of --to
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// The log group
    #[arg(long, value_name = "NAME")]
    pub(crate) log_group: String,
}

#[derive(Debug, Args)]
pub(crate) struct FromArchive {
    /// Files, folders, patterns, or addresses such as s3://BUCKET/PREFIX
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The group of all events (default: a group for each file, or for each bucket, by its path)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Directory that knows what was imported, new or empty, or of an import that was interrupted
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub(crate) dir: Option<PathBuf>,
    /// Say what would be imported, and import nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Addresses such as s3://BUCKET/PREFIX, with --queue where its objects have to be (default: anywhere); or
    /// kafka://HOST:9092/TOPIC,TOPIC, kafka+tls://…
    #[arg(value_name = "ADDRESS", required_unless_present = "queue")]
    pub(crate) paths: Vec<PathBuf>,
    /// The group of all events (default: a group for each bucket and prefix, or for each topic)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// End when nothing new is there
    #[arg(long)]
    pub(crate) once: bool,
    /// Buckets: directory that knows what was pulled, new or empty, or of this pull
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Buckets: a queue of SQS with the notifications of the bucket, which is not listed then
    #[arg(long, value_name = "URL")]
    pub(crate) queue: Option<reqwest::Url>,
    /// Buckets: how often they are listed
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) every: String,
    /// Kafka: the consumer group, whose members share the partitions
    #[arg(long, value_name = "NAME", default_value = "catat")]
    pub(crate) consumer_group: String,
    /// Kafka: where a partition begins that the consumer group has not read yet
    #[arg(long, value_name = "WHERE", default_value = "oldest")]
    pub(crate) begin: PullBegin,
    /// Kafka: after which silence of a member its partitions go to the others
    #[arg(long, value_name = "DURATION", default_value = "45s")]
    pub(crate) session_timeout: String,
    /// Kafka: the user, for brokers with SASL
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Kafka: the password of the user
    #[arg(long, env = "CATAT_KAFKA_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<Secret>,
    /// Kafka: how the password is proved
    #[arg(long, value_name = "MECHANISM", default_value = "scram-sha-512")]
    pub(crate) sasl: Sasl,
}

/// Where to begin with a partition.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum PullBegin {
    Oldest,
    Newest,
}

/// How a user of Kafka proves who it is.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Sasl {
    Plain,
    #[value(name = "scram-sha-256")]
    ScramSha256,
    #[value(name = "scram-sha-512")]
    ScramSha512,
}
