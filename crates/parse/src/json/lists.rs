//! Lists, which are values, and the objects in them.

use std::sync::Arc;

use types::{Value, ensure};

use super::scan::Scanner;
use crate::json::members::Token;
use crate::json::scan::Stop;

impl Scanner<'_> {
    /// Reads a list whose elements are at nesting `depth`, unless it goes on beyond `end_max`.
    pub(super) fn list(&mut self, depth: usize, end_max: usize) -> Result<Value, Stop> {
        ensure!(depth <= self.limits.nesting_max, Stop::Excess);
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(Arc::new(items)));
        }
        loop {
            items.push(self.element(depth, end_max)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("expected \",\" or \"]\"").into()),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::List(Arc::new(items)))
    }

    fn element(&mut self, depth: usize, end_max: usize) -> Result<Option<Value>, Stop> {
        let value = match self.peek() {
            Some(b'[') => Some(self.list(depth + 1, end_max)?),
            Some(b'{') => Some(self.object_in_list(depth + 1, end_max)?),
            _ => self.scalar()?.map(|token| self.value_of(token)),
        };
        if self.at > end_max { Err(Stop::Excess) } else { Ok(value) }
    }

    fn object_in_list(&mut self, depth: usize, end_max: usize) -> Result<Value, Stop> {
        ensure!(depth <= self.limits.nesting_max, Stop::Excess);
        self.at += 1;
        let mut members: Vec<(Arc<str>, Option<Value>)> = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Arc::new(members)));
        }
        loop {
            let key = self.key()?;
            let name = self.out.get(key, self.line).into();
            members.push((name, self.element(depth, end_max)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("expected \",\" or \"}\"").into()),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::Object(Arc::new(joined(members))))
    }

    fn value_of(&self, token: Token) -> Value {
        match token {
            Token::Text(span) | Token::Digits(span) => Value::text(self.out.get(span, self.line)),
            Token::Integer(number) => Value::Integer(number),
            Token::Float(number) => Value::Float(number),
            Token::Boolean(truth) => Value::Boolean(truth),
            Token::Value(value) => value,
        }
    }
}

/// Joins members with the same name into one member.
fn joined(members: Vec<(Arc<str>, Option<Value>)>) -> Vec<(Arc<str>, Option<Value>)> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| members[*a].0.cmp(&members[*b].0).then(a.cmp(b)));
    let is_repeated = |pair: &[usize]| members[pair[0]].0 == members[pair[1]].0;
    if !order.windows(2).any(is_repeated) {
        return members;
    }
    let mut firsts: Vec<(usize, Option<Value>)> = Vec::new();
    for same in order.chunk_by(|a, b| members[*a].0 == members[*b].0) {
        firsts.push((same[0], Value::joined(same.iter().filter_map(|place| members[*place].1.clone()))));
    }
    firsts.sort_by_key(|(place, _)| *place);
    firsts.into_iter().map(|(place, value)| (members[place].0.clone(), value)).collect()
}
