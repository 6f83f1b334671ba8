//! One column of Parquet, of a value a row at most, as a column of events.

use std::borrow::Cow;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, ByteArray, DataType};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;
use types::{Column, MISSING_CODE, RowSet, Strings, Timestamp, Value, civil_from_days, hexadecimal};

/// A column of a file.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Its place among the columns.
    pub(super) place: usize,
    /// Its path in the schema, joined with dots.
    pub(super) name: Arc<str>,
    pub(super) meaning: Meaning,
    pub(super) max_definition: i16,
    /// The place of the field of the file that it is in, where rows may have several values of it.
    pub(super) list: Option<usize>,
}

/// What the numbers or bytes of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What they are.
    Itself,
    /// Not below zero.
    Unsigned,
    /// Time since the epoch, in units of so many nanoseconds.
    Time {
        unit_ns: i64,
    },
    /// Time of day, in units of so many nanoseconds.
    OfDay {
        unit_ns: i64,
    },
    /// Days since the epoch.
    Date,
    /// With so many digits behind the point.
    Decimal {
        scale: u32,
    },
    Uuid,
    /// A decimal number of two bytes.
    Half,
    /// Text.
    Text,
}

impl Leaf {
    pub(super) fn of(place: usize, root: usize, descr: &ColumnDescPtr) -> Self {
        let (name, list) = (descr.path().parts().join("."), (descr.max_rep_level() > 0).then_some(root));
        Self { place, name: name.into(), meaning: Meaning::of(descr), max_definition: descr.max_def_level(), list }
    }

    /// Whether its values are times.
    pub(super) fn time_unit(&self) -> Option<i64> {
        if let Meaning::Time { unit_ns } = self.meaning { Some(unit_ns) } else { None }
    }
}

impl Meaning {
    fn of(descr: &ColumnDescPtr) -> Self {
        let unit_ns = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => Timestamp::MILLISECOND,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1,
        };
        let scale = |scale: i32| Self::Decimal { scale: scale.unsigned_abs().min(38) };
        match descr.logical_type_ref() {
            Some(LogicalType::Timestamp(time)) => return Self::Time { unit_ns: unit_ns(&time.unit) },
            Some(LogicalType::Time(time)) => return Self::OfDay { unit_ns: unit_ns(&time.unit) },
            Some(LogicalType::Uuid) => return Self::Uuid,
            Some(LogicalType::Float16) => return Self::Half,
            _ => {}
        }
        match (descr.converted_type(), descr.physical_type()) {
            (ConvertedType::TIMESTAMP_MILLIS, _) => Self::Time { unit_ns: Timestamp::MILLISECOND },
            (ConvertedType::TIMESTAMP_MICROS, _) => Self::Time { unit_ns: 1_000 },
            (ConvertedType::TIME_MILLIS, _) => Self::OfDay { unit_ns: Timestamp::MILLISECOND },
            (ConvertedType::TIME_MICROS, _) => Self::OfDay { unit_ns: 1_000 },
            (ConvertedType::DATE, _) => Self::Date,
            (ConvertedType::DECIMAL, _) => scale(descr.type_scale()),
            (ConvertedType::UINT_32 | ConvertedType::UINT_64, _) => Self::Unsigned,
            (_, Type::INT96) => Self::Time { unit_ns: 1 },
            (_, Type::BYTE_ARRAY) => Self::Text,
            _ => Self::Itself,
        }
    }

    /// Returns what a whole number means.
    fn of_whole(self, number: i64) -> Option<Value> {
        Some(match self {
            Self::Time { unit_ns } => Value::text(time_text(number.checked_mul(unit_ns)?, unit_ns)),
            Self::OfDay { unit_ns } => {
                // Of the first day, without that.
                let text = time_text(number.checked_mul(unit_ns)?.rem_euclid(Timestamp::DAY), unit_ns);
                Value::text(text.get(11..text.len() - 1)?)
            }
            Self::Date => {
                let (year, month, day) = civil_from_days(number);
                Value::text(format!("{year:04}-{month:02}-{day:02}"))
            }
            Self::Decimal { scale } => decimal(number.into(), scale),
            Self::Unsigned if number < 0 => Value::Float(number as u64 as f64),
            _ => Value::Integer(number),
        })
    }

    fn of_bytes(self, bytes: &[u8]) -> Value {
        match self {
            Self::Decimal { scale } => {
                let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
                let mut whole = [sign; 16];
                let n_bytes = bytes.len().min(16);
                whole[16 - n_bytes..].copy_from_slice(&bytes[bytes.len() - n_bytes..]);
                decimal(i128::from_be_bytes(whole), scale)
            }
            Self::Uuid if bytes.len() == 16 => {
                let mut text = hexadecimal(bytes);
                [20, 16, 12, 8].into_iter().for_each(|place| text.insert(place, '-'));
                Value::text(text)
            }
            Self::Half if bytes.len() == 2 => Value::Float(half(u16::from_le_bytes([bytes[0], bytes[1]]))),
            _ => Value::text(&*text_of(bytes)),
        }
    }
}

