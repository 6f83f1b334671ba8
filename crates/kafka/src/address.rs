//! Addresses: `kafka://HOST:PORT,HOST:PORT/TOPIC,TOPIC`, and `kafka+tls://` for brokers with TLS.

use std::str::FromStr;

use crate::Error;

const PORT: &str = "9092";

/// Brokers to begin with, and topics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// Hosts with ports.
    pub brokers: Vec<String>,
    /// Names of topics, at least one.
    pub topics: Vec<String>,
    /// Whether connections are encrypted.
    pub is_tls: bool,
}

impl Address {
    /// Reports whether a text is meant as such an address.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("kafka:") || text.starts_with("kafka+")
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let problem = |what: &str| Error::Usage(format!("{text}: {what}; write kafka://HOST:9092/TOPIC"));
        let schemes = [("kafka://", false), ("kafka+tls://", true), ("kafka+ssl://", true)];
        let found = schemes.iter().find_map(|(scheme, is_tls)| Some((text.strip_prefix(scheme)?, *is_tls)));
        let (rest, is_tls) = found.ok_or_else(|| problem("schemes are kafka and kafka+tls"))?;
        let (hosts, topics) = rest.split_once('/').ok_or_else(|| problem("it names no topic"))?;
        types::ensure!(!hosts.contains('@'), problem("a user is named by --user"));
        let with_port = |host: &str| match host.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => Some(host.to_owned()),
            Some(_) if !host.ends_with(']') => None,
            _ => Some(format!("{host}:{PORT}")),
        };
        let brokers: Option<Vec<String>> = hosts.split(',').map(|host| with_port(host.trim())).collect();
        let brokers = brokers.filter(|brokers| brokers.iter().all(|broker| !broker.starts_with(':')));
        let brokers = brokers.ok_or_else(|| problem("a broker has a host and a port"))?;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let mut names: Vec<String> = topics.split(',').map(|topic| topic.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        if let Some(bad) =
            names.iter().find(|name| name.is_empty() || name.len() > 249 || !name.chars().all(is_allowed))
        {
            return Err(problem(&format!("{bad:?} is no name of a topic (1 to 249 of A-Z a-z 0-9 . _ -)")));
        }
        Ok(Self { brokers, topics: names, is_tls })
    }
}
