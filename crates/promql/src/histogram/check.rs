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
mod tests {
    use super::*;

    #[test]
    fn spans_that_lie_are_refused() {
        assert_eq!(buckets_of_spans(&[(-2, 2), (1, 1)], &[1.0, 0.0, 3.0]), Ok(vec![(-2, 1.0), (1, 3.0)]));
        assert_eq!(buckets_of_spans(&[], &[]), Ok(Vec::new()));
        let refusal = |spans: &[(i32, u32)], n: usize| buckets_of_spans(spans, &vec![1.0; n]).expect_err("a refusal");
        assert_eq!(refusal(&[(0, 2)], 1), "spans need 2 buckets, have 1 buckets");
        assert!(refusal(&[(0, u32::MAX), (0, u32::MAX)], 1).starts_with("spans need 8589934590 buckets"));
        assert!(refusal(&[(0, 1), (-1, 1)], 2).starts_with("span number 2 with offset -1"));
        assert_eq!(refusal(&[(i32::MAX, 1)], 1), "span number 1 reaches beyond all indexes");
        assert!(refusal(&[(0, 1_000_000)], 1_000_000).contains("at most 10000"));
    }

    #[test]
    fn what_cannot_be_computed_with_is_refused_by_name() {
        let base = Histogram { count: 1.0, positive: vec![(1, 1.0)], ..Histogram::default() };
        assert_eq!(base.clone().checked(), Ok(base.clone()));
        let custom = Histogram { schema: CUSTOM_SCHEMA, custom: [1.0, 2.0].into(), ..base.clone() };
        assert_eq!(custom.clone().checked(), Ok(custom.clone()));
        let cases = [
            (Histogram { schema: -5, ..base.clone() }, "schema -5"),
            (Histogram { schema: 53, ..base.clone() }, "schema 53"),
            (Histogram { custom: [1.0].into(), ..base.clone() }, "no listed bounds"),
            (Histogram { count: -1.0, ..base.clone() }, "the observation count is -1"),
            (Histogram { zero_count: -1.0, ..base.clone() }, "the zero bucket is -1"),
            (Histogram { zero_threshold: f64::NAN, ..base.clone() }, "a width of NaN"),
            (
                Histogram { positive: vec![(1, -3.0)], ..base.clone() },
                "positive bucket 1 has an observation count of -3",
            ),
            (
                Histogram { negative: vec![(5_000, 3.0)], ..base.clone() },
                "negative bucket 5000 of schema 0 lies beyond",
            ),
            (Histogram { zero_count: 1.0, ..custom.clone() }, "zero count of 0"),
            (Histogram { negative: vec![(1, 1.0)], ..custom.clone() }, "must not have negative buckets"),
            (Histogram { custom: [2.0, 1.0].into(), ..custom.clone() }, "previous bound is 2 and current is 1"),
            (Histogram { custom: [1.0, f64::INFINITY].into(), ..custom.clone() }, "inf is no bound"),
            (Histogram { positive: vec![(3, 1.0)], ..custom.clone() }, "bucket 3 has no bound; there are 2 bounds"),
        ];
        for (histogram, said) in cases {
            let refusal = histogram.checked().expect_err(said);
            assert!(refusal.contains(said), "{said}: {refusal}");
        }
    }

    #[test]
    fn resolutions_beyond_those_of_queries_are_lowered() {
        let fine =
            Histogram { schema: 10, count: 3.0, positive: vec![(1, 1.0), (4, 1.0), (5, 1.0)], ..Histogram::default() };
        let lowered = Histogram { schema: 8, positive: vec![(1, 2.0), (2, 1.0)], ..fine.clone() };
        assert_eq!(fine.checked(), Ok(lowered));
    }
}
