//! Functions of texts and addresses.

use types::Value;

use super::checker::Checker;
use super::error::Result;
use super::function_call::{Call, condition};
use super::kind::Kind;
use super::regex_text;
use super::typed::{TypedExpr, call, literal};
use plan::{Expr, Function, TextPattern, TypedFunction as T};

impl Checker<'_> {
    /// Returns a function of texts; `None` where the name is of another kind.
    pub(super) fn of_texts(&mut self, c: &Call<'_>) -> Result<Option<TypedExpr>> {
        let ours = match c.name {
            "concat" => Some((Function::Concat, Kind::Keyword)),
            "length" => Some((Function::TextLength, Kind::Integer)),
            "byte_length" => Some((Function::ByteLength, Kind::Integer)),
            "to_lower" => Some((Function::ToLower, Kind::Keyword)),
            "to_upper" => Some((Function::ToUpper, Kind::Keyword)),
            "trim" => Some((Function::Trim, Kind::Keyword)),
            "ltrim" => Some((Function::TrimStart, Kind::Keyword)),
            "rtrim" => Some((Function::TrimEnd, Kind::Keyword)),
            "starts_with" => Some((Function::StartsWith, Kind::Boolean)),
            "ends_with" => Some((Function::EndsWith, Kind::Boolean)),
            "contains" => Some((Function::Contains, Kind::Boolean)),
            "url_decode" => Some((Function::UrlDecode, Kind::Keyword)),
            "from_base64" => Some((Function::Base64Decode, Kind::Keyword)),
            "md5" => Some((Function::Md5, Kind::Keyword)),
            "sha256" => Some((Function::Sha256, Kind::Keyword)),
            _ => None,
        };
        if let Some((function, kind)) = ours {
            for at in 0..c.arguments.len() {
                self.demand(c, at, "string", Kind::is_text)?;
            }
            if kind == Kind::Boolean {
                return Ok(Some(self.holds_text(c, function)));
            }
            return Ok(Some(self.made(c, kind, Expr::Call(function, Self::singles(c)))));
        }
        self.of_parts(c)
    }

    /// Returns a function of parts of texts, or of addresses.
    fn of_parts(&mut self, c: &Call<'_>) -> Result<Option<TypedExpr>> {
        Ok(Some(match c.name {
            "bit_length" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                let bytes = Expr::Call(Function::ByteLength, Self::singles(c));
                let whole = T::Whole(plan::ArithmeticOperator::Multiply, Kind::Integer.width());
                self.made(c, Kind::Integer, call(whole, vec![bytes, literal(Value::Integer(8))]))
            }
            "left" | "right" | "repeat" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                self.demand(c, 1, "integer", Kind::is_whole)?;
                let function = match c.name {
                    "left" => T::Left,
                    "right" => T::Right,
                    _ => T::Repeat,
                };
                self.made(c, Kind::Keyword, call(function, Self::singles(c)))
            }
            "space" => {
                self.demand(c, 0, "integer", Kind::is_whole)?;
                let number = c.arguments[0].single();
                self.made(c, Kind::Keyword, call(T::Repeat, vec![literal(Value::text(" ")), number]))
            }
            "substring" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                (1..c.arguments.len()).try_for_each(|at| self.demand(c, at, "integer", Kind::is_whole))?;
                self.made(c, Kind::Keyword, call(T::Substring, Self::singles(c)))
            }
            "locate" => {
                (0..2).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
                (2..c.arguments.len()).try_for_each(|at| self.demand(c, at, "integer", Kind::is_whole))?;
                self.made(c, Kind::Integer, call(T::Locate, Self::singles(c)))
            }
            "reverse" => {
                self.demand(c, 0, "string", Kind::is_text)?;
                self.made(c, Kind::Keyword, call(T::Reverse, Self::singles(c)))
            }
            "split" => {
                (0..2).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
                self.made(c, Kind::Keyword, call(T::Split, Self::singles(c))).several(true)
            }
            "replace" => self.replace(c)?,
            "cidr_match" => {
                self.demand(c, 0, "ip", |kind| kind == Kind::Ip)?;
                (1..c.arguments.len()).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
                let found = condition(call(T::IsInBlocks, Self::singles(c)), c.span);
                found.of(&c.arguments.iter().collect::<Vec<_>>())
            }
            "ip_prefix" => {
                self.demand(c, 0, "ip", |kind| kind == Kind::Ip)?;
                (1..3).try_for_each(|at| self.demand(c, at, "integer", Kind::is_whole))?;
                self.made(c, Kind::Ip, call(T::AddressPrefix, Self::singles(c)))
            }
            _ => return Ok(None),
        }))
    }

    /// Returns a condition on parts of texts; of a stored text and a constant one that indexes can answer.
    fn holds_text(&self, c: &Call<'_>, function: Function) -> TypedExpr {
        let value = Expr::Call(function, Self::singles(c));
        let parts: Vec<&TypedExpr> = c.arguments.iter().collect();
        let found = condition(value.clone(), c.span).of(&parts);
        let (Some(Some(Value::String(part))), Some(stored)) = (&c.arguments[1].constant, &c.arguments[0].narrow) else {
            return found;
        };
        if c.arguments[0].is_list || part.is_empty() {
            return found;
        }
        let narrow = Expr::Match(Box::new(Expr::Field(stored.clone())), TextPattern::Substring(part.to_string()));
        TypedExpr::condition(super::typed::both(narrow, found.holds()), found.fails(), c.span).of(&parts)
    }

    fn replace(&mut self, c: &Call<'_>) -> Result<TypedExpr> {
        (0..3).try_for_each(|at| self.demand(c, at, "string", Kind::is_text))?;
        let (pattern, with) = (self.constant_text(c, 1)?, self.constant_text(c, 2)?);
        let source = regex_text::java(&pattern).map_err(|message| self.verification(c.span, message))?;
        let with = regex_text::replacement(&with).map_err(|message| self.verification(c.span, message))?;
        let regex = self.regex(&source, c.arguments[1].span)?;
        let is_group = |group: usize| group < regex.captures_len();
        if let Some(group) = (1..10).find(|group| with.contains(&format!("${{{group}}}")) && !is_group(*group)) {
            return Err(self.verification(c.span, format!("No group {group}")));
        }
        let arguments = vec![c.arguments[0].single(), Expr::Regex(regex), literal(Value::text(with))];
        Ok(self.made(c, Kind::Keyword, Expr::Call(Function::RegexpReplace, arguments)))
    }
}
