//! Functions about several values.

use types::Value;

use super::checker::Checker;
use super::error::Result;
use super::function_call::{Call, condition};
use super::kind::Kind;
use super::typed::{TypedExpr, call, of_double};
use plan::{Expr, ListFunction as L, TypedFunction as T};

impl Checker<'_> {
    /// Returns a function about several values; `None` where the name is of another kind.
    pub(super) fn of_lists(&mut self, c: &Call<'_>) -> Result<Option<TypedExpr>> {
        if !c.name.starts_with("mv_") {
            return Ok(None);
        }
        let values = &c.arguments[0];
        let kind = if values.kind == Kind::Text { Kind::Keyword } else { values.kind };
        let exprs = |c: &Call<'_>| -> Vec<Expr> { c.arguments.iter().map(of_double).collect() };
        let made = |function: L, kind: Kind| self.made(c, kind, call(T::List(function), exprs(c)));
        Ok(Some(match c.name {
            "mv_count" => made(L::Count, Kind::Integer),
            "mv_first" => made(L::First, kind),
            "mv_last" => made(L::Last, kind),
            "mv_dedupe" => made(L::Distinct, kind).several(true),
            "mv_min" | "mv_max" => {
                self.demand(c, 0, "boolean, datetime, ip, numeric or string", |kind| kind != Kind::Ip)?;
                match (c.name, kind) {
                    ("mv_min", Kind::Keyword) => made(L::MinText, kind),
                    ("mv_max", Kind::Keyword) => made(L::MaxText, kind),
                    ("mv_min", _) => made(L::Min, kind),
                    _ => made(L::Max, kind),
                }
            }
            "mv_sum" => {
                self.demand(c, 0, "numeric", Kind::is_number)?;
                let function = if kind == Kind::Double { L::SumDecimal } else { L::SumWhole(kind.width()) };
                made(function, kind)
            }
            "mv_avg" => {
                self.demand(c, 0, "numeric", Kind::is_number)?;
                made(L::Average, Kind::Double)
            }
            "mv_median" => {
                self.demand(c, 0, "numeric", |kind| kind == Kind::Double)?;
                made(L::Median, Kind::Double)
            }
            "mv_concat" => {
                (0..2).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
                made(L::Join, Kind::Keyword)
            }
            "mv_sort" => self.sorted(c, kind)?,
            "mv_slice" => {
                (1..c.arguments.len()).try_for_each(|at| self.demand(c, at, "integer", Kind::is_whole))?;
                made(L::Slice, kind).several(true)
            }
            "mv_append" | "mv_contains" => self.of_two_lists(c, kind)?,
            _ => return Ok(None),
        }))
    }

    fn sorted(&self, c: &Call<'_>, kind: Kind) -> Result<TypedExpr> {
        let is_descending = match c.arguments.get(1).map(|order| &order.constant) {
            None => false,
            Some(Some(Some(Value::String(order)))) if order.eq_ignore_ascii_case("asc") => false,
            Some(Some(Some(Value::String(order)))) if order.eq_ignore_ascii_case("desc") => true,
            _ => {
                return Err(self.verification(c.span, "Invalid order value in [MV_SORT], expected one of [ASC, DESC]"));
            }
        };
        let function = if is_descending { L::SortDescending } else { L::Sort };
        let value = of_double(&c.arguments[0]);
        Ok(self.made(c, kind, call(T::List(function), vec![value])).several(true))
    }

    fn of_two_lists(&self, c: &Call<'_>, kind: Kind) -> Result<TypedExpr> {
        let Some(common) = kind.common(c.arguments[1].kind) else {
            let argument = (c.arguments[1].span, c.arguments[1].kind);
            return Err(self.misfit(c.span, "second ", kind.name(), argument));
        };
        let values = c.arguments.iter().map(of_double).collect();
        if c.name == "mv_append" {
            return Ok(self.made(c, common, call(T::List(L::Append), values)).several(true));
        }
        let found = condition(call(T::List(L::Contains), values), c.span);
        Ok(found.of(&c.arguments.iter().collect::<Vec<_>>()))
    }
}
