//! Decides the state of an alarm from its datapoints. A pure function: its only input is which datapoints breach the threshold.
//!
//! An evaluation looks at `EVALUATION_MORE` periods beyond the evaluation periods. As long as they hold enough datapoints, the most
//! recent ones decide. Only if they do not, missing ones are treated as the alarm says.
//! Source: Amazon CloudWatch, "Configuring how CloudWatch alarms treat missing data".

/// Periods beyond the evaluation periods. Amazon does not say how many it takes; its examples have two.
pub(super) const EVALUATION_MORE: usize = 2;

types::named! {
    /// What missing datapoints mean.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum MissingData {
        /// Nothing, unless all are missing.
        Missing = "missing",
        /// The state stays as it is.
        Ignore = "ignore",
        /// They breach the threshold.
        Breaching = "breaching",
        /// They do not.
        NotBreaching = "notBreaching",
    }
}

/// M of N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datapoints {
    /// N.
    pub(super) of: usize,
    /// M.
    pub(super) to_alarm: usize,
    pub(super) missing: MissingData,
}

/// What follows from the datapoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Ok,
    Alarm,
    InsufficientData,
    /// The state stays as it is.
    Unchanged,
}

impl Datapoints {
    /// Judges periods, the oldest first: whether each breaches the threshold, or nothing if it has no datapoint.
    pub(super) fn judge(self, periods: &[Option<bool>]) -> Judgement {
        let real: Vec<bool> = periods.iter().rev().filter_map(|period| *period).take(self.of).collect();
        let n_breaching = real.iter().filter(|breaches| **breaches).count();
        let n_missing = self.of - real.len();
        let is_reached = |n: usize| if n >= self.to_alarm { Judgement::Alarm } else { Judgement::Ok };
        match self.missing {
            _ if n_missing == 0 => is_reached(n_breaching),
            MissingData::Breaching => is_reached(n_breaching + n_missing),
            MissingData::NotBreaching => is_reached(n_breaching),
            MissingData::Missing if real.is_empty() => Judgement::InsufficientData,
            _ if is_reached(n_breaching) == Judgement::Alarm => Judgement::Alarm,
            MissingData::Missing if self.is_breaching_alone(periods) => Judgement::Alarm,
            // What little is there breaches, and what is missing changes nothing.
            MissingData::Ignore if n_breaching == real.len() => Judgement::Unchanged,
            MissingData::Missing | MissingData::Ignore => Judgement::Ok,
        }
    }

    /// Reports whether all datapoints breach the threshold, and the oldest of them is as old as so many as make an alarm.
    fn is_breaching_alone(self, periods: &[Option<bool>]) -> bool {
        let oldest = periods.iter().position(Option::is_some).unwrap_or(periods.len());
        periods.len() - oldest >= self.to_alarm && periods.iter().flatten().all(|breaches| *breaches)
    }
}

#[cfg(test)]
mod tests;
