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
        self.list(measure.bins(), |out, (bin, n)| {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000_000;

    fn measure(durations_ms: &[i64]) -> Measure {
        let mut measure = Measure::default();
        durations_ms.iter().for_each(|ms| measure.add(Call::of(ms * MS, ms % 2 == 1)));
        measure
    }

    fn slice() -> Slice {
        let target = |kind, name: &str| Target { kind, name: name.into() };
        let open_request = |parent, links: &[u64], message| OpenRequest {
            causes: Causes { parent, links: links.to_vec() },
            service: 1,
            message,
        };
        let call = |ms| Call::of(ms * MS, ms % 2 == 1);
        Slice {
            services: vec!["web".into(), "".into(), "naïve".into()],
            targets: vec![
                target(TargetKind::Queue, "kafka"),
                target(TargetKind::External, "pay.internal"),
                target(TargetKind::Database, "db-1"),
            ],
            requests: vec![(0, measure(&[1, 5, 5, 70_000])), (2, measure(&[]))],
            edges: vec![((0, 2), measure(&[0, 1, 300])), ((2, 0), measure(&[i64::from(i32::MAX)]))],
            outside: vec![((1, 0), measure(&[9]))],
            open_calls: vec![
                OpenCall { key: 3, service: 0, target: NO_TARGET, call: call(1) },
                OpenCall { key: 4, service: 2, target: 2, call: call(2) },
                OpenCall { key: u64::MAX, service: 1, target: 0, call: call(i64::from(i32::MAX)) },
            ],
            open_requests: vec![
                open_request(Some(7), &[], None),
                open_request(None, &[8, u64::MAX], Some(call(4))),
                open_request(Some(0), &[9], Some(call(0))),
            ],
        }
    }

    #[test]
    fn a_slice_is_the_same_after_it_was_bytes() {
        for slice in [slice(), Slice::default()] {
            let bytes = encode(&slice);
            let read = decode(&bytes).expect("they are the bytes of a slice");
            assert_eq!(format!("{read:?}"), format!("{slice:?}"));
        }
    }

    #[test]
    fn bytes_that_are_cut_or_continue_are_no_slice() {
        let bytes = encode(&slice());
        for n_bytes in 0..bytes.len() {
            assert!(decode(&bytes[..n_bytes]).is_none(), "the first {n_bytes} bytes");
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_none());
    }

    #[test]
    fn indexes_order_and_bins_are_checked() {
        let check = |change: fn(&mut Slice)| {
            let mut changed = slice();
            change(&mut changed);
            assert!(decode(&encode(&changed)).is_none(), "{changed:?}");
        };
        check(|slice| slice.requests[0].0 = 3);
        check(|slice| slice.edges[0].0.1 = 3);
        check(|slice| slice.outside[0].0.1 = 3);
        check(|slice| slice.open_calls[1].target = 3);
        check(|slice| slice.open_calls[1].key = 3);
        check(|slice| slice.open_requests[0].service = 3);
        check(|slice| slice.requests[0].1.n_errors = 5);
        assert_eq!(Measure::of_bins(vec![(590, 1)], 0), None);
        assert_eq!(Measure::of_bins(vec![(2, 1), (1, 1)], 0), None);
        assert_eq!(Call::of_code(590 << 1), None);
    }

    proptest! {
        #[test]
        fn a_map_can_be_made_of_whatever_bytes_are_a_slice(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = encode(&slice());
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Some(slice) = decode(&bytes) {
                let range = types::TimeRange { from: types::Timestamp(0), to: types::Timestamp(1) };
                crate::map::graph::Graph::of(&[Arc::new(slice)], range);
            }
        }
    }
}
