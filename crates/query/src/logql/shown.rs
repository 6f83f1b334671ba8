//! What a log query shows beside the lines: labels that stages make, leave and take away, and what could not be read.

use types::Value;

use super::label;
use crate::function::Function;
use crate::plan::{Expr, Name, Operator, Parse};

/// Labels that one line may get from a parser that names them itself; the others stay in the line.
const LABELS_MAX: usize = 200;

/// How deep members of objects become labels.
const DEPTH_MAX: usize = 32;

/// Places of a query at which something may turn out not to be readable; further ones are not told.
const ERRORS_MAX: usize = 64;

/// Labels of a log query beside those of the streams.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Labels that stages make, as far as their names stand in the query.
    pub parsed: Vec<Name>,
    /// What parsers take out of each line under names that stand in the line.
    pub objects: Vec<Parsed>,
    /// Labels that `drop` takes away.
    pub dropped: Vec<String>,
    /// Labels that the selector sets, and their values.
    pub equal: Vec<(String, String)>,
    /// The only labels that `keep` leaves.
    pub kept: Option<Vec<String>>,
    /// What a label means behind the last stage.
    pub(super) sight: Sight,
}

/// A parser that names its labels itself, as `| json` does.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The column with the object of the labels.
    pub name: Name,
    /// Before which operator the column is made; `None` where one of them does.
    at: Option<usize>,
    parse: Parse,
    keeps_empty: bool,
    dropped: Vec<String>,
    kept: Option<Vec<String>>,
}

impl Shown {
    /// Whether the label `name` of a stream is part of the answer.
    pub fn has(&self, name: &str) -> bool {
        !self.dropped.iter().any(|dropped| dropped == name)
            && self.kept.as_ref().is_none_or(|kept| kept.iter().any(|one| one == name))
    }

    /// The value of the label `__error__`, where lines can have one.
    pub fn error(&self) -> Option<Expr> {
        self.sight.error()
    }

    /// Adds a label that the query names.
    pub(super) fn make(&mut self, name: &str, sight: &mut Sight) {
        if !self.parsed.iter().any(|known| &**known == name) {
            self.parsed.push(name.into());
        }
        self.dropped.retain(|dropped| dropped != name);
        self.objects.iter_mut().for_each(|object| object.dropped.push(name.to_owned()));
        for kept in [&mut self.kept, &mut sight.kept].into_iter().flatten() {
            kept.push(name.to_owned());
        }
    }

    /// Takes a label away.
    pub(super) fn hide(&mut self, name: &str) {
        self.parsed.retain(|parsed| &**parsed != name);
        self.dropped.push(name.to_owned());
        self.objects.iter_mut().for_each(|object| object.dropped.push(name.to_owned()));
    }

    /// Takes all labels away but these; what stands before can only become less.
    pub(super) fn keep(&mut self, names: &[String], sight: &mut Sight) {
        let narrow = |kept: &mut Option<Vec<String>>| match kept {
            Some(kept) => kept.retain(|name| names.contains(name)),
            None => *kept = Some(names.to_vec()),
        };
        self.parsed.retain(|parsed| names.iter().any(|name| **name == **parsed));
        self.objects.iter_mut().for_each(|object| narrow(&mut object.kept));
        narrow(&mut self.kept);
        narrow(&mut sight.kept);
    }

    /// Adds a parser that names its labels itself, at this place among `operators`.
    pub(super) fn parse(&mut self, parsed: Parsed, operators: &mut Vec<Operator>, sight: &mut Sight) {
        if sight.asks_for_errors {
            operators.push(Operator::Parse(parsed.parse.clone()));
        }
        let at = (!sight.asks_for_errors).then_some(operators.len());
        self.objects.push(Parsed { at, ..parsed });
        sight.has_objects = true;
        // Whatever a line names is to be seen again.
        sight.kept = None;
    }

    /// `operators`, with those that make the columns of [`objects`](Self::objects).
    pub fn with_objects(&self, operators: &[Operator]) -> Vec<Operator> {
        let mut all = operators.to_vec();
        for object in self.objects.iter().rev() {
            if let Some(at) = object.at {
                all.insert(at.min(all.len()), Operator::Parse(object.parse.clone()));
            }
        }
        all
    }
}

impl Parsed {
    pub(super) fn new(name: Name, parse: Parse) -> Self {
        Self { name, at: None, parse, keeps_empty: false, dropped: Vec::new(), kept: None }
    }

    pub(super) fn keeping_empty(self, keeps_empty: bool) -> Self {
        Self { keeps_empty, ..self }
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.dropped.push(name.to_owned());
        self
    }

