//! Expressions with their types, and conditions with three values.
//!
//! A condition of ES|QL is true, false or null; a condition of a plan is true or not. A condition here is therefore two
//! of a plan: when it is true, and when it is false. `NOT` exchanges them, and where neither holds it is null.

use types::Value;

use super::kind::Kind;
use super::syntax::Unit;
use plan::{Comparison, Expr, Function, ListFunction, Name, Span, TypedFunction, balanced};

/// An expression whose type is known.
#[derive(Clone, Debug)]
pub(super) struct TypedExpr {
    pub(super) kind: Kind,
    pub(super) form: Form,
    /// Whether it may have several values.
    pub(super) is_list: bool,
    /// Its value, where it is a constant.
    pub(super) constant: Option<Option<Value>>,
    /// The stored field that has the same value wherever this has one.
    pub(super) narrow: Option<Name>,
    /// The field of an index that it is.
    pub(super) field: Option<String>,
    /// Levels of expressions in it.
    pub(super) depth: usize,
    /// Expressions in it.
    pub(super) size: usize,
    /// The length of time that it is.
    pub(super) duration: Option<(i64, Unit)>,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    Value(Expr),
    /// When it is true, and when it is false.
    Condition(Expr, Expr),
}

pub(super) fn literal(value: Value) -> Expr {
    Expr::Literal(Some(value))
}

pub(super) fn truth_of(truth: bool) -> Expr {
    literal(Value::Boolean(truth))
}

pub(super) fn call(function: TypedFunction, arguments: Vec<Expr>) -> Expr {
    Expr::Call(Function::Typed(function), arguments)
}

pub(super) fn compare(comparison: Comparison, a: Expr, b: Expr) -> Expr {
    Expr::Compare(comparison, Box::new(a), Box::new(b))
}

pub(super) fn both(a: Expr, b: Expr) -> Expr {
    Expr::And(Box::new(a), Box::new(b))
}

pub(super) fn either(a: Expr, b: Expr) -> Expr {
    Expr::Or(Box::new(a), Box::new(b))
}

pub(super) fn is_present(value: Expr) -> Expr {
    match value {
        Expr::Literal(value) => truth_of(value.is_some()),
        value => Expr::Call(Function::IsPresent, vec![value]),
    }
}

impl TypedExpr {
    /// Returns a value of a type.
    pub(super) fn value(kind: Kind, expr: Expr, span: Span) -> Self {
        Self {
            kind,
            form: Form::Value(expr),
            is_list: false,
            constant: None,
            narrow: None,
            field: None,
            depth: 0,
            size: 1,
            duration: None,
            span,
        }
    }

    /// Returns a constant.
    pub(super) fn constant(kind: Kind, value: Option<Value>, span: Span) -> Self {
        let is_list = matches!(value, Some(Value::List(_)));
        let constant = Some(value.clone());
        Self { is_list, constant, ..Self::value(kind, Expr::Literal(value), span) }
    }

    /// Returns a condition that is true where the first holds, and false where the second does.
    pub(super) fn condition(holds: Expr, fails: Expr, span: Span) -> Self {
        Self { form: Form::Condition(holds, fails), ..Self::value(Kind::Boolean, Expr::Literal(None), span) }
    }

    /// Returns the same expression over other expressions.
    pub(super) fn of(mut self, parts: &[&Self]) -> Self {
        self.depth = parts.iter().map(|part| part.depth).max().unwrap_or(0) + 1;
        self.size = parts.iter().fold(1usize, |size, part| size.saturating_add(part.size));
        self
    }

    pub(super) fn several(mut self, is_list: bool) -> Self {
        self.is_list = is_list;
        self
    }

    /// Its value.
    pub(super) fn expr(&self) -> Expr {
        match &self.form {
            Form::Value(expr) => expr.clone(),
            Form::Condition(holds, fails) => Expr::Call(
                Function::Case,
                vec![holds.clone(), truth_of(true), fails.clone(), truth_of(false), Expr::Literal(None)],
            ),
        }
    }

    /// Its value where it has one only.
    pub(super) fn single(&self) -> Expr {
        if self.is_list { call(TypedFunction::Single, vec![self.expr()]) } else { self.expr() }
    }

    /// Returns when it is true.
    pub(super) fn holds(&self) -> Expr {
        self.boolean(true)
    }

    /// Returns when it is false.
    pub(super) fn fails(&self) -> Expr {
        self.boolean(false)
    }

    fn boolean(&self, wanted: bool) -> Expr {
        match &self.form {
            Form::Condition(holds, fails) => if wanted { holds } else { fails }.clone(),
            Form::Value(Expr::Literal(value)) => truth_of(*value == Some(Value::Boolean(wanted))),
            Form::Value(_) => compare(Comparison::Equal, self.single(), truth_of(wanted)),
        }
    }

    /// Returns what orders it as ES|QL does: the least of several values, or the greatest.
    pub(super) fn key(&self, takes_greatest: bool) -> Expr {
        if self.narrow.as_deref() == Some("@timestamp") {
            return Expr::Field("@timestamp".into());
        }
        let single = |least, greatest| {
            let function = TypedFunction::List(if takes_greatest { greatest } else { least });
            if self.is_list { call(function, vec![self.expr()]) } else { self.expr() }
        };
        match self.kind {
            kind if kind.is_text() => {
                call(TypedFunction::TextKey, vec![single(ListFunction::MinText, ListFunction::MaxText)])
            }
            Kind::Ip => call(TypedFunction::AddressKey, vec![self.single()]),
            _ => single(ListFunction::Min, ListFunction::Max),
        }
    }
}

/// Joins conditions that must all hold.
pub(super) fn all(parts: &[TypedExpr], span: Span) -> TypedExpr {
    let holds = balanced(parts.iter().map(TypedExpr::holds).collect(), Expr::And);
    let fails = balanced(parts.iter().map(TypedExpr::fails).collect(), Expr::Or);
    TypedExpr::condition(holds, fails, span).of(&parts.iter().collect::<Vec<_>>())
}

/// Joins conditions one of which must hold.
pub(super) fn any(parts: &[TypedExpr], span: Span) -> TypedExpr {
    let holds = balanced(parts.iter().map(TypedExpr::holds).collect(), Expr::Or);
    let fails = balanced(parts.iter().map(TypedExpr::fails).collect(), Expr::And);
    TypedExpr::condition(holds, fails, span).of(&parts.iter().collect::<Vec<_>>())
}

/// Returns the opposite.
pub(super) fn negated(part: &TypedExpr, span: Span) -> TypedExpr {
    TypedExpr::condition(part.fails(), part.holds(), span).of(&[part])
}

/// Returns a value whose decimals are decimals, even where they were stored as whole numbers.
pub(super) fn of_double(typed: &TypedExpr) -> Expr {
    match typed.kind {
        Kind::Double if typed.constant.is_none() => call(TypedFunction::To(Kind::Double.typed()), vec![typed.expr()]),
        _ => typed.expr(),
    }
}

/// Returns a condition with the same one on the stored field before it, which indexes can answer.
pub(super) fn narrowed(typed: &TypedExpr, condition: Expr, of_stored: &dyn Fn(Expr) -> Expr) -> Expr {
    match &typed.narrow {
        Some(name) if **name != *"@timestamp" && !matches!(typed.expr(), Expr::Field(_)) => {
            both(of_stored(Expr::Field(name.clone())), condition)
        }
        _ => condition,
    }
}

/// Returns the comparison that holds where another one fails.
pub(super) fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}
