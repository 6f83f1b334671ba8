//! Pages of metrics in Prometheus' text format 0.0.4.
//!
//! Every family has its `HELP` and `TYPE` and is written in one piece; counters end in `_total`, units are seconds and
//! bytes. Which metrics there are is decided by the callers.

use std::fmt::Write;

use alert::metrics::{Family, number_text};

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It counts from the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// The page as it grows.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// Begins a family of samples.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.head(name, kind, help);
    }

    /// Begins a family of histograms.
    pub fn histogram(&mut self, name: &str, help: &str) {
        self.head(name, "histogram", help);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing into a String cannot fail, here and below.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A family that was made of events.
    pub fn derived(&mut self, family: &Family) {
        self.head(&family.name, family.kind.name(), &family.help);
        for sample in &family.samples {
            // Without a value it is no label for Prometheus either.
            let labels = sample.labels.iter().filter(|(_, text)| !text.is_empty());
            let labels: Vec<(&str, &str)> = labels.map(|(name, text)| (name.as_str(), text.as_str())).collect();
            self.sample(&format!("{}{}", family.name, sample.end), &labels, sample.value);
        }
    }

    /// Writes a sample of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{label}=\"{escaped}\"");
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {}", number_text(value));
    }

    /// Writes a family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Returns the page written so far.
    pub fn into_text(self) -> String {
        self.0
    }
}
