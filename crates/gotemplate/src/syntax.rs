//! The parts of a template that was read.

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Text as it is.
    Text(String),
    /// `{{ pipeline }}`.
    Action(Pipe),
    /// `{{ if }}`, `{{ with }}` and `{{ range }}`.
    Block(Block),
    /// `{{ break }}`.
    Break,
    /// `{{ continue }}`.
    Continue,
}

/// A part with a body.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// What a part does with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// Renders it if the pipeline is true.
    If,
    /// Renders it with the value of the pipeline as the dot.
    With,
    /// Renders it for each element.
    Range,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    /// Variables that get the value; two of `range $index, $element := …`.
    pub(crate) variables: Vec<String>,
    /// Whether they are assigned, not declared.
    pub(crate) is_assignment: bool,
    pub(crate) commands: Vec<Command>,
}

/// An operand with arguments.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) operands: Vec<Operand>,
}

/// A value, before its fields.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) root: Root,
    /// Fields of it, in order.
    pub(crate) fields: Vec<String>,
}

/// What an operand begins with.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    /// `.`.
    Dot,
    /// `$name`, without the sign; `$` alone is the empty name.
    Variable(String),
    /// A function by its name.
    Function(String),
    /// A pipeline in parentheses.
    Pipe(Box<Pipe>),
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `nil`.
    Nil,
}
