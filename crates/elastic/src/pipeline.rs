//! Pipelines: numbers of a histogram's buckets, computed from other numbers of the buckets.

use serde_json::{Map, Value as Json, json};

use super::operands::number;
use super::paths::{name_of, number_at};
use language::dsl::object;
use language::search_error::{Result, SearchError};

/// The names of pipelines.
pub(super) const PIPELINES: [&str; 5] = ["derivative", "cumulative_sum", "bucket_script", "moving_fn", "serial_diff"];

/// Deepest nesting of brackets in a script.
const NESTING_MAX: usize = 32;

/// Longest script in bytes.
const SCRIPT_BYTES_MAX: usize = 4_096;

/// Names in a script and their paths; a single path has an empty name.
pub(super) type Paths = Vec<(String, String)>;

/// A number of each bucket, computed from others.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    paths: Paths,
    kind: PipelineKind,
}

#[derive(Clone, Debug)]
enum PipelineKind {
    Derivative,
    CumulativeSum,
    Script(Term),
    Moving { function: MovingFunction, window: usize, shift: i64 },
    SerialDifference { lag: usize },
}

#[derive(Clone, Copy, Debug)]
enum MovingFunction {
    Average,
    LinearAverage,
    Sum,
    Min,
    Max,
    Deviation,
}

/// An arithmetic expression; true is 1, false is 0.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Number(f64),
    Parameter(String),
    Operation(char, Box<(Term, Term)>),
    Call(&'static str, Vec<Term>),
}

/// Reads a pipeline of one of the [`PIPELINES`].
pub(super) fn parse(kind: &str, body: &Json, at: &str) -> Result<Pipeline> {
    let members = object(body, at)?;
    let paths = paths_of(members, at)?;
    check_gaps(body, at)?;
    let window = number(members.get("window"), at)?.unwrap_or(5).max(1);
    let shift = members.get("shift").and_then(Json::as_i64).unwrap_or(0).clamp(-100_000, 100_000);
    let kind = match kind {
        "derivative" => match members.get("unit") {
            None | Some(Json::Null) => PipelineKind::Derivative,
            Some(_) => return Err(SearchError::parsing(at, "[unit] is not supported")),
        },
        "cumulative_sum" => PipelineKind::CumulativeSum,
        "serial_diff" => PipelineKind::SerialDifference { lag: number(members.get("lag"), at)?.unwrap_or(1).max(1) },
        "moving_fn" => {
            let source = script_of(members, at)?;
            PipelineKind::Moving { function: moving(source, at)?, window, shift }
        }
        _ => PipelineKind::Script(parse_script(script_of(members, at)?, at)?),
    };
    Ok(Pipeline { paths, kind })
}

/// Reads `buckets_path`.
pub(super) fn paths_of(members: &Map<String, Json>, at: &str) -> Result<Paths> {
    match members.get("buckets_path") {
        Some(Json::String(path)) => Ok(vec![(String::new(), path.clone())]),
        Some(Json::Object(paths)) => {
            let path = |(name, path): (&String, &Json)| Some((name.clone(), path.as_str()?.to_owned()));
            Ok(paths.iter().filter_map(path).collect())
        }
        _ => Err(SearchError::parsing(at, "needs a [buckets_path]")),
    }
}

/// Refuses gap policies that insert numbers.
pub(super) fn check_gaps(body: &Json, at: &str) -> Result<()> {
    match body.get("gap_policy").filter(|policy| *policy != "skip") {
        Some(policy) => {
            Err(SearchError::parsing(at, format!("gap_policy [{policy}] is not supported; only [skip] is")))
        }
        None => Ok(()),
    }
}

/// Returns the text of `script`.
pub(super) fn script_of<'j>(members: &'j Map<String, Json>, at: &str) -> Result<&'j str> {
    let source = match members.get("script") {
        Some(Json::String(source)) => Some(source.as_str()),
        Some(Json::Object(script)) => script.get("source").or_else(|| script.get("inline")).and_then(Json::as_str),
        _ => None,
    };
    match source {
        Some(source) if source.len() <= SCRIPT_BYTES_MAX => Ok(source),
        Some(_) => Err(SearchError::parsing(at, format!("[script] is longer than {SCRIPT_BYTES_MAX} bytes"))),
        None => Err(SearchError::parsing(at, "needs a [script]")),
    }
}

