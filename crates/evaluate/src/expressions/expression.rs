//! Expressions over frames, column by column.
//!
//! An expression that speaks of one field only is computed once per distinct value where the field's column is
//! a dictionary; everything else runs over the rows. Both ways end in the same functions of cells, so they
//! cannot disagree.

use std::cmp::Ordering;
use std::sync::Arc;

use plan::fields::{is_field, single_field};
use plan::number::arithmetic;
use plan::{ArithmeticOperator, Comparison, Expr, Function, Name, Number, TextPattern};
use types::{Column, MISSING_CODE, RowSet, ScanError, Timestamp, Value};

use crate::columns::cell;
use crate::columns::cell::{Cell, ComparisonResult};
use crate::columns::frame::{Frame, booleans};
use crate::columns::stop::Result;
use crate::expressions::elements::Elements;
use crate::expressions::environment::Environment;
use crate::expressions::matching::Matcher;
use crate::expressions::{any, each, functions};

impl Environment<'_> {
    /// Returns the values of `expr`, one a row.
    pub fn evaluate(&self, expr: &Expr, frame: &mut Frame<'_>) -> Result<Arc<Column>> {
        let n_rows = frame.n_rows();
        match expr {
            Expr::Literal(Some(value)) => return Ok(Arc::new(Column::constant(value.clone(), n_rows))),
            Expr::Literal(None) | Expr::Duration(_) | Expr::Regex(_) | Expr::Template(_) => {
                return Ok(Arc::new(Column::Missing { n_rows }));
            }
            Expr::Field(name) if **name == *"@any" => return any::list(frame),
            Expr::Field(name) => return Ok(frame.column(name)?),
            // Before distinct values are looked at: lists above the field are no values of its own.
            Expr::Call(Function::Each, arguments) => return each::each(arguments, frame, self),
            _ => {}
        }
        if let Some(distinct) = Distinct::of(expr, frame)? {
            let mut values = distinct.frame();
            let results = self.evaluate(expr, &mut values)?;
            frame.take_leases(&mut values);
            return Ok(Arc::new(distinct.spread(&results)));
        }
        match expr {
            Expr::Negate(inner) => {
                let inner = self.evaluate(inner, frame)?;
                let zero = Column::constant(Value::Integer(0), n_rows);
                Ok(Arc::new(arithmetic_rows(ArithmeticOperator::Subtract, &zero, &inner)))
            }
            Expr::Arithmetic(operator, a, b) => {
                let (a, b) = (self.evaluate(a, frame)?, self.evaluate(b, frame)?);
                Ok(Arc::new(arithmetic_rows(*operator, &a, &b)))
            }
            Expr::Call(function, arguments) => functions::call(*function, arguments, frame, self),
            condition => Ok(Arc::new(booleans(&self.truth(condition, frame)?))),
        }
    }

    /// Returns rows for which `expr` is true.
    pub fn truth(&self, expr: &Expr, frame: &mut Frame<'_>) -> Result<RowSet> {
        match expr {
            Expr::Call(Function::IsPresent, arguments) if arguments.len() == 1 => {
                return presence_of(&arguments[0], frame, self);
            }
            Expr::Call(Function::Each, arguments) => return each::holds_of_one(arguments, frame, self),
            Expr::Call(Function::HasValue, arguments) => return each::has_value(arguments, frame),
            Expr::Call(Function::JsonSelected, arguments) => return each::holds_of_selected(arguments, frame, self),
            _ => {}
        }
        if !matches!(expr, Expr::And(..) | Expr::Or(..) | Expr::Not(_) | Expr::Literal(_) | Expr::Field(_))
            && !is_quick(expr)
            && let Some(distinct) = Distinct::of(expr, frame)?
        {
            let rows = self.truth(expr, &mut distinct.frame())?;
            return Ok(distinct.spread_rows(&rows));
        }
        match expr {
            Expr::Not(inner) => {
                let mut rows = self.truth(inner, frame)?;
                rows.invert();
                Ok(rows)
            }
            Expr::And(..) => {
                let mut rows = RowSet::all(frame.n_rows());
                for part in conjunction(expr) {
                    rows.and(&self.truth(part, frame)?);
                    if rows.is_empty() {
                        break;
                    }
                }
                Ok(rows)
            }
            Expr::Or(..) => {
                let mut rows = RowSet::none(frame.n_rows());
                for part in disjunction(expr) {
                    rows.or(&self.truth(part, frame)?);
                }
                Ok(rows)
            }
            Expr::Compare(..) | Expr::Match(..) | Expr::In(..) | Expr::Between(..) if any::concerns(expr) => {
                any::truth(expr, frame, self)
            }
            Expr::Compare(comparison, a, b) => {
                let is_level = is_field(a, "@level") || is_field(b, "@level");
                let (a, b) = (self.evaluate(a, frame)?, self.evaluate(b, frame)?);
                Ok(compare_rows(*comparison, &a, &b, is_level, self))
            }
            Expr::Match(text, pattern) => self.matched(text, pattern, frame),
            Expr::In(item, list) => in_rows(item, list, frame, self),
            // Refused before a query runs: nothing is known of its values.
            Expr::InQuery(..) => Ok(RowSet::none(frame.n_rows())),
            Expr::Between(item, low, high) => {
                let is_level = is_field(item, "@level");
                let item = self.evaluate(item, frame)?;
                let (low, high) = (self.evaluate(low, frame)?, self.evaluate(high, frame)?);
                let mut rows = compare_rows(Comparison::GreaterOrEqual, &item, &low, is_level, self);
                rows.and(&compare_rows(Comparison::LessOrEqual, &item, &high, is_level, self));
                Ok(rows)
            }
            Expr::Call(Function::IfDate, arguments) => each::if_date(arguments, frame, self),
            value => {
                let column = self.evaluate(value, frame)?;
                Ok(RowSet::of(column.n_rows(), |row| Cell::at(&column, row).is_true()))
            }
        }
    }

    /// Returns the rows whose text matches.
    fn matched(&self, text: &Expr, pattern: &TextPattern, frame: &mut Frame<'_>) -> Result<RowSet> {
        if let Some(rows) = addresses_with_a_character(text, pattern, frame)? {
            return Ok(rows);
        }
        // With hundreds of patterns in a query, a block takes too long between two checks.
        self.budget.check()?;
        Ok(Matcher::new(pattern).rows(&self.evaluate(text, frame)?))
    }
}

