//! Lists and maps of Parquet as JSON.

use parquet::data_type::{AsBytes, Decimal};
use parquet::record::{Field, Row};
use types::{Timestamp, Value, civil_from_days, write_json_string};

use super::leaf::decimal;

/// Writes a value; what JSON has no form of becomes text, and no value `null`.
pub(super) fn write(field: &Field, json: &mut String) {
    let value = match field {
        Field::Group(row) => return write_members(row, json),
        Field::ListInternal(list) => {
            return enclosed(list.elements().iter(), ['[', ']'], json, write);
        }
        Field::MapInternal(map) => {
            return enclosed(map.entries().iter(), ['{', '}'], json, |(key, value), json| {
                let mut text = String::new();
                write(key, &mut text);
                match key {
                    Field::Str(name) => write_json_string(name, json),
                    _ => write_json_string(text.trim_matches('"'), json),
                }
                json.push(':');
                write(value, json);
            });
        }
        Field::Null => None,
        Field::Bool(truth) => Some(Value::Boolean(*truth)),
        Field::Byte(number) => Some(Value::Integer((*number).into())),
        Field::Short(number) => Some(Value::Integer((*number).into())),
        Field::Int(number) => Some(Value::Integer((*number).into())),
        Field::Long(number) => Some(Value::Integer(*number)),
        Field::UByte(number) => Some(Value::Integer((*number).into())),
        Field::UShort(number) => Some(Value::Integer((*number).into())),
        Field::UInt(number) => Some(Value::Integer((*number).into())),
        Field::ULong(number) => Some(i64::try_from(*number).map_or(Value::Float(*number as f64), Value::Integer)),
        Field::Float16(number) => float(number.to_f64()),
        Field::Float(number) => float(number.to_string().parse().unwrap_or(f64::from(*number))),
        Field::Double(number) => float(*number),
        Field::Decimal(number) => Some(of_decimal(number)),
        Field::Str(text) => Some(Value::text(text.as_str())),
        Field::Bytes(bytes) => Some(Value::text(String::from_utf8_lossy(bytes.as_bytes()))),
        Field::Date(days) => {
            let (year, month, day) = civil_from_days((*days).into());
            Some(Value::text(format!("{year:04}-{month:02}-{day:02}")))
        }
        Field::TimeMillis(number) => Some(Value::Integer((*number).into())),
        Field::TimeMicros(number) => Some(Value::Integer(*number)),
        Field::TimestampMillis(number) => time(*number, Timestamp::MILLISECOND),
        Field::TimestampMicros(number) => time(*number, 1_000),
    };
    match value {
        Some(value) => value.write_json(json),
        None => json.push_str("null"),
    }
}

fn write_members(row: &Row, json: &mut String) {
    enclosed(row.get_column_iter(), ['{', '}'], json, |(name, value), json| {
        write_json_string(name, json);
        json.push(':');
        write(value, json);
    });
}

fn enclosed<T>(
    items: impl Iterator<Item = T>,
    ends: [char; 2],
    json: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    json.push(ends[0]);
    for (place, item) in items.enumerate() {
        if place > 0 {
            json.push(',');
        }
        write(item, json);
    }
    json.push(ends[1]);
}

fn float(number: f64) -> Option<Value> {
    number.is_finite().then_some(Value::Float(number))
}

fn time(number: i64, unit_ns: i64) -> Option<Value> {
    number.checked_mul(unit_ns).map(|nanos| Value::Timestamp(Timestamp(nanos)))
}

fn of_decimal(number: &Decimal) -> Value {
    let bytes = number.data();
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let whole = bytes.iter().fold(if sign == 0 { 0i128 } else { -1 }, |whole, byte| whole << 8 | i128::from(*byte));
    decimal(whole, number.scale().unsigned_abs().min(38))
}
