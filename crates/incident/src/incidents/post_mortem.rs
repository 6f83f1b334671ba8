//! The post-mortem of an incident as Markdown: what is known, in order, and headings for what people add.
//!
//! Texts of log events are data: they are in code blocks whose fences they cannot close, and control characters are shown.

use std::fmt::Write;

use types::{Locale, Timestamp};

use super::document::{Incident, IncidentItem, ItemKind};
use super::report::shown_duration;

/// Returns the post-mortem of an incident. `base_url` is put before the addresses of items.
pub fn post_mortem(incident: &Incident, base_url: &str, locale: Locale) -> String {
    let t = |english, indonesian| locale.text(english, indonesian);
    let mut out = format!("# {}\n\n", inline(&incident.title));
    let services = if incident.services.is_empty() { "–".to_owned() } else { inline(&incident.services.join(", ")) };
    let time = |at: Option<i64>| at.map_or_else(|| "–".to_owned(), |at| Timestamp(at).to_string());
    let after = |at: Option<i64>| {
        let ms = incident.since_began(at).map(|ns| ns / Timestamp::MILLISECOND);
        ms.map(|ms| format!(" ({} {})", shown_duration(ms, locale), t("after", "setelah mulai"))).unwrap_or_default()
    };
    let rows = [
        (t("Services", "Layanan"), services),
        (t("Began", "Mulai"), time(incident.began)),
        (t("Detected", "Terdeteksi"), time(incident.detected) + &after(incident.detected)),
        (t("Mitigated", "Teratasi"), time(incident.mitigated) + &after(incident.mitigated)),
        (t("Repaired", "Diperbaiki"), time(incident.remediated) + &after(incident.remediated)),
        (t("Reported by", "Dilaporkan oleh"), inline(&incident.created_by)),
    ];
    out.push_str("| | |\n|---|---|\n");
    for (name, value) in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "| {name} | {value} |");
    }
    let summary =
        if incident.summary.is_empty() { t("*To be written.*", "*Belum ditulis.*") } else { &incident.summary };
    let _ = write!(out, "\n## {}\n\n{summary}\n\n## {}\n\n", t("Summary", "Ringkasan"), t("Timeline", "Linimasa"));
    let mut items: Vec<&IncidentItem> = incident.items.iter().collect();
    items.sort_by_key(|item| (item.at, item.added));
    for item in items {
        item_text(&mut out, item, base_url, locale);
    }
    if incident.items.is_empty() {
        let _ = writeln!(out, "{}\n", t("*Nothing was noted.*", "*Tidak ada catatan.*"));
    }
    for heading in [
        t("Cause", "Penyebab"),
        t("What went well", "Yang berjalan baik"),
        t("What went wrong", "Yang tidak berjalan baik"),
        t("Actions", "Tindak lanjut"),
    ] {
        let _ = write!(out, "## {heading}\n\n{}\n\n", t("*To be written.*", "*Belum ditulis.*"));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn item_text(out: &mut String, item: &IncidentItem, base_url: &str, locale: Locale) {
    let until = item.until.map(|until| format!(" – {}", Timestamp(until))).unwrap_or_default();
    let name = match item.kind {
        ItemKind::Note => locale.text("Note", "Catatan"),
        ItemKind::Alert => locale.text("Alert", "Peringatan"),
        ItemKind::Mark => locale.text("Mark", "Penanda"),
        ItemKind::Event => locale.text("Log line", "Baris log"),
        ItemKind::Query => locale.text("Query", "Kueri"),
        ItemKind::Issue => locale.text("Issue", "Masalah"),
        ItemKind::Trace => locale.text("Trace", "Jejak"),
    };
    let _ = write!(out, "* **{}{until}** {name} ({})", Timestamp(item.at), inline(&item.by));
    if item.kind == ItemKind::Note {
        let _ = writeln!(out, ": {}", item.text.replace('\n', "\n  "));
    } else {
        out.push('\n');
        if !item.text.is_empty() {
            code_block(out, &item.text);
        }
    }
    if let Some(query) = &item.query {
        code_block(out, query);
    }
    if let Some(url) = &item.url {
        let _ = writeln!(out, "  <{base_url}{}>", url.replace(['<', '>', ' ', '\n'], ""));
    }
    out.push('\n');
}

/// Writes a text into a code block with a longer fence than any in the text.
fn code_block(out: &mut String, text: &str) {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "\n  {fence}text");
    for line in text.lines() {
        let _ = writeln!(out, "  {}", shown_controls(line));
    }
    let _ = writeln!(out, "  {fence}");
}

/// Returns a text whose control characters are shown as code points.
fn shown_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() && char != '\t' {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
        } else {
            out.push(char);
        }
    }
    out
}

/// Returns a text for one line of a table or heading, in which nothing is markup.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in shown_controls(&text.replace('\n', " ")).chars() {
        if "\\`*_{}[]<>#|".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

#[cfg(test)]
mod tests;
