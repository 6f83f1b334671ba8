//! Operators with many parts as text.

use std::fmt::{self, Display, Formatter};

use super::list;
use crate::operator::{AddTotals, Autoregress, ColumnTotals, Compare, FillBuckets, Outlier, Rank, Score, Sessionize};
use crate::plan::{AppendColumns, Join, Lookup, Patterns};

impl Display for Rank {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", if self.rarest_first { "rare" } else { "top" }, self.most)?;
        list(f, &self.fields, |f, name| f.write_str(name))?;
        f.write_str(if self.by.is_empty() { "" } else { " by " })?;
        list(f, &self.by, |f, name| f.write_str(name))
    }
}

impl Display for FillBuckets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "fill {} every {}", self.time, self.span)?;
        f.write_str(if self.series.is_empty() { "" } else { " for each " })?;
        list(f, &self.series, |f, name| f.write_str(name))?;
        f.write_str(if self.values.is_empty() { "" } else { " with " })?;
        list(f, &self.values, |f, (name, value)| write!(f, "{name} = {value}"))
    }
}

impl Display for Patterns {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "patterns of {}", self.text)?;
        if let Some(earlier) = self.earlier {
            write!(f, " compared with {earlier}")?;
        }
        f.write_str(if self.is_scored { " scored" } else { "" })?;
        f.write_str(if self.counts.is_some() { " with counts over time" } else { "" })
    }
}

impl Display for Compare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("compare ")?;
        list(f, &self.values, |f, (name, _)| f.write_str(name))?;
        f.write_str(if self.keys.is_empty() { "" } else { " by " })?;
        list(f, &self.keys, |f, name| f.write_str(name))?;
        write!(f, " with {}", self.earlier)
    }
}

impl Display for Score {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("score ")?;
        list(f, &self.values, |f, (name, _)| f.write_str(name))?;
        write!(f, " along {}", self.time)?;
        f.write_str(if self.series.is_empty() { "" } else { " for each " })?;
        list(f, &self.series, |f, name| f.write_str(name))
    }
}

impl Display for Lookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Lookup { table, keys, columns } = self;
        write!(f, "lookup {table} where ")?;
        list(f, keys, |f, (column, expr)| write!(f, "{column} = {expr}"))?;
        f.write_str(" for ")?;
        list(f, columns, |f, (column, name)| write!(f, "{name} = {column}"))
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Join { keeps_all, keys, columns, other } = self;
        f.write_str(if *keeps_all { "join left " } else { "join inner " })?;
        write!(f, "{other} where ")?;
        list(f, keys, |f, (mine, theirs)| write!(f, "{mine} = {theirs}"))?;
        f.write_str(if columns.is_empty() { "" } else { " for " })?;
        list(f, columns, |f, (column, name)| write!(f, "{name} = {column}"))
    }
}

impl Display for AppendColumns {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AppendColumns { columns, most, other } = self;
        write!(f, "append {most} rows of {other} for ")?;
        list(f, columns, |f, (column, name)| write!(f, "{name} = {column}"))
    }
}

impl Display for AddTotals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AddTotals { fields, row, column } = self;
        f.write_str("add up ")?;
        list(f, fields, |f, name| f.write_str(name))?;
        if let Some(name) = row {
            write!(f, " of each row into {name}")?;
        }
        match column {
            Some(ColumnTotals { label_field: Some(field), label }) => {
                write!(f, " of each column with {field} = {label:?}")
            }
            Some(_) => f.write_str(" of each column"),
            None => Ok(()),
        }
    }
}

impl Display for Autoregress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Autoregress { field, lags } = self;
        write!(f, "look back for {field}: ")?;
        list(f, lags, |f, (name, lag)| write!(f, "{name} = {lag}"))
    }
}

impl Display for Sessionize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Sessionize { fields, pause, name } = self;
        write!(f, "sessions {name} with pauses up to {pause} of ")?;
        list(f, fields, |f, name| f.write_str(name))
    }
}

impl Display for Outlier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.removes { "remove outliers of " } else { "cut outliers of " })?;
        list(f, &self.fields, |f, name| f.write_str(name))?;
        let sides = if self.uses_lower { "either side" } else { "above" };
        write!(f, " beyond {} quartile distances on {sides}", self.factor)?;
        f.write_str(if self.marks.is_empty() { "" } else { " marked by " })?;
        list(f, &self.marks, |f, name| f.write_str(name))
    }
}
