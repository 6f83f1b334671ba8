//! Label sets that stages change, and labels taken out of them.

use std::sync::Arc;

use plan::{Expr, LabelSet, LabelsFunction};
use types::{Column, MISSING_CODE, Value};

use super::constant::literal;
use crate::columns::cell::Cell;
use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::functions::output::{FunctionOutput, rows};

/// Sets with something added, renamed or taken away.
pub(super) fn change(
    function: LabelsFunction,
    set: &Expr,
    details: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    let sets = env.evaluate(set, frame)?;
    if function == LabelsFunction::Series {
        let without: Vec<&str> = details.iter().map(literal).collect();
        return each_set(&sets, env, |set| Some(Value::text(set.of_series(&without).write())));
    }
    let text = |columns: &[Arc<Column>], at: usize, row: usize| -> Option<String> {
        Some(Cell::at(columns.get(at)?, row).text()?.into_owned())
    };
    let columns: Vec<Arc<Column>> =
        details.iter().map(|argument| env.evaluate(argument, frame)).collect::<Result<_>>()?;
    let holds = |at: usize, row: usize| columns.get(at).is_some_and(|column| Cell::at(column, row).is_true());
    let name = |at: usize| details.get(at).map(literal).unwrap_or_default();
    rows(frame.n_rows(), env, |row| {
        let written = Cell::at(&sets, row).text()?;
        let mut set = LabelSet::read(&written);
        match function {
            LabelsFunction::Drop if holds(1, row) => set.delete(name(0)),
            LabelsFunction::Set => {
                if let Some(value) = text(&columns, 1, row) {
                    set.set(name(0), value);
                }
            }
            LabelsFunction::Rename => {
                if set.admits_field(name(1))
                    && let Some(value) = text(&columns, 2, row)
                {
                    set.set(name(1), value);
                }
                set.rename(name(1), name(0));
            }
            LabelsFunction::Keep => {
                let kept: Vec<usize> =
                    (0..details.len() / 3).map(|at| at * 3).filter(|at| holds(at + 1, row)).collect();
                for at in &kept {
                    if set.admits_field(name(*at))
                        && let Some(value) = text(&columns, at + 2, row)
                    {
                        set.add_metadata(name(*at), value);
                    }
                }
                set.keep(|label| kept.iter().any(|at| name(*at) == label));
            }
            _ => return Some(Value::text(&*written)),
        }
        Some(Value::text(set.write()))
    })
}

/// Sets with an error where a condition holds. Its details are only found out where there is one.
pub(super) fn fail(
    [set, condition, details]: [&Expr; 3],
    error: &str,
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    let (sets, conditions) = (env.evaluate(set, frame)?, env.evaluate(condition, frame)?);
    let holds = |row: usize| Cell::at(&conditions, row).is_true();
    if !(0..frame.n_rows()).any(holds) {
        return Ok((sets, None));
    }
    let details = env.evaluate(details, frame)?;
    rows(frame.n_rows(), env, |row| {
        let written = Cell::at(&sets, row).text()?;
        if !holds(row) {
            return Some(Value::text(&*written));
        }
        let mut set = LabelSet::read(&written);
        set.fail(error, Cell::at(&details, row).text().unwrap_or_default());
        Some(Value::text(set.write()))
    })
}

/// Returns a label of sets.
pub(super) fn get(
    set: &Expr,
    name: &str,
    other: &Expr,
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    let sets = env.evaluate(set, frame)?;
    let admits_field = |set: &str| LabelSet::read(set).admits_field(name);
    let has_other = !matches!(other, Expr::Literal(None))
        && match &*sets {
            Column::Dictionary { values, .. } => values.iter().any(|set| admits_field(&set.to_string())),
            sets => (0..sets.n_rows()).any(|row| Cell::at(sets, row).text().is_some_and(|set| admits_field(&set))),
        };
    if !has_other {
        return each_set(&sets, env, |set| set.get(name).map(Value::text));
    }
    let others = env.evaluate(other, frame)?;
    rows(frame.n_rows(), env, |row| {
        let set = Cell::at(&sets, row).text()?;
        let set = LabelSet::read(&set);
        match set.get(name) {
            Some(value) => Some(Value::text(value)),
            None if set.admits_field(name) => others.value(row),
            None => None,
        }
    })
}

/// Returns what a function makes of sets: where they repeat, of each only once.
pub(super) fn each_set(
    sets: &Column,
    env: &Environment,
    make: impl Fn(&LabelSet<'_>) -> Option<Value>,
) -> Result<FunctionOutput> {
    let Column::Dictionary { codes, values } = sets else {
        return rows(sets.n_rows(), env, |row| make(&LabelSet::read(&Cell::at(sets, row).text()?)));
    };
    env.budget.check()?;
    let mut made: Vec<Value> = Vec::new();
    let code_of = |set: &Value| {
        let Some(value) = make(&LabelSet::read(&set.to_string())) else { return MISSING_CODE };
        let code = made.iter().position(|known| *known == value).unwrap_or(made.len());
        if code == made.len() {
            made.push(value);
        }
        code as u32
    };
    let new_codes: Vec<u32> = values.iter().map(code_of).collect();
    let code = |code: &u32| new_codes.get(*code as usize).copied().unwrap_or(MISSING_CODE);
    let codes = codes.iter().map(code).collect();
    Ok((Arc::new(Column::Dictionary { codes, values: Arc::new(made) }), None))
}
