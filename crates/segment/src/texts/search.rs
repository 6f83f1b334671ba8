//! Finds variables that hold a literal in a section of a block.

use super::layout::{ColumnSelection, TemplateIds};
use super::variables::Variables;
use super::vocabulary::{COLUMN_MIN, HEX, UUIDS, Vocabulary, section_of};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::needle::Needle;
use crate::numbers::Bases;
use crate::strings::find_texts;
use crate::template::Kind;

/// Gives the place in its section of each text, quoted text or raw message that holds the needle; of hex and UUIDs, of
/// each that holds a needle of hex digits.
pub(crate) fn find(
    section: usize,
    bytes: &[u8],
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let cursor = &mut Cursor::new(bytes);
    if section == vocabulary.raw_section() {
        return if ids.n_raw == 0 { Ok(()) } else { find_texts(cursor, ids.n_raw, needle, found) };
    }
    if section == HEX || section == UUIDS {
        let wanted = ColumnSelection::all_of_section(section, vocabulary.slots());
        let mut variables = Variables::default();
        variables.decode(section, bytes, ids, vocabulary, &wanted, &Bases::default())?;
        variables.find_hex(section, needle, found);
        return Ok(());
    }
    let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
    let columns = ids.columns_of(section, vocabulary.slots())?;
    // Short columns are stored together: where each begins there, and the place of its first value in the section.
    let (mut short, mut n_together) = (Vec::new(), 0);
    for (_, n, first) in columns.iter().filter(|(_, n, _)| !is_long(*n)) {
        short.push((n_together, *first));
        n_together += n;
    }
    if n_together > 0 {
        find_texts(cursor, n_together as usize, needle, &mut |place| {
            let after = short.partition_point(|(from, _)| *from <= place);
            if let Some((from, first)) = after.checked_sub(1).and_then(|before| short.get(before)) {
                found(first + (place - from));
            }
        })?;
    }
    for (_, n, first) in columns.into_iter().filter(|(_, n, _)| is_long(*n)) {
        find_texts(cursor, n as usize, needle, &mut |place| found(first + place))?;
    }
    Ok(())
}

/// Gives the place in its section of each of the integers, or addresses, that are spelled with the needle in them.
pub(crate) fn find_numbers(
    kind: Kind,
    variables: &Variables<'_>,
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let slots = vocabulary.slots();
    let digits = needle.in_numbers();
    let columns = ids.columns_of(section_of(kind), slots)?.into_iter();
    for (_, n, first) in columns.filter(|(column, ..)| slots.columns()[*column].kind == kind) {
        let values = if kind == Kind::Address { &variables.addresses } else { &variables.integers };
        let end = first.checked_add(n).ok_or(Damage("a count is out of range"))?;
        let values = values.get(first as usize..end as usize).ok_or(Damage("numbers are missing"))?;
        let holds = |value: &i64| match (kind, &digits) {
            (Kind::Address, _) => needle.in_addresses().is_in(*value as u32),
            (Kind::Integer, Some(digits)) => digits.is_in(*value),
            _ => false,
        };
        (first..).zip(values).filter(|(_, value)| holds(value)).for_each(|(place, _)| found(place));
    }
    Ok(())
}
