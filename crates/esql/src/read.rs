//! Reads the text of a query into its syntax tree: commands, names, constants, parameters.

use pest::Parser;
use pest::iterators::Pair;

use super::error::{EsqlError, Result};
use super::explain;
use super::grammar::{Esql, Rule, parts, span_of};
use super::parameters::Parameters;
use super::syntax::{Command, Field, Identifier, Literal, Order, Pattern, Query, Source};
use plan::Span;

/// Longest query in bytes.
const QUERY_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of brackets.
const NESTING_MAX: usize = 64;

/// Most operators of arithmetic in one expression: what is made of them nests as deeply.
const OPERATORS_MAX: usize = 100;

/// Reads a query.
pub(super) fn read(text: &str, parameters: &Parameters) -> Result<Query> {
    if text.len() > QUERY_BYTES_MAX {
        let message = format!("ESQL statement is too large [{} bytes > {QUERY_BYTES_MAX}]", text.len());
        return Err(EsqlError::parsing(text, 0, message));
    }
    check_nesting(text)?;
    let mut pairs = Esql::parse(Rule::query, text).map_err(|error| explain::explain(&error, text))?;
    let mut reader = Reader { text, parameters, n_unnamed: 0, n_operators: 0 };
    let mut source = None;
    let mut commands = Vec::new();
    for pair in pairs.next().into_iter().flat_map(Pair::into_inner) {
        match pair.as_rule() {
            Rule::from => source = Some(reader.from(pair)?),
            Rule::row => source = Some(Source::Row(reader.fields_in(pair)?)),
            Rule::EOI => {}
            _ => commands.push(reader.command(pair)?),
        }
    }
    let source = source.ok_or_else(|| EsqlError::parsing(text, 0, "the query has no source command".into()))?;
    Ok(Query { source, commands })
}

/// Refuses brackets that are nested too deeply, before anything recurses over them.
fn check_nesting(text: &str) -> Result<()> {
    let (mut nesting, mut quote) = (0usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) => quote = (open != c).then_some(open),
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => nesting += 1,
            (None, ')' | ']' | '}') => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > NESTING_MAX {
            return Err(EsqlError::parsing(text, at, format!("brackets are nested more than {NESTING_MAX} deep")));
        }
    }
    Ok(())
}

/// Turns what the grammar found into the tree.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    parameters: &'a Parameters,
    /// How many `?` without a name were read.
    n_unnamed: usize,
    /// Operators of arithmetic in the expression that is read.
    n_operators: usize,
}

