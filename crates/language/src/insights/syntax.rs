//! The syntax tree of Insights QL: what was written, with the place of everything, not yet checked.

use types::Value;

use plan::Span;

/// A command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// What it is.
    pub kind: CommandKind,
    /// From its keyword to its end.
    pub span: Span,
}

/// Kinds of commands.
#[derive(Clone, Debug)]
pub(crate) enum CommandKind {
    Fields(Vec<Item>),
    Display(Vec<Item>),
    Filter(Node),
    Stats(Stats),
    Timechart { length: Option<Node>, stats: Stats },
    Ranking { most: Option<u64>, names: Vec<Name>, by: Vec<Name>, rarest_first: bool },
    FillMissing(Vec<FillClause>),
    FillDown(Arguments),
    Unnest { list: Node, name: Name },
    Expand(Arguments),
    AddTotals(Arguments),
    Outlier(Arguments),
    Autoregress { field: Name, alias: Option<Name>, options: Vec<Setting> },
    Sessionize { fields: Vec<Name>, pause: Option<Node>, alias: Option<Name> },
    Lookup { table: Name, keys: Vec<(Name, Name)>, outputs: Vec<(Name, Name)> },
    Join { options: Vec<Setting>, keys: Vec<(Name, Name)>, other: OtherQuery },
    AppendColumns { options: Vec<Setting>, other: OtherQuery },
    Pattern(Node),
    Compare { command: &'static str, window: Window },
    Anomaly,
    Sort(Vec<SortKey>),
    Limit(u64),
    Tail(u64),
    Dedup(Vec<Name>),
    Drop(Vec<Name>),
    Rename(Vec<(Name, Name)>),
    Eval(Vec<(Name, Node)>),
    Parse { source: Option<Node>, method: Method },
    Source { groups: Vec<String>, tests: Vec<Name>, options: Vec<Setting> },
}

/// Which earlier time something is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// The time just before.
    Preceding,
    /// A length of time before.
    Shift(Node),
}

/// `aggregates [by groups] [offset length]`
#[derive(Clone, Debug)]
pub(crate) struct Stats {
    pub items: Vec<Item>,
    pub by: Vec<Item>,
    pub offset: Option<Node>,
}

/// Options and names of fields, in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub options: Vec<Setting>,
    /// With `*` for any letters.
    pub names: Vec<Name>,
}

/// `key=value`
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub key: Name,
    pub value: Name,
}

/// `( query )`
#[derive(Clone, Debug)]
pub(crate) struct OtherQuery {
    pub commands: Vec<Command>,
    pub span: Span,
}

/// A field or column name as it was written, without backticks.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub text: String,
    pub span: Span,
}

/// `expr [as alias]`
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub expr: Node,
    pub alias: Option<Name>,
}

/// `with value for name, …`
#[derive(Clone, Debug)]
pub(crate) struct FillClause {
    pub value: Option<Value>,
    pub names: Vec<Name>,
}

/// `expr [desc]`
#[derive(Clone, Debug)]
pub(crate) struct SortKey {
    pub expr: Node,
    pub descending: bool,
}

/// The second half of `parse`.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    Glob { text: String, names: Vec<Name>, span: Span },
    Regex(Pattern),
    Grok(Pattern),
    Format { format: plan::Format, prefix: Option<Name> },
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub span: Span,
    /// Levels of the tree below and including this one.
    pub depth: usize,
}

impl Node {
    /// Returns the value of a literal.
    pub(crate) fn literal(self) -> Option<Value> {
        if let NodeKind::Literal(value) = self.kind { value } else { None }
    }
}

/// Kinds of expressions.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Literal(Option<Value>),
    /// Digits and unit as written.
    Duration(String),
    Field(String),
    Call {
        name: Name,
        arguments: Vec<Node>,
        has_star: bool,
    },
    Negate(Box<Node>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Like {
        value: Box<Node>,
        pattern: Pattern,
        negated: bool,
    },
    In {
        value: Box<Node>,
        items: Vec<Node>,
        negated: bool,
    },
    InQuery {
        value: Box<Node>,
        commands: Vec<Command>,
        negated: bool,
    },
    Between {
        value: Box<Node>,
        bounds: Box<(Node, Node)>,
        negated: bool,
    },
}

/// Operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Compare(plan::Comparison),
    Arithmetic(plan::ArithmeticOperator),
}

/// What stands right of `like`, `=~`, `!~`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// A substring, or the source of a regular expression (with `\/` made `/`).
    pub text: String,
    pub is_regex: bool,
    /// Whether it is words to be found one after the other.
    pub is_phrase: bool,
    pub ignores_case: bool,
    pub span: Span,
}
