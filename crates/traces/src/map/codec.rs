//! Slices as bytes.
//!
//! Numbers are varints (LEB128), keys of spans 8 bytes. A list begins with its length, a text with its number of bytes. Lists come in the
//! order of the fields of [`Slice`].
//!
//! Bytes are not trusted: they become a slice whose indexes, bins and order are valid, or nothing, and never more items than bytes.

use types::codec::{Cursor, Damage, Decoded, put_count, put_text};

use super::measure::{Call, Measure};
use super::slices::{Causes, NO_TARGET, OpenCall, OpenRequest, Slice, Target, TargetKind};

/// Kinds of targets, in the order of their numbers.
const KINDS: [TargetKind; 3] = [TargetKind::Database, TargetKind::Queue, TargetKind::External];

/// Returns a slice as bytes.
pub(crate) fn encode(slice: &Slice) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_list(&slice.services, &mut bytes, |name, out| put_text(name, out));
    put_list(&slice.targets, &mut bytes, |target, out| {
        put_count(target.kind as u64, out);
        put_text(&target.name, out);
    });
    put_list(&slice.requests, &mut bytes, |(service, measure), out| {
        put_count(u64::from(*service), out);
        put_measure(measure, out);
    });
    for pairs in [&slice.edges, &slice.outside] {
        put_list(pairs, &mut bytes, |((from, to), measure), out| {
            put_count(u64::from(*from), out);
            put_count(u64::from(*to), out);
            put_measure(measure, out);
        });
    }
    put_list(&slice.open_calls, &mut bytes, |open, out| {
        put_key(&open.key, out);
        put_count(u64::from(open.service), out);
        // 0 is a call without a target.
        put_count(u64::from(open.target.wrapping_add(1)), out);
        put_count(open.call.code(), out);
    });
    put_list(&slice.open_requests, &mut bytes, |open, out| {
        put_count(u64::from(open.service), out);
        put_list(open.message.as_slice(), out, |call, out| put_count(call.code(), out));
        put_list(open.causes.parent.as_slice(), out, put_key);
        put_list(&open.causes.links, out, put_key);
    });
    bytes
}

fn put_list<T>(items: &[T], out: &mut Vec<u8>, put: impl Fn(&T, &mut Vec<u8>)) {
    put_count(items.len() as u64, out);
    items.iter().for_each(|item| put(item, out));
}

fn put_key(key: &u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&key.to_le_bytes());
}

fn put_measure(measure: &Measure, out: &mut Vec<u8>) {
    put_count(measure.n_errors, out);
    put_list(&measure.bins, out, |(bin, n), out| {
        put_count(u64::from(*bin), out);
        put_count(u64::from(*n), out);
    });
}

/// Returns the slice that these are the bytes of.
pub(crate) fn decode(bytes: &[u8]) -> Option<Slice> {
    let mut from = Cursor::new(bytes);
    let slice = slice(&mut from).ok()?;
    (from.is_at_end() && slice.open_calls.is_sorted_by(|a, b| a.key < b.key)).then_some(slice)
}

type Read<T> = Decoded<T>;

fn slice(from: &mut Cursor<'_>) -> Read<Slice> {
    let services = list(from, |from| from.text().map(Into::into))?;
    let target =
        |from: &mut Cursor<'_>| Ok(Target { kind: KINDS[from.below(KINDS.len())?], name: from.text()?.into() });
    let targets = list(from, target)?;
    let (n_services, n_targets) = (services.len(), targets.len());
    let requests = list(from, |from| Ok((index(from, n_services)?, measure(from)?)))?;
    let edges = list(from, |from| Ok(((index(from, n_services)?, index(from, n_services)?), measure(from)?)))?;
    let outside = list(from, |from| Ok(((index(from, n_services)?, index(from, n_targets)?), measure(from)?)))?;
    let open_calls = list(from, |from| {
        let (key, service) = (from.eight()?, index(from, n_services)?);
        let target = index(from, n_targets + 1)?.checked_sub(1).unwrap_or(NO_TARGET);
        Ok(OpenCall { key, service, target, call: call(from)? })
    })?;
    let open_requests = list(from, |from| {
        let service = index(from, n_services)?;
        let message = list(from, call)?.pop();
        let causes = Causes { parent: list(from, Cursor::eight)?.pop(), links: list(from, Cursor::eight)? };
        Ok(OpenRequest { causes, service, message })
    })?;
    Ok(Slice { services, targets, requests, edges, outside, open_calls, open_requests })
}

/// Reads an index below `n`.
fn index(from: &mut Cursor<'_>, n: usize) -> Read<u32> {
    Ok(from.below(n.min(u32::MAX as usize))? as u32)
}

fn call(from: &mut Cursor<'_>) -> Read<Call> {
    Call::of_code(from.varint()?).ok_or(Damage("call"))
}

fn measure(from: &mut Cursor<'_>) -> Read<Measure> {
    let n_errors = from.varint()?;
    let (bins_max, calls_max) = (usize::from(u16::MAX) + 1, u32::MAX as usize + 1);
    let bins = list(from, |from| Ok((from.below(bins_max)? as u16, from.below(calls_max)? as u32)))?;
    Measure::of_bins(bins, n_errors).ok_or(Damage("measure"))
}

fn list<'b, T>(from: &mut Cursor<'b>, item: impl Fn(&mut Cursor<'b>) -> Read<T>) -> Read<Vec<T>> {
    let n_items = from.count(1)?;
    (0..n_items).map(|_| item(from)).collect()
}

#[cfg(test)]
mod tests;