/// Returns rows that have a value of `expr`.
fn presence_of(expr: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    if let Expr::Field(name) = expr
        && let Some(rows) = frame.presence(name)?
    {
        return Ok(rows);
    }
    Ok(env.evaluate(expr, frame)?.presence())
}

/// Returns the parts of a conjunction, in order.
pub fn conjunction(expr: &Expr) -> Vec<&Expr> {
    parts(expr, |part| if let Expr::And(a, b) = part { Some([a, b]) } else { None })
}

/// Returns the parts of a disjunction, in order.
pub fn disjunction(expr: &Expr) -> Vec<&Expr> {
    parts(expr, |part| if let Expr::Or(a, b) = part { Some([a, b]) } else { None })
}

/// Returns the parts of a chain, in order. Chains lean to the left and may be long, so no recursion.
fn parts(expr: &Expr, split: impl Fn(&Expr) -> Option<[&Expr; 2]>) -> Vec<&Expr> {
    let (mut parts, mut pending) = (Vec::new(), vec![expr]);
    while let Some(part) = pending.pop() {
        match split(part) {
            Some([a, b]) => pending.extend([b, a]),
            None => parts.push(part),
        }
    }
    parts
}

/// The distinct values of the only field of an expression, and which of them each row has.
struct Distinct {
    name: Name,
    /// The distinct values that occur, and one missing value at the end.
    values: Vec<Option<Value>>,
    /// Per row the place of its value in `values`.
    places: Vec<u32>,
}