fn moving(source: &str, at: &str) -> Result<MovingFunction> {
    let call: String = source.chars().filter(|c| !c.is_whitespace() && *c != ';').collect();
    let function = call.strip_prefix("return").unwrap_or(&call).strip_prefix("MovingFunctions.");
    match function.and_then(|function| function.split('(').next()) {
        Some("unweightedAvg") => Ok(MovingFunction::Average),
        Some("linearWeightedAvg") => Ok(MovingFunction::LinearAverage),
        Some("sum") => Ok(MovingFunction::Sum),
        Some("min") => Ok(MovingFunction::Min),
        Some("max") => Ok(MovingFunction::Max),
        Some("stdDev") => Ok(MovingFunction::Deviation),
        _ => {
            let message = format!(
                "script [{source}] is not supported; MovingFunctions.unweightedAvg, linearWeightedAvg, sum, min, max and stdDev are"
            );
            Err(SearchError::parsing(at, message))
        }
    }
}

impl Pipeline {
    /// Returns the aggregations whose numbers the pipeline reads.
    pub(super) fn needs(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|(_, path)| name_of(path))
    }

    /// Adds the number to each bucket, in the order of the buckets.
    pub(super) fn apply(&self, name: &str, buckets: &mut [&mut Map<String, Json>]) {
        let path = self.paths.first().map(|(_, path)| path.as_str()).unwrap_or_default();
        let values: Vec<Option<f64>> = buckets.iter().map(|bucket| number_at(bucket, path)).collect();
        let results: Vec<Option<f64>> = match &self.kind {
            PipelineKind::Derivative => derivative(&values),
            PipelineKind::CumulativeSum => {
                let mut sum = 0.0;
                let add = |value: &Option<f64>| {
                    sum += value.unwrap_or(0.0);
                    Some(sum)
                };
                values.iter().map(add).collect()
            }
            PipelineKind::Script(term) => {
                buckets.iter().map(|bucket| value_of_script(term, &self.paths, bucket)).collect()
            }
            PipelineKind::Moving { function, window, shift } => {
                let window_of = |at: usize| {
                    let place =
                        |offset: i64| usize::try_from((at as i64 + offset).max(0)).unwrap_or(0).min(values.len());
                    let (from, to) = (place(shift - *window as i64), place(*shift));
                    let known: Vec<f64> =
                        values.get(from..to.max(from)).unwrap_or_default().iter().flatten().copied().collect();
                    function.of(&known)
                };
                values.iter().enumerate().map(|(at, value)| value.and_then(|_| window_of(at))).collect()
            }
            PipelineKind::SerialDifference { lag } => {
                let before = |at: usize| at.checked_sub(*lag).and_then(|before| values.get(before).copied().flatten());
                values.iter().enumerate().map(|(at, value)| Some((*value)? - before(at)?)).collect()
            }
        };
        for (bucket, result) in buckets.iter_mut().zip(results) {
            if let Some(result) = result.filter(|result| result.is_finite()) {
                bucket.insert(name.to_owned(), json!({"value": result}));
            }
        }
    }
}

/// Evaluates a script in a bucket; `None` if a number is missing.
pub(super) fn value_of_script(script: &Term, paths: &Paths, bucket: &Map<String, Json>) -> Option<f64> {
    let parameter = |name: &str| {
        let (_, path) = paths.iter().find(|(known, _)| known == name)?;
        number_at(bucket, path)
    };
    let has_all = paths.iter().all(|(_, path)| number_at(bucket, path).is_some());
    has_all.then(|| script.value(&parameter)).flatten()
}

fn derivative(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut before = None;
    let step = |value: &Option<f64>| {
        let value = (*value)?;
        let difference = before.map(|before: f64| value - before);
        before = Some(value);
        difference
    };
    values.iter().map(step).collect()
}

impl MovingFunction {
    fn of(self, values: &[f64]) -> Option<f64> {
        let n = values.len() as f64;
        let sum: f64 = values.iter().sum();
        if values.is_empty() {
            return matches!(self, Self::Sum).then_some(0.0);
        }
        Some(match self {
            Self::Average => sum / n,
            Self::LinearAverage => {
                let weighted: f64 = values.iter().enumerate().map(|(at, value)| (at + 1) as f64 * value).sum();
                weighted / (n * (n + 1.0) / 2.0)
            }
            Self::Sum => sum,
            Self::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Deviation => (values.iter().map(|value| (value - sum / n).powi(2)).sum::<f64>() / n).sqrt(),
        })
    }
}

/// Functions of scripts and the number of their arguments.
const FUNCTIONS: [(&str, usize); 9] =
    [("abs", 1), ("floor", 1), ("ceil", 1), ("round", 1), ("sqrt", 1), ("log", 1), ("max", 2), ("min", 2), ("pow", 2)];

/// Parses a script: `params.a / params.b * 100`, `params.a > 5 && params.b <= 2`.
pub(super) fn parse_script(source: &str, at: &str) -> Result<Term> {
    let mut script = Script { rest: source.trim().trim_end_matches(';') };
    let term = script.alternatives(0).filter(|_| script.rest.trim().is_empty());
    let message = || {
        format!(
            "script [{source}] is not supported: it may hold params.NAME, numbers, + - * / % ( ), comparisons, && || and functions of Math"
        )
    };
    term.ok_or_else(|| SearchError::parsing(at, message()))
}

