//! Random expressions and conditions.

use types::{Timestamp, Value};

use super::{Kind, Writer};
use crate::events::{NOW, TEXTS};
use crate::syntax::Expr;

const REGEXES: [&str; 9] =
    ["h[0-2]", "(?i)USER u\\d", "\\d{3}", "^\\[h", "s$", "[Üü]ber", "refused|took", "step 1", "v[12]\\/items"];

const PARTS: [&str; 12] = [
    "user u1", "refused", "took 1", "worker-3", "ms for step 2", "Über", "日本", "u4711", "0", "h", "\"quoted\"",
    "10.1.2.3",
];

impl Writer<'_> {
    /// A number within bounds in which sums of decimals agree to many digits.
    pub(super) fn small_number(&mut self) -> Expr {
        let field =
            if self.is_events { self.random.of(&["n", "dur", "code", "req.id"]) } else { return self.number(0) };
        match self.random.below(4) {
            0 => Expr::Arithmetic("+", Box::new(Expr::Field(field.to_owned())), Box::new(self.whole(9))),
            1 => Expr::Call("abs", vec![Expr::Field(field.to_owned())]),
            _ => Expr::Field(field.to_owned()),
        }
    }

    pub(super) fn whole(&mut self, end: usize) -> Expr {
        Expr::Literal(Some(Value::Integer(self.random.below(end) as i64)))
    }

    /// An expression that gives a value, and what it is.
    pub(super) fn value(&mut self, depth: usize) -> (Expr, Kind) {
        match self.random.below(4) {
            0 => (self.condition(depth), Kind::Truth),
            1 => (self.text(depth), Kind::Stored),
            _ => (self.number(depth), Kind::Number),
        }
    }

    pub(super) fn number(&mut self, depth: usize) -> Expr {
        if depth == 0 || self.random.once_in(4) {
            return match self.random.below(4) {
                0 => self.whole(12),
                1 => Expr::Literal(Some(Value::Float(self.random.below(80) as f64 / 8.0 - 3.0625))),
                _ => match self.column(&[Kind::Stored, Kind::Number, Kind::Truth]) {
                    Some(name) => Expr::Field(name),
                    None => self.whole(5),
                },
            };
        }
        let depth = depth - 1;
        match self.random.below(8) {
            0..4 => {
                let operator = self.random.of(&["+", "-", "*", "/", "%", "^"]);
                Expr::Arithmetic(operator, Box::new(self.number(depth)), Box::new(self.number(depth)))
            }
            4 => Expr::Negate(Box::new(self.number(depth))),
            5 => {
                let function = self.random.of(&["abs", "ceil", "floor", "round", "sign", "toint", "tonumber", "sqrt"]);
                Expr::Call(function, vec![self.number(depth)])
            }
            6 => Expr::Call(self.random.of(&["strlen", "tonumber"]), vec![self.text(depth)]),
            _ => {
                let (then, otherwise) = (self.number(depth), self.number(depth));
                Expr::Call("if", vec![self.condition(depth), then, otherwise])
            }
        }
    }

    pub(super) fn text(&mut self, depth: usize) -> Expr {
        if depth == 0 || self.random.once_in(3) {
            return match self.column(&[Kind::Stored]) {
                Some(name) if !self.random.once_in(4) => Expr::Field(name),
                _ => Expr::Literal(Some(Value::text(self.random.of(&TEXTS)))),
            };
        }
        let depth = depth - 1;
        let text = self.text(depth);
        match self.random.below(7) {
            0 => Expr::Call(self.random.of(&["toupper", "tolower", "trim", "tostring"]), vec![text]),
            1 => Expr::Call("concat", vec![text, Expr::Literal(Some(Value::text("-"))), self.text(depth)]),
            2 => Expr::Call("substr", vec![text, self.whole(5), self.whole(8)]),
            3 => {
                let (what, with) = (self.random.of(&["u", "h", "1", "日"]), self.random.of(&["", "U", "xx"]));
                let literal = |text| Expr::Literal(Some(Value::text(text)));
                Expr::Call("replace", vec![text, literal(what), literal(with)])
            }
            4 => Expr::Call("coalesce", vec![text, self.text(depth)]),
            5 => Expr::Call("if", vec![self.condition(depth), text, self.text(depth)]),
            _ => Expr::Call("case", vec![self.condition(depth), text, self.condition(depth), self.text(depth)]),
        }
    }

    pub(super) fn literal(&mut self) -> Expr {
        let value = match self.random.below(8) {
            0..3 => Value::Integer(self.random.below(30) as i64 - 5),
            3 => Value::Float(self.random.below(100) as f64 / 8.0 + 0.0625),
            4 => Value::Integer(self.random.of(&[200, 500, i64::MAX, i64::MIN + 1])),
            5 => Value::text(self.random.of(&["7", "500", "9223372036854775808", "-1.50", "2e2"])),
            6 => Value::Boolean(self.random.once_in(2)),
            _ => Value::text(self.random.of(&TEXTS)),
        };
        Expr::Literal(Some(value))
    }

    pub(super) fn condition(&mut self, depth: usize) -> Expr {
        if depth > 0 && self.random.once_in(3) {
            let (a, b) = (Box::new(self.condition(depth - 1)), Box::new(self.condition(depth - 1)));
            return match self.random.below(6) {
                0 | 1 => Expr::And(a, b),
                2 => Expr::Or(a, b),
                3 => self.many_equalities(*a),
                _ => Expr::Not(a),
            };
        }
        if self.is_events && self.random.once_in(4) {
            return self.special_condition();
        }
        let field = match self.column(&[Kind::Stored, Kind::Truth, Kind::Stored]) {
            Some(name) => Expr::Field(name),
            None => self.number(0),
        };
        self.condition_on(field, depth)
    }

    /// `… or a = 1 or a = 2 or …`
    pub(super) fn many_equalities(&mut self, first: Expr) -> Expr {
        // A condition on fields that an aggregation removed would be one on what came before it.
        let kinds = [Kind::Stored, Kind::Level, Kind::Truth];
        let Some(field) = self.column(&kinds).or_else(|| self.column(&[Kind::Number])) else { return first };
        let field = if self.is_events && self.random.once_in(5) { "@any".to_owned() } else { field };
        (0..10).fold(first, |condition, _| {
            let equal = Expr::Compare("=", Box::new(Expr::Field(field.clone())), Box::new(self.literal()));
            Expr::Or(Box::new(condition), Box::new(equal))
        })
    }

    pub(super) fn condition_on(&mut self, value: Expr, depth: usize) -> Expr {
        let (boxed, negated) = (Box::new(value.clone()), self.random.once_in(3));
        match self.random.below(12) {
            0..4 => {
                let operator = self.random.of(&["=", "!=", "<", "<=", ">", ">="]);
                let other = if self.random.once_in(4) { self.number(depth.min(1)) } else { self.literal() };
                Expr::Compare(operator, boxed, Box::new(other))
            }
            4 | 5 => Expr::Like { value: boxed, text: (self.random.of(&PARTS)).to_owned(), negated },
            6 => Expr::Matches { value: boxed, regex: self.random.of(&REGEXES), negated },
            7 => {
                // Few elements and many are looked up in different ways.
                let n_items = if self.random.once_in(4) { 20 } else { 1 + self.random.below(4) };
                Expr::In { value: boxed, items: (0..n_items).map(|_| self.literal()).collect(), negated }
            }
            8 => {
                let (low, high) = (Box::new(self.literal()), Box::new(self.literal()));
                Expr::Between { value: boxed, low, high, negated }
            }
            9 => Expr::Call(self.random.of(&["ispresent", "isempty", "isblank"]), vec![value]),
            10 => {
                let part = Expr::Literal(Some(Value::text(self.random.of(&PARTS))));
                Expr::Call(self.random.of(&["strcontains", "startswith", "endswith"]), vec![value, part])
            }
            _ => Expr::Compare("=", boxed, Box::new(Expr::Literal(None))),
        }
    }

    /// Conditions on what only events have.
    pub(super) fn special_condition(&mut self) -> Expr {
        let field = |name: &str| Box::new(Expr::Field(name.to_owned()));
        let literal = |value: Value| Box::new(Expr::Literal(Some(value)));
        let operator = self.random.of(&["=", "!=", "<", "<=", ">", ">="]);
        match self.random.below(8) {
            0..3 => self.condition_on(Expr::Field("@message".to_owned()), 1),
            3 | 4 => match self.condition_on(Expr::Field("@any".to_owned()), 0) {
                // These are no conditions on one value.
                Expr::Call(..) => Expr::Like { value: field("@any"), text: "u4711".to_owned(), negated: false },
                Expr::Compare(_, _, other) if matches!(*other, Expr::Literal(None) | Expr::Field(_)) => {
                    Expr::Compare("=", field("@any"), literal(Value::text("h1")))
                }
                other => other,
            },
            5 => {
                let second = NOW / Timestamp::SECOND - 3 * 86_400 + self.random.below(200) as i64 * 1171;
                let bound = match self.random.below(3) {
                    0 => Value::Integer(second),
                    1 => Value::Integer(second * 1000),
                    _ => Value::text(Timestamp(second * Timestamp::SECOND).to_string()),
                };
                Expr::Compare(operator, field("@timestamp"), literal(bound))
            }
            6 => Expr::Compare(
                operator,
                field("@level"),
                literal(Value::text(self.random.of(&["warn", "ERROR", "info"]))),
            ),
            _ => {
                let items = ["error", "Warning", "debug"].map(|level| Expr::Literal(Some(Value::text(level))));
                Expr::In { value: field("@level"), items: items.to_vec(), negated: self.random.once_in(3) }
            }
        }
    }
}