impl Distinct {
    /// Takes the column of the only field of `expr` apart where that pays; `None` otherwise.
    fn of(expr: &Expr, frame: &mut Frame<'_>) -> Result<Option<Self>, ScanError> {
        let Some(name) = single_field(expr) else { return Ok(None) };
        let column = frame.column(name)?;
        let Column::Dictionary { codes, values } = &*column else { return Ok(None) };
        if values.len() <= 64.max(codes.len() / 4) {
            let missing = values.len() as u32;
            let places = codes.iter().map(|code| (*code).min(missing)).collect();
            let values = values.iter().cloned().map(Some).chain([None]).collect();
            return Ok((codes.len() > 1).then(|| Self { name: name.clone(), values, places }));
        }
        // The dictionary serves more rows than these: take the codes that occur.
        let mut used: Vec<u32> = codes.clone();
        used.sort_unstable();
        used.dedup();
        if used.len() * 4 > codes.len() {
            return Ok(None);
        }
        let place = |code: &u32| used.binary_search(code).unwrap_or(used.len()) as u32;
        let places = codes.iter().map(place).collect();
        let value = |code: &u32| if *code == MISSING_CODE { None } else { Some(values[*code as usize].clone()) };
        let values = used.iter().map(value).chain([None]).collect();
        Ok(Some(Self { name: name.clone(), values, places }))
    }

    /// Returns the distinct values as rows.
    fn frame(&self) -> Frame<'static> {
        // A mixed column, so that it is not taken apart again.
        Frame::of_columns(self.values.len(), vec![(self.name.clone(), Arc::new(Column::Mixed(self.values.clone())))])
    }

    fn spread(&self, results: &Column) -> Column {
        let mut codes_of = Vec::with_capacity(results.n_rows());
        let mut values = Vec::new();
        for place in 0..results.n_rows() {
            codes_of.push(match results.value(place) {
                Some(value) => {
                    values.push(value);
                    values.len() as u32 - 1
                }
                None => MISSING_CODE,
            });
        }
        let codes = self.places.iter().map(|place| codes_of[*place as usize]).collect();
        Column::Dictionary { codes, values: Arc::new(values) }
    }

    fn spread_rows(&self, rows: &RowSet) -> RowSet {
        let is_chosen: Vec<bool> = (0..rows.n_rows()).map(|place| rows.contains(place)).collect();
        RowSet::of(self.places.len(), |row| is_chosen[self.places[row] as usize])
    }
}

fn arithmetic_rows(operator: ArithmeticOperator, a: &Column, b: &Column) -> Column {
    let value = |row| {
        let (a, b) = (Cell::at(a, row).number()?, Cell::at(b, row).number()?);
        arithmetic(operator, a, b).and_then(Number::into_value)
    };
    Column::of_values((0..a.n_rows()).map(value).collect())
}

/// Returns rows for which a comparison holds.
fn compare_rows(comparison: Comparison, a: &Column, b: &Column, is_level: bool, env: &Environment) -> RowSet {
    if let Some(constant) = constant_of(b)
        && let Some(rows) = compare_quickly(comparison, a, Cell::of(Some(constant)))
        && !is_level
    {
        return rows;
    }
    let mut took_seconds = false;
    let rows = RowSet::of(a.n_rows(), |row| {
        let (a, b) = (Cell::at(a, row), Cell::at(b, row));
        let compared: ComparisonResult = if is_level { cell::compare_levels(a, b) } else { cell::compare(a, b) };
        took_seconds |= compared.took_seconds;
        comparison.holds_for(compared.order)
    });
    env.warnings.note_seconds(took_seconds);
    rows
}

/// Returns the value that every row of a column has, where it is laid out so.
fn constant_of(column: &Column) -> Option<&Value> {
    match column {
        Column::Dictionary { values, codes } if values.len() == 1 && !codes.contains(&MISSING_CODE) => values.first(),
        _ => None,
    }
}

/// Reports whether an expression compares a field with a text that is no number: quicker row by row than value by value.
fn is_quick(expr: &Expr) -> bool {
    let Expr::Compare(Comparison::Equal, item, other) = expr else { return false };
    let (Expr::Field(_), Expr::Literal(Some(Value::String(text)))) = (&**item, &**other) else { return false };
    !any::concerns(expr) && !is_field(item, "@level") && Number::read(text).is_none()
}