impl Reader<'_> {
    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> EsqlError {
        EsqlError::parsing(self.text, span.start, message.into())
    }

    /// Counts operators that nest in each other.
    pub(super) fn nest(&mut self, n: usize, span: Span) -> Result<()> {
        self.n_operators += n;
        if self.n_operators > OPERATORS_MAX {
            let message = format!("an expression has more than {OPERATORS_MAX} operators of arithmetic");
            return Err(self.error(span, message));
        }
        Ok(())
    }

    fn from(&mut self, pair: Pair<'_, Rule>) -> Result<Source> {
        let (mut indices, mut metadata) = (Vec::new(), Vec::new());
        for part in parts(pair) {
            let span = span_of(&part);
            if part.as_rule() == Rule::metadata {
                metadata = parts(part).map(|name| self.named(name)).collect::<Result<_, _>>()?;
                continue;
            }
            let name = match parts(part.clone()).next() {
                Some(inner) if inner.as_rule() == Rule::string => string(inner.as_str()),
                _ => part.as_str().trim().to_owned(),
            };
            let names = name.split(',').map(str::trim).filter(|name| !name.is_empty());
            for name in names {
                let is_remote = name.contains(':');
                if is_remote || name.starts_with('<') {
                    let what = if is_remote { "remote clusters and selectors" } else { "date math" };
                    return Err(self.error(span, format!("[{name}] is not supported: {what} in names of indices")));
                }
                indices.push(Identifier { name: name.to_owned(), span });
            }
        }
        Ok(Source::From { indices, metadata })
    }

    fn command(&mut self, pair: Pair<'_, Rule>) -> Result<Command> {
        let span = span_of(&pair);
        self.n_operators = 0;
        let rule = pair.as_rule();
        let mut inner = parts(pair);
        Ok(match rule {
            Rule::where_command => Command::Where(self.expression_of(inner.next(), span)?),
            Rule::eval => Command::Eval(self.fields(inner.next(), span)?),
            Rule::stats => self.stats(inner, span)?,
            Rule::sort => Command::Sort(inner.map(|order| self.order(order)).collect::<Result<_, _>>()?),
            Rule::limit => Command::Limit(self.limit(inner.next(), span)?),
            Rule::keep => Command::Keep(inner.map(|one| self.pattern(one)).collect::<Result<_, _>>()?),
            Rule::drop => Command::Drop(inner.map(|one| self.pattern(one)).collect::<Result<_, _>>()?),
            Rule::rename => Command::Rename(inner.map(|one| self.renamed(one)).collect::<Result<_, _>>()?),
            Rule::dissect => {
                let text = self.expression_of(inner.next(), span)?;
                let pattern = self.text_of(inner.next(), span)?;
                let mut separator = String::new();
                for option in inner {
                    separator = self.separator(option)?;
                }
                Command::Dissect { text, pattern, separator }
            }
            Rule::grok => {
                let text = self.expression_of(inner.next(), span)?;
                let pattern = self.text_of(inner.next(), span)?;
                if let Some(second) = inner.next() {
                    return Err(self.error(span_of(&second), "several patterns of [GROK] are not supported"));
                }
                Command::Grok { text, pattern }
            }
            _ => {
                let name = inner.next().map_or("", |name| name.as_str()).to_ascii_uppercase();
                return Err(self.error(span, explain::refused(&name)));
            }
        })
    }

    fn stats<'i>(&mut self, inner: impl Iterator<Item = Pair<'i, Rule>>, span: Span) -> Result<Command> {
        let (mut aggregates, mut groups) = (Vec::new(), Vec::new());
        for part in inner {
            if part.as_rule() == Rule::groups {
                groups = self.fields_in(part)?;
                continue;
            }
            for aggregate in parts(part) {
                let mut inner = parts(aggregate);
                let Some(field) = inner.next() else { continue };
                let field = self.field(field)?;
                let condition = inner.next().map(|condition| self.expression(condition)).transpose()?;
                aggregates.push((field, condition));
            }
        }
        if aggregates.is_empty() && groups.is_empty() {
            return Err(self.error(span, "At least one aggregation or grouping expression required in [STATS]"));
        }
        Ok(Command::Stats { aggregates, groups, span })
    }

    fn fields_in(&mut self, pair: Pair<'_, Rule>) -> Result<Vec<Field>> {
        let span = span_of(&pair);
        let fields = parts(pair).find(|part| part.as_rule() == Rule::fields);
        self.fields(fields, span)
    }

    fn fields(&mut self, pair: Option<Pair<'_, Rule>>, span: Span) -> Result<Vec<Field>> {
        let fields = pair.ok_or_else(|| self.error(span, "a field is missing"))?;
        parts(fields).map(|field| self.field(field)).collect()
    }

    fn field(&mut self, pair: Pair<'_, Rule>) -> Result<Field> {
        let span = span_of(&pair);
        self.n_operators = 0;
        let mut inner: Vec<Pair<'_, Rule>> = parts(pair).collect();
        let expression = inner.pop();
        let name = inner.pop().map(|name| self.named(name)).transpose()?;
        Ok(Field { name, expression: self.expression_of(expression, span)? })
    }

    fn order(&mut self, pair: Pair<'_, Rule>) -> Result<Order> {
        let span = span_of(&pair);
        let mut inner = parts(pair);
        let expression = self.expression_of(inner.next(), span)?;
        let mut order = Order { expression, descending: false, nulls_first: None };
        for part in inner {
            match part.as_rule() {
                Rule::desc => order.descending = true,
                Rule::first => order.nulls_first = Some(true),
                Rule::last => order.nulls_first = Some(false),
                _ => {}
            }
        }
        Ok(order)
    }

    fn limit(&mut self, pair: Option<Pair<'_, Rule>>, span: Span) -> Result<u64> {
        let number = pair.map(|pair| match pair.as_rule() {
            Rule::parameter => self.parameter(&pair),
            _ => Ok(pair.as_str().parse().map_or(Literal::Null, Literal::Whole)),
        });
        match number.transpose()? {
            Some(Literal::Whole(number)) if (0..=i64::from(i32::MAX)).contains(&number) => Ok(number.unsigned_abs()),
            _ => Err(self.error(span, "value of [limit] must be a non-negative integer")),
        }
    }

    fn renamed(&mut self, pair: Pair<'_, Rule>) -> Result<(Identifier, Identifier)> {
        let span = span_of(&pair);
        let inner: Vec<Pair<'_, Rule>> = parts(pair).collect();
        let is_assigned = inner.iter().any(|part| part.as_rule() == Rule::assign);
        let mut names = inner.into_iter().filter(|part| part.as_rule() == Rule::name);
        let (Some(first), Some(second)) = (names.next(), names.next()) else {
            return Err(self.error(span, "[RENAME] needs two names"));
        };
        let (first, second) = (self.named(first)?, self.named(second)?);
        Ok(if is_assigned { (second, first) } else { (first, second) })
    }

    fn separator(&mut self, pair: Pair<'_, Rule>) -> Result<String> {
        let span = span_of(&pair);
        let mut inner = parts(pair);
        let name = inner.next().map(|name| self.named(name)).transpose()?;
        let value = inner.next().map(|value| self.literal(value)).transpose()?;
        match (name, value) {
            (Some(name), Some(Literal::Text(text))) if name.name == "append_separator" => Ok(text),
            (Some(name), Some(_)) if name.name == "append_separator" => {
                Err(self.error(span, "Invalid value for dissect append_separator: expected a string"))
            }
            (name, _) => {
                let name = name.map(|name| name.name).unwrap_or_default();
                Err(self.error(span, format!("Invalid option for dissect: [{name}]")))
            }
        }
    }

    /// Returns a text, with its place.
    pub(super) fn text_of(&mut self, pair: Option<Pair<'_, Rule>>, span: Span) -> Result<Identifier> {
        let pair = pair.ok_or_else(|| self.error(span, "a text is missing"))?;
        let span = span_of(&pair);
        let literal = match pair.as_rule() {
            Rule::parameter => self.parameter(&pair)?,
            _ => Literal::Text(string(pair.as_str())),
        };
        match literal {
            Literal::Text(name) => Ok(Identifier { name, span }),
            _ => Err(self.error(span, "a text is expected here")),
        }
    }

    /// Returns a name of a column.
    pub(super) fn named(&self, pair: Pair<'_, Rule>) -> Result<Identifier> {
        let span = span_of(&pair);
        let mut name = String::new();
        for (index, part) in parts(pair).enumerate() {
            name.push_str(if index > 0 { "." } else { "" });
            name.push_str(&self.name_part(&part)?);
        }
        Ok(Identifier { name, span })
    }

    fn name_part(&self, part: &Pair<'_, Rule>) -> Result<String> {
        Ok(match part.as_rule() {
            Rule::quoted_name => unquoted(part.as_str()),
            Rule::name_parameter => {
                let name = &part.as_str()[2..];
                match self.parameters.named(name) {
                    Some(Literal::Text(name)) => name.clone(),
                    _ => return Err(self.error(span_of(part), format!("Unknown query parameter [{name}]"))),
                }
            }
            _ => part.as_str().to_owned(),
        })
    }

    fn pattern(&self, pair: Pair<'_, Rule>) -> Result<Pattern> {
        let span = span_of(&pair);
        let mut literals = vec![String::new()];
        for (index, part) in parts(pair).enumerate() {
            let is_plain = part.as_rule() == Rule::plain_pattern;
            let name = self.name_part(&part)?;
            let mut pieces = if is_plain { name.split('*').map(str::to_owned).collect() } else { vec![name] };
            if let Some(last) = literals.last_mut() {
                last.push_str(if index > 0 { "." } else { "" });
                last.push_str(&pieces.remove(0));
            }
            literals.append(&mut pieces);
        }
        Ok(Pattern { literals, span })
    }

    /// Returns the value of a parameter in the text.
    pub(super) fn parameter(&mut self, pair: &Pair<'_, Rule>) -> Result<Literal> {
        let name = &pair.as_str()[1..];
        let found = if name.is_empty() {
            self.n_unnamed += 1;
            self.parameters.at(self.n_unnamed - 1)
        } else {
            self.parameters.named(name)
        };
        let missing = || {
            let what = if name.is_empty() {
                let n = self.parameters.len();
                format!("Not enough actual parameters {n}")
            } else if name.bytes().all(|b| b.is_ascii_digit()) {
                format!(
                    "No parameter is defined for position {name}, did you mean any position between 1 and {}?",
                    self.parameters.len()
                )
            } else {
                format!("Unknown query parameter [{name}]")
            };
            self.error(span_of(pair), what)
        };
        found.cloned().ok_or_else(missing)
    }
}

/// Returns a text without its quotes and escapes.
pub(super) fn string(written: &str) -> String {
    if let Some(inner) = written.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        return inner.to_owned();
    }
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        text.push(match c {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    text
}

fn unquoted(written: &str) -> String {
    written.get(1..written.len().saturating_sub(1)).unwrap_or_default().replace("``", "`")
}