    /// The labels of a line, given the value of the column, in the order of the line; of two of the same name the first.
    pub fn labels(&self, object: Option<&Value>) -> Vec<(String, String)> {
        let mut labels: Vec<(String, String)> = Vec::new();
        self.add("", object, 0, &mut labels);
        labels
    }

    /// Members of members become labels of both names; lists none.
    fn add(&self, prefix: &str, object: Option<&Value>, depth: usize, labels: &mut Vec<(String, String)>) {
        let Some(Value::Object(members)) = object else { return };
        for (key, value) in members.iter() {
            if labels.len() >= LABELS_MAX || depth >= DEPTH_MAX {
                return;
            }
            let name = label_name(prefix, key);
            match value {
                None | Some(Value::List(_)) => {}
                Some(Value::Object(_)) => self.add(&name, value.as_ref(), depth + 1, labels),
                Some(value) => {
                    let text = value.to_string();
                    let is_new = !labels.iter().any(|(known, _)| *known == name);
                    if is_new && self.has(&name) && (self.keeps_empty || !text.is_empty()) {
                        labels.push((name, text));
                    }
                }
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        !self.dropped.iter().any(|dropped| dropped == name)
            && self.kept.as_ref().is_none_or(|kept| kept.iter().any(|one| one == name))
    }
}

/// The name of a label as Loki makes it of a key: letters, digits and `_`, behind what the key stands in.
fn label_name(prefix: &str, key: &str) -> String {
    let mut name = String::with_capacity(prefix.len() + key.len() + 1);
    name.push_str(prefix);
    if !prefix.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(key.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    name
}

/// What a name means at some point of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// The only labels that are to be seen.
    kept: Option<Vec<String>>,
    /// Whether lines have named labels themselves.
    has_objects: bool,
    /// Conditions under which something could not be read, and what is said then.
    errors: Vec<(Expr, &'static str)>,
    /// Whether the query asks what could not be read.
    asks_for_errors: bool,
}

impl Sight {
    pub(super) fn new(asks_for_errors: bool) -> Self {
        Self { asks_for_errors, ..Self::default() }
    }

    /// Notes what is said where a condition holds; what was noted first is said.
    pub(super) fn note(&mut self, condition: Expr, error: &'static str) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push((condition, error));
        }
    }

    /// Forgets what could not be read so far.
    pub(super) fn forget(&mut self) {
        self.errors.clear();
    }

    fn error(&self) -> Option<Expr> {
        let said = |error: &str| Expr::Literal(Some(Value::text(error)));
        let cases = self.errors.iter().flat_map(|(condition, error)| [condition.clone(), said(error)]);
        (!self.errors.is_empty()).then(|| Expr::Call(Function::Case, cases.collect()))
    }

    /// The value of a label.
    pub(super) fn label(&self, name: &str) -> Expr {
        if name == "__error__" {
            return self.error().unwrap_or(Expr::Literal(None));
        }
        if self.kept.as_ref().is_some_and(|kept| !kept.iter().any(|one| one == name)) {
            return Expr::Literal(None);
        }
        let spelled = spellings(name);
        if !self.has_objects || spelled.len() == 1 || name == "service_name" {
            return label::expr(name);
        }
        // Loki writes members of members, and keys with signs, as `a_b`; they are `a.b` here, and as they stand there.
        Expr::Call(Function::Coalesce, spelled.into_iter().map(|name| Expr::Field(name.into())).collect())
    }
}

/// Fields that Loki would call `name`: each of the first three `_` may be a point, of two a hyphen too.
fn spellings(name: &str) -> Vec<String> {
    let places: Vec<usize> = name.match_indices('_').map(|(at, _)| at).filter(|at| *at > 0).take(3).collect();
    let signs: &[char] = if places.len() > 2 { &['_', '.'] } else { &['_', '.', '-'] };
    let mut spelled = vec![name.to_owned()];
    for at in places {
        let with = |name: &String, sign: char| format!("{}{sign}{}", &name[..at], &name[at + 1..]);
        spelled =
            signs.iter().flat_map(|sign| spelled.iter().map(|name| with(name, *sign)).collect::<Vec<_>>()).collect();
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names_as_in_loki() {
        for (prefix, key, expected) in
            [("", "a", "a"), ("a", "b-c.d", "a_b_c_d"), ("", "9x", "_9x"), ("", " é ", "_"), ("a", "1", "a_1")]
        {
            assert_eq!(label_name(prefix, key), expected, "{prefix} {key}");
        }
        assert_eq!(spellings("a_b"), ["a_b", "a.b", "a-b"]);
        assert!(spellings("a_b_c").contains(&"a.b-c".to_owned()));
        assert_eq!(["__a", "a_b_c", "a_b_c_d_e"].map(|name| spellings(name).len()), [3, 9, 8]);
    }
}
