//! The functions of values: their names, how many arguments each takes, and what it gives.
//!
//! One table ([`SIGNATURES`]) is what the checker, completion and the reference are made from. What a function
//! computes is in `execute`. Aggregates of `stats` are no functions; see [`crate::operator::AggregateKind`].

mod typed;

use serde::{Deserialize, Serialize};
use types::{Level, Value};

pub use typed::{DatePart, DateUnit, DecimalFunction, ListFunction, TypedFunction, TypedKind, WholeWidth};

/// The name of one value that [`Function::JsonSelected`] has selected.
pub const ANY_VALUE: &str = "*";

/// The separator between the steps of a selector's path. It occurs in no name of a member.
pub const SELECTOR_STEP: &str = "\0";
/// The step of a selector that selects all elements or members. It is the name of no member.
pub const SELECTOR_ANY: &str = "\u{1}*";

/// Defines [`Function`]: the name of each as a query writes it, further names, and how a query calls it: its arguments as the
/// reference shows them, fewest and most of them. No query calls those without.
macro_rules! functions {
    ($($(#[$doc:meta])* $function:ident $(($detail:ident))? = $name:literal
        $($(| $other_name:literal)* ($arguments:literal, $n_min:literal, $n_max:expr))?,)+) => {
        /// A function of values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Function {
            $($(#[$doc])* $function $(($detail))?,)+
        }

        /// Every name a query may call. Several names may mean one function.
        pub const SIGNATURES: &[Signature] = &[$($(
            Signature { function: Function::$function, name: $name, arguments: $arguments, n_min: $n_min, n_max: $n_max },
            $(Signature {
                function: Function::$function, name: $other_name, arguments: $arguments, n_min: $n_min, n_max: $n_max,
            },)*
        )?)+];

        impl Function {
            /// Returns the name as a query writes it; of several, the first.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$function { .. } => $name,)+
                }
            }
        }
    };
}

