//! Queries as trees, and their text with as few brackets as the precedence of LANGUAGE §2 allows.

use types::Value;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Literal(Option<Value>),
    Field(String),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`
    Compare(&'static str, Box<Expr>, Box<Expr>),
    /// `+`, `-`, `*`, `/`, `%`, `^`
    Arithmetic(&'static str, Box<Expr>, Box<Expr>),
    Like {
        value: Box<Expr>,
        text: String,
        negated: bool,
    },
    Matches {
        value: Box<Expr>,
        regex: &'static str,
        negated: bool,
    },
    In {
        value: Box<Expr>,
        items: Vec<Expr>,
        negated: bool,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    Call(&'static str, Vec<Expr>),
    /// `bin(…)` of so many nanoseconds, as written.
    Bin(&'static str, i64),
}

/// An expression and the name it is given, if any.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) expr: Expr,
    pub(crate) alias: Option<String>,
}

impl Item {
    /// The name of the column.
    pub(crate) fn name(&self) -> String {
        match (&self.alias, &self.expr) {
            (Some(alias), _) => alias.clone(),
            (None, Expr::Field(name)) => name.clone(),
            (None, expr) => expr.to_string(),
        }
    }
}

/// An aggregate: function, argument, and second argument as written.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: &'static str,
    pub(crate) argument: Option<Expr>,
    pub(crate) parameter: Option<&'static str>,
    pub(crate) alias: Option<String>,
}

impl Aggregate {
    fn call(&self) -> String {
        let argument = self.argument.as_ref().map_or("*".to_owned(), ToString::to_string);
        let parameter = self.parameter.map_or(String::new(), |parameter| format!(", {parameter}"));
        format!("{}({argument}{parameter})", self.function)
    }

    /// The name of the column.
    pub(crate) fn name(&self) -> String {
        self.alias.clone().unwrap_or_else(|| self.call())
    }
}

/// A command.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Fields(Vec<Item>),
    Display(Vec<String>),
    Filter(Expr),
    Eval(String, Expr),
    Rename(String, String),
    Drop(String),
    Sort(Vec<(Expr, bool)>),
    Limit(u64),
    Tail(u64),
    Dedup(Vec<String>),
    Unnest(String, String),
    /// Literals between stars, one more than names.
    Glob {
        literals: Vec<&'static str>,
        names: Vec<String>,
    },
    Stats {
        aggregates: Vec<Aggregate>,
        by: Vec<Item>,
    },
    Top {
        rarest: bool,
        most: Option<u64>,
        names: Vec<String>,
        by: Vec<String>,
    },
    /// Spans of so many nanoseconds, as written.
    Timechart {
        span: (&'static str, i64),
        aggregates: Vec<Aggregate>,
        by: Option<String>,
    },
    /// After a `stats` by a span: what new rows hold in some columns.
    FillMissing(Vec<(i64, String)>),
    Join {
        keeps_all: bool,
        sides: (String, String),
        /// Fields of the rows, columns of the other query.
        keys: Vec<(String, String)>,
        other: Vec<Command>,
    },
    Lookup {
        table: &'static str,
        /// Columns of the table, fields.
        keys: Vec<(&'static str, String)>,
        output: Vec<(&'static str, String)>,
    },
    AppendColumns {
        most: Option<usize>,
        other: Vec<Command>,
    },
    /// `filter field in (query)`
    FilterIn {
        field: String,
        negated: bool,
        other: Vec<Command>,
    },
    /// Of a field: named groups of an expression.
    ParseRegex {
        field: &'static str,
        regex: String,
        names: Vec<String>,
    },
    /// Of a field: what a format finds, below a name.
    ParseFormat {
        field: &'static str,
        format: &'static str,
        prefix: String,
    },
    /// Whose answer no one here knows by itself; it has to be the same in every state.
    Unknown(&'static str),
}

/// How tightly an expression holds together; a larger one binds first.
fn precedence(expr: &Expr) -> u8 {
    match expr {
        Expr::Or(..) => 1,
        Expr::And(..) => 2,
        Expr::Not(_) => 3,
        Expr::Compare(..) | Expr::Like { .. } | Expr::Matches { .. } | Expr::In { .. } | Expr::Between { .. } => 4,
        Expr::Arithmetic("+" | "-", ..) => 5,
        Expr::Arithmetic("^", ..) => 7,
        Expr::Arithmetic(..) => 6,
        Expr::Negate(_) => 8,
        Expr::Literal(Some(Value::Integer(number))) if *number < 0 => 8,
        Expr::Literal(Some(Value::Float(number))) if *number < 0.0 => 8,
        Expr::Literal(_) | Expr::Field(_) | Expr::Call(..) | Expr::Bin(..) => 9,
    }
}

/// The text of `expr` where something of at least this precedence must stand.
fn within(expr: &Expr, least: u8) -> String {
    if precedence(expr) >= least { expr.to_string() } else { format!("({expr})") }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

fn name(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "_@.".contains(c));
    if is_plain { text.to_owned() } else { format!("`{text}`") }
}

fn joined<T>(parts: &[T], show: impl Fn(&T) -> String) -> String {
    parts.iter().map(show).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match self {
            Self::Literal(None) => f.write_str("null"),
            Self::Literal(Some(Value::String(text))) => f.write_str(&quoted(text)),
            Self::Literal(Some(value)) => write!(f, "{value}"),
            Self::Field(field) => f.write_str(&name(field)),
            Self::Negate(inner) => write!(f, "-{}", within(inner, 9)),
            Self::Not(inner) => write!(f, "not {}", within(inner, 3)),
            Self::And(a, b) => write!(f, "{} and {}", within(a, 2), within(b, 3)),
            Self::Or(a, b) => write!(f, "{} or {}", within(a, 1), within(b, 2)),
            Self::Compare(operator, a, b) => write!(f, "{} {operator} {}", within(a, 5), within(b, 5)),
            // To the right; all others to the left.
            Self::Arithmetic("^", a, b) => write!(f, "{} ^ {}", within(a, 8), within(b, 7)),
            Self::Arithmetic(operator, a, b) => {
                let own = precedence(self);
                write!(f, "{} {operator} {}", within(a, own), within(b, own + 1))
            }
            Self::Like { value, text, negated } => {
                write!(f, "{} {}like {}", within(value, 5), not(negated), quoted(text))
            }
            Self::Matches { value, regex, negated } => {
                write!(f, "{} {}like /{regex}/", within(value, 5), not(negated))
            }
            Self::In { value, items, negated } => {
                write!(f, "{} {}in [{}]", within(value, 5), not(negated), joined(items, ToString::to_string))
            }
            Self::Between { value, low, high, negated } => {
                write!(f, "{} {}between {} and {}", within(value, 5), not(negated), within(low, 5), within(high, 5))
            }
            Self::Call(function, arguments) => write!(f, "{function}({})", joined(arguments, ToString::to_string)),
            Self::Bin(span, _) => write!(f, "bin({span})"),
        }
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.alias {
            Some(alias) => write!(f, "{} as {}", self.expr, name(alias)),
            None => write!(f, "{}", self.expr),
        }
    }
}

impl std::fmt::Display for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.alias {
            Some(alias) => write!(f, "{} as {}", self.call(), name(alias)),
            None => f.write_str(&self.call()),
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |names: &[String]| joined(names, |text| name(text));
        let by = |by: String| if by.is_empty() { by } else { format!(" by {by}") };
        match self {
            Self::Fields(items) => write!(f, "fields {}", joined(items, ToString::to_string)),
            Self::Display(shown) => write!(f, "display {}", names(shown)),
            Self::Filter(condition) => write!(f, "filter {condition}"),
            Self::Eval(field, expr) => write!(f, "eval {} = {expr}", name(field)),
            Self::Rename(from, to) => write!(f, "rename {} as {}", name(from), name(to)),
            Self::Drop(field) => write!(f, "drop {}", name(field)),
            Self::Sort(keys) => {
                let key =
                    |(expr, descending): &(Expr, bool)| format!("{expr}{}", if *descending { " desc" } else { "" });
                write!(f, "sort {}", joined(keys, key))
            }
            Self::Limit(most) => write!(f, "limit {most}"),
            Self::Tail(most) => write!(f, "tail {most}"),
            Self::Dedup(fields) => write!(f, "dedup {}", names(fields)),
            Self::Unnest(list, element) => write!(f, "unnest {} into {}", name(list), name(element)),
            Self::Glob { literals, names: made } => {
                write!(f, "parse @message {} as {}", quoted(&literals.join("*")), names(made))
            }
            Self::Stats { aggregates, by: groups } => {
                write!(
                    f,
                    "stats {}{}",
                    joined(aggregates, ToString::to_string),
                    by(joined(groups, ToString::to_string))
                )
            }
            Self::Timechart { span, aggregates, by: groups } => {
                let by = groups.as_ref().map_or(String::new(), |field| format!(" by {}", name(field)));
                write!(f, "timechart span={} {}{by}", span.0, joined(aggregates, ToString::to_string))
            }
            Self::FillMissing(fillings) if fillings.is_empty() => f.write_str("fillmissing"),
            Self::FillMissing(fillings) => {
                write!(
                    f,
                    "fillmissing with {}",
                    joined(fillings, |(value, column)| format!("{value} for {}", name(column)))
                )
            }
            Self::ParseRegex { field, regex, .. } => write!(f, "parse {field} /{regex}/"),
            Self::ParseFormat { field, format, prefix } => write!(f, "parse {field} {format} as {prefix}"),
            Self::Unknown(text) => f.write_str(text),
            Self::Top { rarest, most, names: ranked, by: groups } => {
                let most = most.map_or(String::new(), |most| format!("{most} "));
                let command = if *rarest { "rare" } else { "top" };
                write!(f, "{command} {most}{}{}", names(ranked), by(names(groups)))
            }
            others => f.write_str(&others.with_others()),
        }
    }
}

impl Command {
    /// Commands that hold queries or take from tables.
    fn with_others(&self) -> String {
        let query = |other: &[Command]| other.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        match self {
            Self::Join { keeps_all, sides: (left, right), keys, other } => {
                let kind = if *keeps_all { "left" } else { "inner" };
                let key = |(mine, theirs): &(String, String)| {
                    format!("{} = {}", name(&format!("{left}.{mine}")), name(&format!("{right}.{theirs}")))
                };
                let keys = keys.iter().map(key).collect::<Vec<_>>().join(" and ");
                format!("join type={kind} left={left} right={right} where {keys} ( {} )", query(other))
            }
            Self::Lookup { table, keys, output } => {
                let keys = joined(keys, |(column, field)| format!("{column} as {}", name(field)));
                let output = joined(output, |(column, alias)| format!("{column} as {}", name(alias)));
                format!("lookup {table} {keys} output {output}")
            }
            Self::AppendColumns { most, other } => {
                let most = most.map_or(String::new(), |most| format!("max={most} "));
                format!("appendcols {most}( {} )", query(other))
            }
            Self::FilterIn { field, negated, other } => {
                let not = if *negated { "not " } else { "" };
                format!("filter {} {not}in ( source \"equal/*\" | {} )", name(field), query(other))
            }
            _ => String::new(),
        }
    }
}
