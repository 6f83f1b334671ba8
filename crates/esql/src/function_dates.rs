//! Functions of dates.

use types::Value;

use super::checker::Checker;
use super::date_pattern;
use super::error::Result;
use super::function_call::{Call, text};
use super::kind::Kind;
use super::typed::{TypedExpr, call};
use plan::function::{DatePart, DateUnit};
use plan::{Expr, Function, TextPattern, TypedFunction as T, nearest};

impl Checker<'_> {
    /// Returns a function of dates; `None` where the name is of another kind.
    pub(super) fn of_dates(&mut self, c: &Call<'_>) -> Result<Option<TypedExpr>> {
        Ok(Some(match c.name {
            "now" => TypedExpr::constant(Kind::Date, Some(Value::Timestamp(self.now)), c.span),
            "date_extract" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                let c = &self.with_date(c, 1)?;
                let name = self.constant_text(c, 0)?.to_ascii_lowercase();
                let Some(part) = DatePart::named(&name) else {
                    let message = format!("invalid date field for [{}]: {name}", self.written(c.span));
                    return Err(self.verification(c.span, message));
                };
                self.made(c, Kind::Long, call(T::DatePart(part), vec![c.arguments[1].single()]))
            }
            "date_format" => self.date_format(c)?,
            "day_name" | "month_name" => {
                let c = &self.with_date(c, 0)?;
                let letters = if c.name == "day_name" { "%A" } else { "%B" };
                let arguments = vec![c.arguments[0].single(), text(letters)];
                self.made(c, Kind::Keyword, Expr::Call(Function::FormatDate, arguments))
            }
            "date_parse" => self.date_parse(c)?,
            "date_diff" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                let c = &self.with_date(&self.with_date(c, 1)?, 2)?;
                let unit = self.unit(c)?;
                let arguments = vec![c.arguments[1].single(), c.arguments[2].single()];
                self.made(c, Kind::Integer, call(T::DateDifference(unit), arguments))
            }
            "date_trunc" => {
                let c = &self.with_date(c, 1)?;
                let span = self.span_of(&c.arguments[0], c.span)?;
                self.truncated(&c.arguments[1], span, c.span)
            }
            "bucket" | "tbucket" => self.bucket(c)?,
            _ => return Ok(None),
        }))
    }

    /// Returns the same call with a text as a date.
    pub(super) fn with_date<'c>(&self, c: &Call<'c>, at: usize) -> Result<Call<'c>> {
        let mut arguments = c.arguments.clone();
        arguments[at] = self.as_date(arguments[at].clone())?;
        let c = Call { name: c.name, arguments, options: c.options, span: c.span };
        self.demand(&c, at, "datetime", |kind| kind == Kind::Date)?;
        Ok(c)
    }

    fn date_format(&self, c: &Call<'_>) -> Result<TypedExpr> {
        let c = &self.with_date(c, c.arguments.len() - 1)?;
        let date = c.arguments[c.arguments.len() - 1].single();
        if c.arguments.len() == 1 {
            return Ok(self.made(c, Kind::Keyword, call(T::To(Kind::Keyword.typed()), vec![date])));
        }
        self.demand(c, 0, "string", Kind::is_text)?;
        let pattern = self.constant_text(c, 0)?;
        let made = date_pattern::read(&pattern).map_err(|message| self.verification(c.span, message))?;
        let arguments = vec![date, text(&made.letters)];
        Ok(self.made(c, Kind::Keyword, Expr::Call(Function::FormatDate, arguments)))
    }

    fn date_parse(&mut self, c: &Call<'_>) -> Result<TypedExpr> {
        (0..c.arguments.len()).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
        let value = c.arguments[c.arguments.len() - 1].single();
        if c.arguments.len() == 1 {
            return Ok(self.made(c, Kind::Date, call(T::To(Kind::Date.typed()), vec![value])));
        }
        let pattern = self.constant_text(c, 0)?;
        let refuse = |message: String| self.verification(c.span, message);
        let made = date_pattern::read(&pattern).map_err(refuse)?;
        let (more, letters) = made.completed().map_err(refuse)?;
        let regex = self.regex(&format!("^{}$", made.source), c.span)?;
        let whole = Expr::Call(Function::Concat, vec![value.clone(), text(&more)]);
        let letters = made.letters_for_reading() + &letters;
        let parsed = Expr::Call(Function::ParseDate, vec![whole, text(&letters)]);
        let is_like_it = Expr::Match(Box::new(value), TextPattern::Regex(regex));
        let date = call(T::To(Kind::Date.typed()), vec![parsed]);
        Ok(self.made(c, Kind::Date, Expr::Call(Function::If, vec![is_like_it, date])))
    }

    fn unit(&self, c: &Call<'_>) -> Result<DateUnit> {
        let written = self.constant_text(c, 0)?;
        const DAY: i64 = 86_400_000;
        const UNITS: [(&str, DateUnit); 11] = [
            ("year years yy yyyy", DateUnit::Months(12)),
            ("quarter quarters qq q", DateUnit::Months(3)),
            ("month months mm m", DateUnit::Months(1)),
            ("dayofyear dy y day days dd d", DateUnit::Milliseconds(DAY)),
            ("week weeks wk ww", DateUnit::Milliseconds(7 * DAY)),
            ("weekday weekdays dw", DateUnit::Milliseconds(DAY)),
            ("hour hours hh", DateUnit::Milliseconds(3_600_000)),
            ("minute minutes mi n", DateUnit::Milliseconds(60_000)),
            ("second seconds ss s", DateUnit::Milliseconds(1_000)),
            ("millisecond milliseconds ms", DateUnit::Milliseconds(1)),
            ("microseconds", DateUnit::Microseconds),
        ];
        let name = written.to_ascii_lowercase();
        if matches!(name.as_str(), "nanosecond" | "nanoseconds" | "ns") {
            return Ok(DateUnit::Nanoseconds);
        }
        if matches!(name.as_str(), "microsecond" | "mcs") {
            return Ok(DateUnit::Microseconds);
        }
        if let Some((_, unit)) = UNITS.iter().find(|(names, _)| names.split(' ').any(|known| known == name)) {
            return Ok(*unit);
        }
        let near = nearest(&name, UNITS.iter().flat_map(|(names, _)| names.split(' ')));
        let hint = near.map(|near| format!("; did you mean [{near}]?")).unwrap_or_default();
        Err(self.verification(c.span, format!("Received value [{written}] is not valid date part to add{hint}")))
    }
}
