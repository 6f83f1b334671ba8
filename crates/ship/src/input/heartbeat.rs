//! A sign of life from time to time: that it stops coming is what an alert waits for.

use std::time::{Duration, Instant};

use crate::input::measurements::{Record, repeat};
use crate::input::{Input, InputError, Sink, WhenFull};
use crate::shipper::now;

/// An event from time to time, with the version and how many seconds this shipper has been running.
#[derive(Debug)]
pub(super) struct Heartbeat {
    every: Duration,
    began: Instant,
}

impl Heartbeat {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, began: Instant::now() }
    }

    pub(super) fn beat(&self, sink: &Sink) -> Result<(), InputError> {
        let record = Record::at(now()).with("message", "heartbeat").with("version", env!("CARGO_PKG_VERSION"));
        record.with("uptime", self.began.elapsed().as_secs()).send(sink)
    }
}

impl Input for Heartbeat {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        repeat(self.every, sink, || self.beat(sink))
    }

    fn when_full(&self) -> WhenFull {
        WhenFull::GiveUpOldest
    }
}
