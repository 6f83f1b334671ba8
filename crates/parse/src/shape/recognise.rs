//! Recognising the shape of a line, and reading the parts of a line of a known shape.

use crate::shape::columns::LineColumns;
use crate::shape::parts::{NoPrograms, PartSink, Parts};
use crate::shape::{
    Shape, SyslogHeader, access, application, cloud, columns, guess, logfmt, request, security, server, syslog, table,
};
use crate::time::TimeMemo;

impl Shape {
    /// Reads a line of this shape; where it is not of it, `parts` is empty.
    pub fn read(self, line: &str, parts: &mut Parts) -> bool {
        parts.clear();
        let fits = self.read_into(line, &mut parts.of(line, &TimeMemo::default(), &NoPrograms)).is_some();
        if !fits {
            parts.clear();
        }
        fits
    }

    fn read_into<'t>(self, line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
        match self {
            Self::Lambda => cloud::lambda(line, found),
            Self::Vpc => cloud::vpc(line, found),
            Self::CommonLog => access::common(line, found),
            Self::CombinedLog => access::combined(line, found),
            Self::Syslog => syslog::read(line, found),
            Self::Logfmt => logfmt::read(line, found),
            Self::Cri => cloud::cri(line, found),
            Self::Klog => application::klog(line, found),
            Self::Zap => application::zap(line, found),
            Self::Application => application::read(line, found).or_else(|| application::ruby(line, found)),
            Self::PythonBasic => application::python_basic(line, found),
            Self::NginxError => server::nginx_error(line, found),
            Self::ApacheError => server::apache_error(line, found),
            Self::Postgres => server::postgres(line, found),
            Self::Haproxy => server::haproxy(line, found),
            Self::Redis => server::redis(line, found),
            Self::Envoy => request::envoy(line, found),
            Self::Squid => request::squid(line, found),
            Self::Uwsgi => request::uwsgi(line, found),
            Self::Cef => security::cef(line, found),
            Self::Leef => security::leef(line, found),
            Self::PostgresCsv => table::postgres(line, found),
            Self::Request => request::any(line, found),
            Self::W3c => columns::usual(line, found),
        }
    }

    /// Reads a line whose columns a header line has named.
    pub(crate) fn read_columns(columns: &LineColumns, found: &mut PartSink<'_, '_>) -> Option<Self> {
        let mut shape = None;
        found.attempt(|found| {
            shape = columns.read(found.line, found);
            shape.map(|_| ())
        })?;
        shape
    }

    /// Whether a field may hold `literal` in a line whose bytes do not, whatever the case of its letters.
    pub fn is_computed(literal: &str) -> bool {
        syslog::is_computed(literal)
    }

    /// Finds the shape that a line fits and reads it.
    pub fn recognise(line: &str, parts: &mut Parts) -> Option<Self> {
        parts.clear();
        recognise(line, &mut parts.of(line, &TimeMemo::default(), &NoPrograms))
    }

    /// The shapes that a line may have by what it begins with, in the order in which they are tried.
    pub(crate) fn candidates(line: &str, times: &TimeMemo) -> &'static [Self] {
        guess::candidates(times.first_line(line), times)
    }

    /// Finds the shape of a line among those that ask for so much that no format of a program is asked before them.
    pub(crate) fn recognise_sure(candidates: &[Self], found: &mut PartSink<'_, '_>) -> Option<Self> {
        of_candidates(found.line, candidates, Self::is_sure, found)
    }

    /// Finds the shape of a line among the others.
    pub(crate) fn recognise_rest(candidates: &[Self], found: &mut PartSink<'_, '_>) -> Option<Self> {
        of_candidates(found.line, candidates, |shape| !shape.is_sure(), found)
            .or_else(|| request::any(found.times.first_line(found.line), found).map(|()| Self::Request))
    }

    fn is_sure(self) -> bool {
        !matches!(self, Self::Application | Self::PythonBasic | Self::Logfmt | Self::Postgres | Self::Redis)
    }

    /// Reads a message that came as syslog, whatever it begins with.
    pub(crate) fn read_frame<'t>(header: SyslogHeader<'t>, found: &mut PartSink<'t, '_>) {
        header.fill_all(found, message);
    }
}

/// Reads what stands behind a syslog header, which may name the program.
fn message<'t>(program: &str, text: &'t str, found: &mut PartSink<'t, '_>) {
    let programs = found.programs;
    if !programs.read_message(program, text, found) {
        recognise(text, found);
    }
}

fn recognise<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<Shape> {
    let candidates = Shape::candidates(line, found.times);
    of_candidates(line, candidates, |_| true, found)
        .or_else(|| request::any(found.times.first_line(line), found).map(|()| Shape::Request))
}

fn of_candidates<'t>(
    line: &'t str,
    known: &[Shape],
    is_asked: fn(Shape) -> bool,
    found: &mut PartSink<'t, '_>,
) -> Option<Shape> {
    let is_nested = found.has_header();
    // Only shapes with a header of several lines need more than the first line.
    let first_line = found.times.first_line(line);
    let of_nested: &[Shape] = if is_nested && !known.contains(&Shape::Logfmt) { &[Shape::Logfmt] } else { &[] };
    let mut candidates = known.iter().chain(of_nested).copied().filter(|shape| is_asked(*shape));
    candidates.find(|shape| {
        let read = |found: &mut PartSink<'t, '_>| match shape {
            Shape::Syslog | Shape::Lambda | Shape::Vpc | Shape::Cri if is_nested => None,
            Shape::Syslog => syslog::recognise(line, found, message),
            Shape::Logfmt => logfmt::recognise(first_line, found).or_else(|| logfmt::behind_words(first_line, found)),
            Shape::PythonBasic => {
                application::python_basic(line, found)?;
                request::in_text(first_line, found).map(|_| ()).or(Some(()))
            }
            Shape::Application => {
                let header = application::read(line, found).or_else(|| application::ruby(line, found));
                let request = request::in_text(first_line, found);
                request.map(|status| request::level_of_status(first_line, status, found)).or(header)
            }
            shape => shape.read_into(line, found),
        };
        found.attempt(read).is_some()
    })
}
