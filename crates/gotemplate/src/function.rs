//! Functions of templates, and their arguments.

use std::fmt;
use std::ops::Deref;

use regex::Regex;

use crate::times::ZonedTime;
use crate::value::Value;

/// A function.
pub struct Function {
    /// Its name; that of a method of times begins with a dot.
    pub name: &'static str,
    /// The arguments that it needs.
    pub parameters: &'static [Parameter],
    /// The type of any number of further ones.
    pub more: Option<Parameter>,
    /// What it does.
    pub body: Body,
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Of any type.
    Any,
    /// `string`.
    Text,
    /// `int`.
    Integer,
    /// `float64`.
    Float,
    /// `time.Time`.
    Time,
}

/// What a function does, once its arguments are checked.
#[derive(Clone, Copy)]
pub enum Body {
    /// Always has a value.
    Total(fn(Arguments<'_>) -> Value),
    /// May fail.
    Partial(fn(Arguments<'_>) -> Result<Value, String>),
    /// Uses its first argument as a regular expression.
    Matching(fn(&Regex, Arguments<'_>) -> Result<Value, String>),
    /// Asks the input, [`Input::call`](crate::Input::call).
    OfInput,
    /// `and` and `or`: the first argument decides that is true (`true`) or false.
    First(bool),
}

impl Function {
    /// Returns a function with a fixed number of arguments.
    pub const fn new(name: &'static str, parameters: &'static [Parameter], body: Body) -> Self {
        Self { name, parameters, more: None, body }
    }

    /// Returns a function that takes any number of further arguments.
    pub const fn variadic(name: &'static str, parameters: &'static [Parameter], body: Body) -> Self {
        Self { name, parameters, more: Some(Parameter::Any), body }
    }

    /// Returns the type of an argument.
    pub(crate) fn parameter(&self, index: usize) -> Parameter {
        self.parameters.get(index).copied().or(self.more).unwrap_or(Parameter::Any)
    }

    /// Checks number and types of arguments.
    ///
    /// Errors: which of them is wrong, where 0 is the function, and why.
    pub(crate) fn check(&self, arguments: &[Value]) -> Result<(), (usize, String)> {
        let (want, got) = (self.parameters.len(), arguments.len());
        if got < want || self.more.is_none() && got > want {
            let least = if self.more.is_some() { "at least " } else { "" };
            return Err((0, format!("wrong number of args for {}: want {least}{want} got {got}", self.name)));
        }
        for (index, value) in arguments.iter().enumerate() {
            let expected = match (self.parameter(index), value) {
                (Parameter::Any, _) | (Parameter::Text, Value::Text(_)) | (Parameter::Integer, Value::Integer(_)) => {
                    continue;
                }
                (Parameter::Float, Value::Float(_)) | (Parameter::Time, Value::Time(_)) => continue,
                (Parameter::Text, _) => "string",
                (Parameter::Integer, _) => "int",
                (Parameter::Float, _) => "float64",
                (Parameter::Time, _) => "time.Time",
            };
            let got = value.type_name();
            return Err((index + 1, format!("wrong type for value; expected {expected}; got {got}")));
        }
        Ok(())
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The arguments of a call. Their types were checked.
#[derive(Clone, Copy)]
pub struct Arguments<'a>(pub &'a [Value]);

impl Deref for Arguments<'_> {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0
    }
}

impl<'a> Arguments<'a> {
    /// Returns an argument that is a text.
    pub fn text(&self, index: usize) -> &'a str {
        match self.0.get(index) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// Returns an argument that is a whole number.
    pub fn integer(&self, index: usize) -> i64 {
        match self.0.get(index) {
            Some(Value::Integer(number) | Value::Long(number)) => *number,
            _ => 0,
        }
    }

    /// Returns an argument that is a time.
    pub fn time(&self, index: usize) -> ZonedTime {
        match self.0.get(index) {
            Some(Value::Time(time)) => *time,
            _ => ZonedTime::ZERO,
        }
    }
}