/// Bytes as text: themselves, or in hexadecimal digits.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(hexadecimal(bytes)), Cow::Borrowed)
}

/// A time as text, with as many digits as its unit has.
fn time_text(nanos: i64, unit_ns: i64) -> String {
    let mut text = String::with_capacity(30);
    Timestamp(nanos).write_rfc3339(digits_of(unit_ns), &mut text);
    text
}

/// How many digits behind the seconds a unit has.
pub(super) fn digits_of(unit_ns: i64) -> u8 {
    match unit_ns {
        1 => 9,
        1_000 => 6,
        _ => 3,
    }
}

pub(super) fn decimal(number: i128, scale: u32) -> Value {
    if scale == 0
        && let Ok(number) = i64::try_from(number)
    {
        return Value::Integer(number);
    }
    // The number that its digits are read as, as of any other format.
    let text = format!("{number}e-{scale}");
    text.parse().map_or_else(|_| Value::text(text), Value::Float)
}

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 => f64::INFINITY,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

/// Values of `n` rows, and which rows have one; those that have none have the default.
struct Rows<T> {
    values: Vec<T>,
    present: Option<RowSet>,
}

fn rows<T: DataType>(reader: &mut ColumnReaderImpl<T>, leaf: &Leaf, n: usize) -> Result<Rows<T::T>> {
    let (mut values, mut definitions) = (Vec::with_capacity(n), Vec::new());
    let (n_rows, n_values, _) = reader.read_records(n, Some(&mut definitions), None, &mut values)?;
    if n_rows != n {
        return Err(parquet::errors::ParquetError::General(format!(
            "the column {} ends {} rows before the others",
            leaf.name,
            n - n_rows
        )));
    }
    if n_values == n {
        return Ok(Rows { values, present: None });
    }
    let present = RowSet::of(n, |row| definitions.get(row) == Some(&leaf.max_definition));
    let mut spread = vec![T::T::default(); n];
    for (row, value) in present.iter().zip(values) {
        spread[row] = value;
    }
    Ok(Rows { values: spread, present: Some(present) })
}

impl<T> Rows<T> {
    /// Converts each row with `value`.
    fn mapped(&self, value: impl Fn(&T) -> Option<Value>) -> Column {
        let is_present = |row: usize| self.present.as_ref().is_none_or(|present| present.contains(row));
        let of_row = |(row, of)| if is_present(row) { value(of) } else { None };
        Column::of_values(self.values.iter().enumerate().map(of_row).collect())
    }

    fn floats(self, number: impl Fn(T) -> f64) -> Column {
        let mut values: Vec<f64> = self.values.into_iter().map(number).collect();
        let finite = RowSet::of_slice(&values, |number| number.is_finite());
        values.iter_mut().filter(|number| !number.is_finite()).for_each(|number| *number = 0.0);
        let present = match self.present {
            // No type holds a number that is not finite.
            Some(mut present) => {
                present.and(&finite);
                Some(present)
            }
            None => (!finite.is_all()).then_some(finite),
        };
        Column::Floats { values, present, integers: None }
    }
}

