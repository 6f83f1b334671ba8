//! Calls of functions: which there are, how many arguments they take, and those of numbers, conditions and conversions.

use types::Value;

use super::aggregate::AGGREGATES;
use super::checker::Checker;
use super::error::Result;
use super::function_names::{FUNCTIONS, REFUSED};
use super::kind::Kind;
use super::syntax::{Expression, Literal};
use super::typed::{self, TypedExpr, call, literal, of_double};
use plan::function::WholeWidth;
use plan::{DecimalFunction as D, Expr, Function, Span, TypedFunction as T, nearest};

/// The arguments of a call.
pub(super) struct Call<'c> {
    /// The name in small letters.
    pub(super) name: &'c str,
    pub(super) arguments: Vec<TypedExpr>,
    pub(super) options: &'c [(String, Literal)],
    pub(super) span: Span,
}

impl Checker<'_> {
    /// Returns a call.
    pub(super) fn call(
        &mut self,
        written: &str,
        arguments: &[Expression],
        has_star: bool,
        options: &[(String, Literal)],
        span: Span,
    ) -> Result<TypedExpr> {
        let name = written.to_ascii_lowercase();
        if AGGREGATES.contains(&name.as_str()) {
            return self.aggregate(&name, arguments, has_star, span);
        }
        let Some((_, fewest, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            if REFUSED.contains(&name.as_str()) {
                return Err(self.verification(span, format!("the function [{written}] is not supported here")));
            }
            let known = FUNCTIONS.iter().map(|(known, ..)| *known).chain(AGGREGATES.iter().copied());
            let hint = nearest(&name, known).map(|near| format!(", did you mean [{near}]?")).unwrap_or_default();
            return Err(self.verification(span, format!("Unknown function [{written}]{hint}")));
        };
        if has_star || !(*fewest..=*most).contains(&arguments.len()) {
            return Err(self.parsing(span, format!("error building [{name}]: expects {}", counted(*fewest, *most))));
        }
        if !options.is_empty() && !matches!(name.as_str(), "match" | "match_phrase" | "qstr" | "kql") {
            return Err(self.parsing(span, format!("[{name}] takes no options")));
        }
        if matches!(name.as_str(), "match" | "match_phrase" | "qstr" | "kql") {
            return self.full_text(&name, arguments, options, span);
        }
        let arguments: Vec<TypedExpr> =
            arguments.iter().map(|argument| self.expression(argument)).collect::<Result<_, _>>()?;
        let is_conversion = name.starts_with("to_");
        for argument in arguments.iter().filter(|_| !is_conversion) {
            self.supported(argument)?;
        }
        let call = Call { name: &name, arguments, options, span };
        let found = self.called(&call)?;
        Ok(TypedExpr { span, ..found })
    }

    fn called(&mut self, call: &Call<'_>) -> Result<TypedExpr> {
        debug_assert!(call.options.is_empty(), "refused before");
        if let Some(found) = self.conversion(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_numbers(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_texts(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_lists(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_dates(call)? {
            return Ok(found);
        }
        match call.name {
            "case" => self.case(call),
            "coalesce" => self.coalesce(call),
            "greatest" | "least" => self.extreme(call),
            name => Err(self.verification(call.span, format!("the function [{name}] is not supported here"))),
        }
    }

    fn conversion(&self, call: &Call<'_>) -> Result<Option<TypedExpr>> {
        let kind = match call.name {
            "to_bool" | "to_boolean" => Kind::Boolean,
            "to_date" | "to_datetime" | "to_dt" => Kind::Date,
            "to_dbl" | "to_double" => Kind::Double,
            "to_int" | "to_integer" => Kind::Integer,
            "to_long" => Kind::Long,
            "to_ip" => Kind::Ip,
            "to_str" | "to_string" => Kind::Keyword,
            _ => return Ok(None),
        };
        self.converted(&call.arguments[0], kind, call.span).map(Some)
    }

    /// Refuses an argument that is of no type wanted.
    pub(super) fn demand(&self, call: &Call<'_>, at: usize, wanted: &str, is_wanted: fn(Kind) -> bool) -> Result<()> {
        let argument = &call.arguments[at];
        if argument.kind == Kind::Null || is_wanted(argument.kind) {
            return Ok(());
        }
        let place = match (call.arguments.len(), at) {
            (1, _) => "",
            (_, 0) => "first ",
            (_, 1) => "second ",
            (_, 2) => "third ",
            _ => "fourth ",
        };
        Err(self.misfit(call.span, place, wanted, (argument.span, argument.kind)))
    }

    /// Returns a value that is made of the arguments.
    pub(super) fn made(&self, call: &Call<'_>, kind: Kind, expr: Expr) -> TypedExpr {
        TypedExpr::value(kind, expr, call.span).of(&call.arguments.iter().collect::<Vec<_>>())
    }

    /// Returns the arguments as single values.
    pub(super) fn singles(call: &Call<'_>) -> Vec<Expr> {
        call.arguments.iter().map(TypedExpr::single).collect()
    }

    fn of_numbers(&mut self, c: &Call<'_>) -> Result<Option<TypedExpr>> {
        let constant = match c.name {
            "e" => Some(std::f64::consts::E),
            "pi" => Some(std::f64::consts::PI),
            "tau" => Some(std::f64::consts::TAU),
            _ => None,
        };
        if let Some(number) = constant {
            return Ok(Some(TypedExpr::constant(Kind::Double, Some(Value::Float(number)), c.span)));
        }
        let function = match (c.name, c.arguments.len()) {
            ("abs" | "ceil" | "floor" | "round" | "signum", _) => return self.rounding(c).map(Some),
            ("log", 2) => D::LogarithmTo,
            (name, _) => match D::named(name) {
                Some(function) => function,
                None => return Ok(None),
            },
        };
        for at in 0..c.arguments.len() {
            self.demand(c, at, "numeric", Kind::is_number)?;
        }
        Ok(Some(self.made(c, Kind::Double, call(T::Decimal(function), Self::singles(c)))))
    }

    fn rounding(&self, c: &Call<'_>) -> Result<TypedExpr> {
        self.demand(c, 0, "numeric", Kind::is_number)?;
        if c.arguments.len() > 1 {
            self.demand(c, 1, "whole number except unsigned_long or counter types", Kind::is_whole)?;
        }
        let kind = c.arguments[0].kind;
        let mut singles = Self::singles(c);
        if kind == Kind::Double {
            singles[0] = call(T::To(Kind::Double.typed()), vec![singles[0].clone()]);
        }
        let width = if kind == Kind::Integer { WholeWidth::Integer } else { WholeWidth::Long };
        Ok(match (c.name, kind) {
            ("signum", _) => self.made(c, Kind::Double, call(T::Sign, singles)),
            ("round", _) => self.made(c, kind, call(T::Round, singles)),
            ("abs", Kind::Integer | Kind::Long) => self.made(c, kind, call(T::AbsoluteWhole(width), singles)),
            (_, Kind::Integer | Kind::Long) => self.made(c, kind, singles.remove(0)),
            (name, _) => {
                let function = D::named(name).expect("the others are among them");
                self.made(c, kind, call(T::Decimal(function), singles))
            }
        })
    }

    /// Returns the type that several values have in common.
    fn common(&self, c: &Call<'_>, values: &[&TypedExpr]) -> Result<Kind> {
        let mut kind = Kind::Null;
        for value in values {
            kind = match kind.common(value.kind) {
                Some(kind) => kind,
                None => return Err(self.misfit(c.span, "", kind.name(), (value.span, value.kind))),
            };
        }
        Ok(kind)
    }

    fn case(&self, c: &Call<'_>) -> Result<TypedExpr> {
        let (pairs, otherwise) = c.arguments.as_chunks::<2>();
        for [condition, _] in pairs {
            if !matches!(condition.kind, Kind::Boolean | Kind::Null) {
                return Err(self.misfit(c.span, "", "boolean", (condition.span, condition.kind)));
            }
        }
        let values: Vec<&TypedExpr> = pairs.iter().map(|[_, value]| value).chain(otherwise).collect();
        let kind = self.common(c, &values)?;
        let mut arguments: Vec<Expr> =
            pairs.iter().flat_map(|[condition, value]| [condition.holds(), value.expr()]).collect();
        arguments.push(otherwise.first().map_or(Expr::Literal(None), TypedExpr::expr));
        let is_list = values.iter().any(|value| value.is_list);
        Ok(self.made(c, kind, Expr::Call(Function::Case, arguments)).several(is_list))
    }

    fn coalesce(&self, c: &Call<'_>) -> Result<TypedExpr> {
        let values: Vec<&TypedExpr> = c.arguments.iter().collect();
        let kind = self.common(c, &values)?;
        let is_list = values.iter().any(|value| value.is_list);
        let arguments = values.iter().map(|value| value.expr()).collect();
        Ok(self.made(c, kind, Expr::Call(Function::Coalesce, arguments)).several(is_list))
    }

    fn extreme(&self, c: &Call<'_>) -> Result<TypedExpr> {
        let values: Vec<&TypedExpr> = c.arguments.iter().collect();
        let kind = self.common(c, &values)?;
        let function = if c.name == "greatest" { T::Greatest(kind.typed()) } else { T::Least(kind.typed()) };
        // Of several values of an argument, the greatest or least.
        let arguments = values.iter().map(|value| of_double(value)).collect();
        if values.iter().any(|value| value.is_list) {
            let message = format!("[{}] of fields with several values is not supported", c.name.to_uppercase());
            return Err(self.verification(c.span, message));
        }
        Ok(self.made(c, kind, call(function, arguments)))
    }

    /// Returns a whole number that must be a constant.
    pub(super) fn constant_whole(&self, c: &Call<'_>, at: usize) -> Result<i64> {
        match c.arguments[at].constant {
            Some(Some(Value::Integer(number))) => Ok(number),
            _ => {
                let message = format!(
                    "argument of [{}] must be a constant, received [{}]",
                    self.written(c.span),
                    self.written(c.arguments[at].span)
                );
                Err(self.verification(c.span, message))
            }
        }
    }

    /// Returns a text that must be a constant.
    pub(super) fn constant_text(&self, c: &Call<'_>, at: usize) -> Result<String> {
        match &c.arguments[at].constant {
            Some(Some(Value::String(text))) => Ok(text.to_string()),
            _ => {
                let message = format!(
                    "[{}] that is no constant is not supported in [{}]",
                    self.written(c.arguments[at].span),
                    self.written(c.span)
                );
                Err(self.verification(c.span, message))
            }
        }
    }
}

fn counted(fewest: usize, most: usize) -> String {
    let word = |n: usize| ["no", "one", "two", "three", "four"].get(n).copied().unwrap_or("several");
    match (fewest, most) {
        (0, 0) => "no arguments".into(),
        (1, 1) => "exactly one argument".into(),
        (n, most) if n == most => format!("exactly {} arguments", word(n)),
        (n, most) if most >= 1_000 => format!("at least {} argument{}", word(n), if n == 1 { "" } else { "s" }),
        (n, most) => format!("{} to {} arguments", word(n), word(most)),
    }
}

/// Returns a constant text.
pub(super) fn text(text: &str) -> Expr {
    literal(Value::text(text))
}

/// Returns a condition that is missing where one of the arguments is.
pub(super) fn condition(value: Expr, span: Span) -> TypedExpr {
    typed::TypedExpr::value(Kind::Boolean, value, span)
}
