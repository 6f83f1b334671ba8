//! Cells of rows that catat wrote.

use std::ops::Range;

use database::postgres::Failure;
use database::{DatabaseProblem, unsigned};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::positions::FileKey;
use crate::tier::Place;

pub(in crate::catalog) fn misshapen(what: &str) -> Failure {
    Failure::Problem(DatabaseProblem::Failed(format!("{what} was not written by catat")))
}

pub(in crate::catalog) fn segment_id(row: &Row, at: usize) -> Result<u128, Failure> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes.try_into().map(u128::from_be_bytes).map_err(|_| misshapen("an id of a segment"))
}

pub(in crate::catalog) fn group_id(row: &Row, at: usize) -> Result<u32, Failure> {
    u32::try_from(row.try_get::<_, i64>(at)?).map_err(|_| misshapen("a number of a group"))
}

pub(in crate::catalog) fn text(row: &Row, at: usize) -> Result<String, Failure> {
    String::from_utf8(row.try_get(at)?).map_err(|_| misshapen("a name"))
}

pub(in crate::catalog) fn number(row: &Row, at: usize) -> Result<u64, Failure> {
    Ok(unsigned(get::<i64>(row, at)?))
}

pub(in crate::catalog) fn get<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Failure> {
    Ok(row.try_get(at)?)
}

pub(in crate::catalog) fn place(row: &Row, at: usize) -> Result<Place, Failure> {
    Ok(Place::from_number(u8::try_from(get::<i16>(row, at)?).unwrap_or(0)))
}

pub(in crate::catalog) fn position(row: &Row) -> Result<(FileKey, Range<u64>), Failure> {
    let key = FileKey { source: text(row, 0)?, file: text(row, 1)?, generation: number(row, 2)? };
    Ok((key, number(row, 3)?..number(row, 4)?))
}
