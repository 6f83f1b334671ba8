//! A notification as a letter, and its delivery over SMTP (RFC 5321), encrypted with STARTTLS or from the beginning.

use std::net::ToSocketAddrs;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox as Address, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use reqwest::Url;
use serde_json::Value as Json;
use types::{Secret, ensure};

use super::sns::message_of;
use super::words;
use crate::PostError;
use crate::post::{ANSWER_TIMEOUT, allowed_addresses, is_barred_host};
use crate::topic_message::TopicMessage;

/// Longest subject.
const SUBJECT_BYTES_MAX: usize = 200;

/// Whom letters are for, and over which server they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, Secret)>,
    from: Address,
    to: Vec<Address>,
    /// Where a subscriber of a topic ends the subscription.
    unsubscribe: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// From the first byte.
    Wrapped,
    /// STARTTLS, and nothing without it.
    Required,
    /// STARTTLS where the server offers it: a mail server on the machine itself often does not.
    Offered,
}

impl Mailbox {
    /// Reads `smtp://user:password@host:587` or `smtps://…` and the addresses of people.
    pub(super) fn new(url: &Secret, from: &str, to: &[String]) -> Result<Self, String> {
        let url = Url::parse(url.reveal()).map_err(|error| format!("url: {error}"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("url names no host")?;
        ensure!(!is_barred_host(host), "url points to a link-local or metadata address".to_string());
        let host = host.trim_start_matches('[').trim_end_matches(']').to_string();
        let is_near =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let (encryption, port) = match url.scheme() {
            "smtps" => (Encryption::Wrapped, 465),
            "smtp" if is_near => (Encryption::Offered, 25),
            "smtp" => (Encryption::Required, 587),
            _ => return Err("url must begin with smtp:// or smtps://".to_string()),
        };
        let user = decoded(url.username());
        let password = url.password().map(|password| Secret::from(decoded(password)));
        let credentials = (!user.is_empty()).then(|| (user, password.unwrap_or_else(|| Secret::from(""))));
        let address =
            |key: &str, text: &str| text.parse::<Address>().map_err(|error| format!("{key}: \"{text}\": {error}"));
        let to = to.iter().map(|text| address("to", text)).collect::<Result<Vec<_>, _>>()?;
        ensure!(!to.is_empty(), "to is missing".to_string());
        let from = address("from", from)?;
        Ok(Self { host, port: url.port().unwrap_or(port), encryption, credentials, from, to, unsubscribe: None })
    }

    /// Returns the mailbox of a subscriber of a topic, who can unsubscribe at an address.
    pub(crate) fn for_subscriber(&self, to: &str, unsubscribe: String) -> Result<Self, String> {
        let to = to.parse::<Address>().map_err(|error| format!("\"{to}\": {error}"))?;
        Ok(Self { to: vec![to], unsubscribe: Some(unsubscribe), ..self.clone() })
    }

    /// Makes one attempt to deliver a notification. Blocks.
    pub(crate) fn deliver(&self, notification: &Json, is_guarded: bool) -> Result<(), PostError> {
        let letter = self.letter(notification).map_err(PostError::Refused)?;
        let transport = self.transport(is_guarded)?;
        let sent = transport.send(&letter);
        sent.map(drop).map_err(|error| {
            // What a mail server refuses for good it refuses the next time as well (RFC 5321 §4.2.1).
            let reason = reason_of(&error);
            if error.is_permanent() { PostError::Refused(reason) } else { PostError::Retry { after: None, reason } }
        })
    }

    /// Connects to an address that was looked at, so that a name gains nothing by leading elsewhere a moment later.
    fn transport(&self, is_guarded: bool) -> Result<SmtpTransport, PostError> {
        let retry = |reason: String| PostError::Retry { after: None, reason };
        let found = (self.host.as_str(), self.port).to_socket_addrs().map_err(|error| retry(error.to_string()))?;
        let addresses = allowed_addresses(found, is_guarded).map_err(|error| PostError::Refused(error.to_string()))?;
        let address = addresses.first().ok_or_else(|| retry("the host name does not resolve".to_string()))?;
        let tls = || TlsParameters::new(self.host.clone()).map_err(|error| retry(error.to_string()));
        let tls = match self.encryption {
            Encryption::Wrapped => Tls::Wrapper(tls()?),
            Encryption::Required => Tls::Required(tls()?),
            Encryption::Offered => Tls::Opportunistic(tls()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(address.ip().to_string())
            .port(self.port)
            .tls(tls)
            .timeout(Some(ANSWER_TIMEOUT));
        if let Some((user, password)) = &self.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_string()));
        }
        Ok(builder.build())
    }

    /// Returns the letter. Beginning and end of an alert are one conversation, and a second copy has the same `Message-ID`.
    fn letter(&self, notification: &Json) -> Result<Message, String> {
        let message = message_of(notification, "email");
        let report = notification.get("report").map(|_| &notification["annotations"]);
        let title = report.map(|report| words::one_line(words::text(report, "summary")));
        let title = title.unwrap_or_else(|| {
            message.as_ref().map_or_else(
                || words::title(notification),
                |message| words::one_line(message.subject.as_deref().unwrap_or("Notification")),
            )
        });
        let subject = words::cut(&title, SUBJECT_BYTES_MAX);
        let mut builder = Message::builder().from(self.from.clone()).subject(subject);
        for address in &self.to {
            builder = builder.to(address.clone());
        }
        let id = |text: &str| format!("<{text}@{}>", self.from.email.domain());
        let builder = builder
            .message_id(Some(id(words::text(notification, "id"))))
            .references(id(&super::pagerduty::dedup_key(notification)));
        let text = report.map(|report| words::text(report, "message").to_owned());
        let text = text.unwrap_or_else(|| self.text(notification, message));
        let letter = match enclosure_of(notification) {
            None => builder.header(ContentType::TEXT_PLAIN).body(text),
            Some(file) => builder.multipart(MultiPart::mixed().singlepart(SinglePart::plain(text)).singlepart(file)),
        };
        letter.map_err(|error| format!("the message cannot be written: {error}"))
    }

    /// Returns the text of a letter; for subscribers with the address that ends their subscription.
    fn text(&self, notification: &Json, message: Option<TopicMessage>) -> String {
        let is_question = message.as_ref().is_some_and(|message| message.kind != "Notification");
        let mut text = message.map_or_else(|| body(notification), |message| message.text + "\n");
        if is_question {
            return text;
        }
        if let Some(unsubscribe) = &self.unsubscribe {
            text.push_str(&format!("\n--\nTo get no more of these messages: {unsubscribe}\n"));
        }
        text
    }
}

/// Returns the page that comes with a letter.
fn enclosure_of(notification: &Json) -> Option<SinglePart> {
    let (name, html) = (notification["enclosure"]["name"].as_str()?, notification["enclosure"]["html"].as_str()?);
    Some(Attachment::new(name.to_owned()).body(html.to_owned(), ContentType::TEXT_HTML))
}

/// Returns what the address of a server spells with `%40` and the like.
fn decoded(text: &str) -> String {
    reqwest::Url::parse(&format!("x:/?{}", text.replace('+', "%2B")))
        .ok()
        .and_then(|url| url.query_pairs().next().map(|(name, _)| name.into_owned()))
        .unwrap_or_default()
}

/// Returns the chain of causes, without what was sent.
fn reason_of(error: &lettre::transport::smtp::Error) -> String {
    let mut reason = words::one_line(&error.to_string());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = words::one_line(&cause.to_string());
        if !reason.contains(&cause_text) {
            reason = format!("{reason}: {cause_text}");
        }
        source = cause.source();
    }
    words::cut(&reason, 500)
}

/// Returns what is written to people: the summary, the lines, the labels, where to look.
fn body(notification: &Json) -> String {
    let mut text = format!("{}\n\n", words::title(notification));
    text.push_str(&format!("Since    {}\n", words::text(notification, "starts_at")));
    if let Some(ends_at) = notification["ends_at"].as_str() {
        text.push_str(&format!("Until    {ends_at}\n"));
    }
    if !notification["value"].is_null() {
        text.push_str(&format!("Value    {}\n", notification["value"]));
    }
    for (name, value) in words::labels(notification) {
        text.push_str(&format!("{name}    {}\n", words::one_line(value)));
    }
    for (heading, lines) in [
        ("Together with it", words::others(notification)),
        ("Of these lines", words::evidence(notification)),
        ("Lines", words::lines(notification)),
    ] {
        if !lines.is_empty() {
            text.push_str(&format!("\n{heading}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    }
    text.push_str(&format!("\nAll of them: {}\n", words::text(notification, "url")));
    for (name, said) in [("acknowledge_url", "Take it on"), ("silence_url", "Silence it")] {
        match words::text(notification, name) {
            "" => {}
            url => text.push_str(&format!("{said}: {url}\n")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
