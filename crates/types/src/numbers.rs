//! A number per row, where the rows of a request mostly have the same or consecutive ones.

use std::borrow::Cow;
use std::ops::Range;

/// An integer that can be counted on from.
pub trait Number: Copy + PartialEq {
    /// Returns the number that is `n` more, the largest where there is none.
    fn plus(self, n: usize) -> Self;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn plus(self, n: usize) -> Self {
                <$type>::try_from(n).map_or(<$type>::MAX, |n| self.saturating_add(n))
            }
        }
    )*};
}

number!(u8, u32, u64, i64);

/// A number per row. Samples would have 21 of 45 bytes for numbers that follow from the first row of their request.
#[derive(Clone, Debug)]
pub enum Numbers<T> {
    /// All rows have the same.
    Same {
        /// What each of them has.
        number: T,
        /// How many rows there are.
        n_rows: usize,
    },
    /// Each row has one more than the row before.
    Consecutive {
        /// What the first row has.
        first: T,
        /// How many rows there are.
        n_rows: usize,
    },
    /// What each row has.
    Each(Vec<T>),
}

impl<T: Number> Numbers<T> {
    /// Returns `first` and what follows it.
    pub fn consecutive(first: T, n_rows: usize) -> Self {
        Self::Consecutive { first, n_rows }
    }

    /// Returns `number` for every row.
    pub fn same(number: T, n_rows: usize) -> Self {
        Self::Same { number, n_rows }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Same { n_rows, .. } | Self::Consecutive { n_rows, .. } => *n_rows,
            Self::Each(numbers) => numbers.len(),
        }
    }

    /// Reports whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what a row has. Panics if there is no such row.
    pub fn get(&self, row: usize) -> T {
        match self {
            Self::Each(numbers) => numbers[row],
            Self::Same { number, n_rows } if row < *n_rows => *number,
            Self::Consecutive { first, n_rows } if row < *n_rows => first.plus(row),
            _ => panic!("there is no row {row} among {}", self.len()),
        }
    }

    /// Returns the number of the first row, if there is one.
    pub fn first(&self) -> Option<T> {
        (!self.is_empty()).then(|| self.get(0))
    }

    /// Returns the number of the last row, if there is one.
    pub fn last(&self) -> Option<T> {
        Some(self.get(self.len().checked_sub(1)?))
    }

    /// Reports whether no number is less than the one before.
    pub fn is_sorted(&self) -> bool
    where
        T: Ord,
    {
        match self {
            Self::Each(numbers) => numbers.is_sorted(),
            Self::Same { .. } | Self::Consecutive { .. } => true,
        }
    }

    /// Returns the numbers in order of row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + Clone + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Returns the numbers one behind the other.
    pub fn to_slice(&self) -> Cow<'_, [T]> {
        match self {
            Self::Each(numbers) => Cow::Borrowed(numbers),
            Self::Same { number, n_rows } => Cow::Owned(vec![*number; *n_rows]),
            Self::Consecutive { .. } => Cow::Owned(self.iter().collect()),
        }
    }

    /// Returns the least and the greatest; `None` if there is no row.
    pub fn bounds(&self) -> Option<(T, T)>
    where
        T: Ord,
    {
        let last = self.len().checked_sub(1)?;
        match self {
            Self::Each(numbers) => Some((*numbers.iter().min()?, *numbers.iter().max()?)),
            Self::Same { .. } | Self::Consecutive { .. } => Some((self.get(0), self.get(last))),
        }
    }

    /// Appends what some rows of others have; there will be room for `n_rows_max` in all.
    pub(crate) fn push_rows_of(&mut self, others: &Self, rows: Range<usize>, n_rows_max: usize) {
        if self.is_empty() {
            *self = match others {
                Self::Same { number, .. } => Self::same(*number, rows.len()),
                Self::Consecutive { first, .. } => Self::consecutive(first.plus(rows.start), rows.len()),
                Self::Each(others) => {
                    let mut numbers = Vec::with_capacity(n_rows_max);
                    numbers.extend_from_slice(&others[rows]);
                    Self::Each(numbers)
                }
            };
            return;
        }
        match (&mut *self, others) {
            (Self::Same { number, n_rows }, Self::Same { number: other, .. }) if number == other => {
                *n_rows += rows.len();
            }
            (Self::Consecutive { first, n_rows }, Self::Consecutive { first: other, .. })
                if first.plus(*n_rows) == other.plus(rows.start) =>
            {
                *n_rows += rows.len();
            }
            (Self::Each(numbers), Self::Each(others)) => numbers.extend_from_slice(&others[rows]),
            (Self::Each(numbers), _) => numbers.extend(rows.map(|row| others.get(row))),
            _ => {
                let mut numbers = Vec::with_capacity(n_rows_max.max(self.len() + rows.len()));
                numbers.extend(self.iter());
                *self = Self::Each(numbers);
                self.push_rows_of(others, rows, n_rows_max);
            }
        }
    }

    /// Gives back memory for more numbers.
    pub(crate) fn shrink_to_fit(&mut self) {
        if let Self::Each(numbers) = self {
            numbers.shrink_to_fit();
        }
    }

    /// Bytes held in memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Each(numbers) => numbers.capacity() * size_of::<T>(),
            Self::Same { .. } | Self::Consecutive { .. } => 0,
        }
    }
}

impl Numbers<u64> {
    /// Adds `n` to each.
    pub fn add(&mut self, n: u64) {
        match self {
            Self::Same { number: first, .. } | Self::Consecutive { first, .. } => *first = first.saturating_add(n),
            Self::Each(numbers) => numbers.iter_mut().for_each(|number| *number = number.saturating_add(n)),
        }
    }
}

impl<T: Number> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        let Some(first) = numbers.first().copied() else { return Self::Each(numbers) };
        if numbers.iter().all(|number| *number == first) {
            Self::same(first, numbers.len())
        } else if numbers.iter().enumerate().all(|(row, number)| *number == first.plus(row)) {
            Self::consecutive(first, numbers.len())
        } else {
            Self::Each(numbers)
        }
    }
}

impl<T: Number> FromIterator<T> for Numbers<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        numbers.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: Number> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests;