/// Returns the tight loops: a column of one type against a constant.
fn compare_quickly(comparison: Comparison, column: &Column, constant: Cell<'_>) -> Option<RowSet> {
    let when = |order: Ordering| comparison.holds(order);
    let (mut rows, present) = match (column, constant) {
        (Column::Missing { n_rows }, _) => {
            return Some(if comparison.holds_for(None) { RowSet::all(*n_rows) } else { RowSet::none(*n_rows) });
        }
        (Column::Integers { values, present }, Cell::Integer(wanted)) => {
            (rows_of_numbers(comparison, values, wanted), present)
        }
        (Column::Floats { values, present, .. }, Cell::Float(wanted)) => {
            (rows_of_numbers(comparison, values, wanted), present)
        }
        (Column::Floats { values, present, .. }, Cell::Integer(wanted)) if wanted.unsigned_abs() <= 1 << 53 => {
            (rows_of_numbers(comparison, values, wanted as f64), present)
        }
        (Column::Timestamps(values), Cell::Text(text)) => {
            let wanted = Timestamp::parse_iso8601(text)?.0;
            (rows_of_numbers(comparison, values, wanted), &None)
        }
        (Column::Strings { values, present }, Cell::Text(text)) if Number::read(text).is_none() => {
            (RowSet::of(values.len(), |row| when(values.get(row).cmp(text))), present)
        }
        (Column::Dictionary { codes, values }, Cell::Text(text))
            if comparison == Comparison::Equal && Number::read(text).is_none() =>
        {
            let equals = |value: &Value| match value {
                Value::String(value) => **value == *text,
                other => cell::compare(Cell::of(Some(other)), constant).order.is_some_and(Ordering::is_eq),
            };
            // A missing value has no place among them.
            if values.len() <= codes.len() {
                let equal: Vec<bool> = values.iter().map(equals).collect();
                (RowSet::of_slice(codes, |code| equal.get(*code as usize) == Some(&true)), &None)
            } else {
                (RowSet::of_slice(codes, |code| values.get(*code as usize).is_some_and(equals)), &None)
            }
        }
        _ => return None,
    };
    if let Some(present) = present {
        if comparison == Comparison::NotEqual {
            let mut missing = present.clone();
            missing.invert();
            rows.or(&missing);
        } else {
            rows.and(present);
        }
    }
    Some(rows)
}

/// Returns rows of numbers for which a comparison holds: a loop for each comparison, so that several rows are compared
/// at a time.
fn rows_of_numbers<T: PartialOrd + Copy>(comparison: Comparison, values: &[T], wanted: T) -> RowSet {
    match comparison {
        Comparison::Equal => RowSet::of_slice(values, |value| *value == wanted),
        Comparison::Greater => RowSet::of_slice(values, |value| *value > wanted),
        Comparison::GreaterOrEqual => RowSet::of_slice(values, |value| *value >= wanted),
        Comparison::Less => RowSet::of_slice(values, |value| *value < wanted),
        Comparison::LessOrEqual => RowSet::of_slice(values, |value| *value <= wanted),
        Comparison::NotEqual => RowSet::of_slice(values, |value| *value != wanted),
    }
}

fn in_rows(item: &Expr, list: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    let is_level = is_field(item, "@level");
    let column = env.evaluate(item, frame)?;
    let prepared;
    let elements = match env.prepared.get(list) {
        Some(elements) => Some(elements),
        None => {
            prepared = Elements::of(list);
            prepared.as_ref()
        }
    };
    if let Some(elements) = elements {
        let mut took_seconds = false;
        let rows =
            RowSet::of(column.n_rows(), |row| elements.contain(Cell::at(&column, row), is_level, &mut took_seconds));
        env.warnings.note_seconds(took_seconds);
        return Ok(rows);
    }
    let mut rows = RowSet::none(column.n_rows());
    for element in list {
        let element = env.evaluate(element, frame)?;
        rows.or(&compare_rows(Comparison::Equal, &column, &element, is_level, env));
    }
    Ok(rows)
}

/// Returns the rows with an address, where a pattern asks a column of them for nothing but a character: no text is made.
fn addresses_with_a_character(text: &Expr, pattern: &TextPattern, frame: &Frame<'_>) -> Result<Option<RowSet>> {
    let Expr::Field(name) = text else { return Ok(None) };
    if !is_any_character(pattern) {
        return Ok(None);
    }
    let rows = |addresses: types::Addresses| addresses.present.unwrap_or_else(|| RowSet::all(frame.n_rows()));
    Ok(frame.addresses(name)?.map(rows))
}

/// Reports whether a pattern asks for nothing but a character that is there.
fn is_any_character(pattern: &TextPattern) -> bool {
    matches!(pattern, TextPattern::Regex(regex) if matches!(regex.as_str(), "." | ".+" | "(?s)." | "(?s).+"))
}