struct Script<'a> {
    rest: &'a str,
}

impl Script<'_> {
    fn take(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    /// Consumes one of several operators, the first that matches.
    fn sign(&mut self, signs: &[(&str, char)]) -> Option<char> {
        let rest = self.rest.trim_start();
        let (written, sign) = signs.iter().find(|(written, _)| rest.starts_with(written))?;
        self.rest = &rest[written.len()..];
        Some(*sign)
    }

    /// Reads terms of the next level with the operators of `signs` between them.
    fn chain(
        &mut self,
        signs: &[(&str, char)],
        nesting: usize,
        next: fn(&mut Self, usize) -> Option<Term>,
    ) -> Option<Term> {
        let mut term = next(self, nesting)?;
        while let Some(sign) = self.sign(signs) {
            term = Term::Operation(sign, Box::new((term, next(self, nesting)?)));
        }
        Some(term)
    }

    fn alternatives(&mut self, nesting: usize) -> Option<Term> {
        self.chain(&[("||", '|')], nesting, Self::conjunction)
    }

    fn conjunction(&mut self, nesting: usize) -> Option<Term> {
        self.chain(&[("&&", '&')], nesting, Self::comparison)
    }

    fn comparison(&mut self, nesting: usize) -> Option<Term> {
        let term = self.sum(nesting)?;
        let signs = [(">=", '≥'), ("<=", '≤'), ("==", '='), ("!=", '≠'), (">", '>'), ("<", '<')];
        match self.sign(&signs) {
            Some(sign) => Some(Term::Operation(sign, Box::new((term, self.sum(nesting)?)))),
            None => Some(term),
        }
    }

    fn sum(&mut self, nesting: usize) -> Option<Term> {
        self.chain(&[("+", '+'), ("-", '-')], nesting, Self::product)
    }

    fn product(&mut self, nesting: usize) -> Option<Term> {
        self.chain(&[("*", '*'), ("/", '/'), ("%", '%')], nesting, Self::factor)
    }

    fn factor(&mut self, nesting: usize) -> Option<Term> {
        if nesting > NESTING_MAX {
            return None;
        }
        if self.take('-').is_some() {
            return Some(Term::Operation('-', Box::new((Term::Number(0.0), self.factor(nesting + 1)?))));
        }
        if self.take('(').is_some() {
            let inner = self.alternatives(nesting + 1)?;
            return self.take(')').map(|_| inner);
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if let Some(name) = word.strip_prefix("params.") {
            return Some(Term::Parameter(name.to_owned()));
        }
        if let Some(name) = word.strip_prefix("Math.") {
            let (name, n_arguments) = FUNCTIONS.iter().find(|(known, _)| *known == name)?;
            self.take('(')?;
            let mut arguments = vec![self.sum(nesting + 1)?];
            while self.take(',').is_some() {
                arguments.push(self.sum(nesting + 1)?);
            }
            self.take(')')?;
            return (arguments.len() == *n_arguments).then_some(Term::Call(name, arguments));
        }
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return word.parse().ok().map(Term::Number);
        }
        // Older scripts have names without `params`.
        (!word.is_empty() && !word.contains('.')).then(|| Term::Parameter(word.to_owned()))
    }
}

impl Term {
    fn value(&self, parameter: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Self::Number(number) => *number,
            Self::Parameter(name) => parameter(name)?,
            Self::Operation(sign, sides) => {
                let (a, b) = (sides.0.value(parameter)?, sides.1.value(parameter)?);
                let truth = |is_true: bool| f64::from(u8::from(is_true));
                match sign {
                    '&' => truth(a != 0.0 && b != 0.0),
                    '|' => truth(a != 0.0 || b != 0.0),
                    '≥' => truth(a >= b),
                    '≤' => truth(a <= b),
                    '>' => truth(a > b),
                    '<' => truth(a < b),
                    '=' => truth(a == b),
                    '≠' => truth(a != b),
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    '/' => a / b,
                    _ => a % b,
                }
            }
            Self::Call(name, arguments) => {
                let values: Vec<f64> = arguments.iter().map(|one| one.value(parameter)).collect::<Option<_>>()?;
                match (*name, values.as_slice()) {
                    ("abs", [a]) => a.abs(),
                    ("floor", [a]) => a.floor(),
                    ("ceil", [a]) => a.ceil(),
                    ("round", [a]) => a.round(),
                    ("sqrt", [a]) => a.sqrt(),
                    ("log", [a]) => a.ln(),
                    ("max", [a, b]) => a.max(*b),
                    ("min", [a, b]) => a.min(*b),
                    ("pow", [a, b]) => a.powf(*b),
                    _ => return None,
                }
            }
        })
    }
}
