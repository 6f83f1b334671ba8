//! Slices as bytes.
//!
//! Numbers are varints (LEB128), keys of spans 8 bytes. A list begins with its length, a text with its number of bytes. Lists come in the
//! order of the fields of [`Slice`].
//!
//! Bytes are not trusted: they become a slice whose indexes, bins and order are valid, or nothing, and never more items than bytes.

use std::sync::Arc;

use super::measure::{Call, Measure};
use super::slices::{Causes, NO_TARGET, OpenCall, OpenRequest, Slice, Target, TargetKind};

/// Kinds of targets, in the order of their numbers.
const KINDS: [TargetKind; 3] = [TargetKind::Database, TargetKind::Queue, TargetKind::External];

/// Returns a slice as bytes.
pub(crate) fn encode(slice: &Slice) -> Vec<u8> {
    let mut out = Encoder::default();
    out.list(&slice.services, |out, name| out.text(name));
    out.list(&slice.targets, |out, target| {
        out.number(target.kind as u64);
        out.text(&target.name);
    });
    out.list(&slice.requests, |out, (service, measure)| {
        out.number(u64::from(*service));
        out.measure(measure);
    });
    for pairs in [&slice.edges, &slice.outside] {
        out.list(pairs, |out, ((from, to), measure)| {
            out.number(u64::from(*from));
            out.number(u64::from(*to));
            out.measure(measure);
        });
    }
    out.list(&slice.open_calls, |out, open| {
        out.key(&open.key);
        out.number(u64::from(open.service));
        // 0 is a call without a target.
        out.number(u64::from(open.target.wrapping_add(1)));
        out.number(open.call.code());
    });
    out.list(&slice.open_requests, |out, open| {
        out.number(u64::from(open.service));
        out.list(open.message.as_slice(), |out, call| out.number(call.code()));
        out.list(open.causes.parent.as_slice(), Encoder::key);
        out.list(&open.causes.links, Encoder::key);
    });
    out.0
}

/// Returns the slice that these are the bytes of.
pub(crate) fn decode(bytes: &[u8]) -> Option<Slice> {
    let mut from = Decoder(bytes);
    let services = from.list(Decoder::text)?;
    let target =
        |from: &mut Decoder<'_>| Some(Target { kind: KINDS[from.index(KINDS.len())? as usize], name: from.text()? });
    let targets = from.list(target)?;
    let (n_services, n_targets) = (services.len(), targets.len());
    let requests = from.list(|from| Some((from.index(n_services)?, from.measure()?)))?;
    let edges = from.list(|from| Some(((from.index(n_services)?, from.index(n_services)?), from.measure()?)))?;
    let outside = from.list(|from| Some(((from.index(n_services)?, from.index(n_targets)?), from.measure()?)))?;
    let open_calls = from.list(|from| {
        let (key, service) = (from.key()?, from.index(n_services)?);
        let target = from.index(n_targets + 1)?.checked_sub(1).unwrap_or(NO_TARGET);
        Some(OpenCall { key, service, target, call: from.call()? })
    })?;
    let open_requests = from.list(|from| {
        let service = from.index(n_services)?;
        let message = from.list(Decoder::call)?.pop();
        let causes = Causes { parent: from.list(Decoder::key)?.pop(), links: from.list(Decoder::key)? };
        Some(OpenRequest { causes, service, message })
    })?;
    let is_valid = from.0.is_empty() && open_calls.is_sorted_by(|a, b| a.key < b.key);
    is_valid.then_some(Slice { services, targets, requests, edges, outside, open_calls, open_requests })
}

#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, key: &u64) {
        self.0.extend_from_slice(&key.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn measure(&mut self, measure: &Measure) {
        self.number(measure.n_errors);
        self.list(&measure.bins, |out, (bin, n)| {
            out.number(u64::from(*bin));
            out.number(u64::from(*n));
        });
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }
}

/// The bytes that are not read yet. A method returns `None` if they do not begin with what it reads.
struct Decoder<'b>(&'b [u8]);

impl Decoder<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Reads an index below `n`.
    fn index(&mut self, n: usize) -> Option<u32> {
        let index = u32::try_from(self.number()?).ok()?;
        ((index as usize) < n).then_some(index)
    }

    fn key(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<Arc<str>> {
        let n_bytes = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(std::str::from_utf8(bytes).ok()?.into())
    }

    fn call(&mut self) -> Option<Call> {
        Call::of_code(self.number()?)
    }

    fn measure(&mut self) -> Option<Measure> {
        let n_errors = self.number()?;
        let bin = |from: &mut Self| Some((u16::try_from(from.number()?).ok()?, u32::try_from(from.number()?).ok()?));
        Measure::of_bins(self.list(bin)?, n_errors)
    }

    /// Reads a list. Its length is not believed: items are added one by one, and each takes a byte at least.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let n_items = self.number()?;
        let mut items = Vec::new();
        for _ in 0..n_items {
            items.push(item(self)?);
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests;
