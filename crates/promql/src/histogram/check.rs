//! What a histogram must be so that queries can compute with it.

use crate::histogram::{CUSTOM_SCHEMA, Histogram};

/// Schemas that are kept as they are. Those above, up to the second number, are possible and lowered to the highest of these.
const SCHEMA_MIN: i32 = -4;
const SCHEMA_MAX: i32 = 8;
const SCHEMA_RESERVED_MAX: i32 = 52;

/// Most buckets of one histogram, and most listed bounds.
const BUCKETS_MAX: usize = 10_000;

/// Powers of two within which all numbers lie, and a bit more.
const EXPONENT_MAX: i32 = 1_100;

/// Puts the buckets of one side together from spans, each the distance to the end of the one before and a length, and a count for each
/// bucket. Buckets without observations are left out.
///
/// # Errors
/// What does not fit: the number of buckets, or an index that 32 bits do not hold.
pub fn buckets_of_spans(spans: &[(i32, u32)], counts: &[f64]) -> Result<Vec<(i32, f64)>, String> {
    let needed = spans.iter().fold(0u64, |sum, (_, length)| sum + u64::from(*length));
    if needed != counts.len() as u64 {
        return Err(format!("spans need {needed} buckets, have {} buckets", counts.len()));
    }
    if counts.len() > BUCKETS_MAX {
        return Err(format!("{} buckets on one side; at most {BUCKETS_MAX} are possible", counts.len()));
    }
    let (mut buckets, mut counts, mut next) = (Vec::new(), counts.iter(), 0i32);
    for (number, (offset, length)) in spans.iter().enumerate() {
        if number > 0 && *offset < 0 {
            return Err(format!("span number {} with offset {offset}: the buckets overlap", number + 1));
        }
        let end = i32::try_from(*length).ok().and_then(|length| next.checked_add(*offset)?.checked_add(length));
        let Some(end) = end else { return Err(format!("span number {} reaches beyond all indexes", number + 1)) };
        let of_span = (end - length.cast_signed()..end).zip(counts.by_ref().take(*length as usize));
        buckets.extend(of_span.filter(|(_, count)| **count != 0.0).map(|(index, count)| (index, *count)));
        next = end;
    }
    Ok(buckets)
}

impl Histogram {
    /// Checks a histogram that came from outside; one of a higher resolution than queries know is lowered to theirs.
    ///
    /// # Errors
    /// What is wrong: the schema, bounds, or a bucket with its index.
    pub fn checked(self) -> Result<Self, String> {
        match self.schema {
            CUSTOM_SCHEMA => self.check_custom()?,
            SCHEMA_MIN..=SCHEMA_RESERVED_MAX if !self.custom.is_empty() => {
                return Err(format!("the schema {} has no listed bounds", self.schema));
            }
            SCHEMA_MIN..=SCHEMA_RESERVED_MAX => {}
            other => {
                return Err(format!("schema {other} is neither in {SCHEMA_MIN}..={SCHEMA_MAX} nor {CUSTOM_SCHEMA}"));
            }
        }
        if self.zero_threshold < 0.0 || !self.zero_threshold.is_finite() {
            return Err(format!("the zero bucket has a width of {}", self.zero_threshold));
        }
        for (what, count) in [("the observation count", self.count), ("the count of the zero bucket", self.zero_count)]
        {
            if count < 0.0 {
                return Err(format!("{what} is {count}, less than 0"));
            }
        }
        for (side, buckets) in [("positive", &self.positive), ("negative", &self.negative)] {
            self.check_side(side, buckets)?;
        }
        Ok(if self.schema > SCHEMA_MAX { self.reduced(SCHEMA_MAX) } else { self })
    }

    fn check_side(&self, side: &str, buckets: &[(i32, f64)]) -> Result<(), String> {
        if buckets.len() > BUCKETS_MAX {
            return Err(format!("{} {side} buckets; at most {BUCKETS_MAX} are possible", buckets.len()));
        }
        if let Some((index, count)) = buckets.iter().find(|(_, count)| *count < 0.0) {
            return Err(format!("{side} bucket {index} has an observation count of {count}"));
        }
        if let Some(pair) = buckets.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(format!("{side} bucket {} follows bucket {}", pair[1].0, pair[0].0));
        }
        let most = i64::from(EXPONENT_MAX) << self.schema.clamp(0, 20);
        let is_out = |index: i32| !self.is_custom() && i64::from(index).abs() > most;
        match buckets.iter().find(|(index, _)| is_out(*index)) {
            Some((index, _)) => Err(format!("{side} bucket {index} of schema {} lies beyond all numbers", self.schema)),
            None => Ok(()),
        }
    }

    fn check_custom(&self) -> Result<(), String> {
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return Err("custom buckets: must have zero count of 0 and zero threshold of 0".to_owned());
        }
        if !self.negative.is_empty() {
            return Err("custom buckets: must not have negative buckets".to_owned());
        }
        if self.custom.len() > BUCKETS_MAX {
            return Err(format!("custom buckets: {} bounds; at most {BUCKETS_MAX} are possible", self.custom.len()));
        }
        if let Some(bound) = self.custom.iter().find(|bound| bound.is_nan() || **bound == f64::INFINITY) {
            return Err(format!("custom buckets: {bound} is no bound"));
        }
        if let Some(pair) = self.custom.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(format!("custom buckets: previous bound is {} and current is {}", pair[0], pair[1]));
        }
        let is_bound = |index: i32| usize::try_from(index).is_ok_and(|index| index <= self.custom.len());
        match self.positive.iter().find(|(index, _)| !is_bound(*index)) {
            Some((index, _)) => {
                Err(format!("custom buckets: bucket {index} has no bound; there are {} bounds", self.custom.len()))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