functions! {
    /// Absolute value.
    Abs = "abs" ("number", 1, Some(1)),
    /// Least whole number not below.
    Ceil = "ceil" ("number", 1, Some(1)),
    /// Greatest whole number not above.
    Floor = "floor" ("number", 1, Some(1)),
    /// Greatest of the arguments.
    Greatest = "greatest" ("value, …", 1, None),
    /// Least of the arguments.
    Least = "least" ("value, …", 1, None),
    /// Natural logarithm.
    Log = "log" ("number", 1, Some(1)),
    /// Square root.
    Sqrt = "sqrt" ("number", 1, Some(1)),
    /// Half away from zero to so many decimals.
    Round = "round" ("number[, decimals]", 1, Some(2)),
    /// Logarithm to base 2.
    Log2 = "log2" ("number", 1, Some(1)),
    /// Logarithm to base 10.
    Log10 = "log10" ("number", 1, Some(1)),
    /// e to the power.
    Exp = "exp" ("number", 1, Some(1)),
    /// Power.
    Pow = "pow" ("base, exponent", 2, Some(2)),
    /// -1, 0 or 1.
    Sign = "sign" ("number", 1, Some(1)),
    /// Whether the value is there.
    IsPresent = "ispresent" ("field", 1, Some(1)),
    /// The first argument that is there.
    Coalesce = "coalesce" ("value, …", 1, None),
    /// Missing or the empty text.
    IsEmpty = "isempty" ("field", 1, Some(1)),
    /// Missing, empty or only white space.
    IsBlank = "isblank" ("field", 1, Some(1)),
    /// The texts one after the other.
    Concat = "concat" ("text, …", 1, None),
    /// Without white space, or without the characters given, in front.
    TrimStart = "ltrim" ("text[, characters]", 1, Some(2)),
    /// … at the end.
    TrimEnd = "rtrim" ("text[, characters]", 1, Some(2)),
    /// … at both ends.
    Trim = "trim" ("text[, characters]", 1, Some(2)),
    /// Length in code points.
    TextLength = "strlen" ("text", 1, Some(1)),
    /// Length in bytes of UTF-8. No user writes it; other dialects use it.
    ByteLength = "bytelength",
    /// Without what certainly varies, as the patterns of messages begin. No user writes it; alert rules use it.
    Masked = "masked",
    /// In capital letters.
    ToUpper = "toupper" | "upper" ("text", 1, Some(1)),
    /// In small letters.
    ToLower = "tolower" | "lower" ("text", 1, Some(1)),
    /// Part of a text by code points from 0.
    Substring = "substr" ("text, start[, length]", 2, Some(3)),
    /// Every occurrence replaced.
    Replace = "replace" ("text, what, with", 3, Some(3)),
    /// Whether a text holds another.
    Contains = "strcontains" ("text, part", 2, Some(2)),
    /// Where a text first holds another, in code points from 0.
    Position = "strpos" ("text, part", 2, Some(2)),
    /// Whether a text starts with another.
    StartsWith = "startswith" ("text, part", 2, Some(2)),
    /// Whether a text ends with another.
    EndsWith = "endswith" ("text, part", 2, Some(2)),
    /// Start of the span of time that the instant lies in. `bin(d)` is this of `@timestamp`.
    DateFloor = "datefloor" ("time, duration", 2, Some(2)),
    /// End of that span, the instant itself where it is a start.
    DateCeil = "dateceil" ("time, duration", 2, Some(2)),
    /// Start of the bucket, counted from an origin: instant, origin, span. No user writes it; other dialects use it.
    TimeBucket = "timebucket",
    /// The same by the clocks of the query's time zone. No user writes it; Elasticsearch's histograms use it.
    WallBucket = "wallbucket",
    /// An instant later by a length of time. No user writes it: `stats … offset d` shows events with later times.
    Later = "later",
    /// Milliseconds since the epoch as an instant.
    FromMillis = "fromMillis" ("number", 1, Some(1)),
    /// An instant as milliseconds since the epoch.
    ToMillis = "toMillis" ("time", 1, Some(1)),
    /// Seconds since the epoch at the start of the query.
    Now = "now" ("", 0, Some(0)),
    /// Text as JSON value.
    JsonParse = "jsonParse" ("text", 1, Some(1)),
    /// Value as JSON text.
    JsonStringify = "jsonStringify" ("value", 1, Some(1)),
    /// Whether a text is an IP address.
    IsValidIp = "isValidIp" ("text", 1, Some(1)),
    /// Whether a text is an IPv4 address.
    IsValidIpV4 = "isValidIpV4" ("text", 1, Some(1)),
    /// Whether a text is an IPv6 address.
    IsValidIpV6 = "isValidIpV6" ("text", 1, Some(1)),
    /// Whether an address lies in a subnet.
    IsIpInSubnet = "isIpInSubnet" ("text, subnet", 2, Some(2)),
    /// Whether a text holds an address of a subnet, or of a range `first-last`. No user writes it; LogQL uses it.
    HoldsAddress = "holdsaddress",
    /// … of IPv4.
    IsIpV4InSubnet = "isIpv4InSubnet" ("text, subnet", 2, Some(2)),
    /// … of IPv6.
    IsIpV6InSubnet = "isIpv6InSubnet" ("text, subnet", 2, Some(2)),
    /// One of two values by a condition.
    If = "if" ("condition, then, else", 2, Some(3)),
    /// The value after the first true condition, else the last argument where their number is odd.
    Case = "case" ("condition, value, …[, else]", 2, None),
    /// As number.
    ToNumber = "tonumber" ("value", 1, Some(1)),
    /// As text.
    ToString = "tostring" ("value", 1, Some(1)),
    /// As whole number, cut off.
    ToInteger = "toint" ("value", 1, Some(1)),
    /// `1h30m` in milliseconds.
    ParseDuration = "parse_duration" ("text", 1, Some(1)),
    /// `3MiB` in bytes.
    ParseBytes = "parse_bytes" ("text", 1, Some(1)),
    /// Milliseconds as `1h30m`.
    FormatDuration = "format_duration" ("milliseconds", 1, Some(1)),
    /// Bytes as `3.0 MiB`.
    FormatBytes = "format_bytes" ("bytes", 1, Some(1)),
    /// An instant by strftime letters.
    FormatDate = "formatdate" ("time, format", 2, Some(2)),
    /// Text as instant by strftime letters.
    ParseDate = "parsedate" ("text, format", 2, Some(2)),
    /// Hour of the day, 0 to 23.
    Hour = "hour" ("time", 1, Some(1)),
    /// Day of the week, 1 (Monday) to 7.
    Weekday = "weekday" ("time", 1, Some(1)),
    /// Percent-encoding undone.
    UrlDecode = "urldecode" ("text", 1, Some(1)),
    /// Base64 undone, as text.
    Base64Decode = "base64decode" ("text", 1, Some(1)),
    /// MD5 in hexadecimal.
    Md5 = "md5" ("text", 1, Some(1)),
    /// SHA-256 in hexadecimal.
    Sha256 = "sha256" ("text", 1, Some(1)),
    /// First group of the first match, or the whole match. The second argument is [`crate::plan::Expr::Regex`].
    RegexpExtract = "regexp_extract" ("text, pattern", 2, Some(2)),
    /// Every match replaced. The second argument is [`crate::plan::Expr::Regex`].
    RegexpReplace = "regexp_replace" ("text, pattern, with", 3, Some(3)),
    /// What a template makes of a line; missing where it fails. Arguments: [`crate::plan::Expr::Template`], the line,
    /// its time, then the labels that the template needs.
    Template = "template",
    /// Text cut at each occurrence of another, as list.
    Split = "split" ("text, separator", 2, Some(2)),
    /// How many elements a list has.
    ArrayLength = "array_length" ("list", 1, Some(1)),
    /// The value itself.
    Unmask = "unmask" ("field", 1, Some(1)),
    /// What a value that names a level is ordered by ([`severity_key`]); other values as they are. No user writes it:
    /// where levels are ordered the checker does.
    Severity = "severity",
    /// The canonical name of a severity; of lists, the names of the elements.
    LevelName = "levelname",
    /// Whether a JSON text holds `null` at a path. No user writes it; filter patterns use it.
    IsJsonNull = "isjsonnull",
    /// Whether a condition on [`ANY_VALUE`] holds for one of the values that a path selects in a JSON text: the text,
    /// the path, the condition. Steps of the path are joined by [`SELECTOR_STEP`]; [`SELECTOR_ANY`] is every element or
    /// member.
    JsonSelected = "jsonselected",
    /// The columns of a text whose words are between blanks, as list. No user writes it; filter patterns use it.
    Columns = "columns",
    /// … the last one first.
    ColumnsFromEnd = "columnsfromend",
    /// What LogQL does with labels. No user writes it.
    Labels(LabelsFunction) = "labels",
    /// What is computed for each value of a field that may have several: the field, the expression, fields above it
    /// that may hold lists. As a condition, whether it holds for one of them ([`crate::each`]).
    Each = "each",
    /// Whether a field has a value that is no empty list or object: the field, fields above it that may hold lists.
    HasValue = "hasvalue",
    /// Of a field whose value is a date, or the text of one, the first condition; else the second. No user writes it.
    IfDate = "ifdate",
    /// A number, or the milliseconds since the epoch of a date or its text. No user writes it; other dialects use it.
    Measure = "measure",
    /// A function of values of known types. No user writes it; ES|QL uses it.
    Typed(TypedFunction) = "typed",
    /// What an address is ordered by: a text. No user writes it; other dialects use it.
    AddressKey = "addresskey",
    /// The words of a text, as list. No user writes it; other dialects use it.
    WordList = "wordlist",
    /// A text of a date as milliseconds since the epoch, another value as it is. No user writes it; other dialects use
    /// it.
    DateMillis = "datemillis",
    /// The least value of a list; another value itself. No user writes it; other dialects use it.
    LeastOfList = "leastoflist",
    /// … the greatest.
    GreatestOfList = "greatestoflist",
}

