//! States of aggregates as bytes.
//!
//! ```text
//! state     tag u8 · body
//!   0 count       count
//!   1 sum         count of values · count of decimals · wide · expansion
//!   2 moments     count of values · expansion of the sum · expansion of the squares
//!   3 extreme     value · value
//!   4 distinct    n · n × 8 bytes, ascending
//!   5 distinct    16,384 registers of a byte
//!   6 percentile  n · n × decimal, ascending
//!   7 percentile  negative buckets · count of zeros · positive buckets
//!   8 one value   u8: 0, or 1 · whole (instant) · place · value
//!   9 values      see `values.rs`
//!  10 list        n · (place · value)…, in order of place
//! expansion  n · n × decimal
//! buckets    n · (distance from the last bucket · count)…
//! place      whole (time) · count (group) · count (sequence) · count (part)
//! ```
//!
//! Equal states have equal bytes wherever the state is exact, so partials can be compared.

use plan::AggregateKind;
use types::Value;

use super::{Distinct, Moments, Partial, Percentile, Sum, Values};
use evaluate::{Place, put_place, read_place};
use types::codec::{Cursor, Damage, Decoded, put_count, put_value, put_whole};

impl Partial {
    /// Appends the state.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Count(count) => {
                out.push(0);
                put_count(*count, out);
            }
            Self::Sum(sum) => {
                out.push(1);
                sum.encode(out);
            }
            Self::Moments(moments) => {
                out.push(2);
                moments.encode(out);
            }
            Self::Extreme { number, other } => {
                out.push(3);
                put_value(number.as_ref(), out);
                put_value(other.as_ref(), out);
            }
            Self::Distinct(distinct) => distinct.encode(4, out),
            Self::Percentile(percentile) => percentile.encode(6, out),
            Self::AtPlace(best) => {
                out.extend_from_slice(&[8, u8::from(best.is_some())]);
                if let Some((instant, place, value)) = best {
                    put_whole(*instant, out);
                    put_place(place, out);
                    put_value(Some(value), out);
                }
            }
            Self::Values(values) => {
                out.push(9);
                values.encode(out);
            }
            Self::List(list) => {
                out.push(10);
                put_count(list.len() as u64, out);
                let mut rows: Vec<&(Place, Value)> = list.iter().collect();
                rows.sort_by_key(|(place, _)| *place);
                for (place, value) in rows {
                    put_place(place, out);
                    put_value(Some(value), out);
                }
            }
        }
    }

    /// Reads a state of an aggregate of this kind; answers how many bytes it holds beside itself, too.
    pub(crate) fn decode(kind: AggregateKind, reader: &mut Cursor<'_>) -> Decoded<(Self, usize)> {
        let tag = reader.byte()?;
        let mut n_bytes = 0;
        let state = match (tag, Self::new(kind)) {
            (0, Self::Count(_)) => Self::Count(reader.varint()?),
            (1, Self::Sum(_)) => Self::Sum(Sum::decode(reader)?),
            (2, Self::Moments(_)) => Self::Moments(Moments::decode(reader)?),
            (3, Self::Extreme { .. }) => Self::Extreme { number: reader.value()?, other: reader.value()? },
            (4 | 5, Self::Distinct(_)) => {
                let distinct = Distinct::decode(tag == 4, reader)?;
                n_bytes = distinct.memory_bytes();
                Self::Distinct(distinct)
            }
            (6 | 7, Self::Percentile(_)) => {
                let percentile = Percentile::decode(tag == 6, reader)?;
                n_bytes = percentile.memory_bytes();
                Self::Percentile(percentile)
            }
            (8, Self::AtPlace(_)) => Self::AtPlace(match reader.byte()? {
                0 => None,
                1 => Some((reader.zigzag()?, read_place(reader)?, reader.present()?)),
                _ => return Err(Damage("value at a place")),
            }),
            (9, Self::Values(_)) => {
                let most = if let AggregateKind::Values(most) = kind { most } else { None };
                let values = Values::decode(most, reader)?;
                n_bytes = values.memory_bytes();
                Self::Values(values)
            }
            (10, Self::List(mut list)) => {
                for _ in 0..reader.count(1)? {
                    let (place, value) = (read_place(reader)?, reader.present()?);
                    n_bytes += evaluate::columns::value_size::value_bytes(&value) + 48;
                    list.push((place, value));
                }
                Self::List(list)
            }
            _ => return Err(Damage("state of this aggregate")),
        };
        Ok((state, n_bytes))
    }
}
