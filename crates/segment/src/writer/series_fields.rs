//! The fields of the series of a block, by the columns of its run.
//!
//! Series that follow each other mostly have the same fields, so that names are compared with the columns of the series before.

use std::sync::Arc;

use types::Series;

/// Which columns series have, and their texts.
pub(super) struct SeriesFields<'b> {
    /// Per column, the text of each series; no series has it where there are none.
    texts: Vec<Vec<Option<&'b Arc<str>>>>,
    /// Columns of series, rising. The same may be here several times.
    column_lists: Vec<Vec<u32>>,
    /// Per series, its list of columns.
    lists: Vec<u32>,
}

impl<'b> SeriesFields<'b> {
    /// Looks at the fields of some series; `None` if one of them has a field that is none of the columns, whose names are in order.
    pub(super) fn of(series: &[&'b Arc<Series>], columns: &[&str]) -> Option<Self> {
        let mut of_block = Self {
            texts: vec![Vec::new(); columns.len()],
            column_lists: Vec::new(),
            lists: Vec::with_capacity(series.len()),
        };
        for (number, one) in series.iter().enumerate() {
            let fields = one.fields();
            let is_same = |list: &Vec<u32>| {
                list.len() == fields.len()
                    && fields.iter().zip(list).all(|((name, _), column)| **name == *columns[*column as usize])
            };
            if !of_block.column_lists.last().is_some_and(is_same) {
                let column = |name: &str| columns.binary_search(&name).ok().map(|column| column as u32);
                of_block.column_lists.push(fields.iter().map(|(name, _)| column(name)).collect::<Option<_>>()?);
            }
            let list = of_block.column_lists.len() - 1;
            of_block.lists.push(list as u32);
            for ((_, text), column) in fields.iter().zip(&of_block.column_lists[list]) {
                let texts = &mut of_block.texts[*column as usize];
                if texts.is_empty() {
                    texts.resize(series.len(), None);
                }
                texts[number] = Some(text);
            }
        }
        Some(of_block)
    }

    /// Returns the text of each series in a column; nothing where no series has the column.
    pub(super) fn texts(&self, column: usize) -> &[Option<&'b Arc<str>>] {
        &self.texts[column]
    }

    /// Returns lists of columns that series have, and per series which of them is its own.
    pub(super) fn lists(&self) -> (&[Vec<u32>], &[u32]) {
        (&self.column_lists, &self.lists)
    }
}

#[cfg(test)]
mod tests;