/// Functions of the labels of LogQL. A label set is a text, see [`crate::label_set::LabelSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LabelsFunction {
    /// Whether the name of a stream holds the labels of a Loki sender: stream.
    IsPushed,
    /// A label in the name of a stream: stream, name.
    OfStream,
    /// A label of an event before any stage: name, stream, metadata, and its value where no Loki sender pushed the
    /// event.
    Base,
    /// The label set of an event before any stage: stream, metadata, group, host, service, level.
    Begin,
    /// A label of a set: set, name, the field that stands for it where the set is open.
    Get,
    /// The set with the members of a line in JSON: set, line.
    Json,
    /// … with what is at paths: set, line, then names and paths.
    JsonPaths,
    /// The set with the pairs of a line: set, line, flags (`s`: strict, `e`: keeps empty values).
    Logfmt,
    /// … with the values of some keys: set, line, flags, then names and keys.
    LogfmtKeys,
    /// The set with the named groups of an expression: set, line, [`crate::plan::Expr::Regex`].
    Regex,
    /// The set with the captures of a pattern: set, line, pattern.
    Pattern,
    /// The set with the labels of a packed line: set, line.
    Unpack,
    /// The line in a packed one, else the line itself: line.
    UnpackedLine,
    /// The set without a label where a condition holds: set, name, condition.
    Drop,
    /// The set with some labels alone: set, then of each its name, a condition, its value.
    Keep,
    /// The set with a label: set, name, value.
    Set,
    /// The set with a label under another name: set, new name, old name, old value.
    Rename,
    /// The set with an error where a condition holds: set, condition, error, details.
    Fail,
    /// Why a text is no number, `bytes` or `duration`: text, which of them.
    Unreadable,
    /// Why a template fails: the arguments of [`Function::Template`].
    TemplateProblem,
    /// Whether a label is spelt exactly so: label, text.
    Same,
    /// Whether a stage gave a label of a set a value: set, name.
    IsParsed,
    /// What is wrong with the label that was found first: set, then names, each with what is wrong with it.
    FirstFailure,
    /// Whether a line fits a pattern of `|>`: line, pattern.
    Fits,
    /// A number as Go reads it: text.
    Number,
    /// Nanoseconds of a duration as Go reads it: text.
    Duration,
    /// Bytes of a size such as `117kb`: text.
    Size,
    /// The labels of a series: set, then names that it leaves out.
    Series,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The function.
    pub function: Function,
    /// Its name as we write it; upper and lower case are the same to a query.
    pub name: &'static str,
    /// Its arguments as the reference shows them.
    pub arguments: &'static str,
    /// Fewest arguments.
    pub n_min: usize,
    /// Most arguments; `None` is any number.
    pub n_max: Option<usize>,
}

/// Returns a text that orders levels by severity, and that no other value equals.
pub fn severity_key(level: Level) -> Value {
    Value::text(format!("\0{}", level.code()))
}

/// Returns the level of such a text.
pub fn level_of_key(key: &str) -> Option<Level> {
    key.strip_prefix('\0').and_then(|code| code.parse().ok()).and_then(Level::of_code)
}

impl Signature {
    /// Finds what a query calls, whatever the case of its letters.
    pub fn find(name: &str) -> Option<&'static Self> {
        SIGNATURES.iter().find(|signature| signature.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests;