/// Reads the next `n` rows of a column.
pub(super) fn read(reader: &mut ColumnReader, leaf: &Leaf, n: usize) -> Result<Column> {
    let whole = |numbers: Rows<i64>| match leaf.meaning {
        Meaning::Itself => Column::Integers { values: numbers.values, present: numbers.present },
        meaning => numbers.mapped(|number| meaning.of_whole(*number)),
    };
    Ok(match reader {
        ColumnReader::BoolColumnReader(reader) => {
            let Rows { values, present } = rows(reader, leaf, n)?;
            let is_present = |row| present.as_ref().is_none_or(|present| present.contains(row));
            let code = |(row, truth): (usize, &bool)| if is_present(row) { u32::from(*truth) } else { MISSING_CODE };
            let codes = values.iter().enumerate().map(code).collect();
            Column::Dictionary { codes, values: Arc::new(vec![Value::Boolean(false), Value::Boolean(true)]) }
        }
        ColumnReader::Int32ColumnReader(reader) => {
            let Rows { values, present } = rows(reader, leaf, n)?;
            let is_unsigned = leaf.meaning == Meaning::Unsigned;
            let wide = |number: i32| if is_unsigned { i64::from(number as u32) } else { i64::from(number) };
            whole(Rows { values: values.into_iter().map(wide).collect(), present })
        }
        ColumnReader::Int64ColumnReader(reader) => whole(rows(reader, leaf, n)?),
        ColumnReader::Int96ColumnReader(reader) => {
            let Rows { values, present } = rows(reader, leaf, n)?;
            whole(Rows { values: values.iter().map(|time| time.to_nanos()).collect(), present })
        }
        // The shortest number that is the same in four bytes.
        ColumnReader::FloatColumnReader(reader) => {
            rows(reader, leaf, n)?.floats(|number| number.to_string().parse().unwrap_or(f64::from(number)))
        }
        ColumnReader::DoubleColumnReader(reader) => rows(reader, leaf, n)?.floats(|number| number),
        ColumnReader::ByteArrayColumnReader(reader) if leaf.meaning == Meaning::Text => texts(&rows(reader, leaf, n)?),
        ColumnReader::ByteArrayColumnReader(reader) => {
            rows(reader, leaf, n)?.mapped(|bytes| Some(leaf.meaning.of_bytes(bytes.as_bytes())))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            rows(reader, leaf, n)?.mapped(|bytes| Some(leaf.meaning.of_bytes(bytes.as_bytes())))
        }
    })
}

/// Reads the next `n` rows of a column of times; `None` where one has none.
pub(super) fn read_times(reader: &mut ColumnReader, leaf: &Leaf, n: usize) -> Result<Option<Vec<i64>>> {
    let unit_ns = leaf.time_unit().unwrap_or(1);
    let Rows { mut values, present } = match reader {
        ColumnReader::Int64ColumnReader(reader) => rows(reader, leaf, n)?,
        ColumnReader::Int96ColumnReader(reader) => {
            let Rows { values, present } = rows(reader, leaf, n)?;
            Rows { values: values.iter().map(|time| time.to_nanos()).collect(), present }
        }
        _ => return Ok(None),
    };
    let mut is_sure = present.is_none();
    for value in &mut values {
        let nanos = value.checked_mul(unit_ns);
        is_sure &= nanos.is_some();
        *value = nanos.unwrap_or_default();
    }
    Ok(is_sure.then_some(values))
}

/// Texts as a column.
fn texts(rows: &Rows<ByteArray>) -> Column {
    let mut texts = Strings::with_capacity(rows.values.len(), 0);
    for (row, value) in rows.values.iter().enumerate() {
        if rows.present.as_ref().is_some_and(|present| !present.contains(row)) {
            texts.push("");
            continue;
        }
        texts.push(&text_of(value.data()));
    }
    Column::Strings { values: texts, present: rows.present.clone() }
}
