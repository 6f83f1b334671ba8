//! Lines of standard input.

use std::io::{BufRead, Read};

use crate::input::{Input, InputError, Sink};

/// Longest line taken whole; a longer one goes on as the next.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Standard input, until it ends.
#[derive(Debug, Default)]
pub struct Stdin;

impl Input for Stdin {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        copy_lines(&mut std::io::stdin().lock(), "standard input", sink)
    }
}

/// Hands every line of `reader` to `sink` until it ends.
pub(super) fn copy_lines(reader: &mut dyn BufRead, what: &str, sink: &Sink) -> Result<(), InputError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let n = read.map_err(|error| InputError::Read { what: what.to_owned(), error })?;
        if n == 0 {
            return sink.flush();
        }
        sink.line(line.strip_suffix(b"\n").unwrap_or(&line))?;
        if sink.is_stopping() {
            return Err(InputError::Stopping);
        }
    }
}
