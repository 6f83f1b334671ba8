//! The ledger as a table for spreadsheets and as a page for printing, in English and Indonesian.

use std::fmt::Write;

use chrono_tz::Tz;
use plan::write_zoned;
use types::{Locale, Timestamp};

use super::document::Incident;
use super::ledger::{Ledger, LedgerRow};

/// Returns the ledger as CSV; cells that spreadsheets would take for formulas begin with an apostrophe.
pub fn ledger_csv(ledger: &Ledger) -> String {
    let mut out = String::from(
        "service,incidents,ttd_ms,ttm_ms,ttr_ms,availability,downtime_ms,objective,budget_ms,budget_left_ms\r\n",
    );
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    for row in &ledger.services {
        let availability = row.availability.map(|share| format!("{share:.6}")).unwrap_or_default();
        let (ttd, ttm, ttr) = (number(row.ttd_ms), number(row.ttm_ms), number(row.ttr_ms));
        // Writing into a String cannot fail.
        let _ = write!(out, "{},{},{ttd},{ttm},{ttr},", csv_cell(&row.service), row.incidents);
        let _ = write!(out, "{availability},{},{}", row.downtime_ms, row.objective);
        let _ = write!(out, ",{},{}\r\n", row.budget_ms, row.budget_left_ms);
    }
    out
}

fn csv_cell(text: &str) -> String {
    let disarmed =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if disarmed.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", disarmed.replace('"', "\"\""));
    }
    disarmed
}

/// Returns the ledger and the incidents of the month as a page for printing, its times by the clock of a zone. It needs no
/// style sheet and no script.
pub fn ledger_html(ledger: &Ledger, incidents: &[Incident], zone: Tz, locale: Locale) -> String {
    let t = |english, indonesian| locale.text(english, indonesian);
    let end = |text: &str| Timestamp::parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| shown_time(at, zone));
    let title = format!("{} {}", t("Incidents in", "Insiden pada"), ledger.month);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{} {} {} {} ({zone})</p>\n",
        locale.tag(),
        t("From", "Dari"),
        end(&ledger.from),
        t("to", "sampai"),
        end(&ledger.to),
    );
    if ledger.services.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", t("No incident in this month.", "Tidak ada insiden pada bulan ini."));
    } else {
        services_table(&mut out, ledger, locale);
    }
    if !incidents.is_empty() {
        incidents_table(&mut out, incidents, zone, locale);
    }
    let _ = write!(
        out,
        "<p>{}</p>\n</body>\n</html>\n",
        t(
            "Times count from the beginning of an incident and are means. Availability is the share of the time in which a \
         service was in no incident. The error budget is the time of the whole month that the objective leaves for \
         incidents.",
            "Waktu dihitung sejak insiden mulai dan merupakan rata-rata. Ketersediaan adalah bagian waktu ketika layanan \
         tidak mengalami insiden. Anggaran gangguan adalah waktu dalam sebulan penuh yang disisakan target untuk \
         insiden.",
        )
    );
    out
}

/// Tables have borders by attributes: the server's content policy admits no inline style.
const TABLE: &str = "<table border=\"1\" cellpadding=\"6\" cellspacing=\"0\">";

fn services_table(out: &mut String, ledger: &Ledger, locale: Locale) {
    let t = |english, indonesian| locale.text(english, indonesian);
    let heads = [
        t("Service", "Layanan"),
        t("Incidents", "Insiden"),
        t("Until detected", "Sampai terdeteksi"),
        t("Until mitigated", "Sampai teratasi"),
        t("Until repaired", "Sampai diperbaiki"),
        t("Availability", "Ketersediaan"),
        t("Downtime", "Waktu gangguan"),
        t("Objective", "Target"),
        t("Error budget left", "Sisa anggaran gangguan"),
    ];
    let _ = writeln!(out, "{TABLE}\n<thead><tr>{}</tr></thead>\n<tbody>", cells("th", heads.map(str::to_owned)));
    for row in &ledger.services {
        let time = |ms: Option<i64>| ms.map_or_else(|| "–".to_owned(), |ms| shown_duration(ms, locale));
        let availability = row.availability.map(|share| percent(share, locale));
        let texts = [
            escaped(&row.service),
            row.incidents.to_string(),
            time(row.ttd_ms),
            time(row.ttm_ms),
            time(row.ttr_ms),
            availability.unwrap_or_else(|| "–".to_owned()),
            shown_duration(row.downtime_ms, locale),
            percent(row.objective / 100.0, locale),
            budget(row, locale),
        ];
        let _ = writeln!(out, "<tr>{}</tr>", cells("td", texts));
    }
    out.push_str("</tbody>\n</table>\n");
}

/// Returns what is left of an error budget, and all of it.
fn budget(row: &LedgerRow, locale: Locale) -> String {
    let sign = if row.budget_left_ms < 0 { "−" } else { "" };
    let (left, all) = (row.budget_left_ms.saturating_abs(), row.budget_ms);
    let of = locale.text("of", "dari");
    format!("{sign}{} {of} {}", shown_duration(left, locale), shown_duration(all, locale))
}

fn incidents_table(out: &mut String, incidents: &[Incident], zone: Tz, locale: Locale) {
    let t = |english, indonesian| locale.text(english, indonesian);
    let heads = [
        t("Incident", "Insiden"),
        t("Services", "Layanan"),
        t("Began", "Mulai"),
        t("Detected", "Terdeteksi"),
        t("Mitigated", "Teratasi"),
        t("Repaired", "Diperbaiki"),
    ];
    let _ = writeln!(out, "<h2>{}</h2>", t("Incidents", "Daftar insiden"));
    let _ = writeln!(out, "{TABLE}\n<thead><tr>{}</tr></thead>\n<tbody>", cells("th", heads.map(str::to_owned)));
    for incident in incidents {
        let time = |at: Option<i64>| at.map_or_else(|| "–".to_owned(), |at| shown_time(Timestamp(at), zone));
        let texts = [
            escaped(&incident.title),
            escaped(&incident.services.join(", ")),
            time(incident.began),
            time(incident.detected),
            time(incident.mitigated),
            time(incident.remediated),
        ];
        let _ = writeln!(out, "<tr>{}</tr>", cells("td", texts));
    }
    out.push_str("</tbody>\n</table>\n");
}

fn cells<const N: usize>(tag: &str, texts: [String; N]) -> String {
    texts.iter().map(|text| format!("<{tag}>{text}</{tag}>")).collect()
}

/// Returns a time to the minute.
fn shown_time(at: Timestamp, zone: Tz) -> String {
    let mut text = String::new();
    write_zoned(at, zone, &mut text);
    text.chars().take(16).collect::<String>().replace('T', " ")
}

/// Returns a length of time in its two largest units.
pub(crate) fn shown_duration(ms: i64, locale: Locale) -> String {
    let units = [
        (86_400_000, locale.text("d", "hari")),
        (3_600_000, locale.text("h", "jam")),
        (60_000, locale.text("min", "mnt")),
        (1_000, locale.text("s", "dtk")),
    ];
    let mut rest = ms.max(0);
    let mut parts = Vec::new();
    for (length, unit) in units {
        let n = rest / length;
        rest %= length;
        if n > 0 {
            parts.push(format!("{n} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { format!("{ms} ms") } else { parts.join(" ") }
}

fn percent(share: f64, locale: Locale) -> String {
    let text = format!("{:.3} %", share * 100.0);
    match locale {
        Locale::English => text,
        Locale::Indonesian => text.replace('.', ","),
    }
}

/// Returns a text for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests;
