//! Access without a key: everything until the first key is made, then nothing, or sending alone for a grace period.
//!
//! Reading ends with the first key in either case: who makes it closes the logs to others, and a reader who is refused
//! sees it and signs in. A sender that is refused loses events before anyone notices, and can do no harm that it could
//! not do before.

use std::sync::Arc;

use serde_json::{Value, json};
use types::Timestamp;

use super::senders::AnonymousSenders;
use crate::access::caller::Caller;
use crate::access::validity::Validity;

/// Access without a key, and who used it to send.
pub struct AnonymousAccess {
    /// Everything that the role `operate` may do.
    life: Validity,
    /// Sending, which may go on for longer.
    sending: Validity,
    /// Those who sent lately.
    pub senders: AnonymousSenders,
}

impl AnonymousAccess {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { life: Validity::default(), sending: Validity::default(), senders: AnonymousSenders::new(now) }
    }

    /// Ends it, but sending only at `sending_until`; `None` ends that too.
    pub(super) fn end(&self, sending_until: Option<Timestamp>) {
        self.sending.end_at(sending_until.unwrap_or(Timestamp(i64::MIN)));
        if self.is_open() {
            self.life.end();
        }
    }

    /// Reports whether there was no key yet.
    pub(super) fn is_open(&self) -> bool {
        self.life.ends().is_none()
    }

    /// Returns until when senders may go on; `None` before the first key, and when they no longer may.
    pub fn sending_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.sending.ends().filter(|ends| now < *ends)
    }

    /// Returns a caller without a key, if there may be one.
    pub(in crate::access) fn caller(&self, now: Timestamp) -> Option<Arc<Caller>> {
        if self.is_open() {
            return Some(Arc::new(Caller::local(self.life.clone())));
        }
        self.sending_until(now).map(|_| Arc::new(Caller::local_sender(self.sending.clone())))
    }

    /// Returns the caller with the right to send alone, where it has no key.
    pub fn sender_of(&self, caller: &Arc<Caller>) -> Arc<Caller> {
        if caller.sends_unknown() { Arc::new(Caller::local_sender(self.sending.clone())) } else { caller.clone() }
    }

    /// Returns what may be done without a key, and who did it in the last day.
    pub fn view(&self, now: Timestamp) -> Value {
        let until = self.sending_until(now);
        let access = match until {
            _ if self.is_open() => "open",
            Some(_) => "sending",
            None => "closed",
        };
        let (senders, left_out) = self.senders.views(now);
        json!({
            "access": access, "until": until.map(|until| until.to_string()),
            "since": self.senders.since(now).to_string(), "senders": senders, "left_out": left_out,
        })
    }
}
