//! Pages of metrics, in Prometheus' text format 0.0.4 or as OpenMetrics 1.0.
//!
//! Every family has its `HELP` and `TYPE` and is written in one piece; counters end in `_total`, units are seconds and
//! bytes. Which metrics there are is decided by the callers. Series have the same names and labels in both formats; only
//! OpenMetrics has exemplars.

use std::collections::BTreeSet;
use std::fmt::Write;

use alert::metrics::{Exemplar, Family, FamilyKind, number_text};

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It counts from the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// A family and the lines of its samples, each with its exemplar, which may be empty.
struct Section {
    name: String,
    kind: FamilyKind,
    help: String,
    lines: Vec<(String, String)>,
}

/// The page as it grows.
#[derive(Default)]
pub struct Page {
    format: Format,
    sections: Vec<Section>,
}

impl Page {
    /// Begins a page in a format.
    pub fn new(format: Format) -> Self {
        Self { format, sections: Vec::new() }
    }

    /// Begins a family of samples.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => FamilyKind::Counter,
            Kind::Gauge => FamilyKind::Gauge,
        };
        self.begin(name, kind, help);
    }

    /// Begins a family of histograms.
    pub fn histogram(&mut self, name: &str, help: &str) {
        self.begin(name, FamilyKind::Histogram, help);
    }

    fn begin(&mut self, name: &str, kind: FamilyKind, help: &str) {
        let (name, help) = (name.to_owned(), help.replace('\\', "\\\\").replace('\n', "\\n"));
        self.sections.push(Section { name, kind, help, lines: Vec::new() });
    }

    /// A family that was made of events.
    pub fn derived(&mut self, family: &Family) {
        self.begin(&family.name, family.kind, &family.help);
        for sample in &family.samples {
            // A sum that can fall is no counter, which OpenMetrics wants it to be.
            if self.format == Format::OpenMetrics && sample.end == "_sum" && sample.value < 0.0 {
                continue;
            }
            // Without a value it is no label for Prometheus either.
            let labels = sample.labels.iter().filter(|(_, text)| !text.is_empty());
            let labels: Vec<(&str, &str)> = labels.map(|(name, text)| (name.as_str(), text.as_str())).collect();
            self.write(&format!("{}{}", family.name, sample.end), &labels, sample.value, sample.exemplar.as_ref());
        }
    }

    /// Writes a sample of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.write(name, labels, value, None);
    }

    fn write(&mut self, name: &str, labels: &[(&str, &str)], value: f64, exemplar: Option<&(String, Exemplar)>) {
        let Some(Section { lines, .. }) = self.sections.last_mut() else { return };
        let (mut line, mut shown) = (name.to_owned(), String::new());
        if !labels.is_empty() {
            write_labels(labels, &mut line);
        }
        // Writing into a String cannot fail, here and below.
        let _ = write!(line, " {}", number_text(value));
        if let Some((label, Exemplar { id, value, at })) = exemplar {
            shown.push_str(" # ");
            write_labels(&[(label, id)], &mut shown);
            let ms = at.0.div_euclid(1_000_000);
            let _ = write!(shown, " {} {}.{:03}", number_text(*value), ms.div_euclid(1000), ms.rem_euclid(1000));
        }
        lines.push((line, shown));
    }

    /// Writes a family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Returns the page written so far.
    pub fn into_text(self) -> String {
        let names: BTreeSet<&str> = self.sections.iter().map(|section| section.name.as_str()).collect();
        let mut page = String::new();
        for Section { name, kind, help, lines } in &self.sections {
            let (name, kind, help) = match self.format {
                Format::Text => (name.as_str(), kind.name(), help.clone()),
                Format::OpenMetrics => {
                    let (name, kind) = declared(name, *kind, &names);
                    (name, kind, help.replace('"', "\\\""))
                }
            };
            let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            let has_exemplars = self.format == Format::OpenMetrics && kind != UNKNOWN;
            for (line, exemplar) in lines {
                page.extend([line.as_str(), if has_exemplars { exemplar } else { "" }, "\n"]);
            }
        }
        if self.format == Format::OpenMetrics {
            page.push_str("# EOF\n");
        }
        page
    }
}

/// The type of a family that OpenMetrics has none for; its samples have no exemplars.
const UNKNOWN: &str = "unknown";

/// Returns the name and the type of a family in OpenMetrics: a counter is declared without the `_total` of its samples. One
/// without it, or whose name is then that of another family, has no type there.
fn declared<'n>(name: &'n str, kind: FamilyKind, names: &BTreeSet<&str>) -> (&'n str, &'static str) {
    match (kind, name.strip_suffix("_total")) {
        (FamilyKind::Counter, Some(short)) if !names.contains(short) => (short, kind.name()),
        (FamilyKind::Counter, _) => (name, UNKNOWN),
        _ => (name, kind.name()),
    }
}

fn write_labels(labels: &[(&str, &str)], lines: &mut String) {
    for (at, (label, text)) in labels.iter().enumerate() {
        lines.push(if at == 0 { '{' } else { ',' });
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(lines, "{label}=\"{escaped}\"");
    }
    lines.push('}');
}
