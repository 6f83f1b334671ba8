//! Values as bytes whose order is that of the values, so that records on disk are compared without reading them.
//!
//! ```text
//! value     kind u8 · number (of numbers and times) or text (of the others) · tie
//!   kind      0 text and what sorts as text | 1 number, and text that reads as one | 2 time | 3 missing
//!   number    nearest decimal, 8 bytes · sign u8 of what is missing to the whole number · that, 16 bytes, unless zero
//!   text      bytes, 0 as 0 255 · 0 0
//!   tie       type u8 · text, where the number does not say it: what tells values apart that sort as equal
//! level     0 · severity u8 · value, or 1 · value
//! key       of a sort: 0 · value without tie, each byte inverted where it is descending; 1 for a missing value
//! ```

use std::cmp::Ordering;

use plan::{Expr, Number, SortKey};

use crate::columns::cell::{Cell, severity};
use crate::columns::place::Place;

/// Appends a value of a group column: the order of the bytes is that of the rows of groups, and equal bytes are one group.
pub fn put_group_key(expr: &Expr, cell: Cell<'_>, out: &mut Vec<u8>) {
    if plan::fields::is_field(expr, "@level") {
        match severity(cell) {
            Some(level) => out.extend_from_slice(&[0, level.code()]),
            None => out.push(1),
        }
    }
    put_value(cell, out);
    match cell {
        Cell::Integer(_) => out.push(0),
        Cell::Float(_) => out.push(1),
        Cell::Boolean(_) => out.push(2),
        Cell::Time(_) => out.push(3),
        Cell::Text(text) => {
            out.push(4);
            if cell.plain_number().is_some() {
                put_text(text.as_bytes(), out);
            }
        }
        Cell::Nested(_) => out.push(5),
        Cell::Missing => out.push(6),
    }
}

/// Appends the values of sort keys: the order of the bytes is that of the rows.
pub fn put_sort_keys<'c>(keys: &[SortKey], cells: impl Iterator<Item = Cell<'c>>, out: &mut Vec<u8>) {
    for (key, cell) in keys.iter().zip(cells) {
        if !cell.is_present() {
            // Last either way.
            out.push(1);
            continue;
        }
        out.push(0);
        let begin = out.len();
        put_value(cell, out);
        if key.descending {
            out[begin..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

/// Appends a place such that later ones come first, as rows do.
pub fn put_place_descending(place: &Place, out: &mut Vec<u8>) {
    out.extend_from_slice(&(!(place.time.cast_unsigned() ^ (1 << 63))).to_be_bytes());
    out.extend_from_slice(&(!place.group).to_be_bytes());
    out.extend_from_slice(&(!place.sequence).to_be_bytes());
    // A part is a reversed number.
    out.extend_from_slice(&place.part.0.to_be_bytes());
}

/// Appends a value such that the order of the bytes is that of `sort_order`.
fn put_value(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Missing => out.push(3),
        Cell::Time(nanos) => {
            out.push(2);
            put_number(Number::Integer(nanos.into()), out);
        }
        other => match other.plain_number() {
            Some(number) => {
                out.push(1);
                put_number(number, out);
            }
            None => {
                out.push(0);
                put_text(other.text().unwrap_or_default().as_bytes(), out);
            }
        },
    }
}

fn put_number(number: Number, out: &mut Vec<u8>) {
    // Zero has one form, whatever its sign.
    let nearest = number.as_float() + 0.0;
    let bits = nearest.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    out.extend_from_slice(&ordered.to_be_bytes());
    // A whole number of more digits than a decimal has differs from the nearest one; decimals do not.
    let missing = match number {
        // The nearest decimal to the greatest number is beyond all of them: the difference wraps to what is meant.
        Number::Integer(whole) if nearest >= i128::MAX as f64 => whole.wrapping_sub(i128::MIN),
        Number::Integer(whole) => whole - nearest as i128,
        Number::Float(_) => 0,
    };
    match missing.cmp(&0) {
        Ordering::Less => out.push(0),
        Ordering::Equal => return out.push(1),
        Ordering::Greater => out.push(2),
    }
    out.extend_from_slice(&missing.to_be_bytes());
}

fn put_text(text: &[u8], out: &mut Vec<u8>) {
    for part in text.split_inclusive(|byte| *byte == 0) {
        out.extend_from_slice(part);
        if part.last() == Some(&0) {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests;
