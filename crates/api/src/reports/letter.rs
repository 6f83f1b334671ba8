//! The letter of a report: its subject, its words, and the page that comes with it.

use alert::{Enclosure, Report};
use chrono_tz::Tz;
use incident::{Month, Objectives};
use plan::write_zoned;
use serde_json::Value;
use types::{Locale, TimeRange, Timestamp, percent_encoded};

use super::Stored;
use crate::ask;
use crate::routes::dashboards::{Moment, choices, find, render};
use crate::routes::incidents::ledger_page;
use crate::state::Shared;
use door::Result;

/// Largest page that is sent; of a larger one, only the address is.
const PAGE_BYTES_MAX: usize = 5 << 20;

/// A page, and what is said of it.
struct Content {
    title: String,
    html: String,
    /// Where it is on the server.
    path: String,
    range: TimeRange,
}

/// Makes the letter of a report for a time, as its author sees it.
pub(super) async fn letter(server: &Shared, name: &str, report: &Stored, due: Timestamp) -> Result<Report> {
    let definition = &report.definition;
    let (zone, locale) = (ask::time_zone(Some(&definition.time_zone))?, definition.locale()?);
    let content = match &definition.dashboard {
        Some(dashboard) => of_dashboard(server, dashboard, report, (due, zone, locale)).await?,
        None => of_ledger(server, definition.objectives()?, (due, zone, locale)).await?,
    };
    let title = if definition.title.is_empty() { content.title } else { definition.title.clone() };
    let is_sent = content.html.len() <= PAGE_BYTES_MAX;
    let url = format!("{}{}", server.app.alerts.base_url(), content.path);
    let words = words(locale, is_sent);
    let (from, to) = (minute(content.range.from, zone), minute(content.range.to, zone));
    let text = format!("{title}\n{from} – {to} ({zone})\n\n{}\n\n{} {url}\n", words.0, words.1);
    let day = minute(due, zone).chars().take(10).collect::<String>();
    let enclosure = is_sent.then(|| Enclosure { name: format!("{name}-{day}.html"), html: content.html });
    let groups = report.scope.clone().unwrap_or_default();
    let subject = format!("{title} · {day}");
    Ok(Report { name: name.to_owned(), due, subject, text, enclosure, topic: definition.topic.clone(), groups })
}

fn words(locale: Locale, is_sent: bool) -> (&'static str, &'static str) {
    let file = if is_sent {
        locale.text(
            "The attached file opens in any browser, also offline.",
            "Berkas terlampir dapat dibuka di peramban apa pun, juga tanpa internet.",
        )
    } else {
        locale.text("The file is too large to be sent.", "Berkasnya terlalu besar untuk dikirim.")
    };
    (file, locale.text("On the server:", "Di server:"))
}

async fn of_dashboard(
    server: &Shared,
    name: &str,
    report: &Stored,
    (due, time_zone, locale): (Timestamp, Tz, Locale),
) -> Result<Content> {
    let definition = &report.definition;
    let range_of = |range: &dashboard::Range| {
        let [from, to] = [&range.from, &range.to].map(|text| Value::String(text.clone()));
        ask::range(Some(&from), Some(&to), due, time_zone)
    };
    let asked = definition.range.as_ref().map(range_of).transpose()?;
    let document = find(server, name.to_owned(), None, (asked, locale)).await?.document().clone();
    let range = asked.map_or_else(|| range_of(&document.range), Ok)?;
    let moment = Moment { now: due, range, time_zone, locale };
    let chosen = choices(server, &document, &definition.variables, &moment).await?;
    let title = dashboard::title_of(&document.title, &chosen, locale);
    let (from, to) = (percent_encoded(&range.from.to_string()), percent_encoded(&range.to.to_string()));
    let path = format!("/dashboards/{}?from={from}&to={to}", percent_encoded(name));
    let url = format!("{}{path}", server.app.alerts.base_url());
    let html = render(server, document, chosen, moment, Some(url)).await?;
    Ok(Content { title, html, path, range })
}

/// Returns the ledger of the month before.
async fn of_ledger(
    server: &Shared,
    objectives: Objectives,
    (due, zone, locale): (Timestamp, Tz, Locale),
) -> Result<Content> {
    let (this, _) = Month::of(due, zone).range();
    let month = Month::of(Timestamp(this.saturating_sub(1)), zone);
    let (from, to) = month.range();
    let of_thread = server.clone();
    let html = server.lookups.run(move || ledger_page(&of_thread, (month, &objectives), locale, due)).await??;
    let name: String = minute(Timestamp(from), zone).chars().take(7).collect();
    let title = format!("{} {name}", locale.text("Incidents in", "Insiden pada"));
    let range = TimeRange { from: Timestamp(from), to: Timestamp(to) };
    Ok(Content { title, html, path: format!("/ledger?month={name}"), range })
}

fn minute(at: Timestamp, zone: Tz) -> String {
    let mut text = String::new();
    write_zoned(at, zone, &mut text);
    text.get(..16).unwrap_or(&text).replace('T', " ")
}
