//! Recognising the shape of a line, and reading the parts of a line of a known shape.

use crate::shape::cloud::VpcColumns;
use crate::shape::parts::Parts;
use crate::shape::{Shape, access, application, cloud, guess, logfmt, server, syslog};

impl Shape {
    /// Reads a line of this shape; where it is not of it, `parts` is empty.
    pub fn read(self, line: &str, parts: &mut Parts) -> bool {
        parts.clear();
        let mut found = parts.of(line);
        let fits = match self {
            Self::Lambda => cloud::lambda(line, &mut found),
            Self::Vpc => cloud::vpc(line, &mut found),
            Self::CommonLog => access::common(line, &mut found),
            Self::CombinedLog => access::combined(line, &mut found),
            Self::Syslog => syslog::read(line, &mut found),
            Self::Logfmt => logfmt::read(line, &mut found),
            Self::Cri => cloud::cri(line, &mut found),
            Self::Klog => application::klog(line, &mut found),
            Self::Zap => application::zap(line, &mut found),
            Self::Application => application::read(line, &mut found).or_else(|| application::ruby(line, &mut found)),
            Self::PythonBasic => application::python_basic(line, &mut found),
            Self::NginxError => server::nginx_error(line, &mut found),
            Self::ApacheError => server::apache_error(line, &mut found),
            Self::Postgres => server::postgres(line, &mut found),
            Self::Haproxy => server::haproxy(line, &mut found),
            Self::Redis => server::redis(line, &mut found),
        };
        let fits = fits.is_some();
        if !fits {
            parts.clear();
        }
        fits
    }

    /// Reads a flow log whose columns a header line has named; where it has others, `parts` is empty.
    pub(crate) fn read_vpc(columns: &VpcColumns, line: &str, parts: &mut Parts) -> bool {
        parts.clear();
        let fits = cloud::vpc_with(columns, line, &mut parts.of(line)).is_some();
        if !fits {
            parts.clear();
        }
        fits
    }

    /// Whether a field may hold `literal` in a line whose bytes do not, whatever the case of its letters.
    pub fn is_computed(literal: &str) -> bool {
        syslog::is_computed(literal)
    }

    /// Finds the shape that a line fits and reads it.
    pub fn recognise(line: &str, parts: &mut Parts) -> Option<Self> {
        parts.clear();
        // Only a shape whose header has several lines looks at more than the first.
        let first_line = &line[..memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len())];
        let lines = |shape: Shape| if shape == Self::Logfmt { first_line } else { line };
        let mut candidates = guess::candidates(first_line).iter().copied();
        candidates.find(|shape| guess::may_be(*shape, first_line) && shape.read(lines(*shape), parts))
    }
}
