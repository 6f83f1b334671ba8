//! Calls of functions: which there are, how many arguments they take, and those of numbers, conditions and conversions.

use types::Value;

use super::EsqlError;
use super::aggregate::AGGREGATES;
use super::check::Checker;
use super::expression::of_double;
use super::kind::Kind;
use super::syntax::{Expression, Literal};
use super::typed::{self, Typed, call, literal};
use crate::error::{Span, nearest};
use crate::function::{DecimalFunction as D, Function, TypedFunction as T, WholeWidth};
use crate::plan::Expr;

/// The arguments of a call.
pub(super) struct Call<'c> {
    /// The name in small letters.
    pub(super) name: &'c str,
    pub(super) arguments: Vec<Typed>,
    pub(super) options: &'c [(String, Literal)],
    pub(super) span: Span,
}

/// Functions with the fewest and most arguments that they take.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("abs", 1, 1),
    ("acos", 1, 1),
    ("asin", 1, 1),
    ("atan", 1, 1),
    ("atan2", 2, 2),
    ("bit_length", 1, 1),
    ("bucket", 2, 4),
    ("byte_length", 1, 1),
    ("case", 2, 1_000),
    ("cbrt", 1, 1),
    ("ceil", 1, 1),
    ("cidr_match", 2, 1_000),
    ("coalesce", 1, 1_000),
    ("concat", 2, 1_000),
    ("contains", 2, 2),
    ("cos", 1, 1),
    ("cosh", 1, 1),
    ("date_diff", 3, 3),
    ("date_extract", 2, 2),
    ("date_format", 1, 2),
    ("date_parse", 1, 2),
    ("date_trunc", 2, 2),
    ("day_name", 1, 1),
    ("e", 0, 0),
    ("ends_with", 2, 2),
    ("exp", 1, 1),
    ("floor", 1, 1),
    ("from_base64", 1, 1),
    ("greatest", 1, 1_000),
    ("hypot", 2, 2),
    ("ip_prefix", 3, 3),
    ("kql", 1, 1),
    ("least", 1, 1_000),
    ("left", 2, 2),
    ("length", 1, 1),
    ("locate", 2, 3),
    ("log", 1, 2),
    ("log10", 1, 1),
    ("ltrim", 1, 1),
    ("match", 2, 2),
    ("match_phrase", 2, 2),
    ("md5", 1, 1),
    ("month_name", 1, 1),
    ("mv_append", 2, 2),
    ("mv_avg", 1, 1),
    ("mv_concat", 2, 2),
    ("mv_contains", 2, 2),
    ("mv_count", 1, 1),
    ("mv_dedupe", 1, 1),
    ("mv_first", 1, 1),
    ("mv_last", 1, 1),
    ("mv_max", 1, 1),
    ("mv_median", 1, 1),
    ("mv_min", 1, 1),
    ("mv_slice", 2, 3),
    ("mv_sort", 1, 2),
    ("mv_sum", 1, 1),
    ("now", 0, 0),
    ("pi", 0, 0),
    ("pow", 2, 2),
    ("qstr", 1, 1),
    ("repeat", 2, 2),
    ("replace", 3, 3),
    ("reverse", 1, 1),
    ("right", 2, 2),
    ("round", 1, 2),
    ("rtrim", 1, 1),
    ("sha256", 1, 1),
    ("signum", 1, 1),
    ("sin", 1, 1),
    ("sinh", 1, 1),
    ("space", 1, 1),
    ("split", 2, 2),
    ("sqrt", 1, 1),
    ("starts_with", 2, 2),
    ("substring", 2, 3),
    ("tan", 1, 1),
    ("tanh", 1, 1),
    ("tau", 0, 0),
    ("tbucket", 1, 1),
    ("to_bool", 1, 1),
    ("to_boolean", 1, 1),
    ("to_date", 1, 1),
    ("to_datetime", 1, 1),
    ("to_dbl", 1, 1),
    ("to_degrees", 1, 1),
    ("to_double", 1, 1),
    ("to_dt", 1, 1),
    ("to_int", 1, 1),
    ("to_integer", 1, 1),
    ("to_ip", 1, 1),
    ("to_long", 1, 1),
    ("to_lower", 1, 1),
    ("to_radians", 1, 1),
    ("to_str", 1, 1),
    ("to_string", 1, 1),
    ("to_upper", 1, 1),
    ("trim", 1, 1),
    ("url_decode", 1, 1),
];

/// Functions of Elasticsearch that are not supported.
const REFUSED: &[&str] = &[
    "absent_over_time",
    "avg_over_time",
    "categorize",
    "chunk",
    "clamp",
    "copy_sign",
    "count_distinct_over_time",
    "count_over_time",
    "day_of_week",
    "decay",
    "delta",
    "embedding",
    "first",
    "first_over_time",
    "first_over_time",
    "from_aggregate_metric_double",
    "hash",
    "idelta",
    "increase",
    "irate",
    "knn",
    "last",
    "last_over_time",
    "max_over_time",
    "median_absolute_deviation",
    "min_over_time",
    "multi_match",
    "mv_difference",
    "mv_intersection",
    "mv_median_absolute_deviation",
    "mv_percentile",
    "mv_pseries_weighted_sum",
    "mv_union",
    "mv_zip",
    "network_direction",
    "percentile_over_time",
    "range_max",
    "range_min",
    "range_within",
    "rate",
    "sample",
    "scalb",
    "score",
    "sha1",
    "st_centroid_agg",
    "st_contains",
    "st_disjoint",
    "st_distance",
    "st_envelope",
    "st_extent_agg",
    "st_geohash",
    "st_geohex",
    "st_geotile",
    "st_intersects",
    "st_npoints",
    "st_simplify",
    "st_within",
    "st_x",
    "st_y",
    "stddev_over_time",
    "sum_over_time",
    "term",
    "text_embedding",
    "to_aggregate_metric_double",
    "to_base64",
    "to_cartesianpoint",
    "to_cartesianshape",
    "to_date_nanos",
    "to_dateperiod",
    "to_dense_vector",
    "to_geohash",
    "to_geohex",
    "to_geopoint",
    "to_geoshape",
    "to_geotile",
    "to_ip_leading_zeros_decimal",
    "to_ip_leading_zeros_octal",
    "to_timeduration",
    "to_ul",
    "to_ulong",
    "to_unsigned_long",
    "to_ver",
    "to_version",
    "top_snippets",
    "trange",
    "url_encode",
    "url_encode_component",
    "v_cosine",
    "values_over_time",
    "variance_over_time",
];

impl Checker<'_> {
    /// A call.
    pub(super) fn call(
        &mut self,
        written: &str,
        arguments: &[Expression],
        has_star: bool,
        options: &[(String, Literal)],
        span: Span,
    ) -> Result<Typed, EsqlError> {
        let name = written.to_ascii_lowercase();
        if AGGREGATES.contains(&name.as_str()) {
            return self.aggregate(&name, arguments, has_star, span);
        }
        let Some((_, fewest, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            if REFUSED.contains(&name.as_str()) {
                return Err(self.verification(span, format!("the function [{written}] is not supported here")));
            }
            let known = FUNCTIONS.iter().map(|(known, ..)| *known).chain(AGGREGATES.iter().copied());
            let hint = nearest(&name, known).map(|near| format!(", did you mean [{near}]?")).unwrap_or_default();
            return Err(self.verification(span, format!("Unknown function [{written}]{hint}")));
        };
        if has_star || !(*fewest..=*most).contains(&arguments.len()) {
            let message = format!("error building [{name}]: expects {}", counted(*fewest, *most));
            return Err(self.parsing(span, message));
        }
        if !options.is_empty() && !matches!(name.as_str(), "match" | "match_phrase" | "qstr" | "kql") {
            return Err(self.parsing(span, format!("[{name}] takes no options")));
        }
        if matches!(name.as_str(), "match" | "match_phrase" | "qstr" | "kql") {
            return self.full_text(&name, arguments, options, span);
        }
        let arguments: Vec<Typed> =
            arguments.iter().map(|argument| self.expression(argument)).collect::<Result<_, _>>()?;
        let is_conversion = name.starts_with("to_");
        for argument in arguments.iter().filter(|_| !is_conversion) {
            self.supported(argument)?;
        }
        let call = Call { name: &name, arguments, options, span };
        let found = self.called(&call)?;
        Ok(Typed { span, ..found })
    }

    fn called(&mut self, call: &Call<'_>) -> Result<Typed, EsqlError> {
        debug_assert!(call.options.is_empty(), "refused before");
        if let Some(found) = self.conversion(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_numbers(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_texts(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_lists(call)? {
            return Ok(found);
        }
        if let Some(found) = self.of_dates(call)? {
            return Ok(found);
        }
        match call.name {
            "case" => self.case(call),
            "coalesce" => self.coalesce(call),
            "greatest" | "least" => self.extreme(call),
            name => Err(self.verification(call.span, format!("the function [{name}] is not supported here"))),
        }
    }

    fn conversion(&self, call: &Call<'_>) -> Result<Option<Typed>, EsqlError> {
        let kind = match call.name {
            "to_bool" | "to_boolean" => Kind::Boolean,
            "to_date" | "to_datetime" | "to_dt" => Kind::Date,
            "to_dbl" | "to_double" => Kind::Double,
            "to_int" | "to_integer" => Kind::Integer,
            "to_long" => Kind::Long,
            "to_ip" => Kind::Ip,
            "to_str" | "to_string" => Kind::Keyword,
            _ => return Ok(None),
        };
        self.converted(&call.arguments[0], kind, call.span).map(Some)
    }

    /// Refuses an argument that is of no type wanted.
    pub(super) fn demand(
        &self,
        call: &Call<'_>,
        at: usize,
        wanted: &str,
        is_wanted: fn(Kind) -> bool,
    ) -> Result<(), EsqlError> {
        let argument = &call.arguments[at];
        if argument.kind == Kind::Null || is_wanted(argument.kind) {
            return Ok(());
        }
        let place = match (call.arguments.len(), at) {
            (1, _) => "",
            (_, 0) => "first ",
            (_, 1) => "second ",
            (_, 2) => "third ",
            _ => "fourth ",
        };
        let message = format!(
            "{place}argument of [{}] must be [{wanted}], found value [{}] type [{}]",
            self.written(call.span),
            self.written(argument.span),
            argument.kind.written()
        );
        Err(self.verification(call.span, message))
    }

    /// A value that is made of the arguments.
    pub(super) fn made(&self, call: &Call<'_>, kind: Kind, expr: Expr) -> Typed {
        Typed::value(kind, expr, call.span).of(&call.arguments.iter().collect::<Vec<_>>())
    }

    /// The arguments as single values.
    pub(super) fn singles(call: &Call<'_>) -> Vec<Expr> {
        call.arguments.iter().map(Typed::single).collect()
    }

    fn of_numbers(&mut self, c: &Call<'_>) -> Result<Option<Typed>, EsqlError> {
        let constant = match c.name {
            "e" => Some(std::f64::consts::E),
            "pi" => Some(std::f64::consts::PI),
            "tau" => Some(std::f64::consts::TAU),
            _ => None,
        };
        if let Some(number) = constant {
            return Ok(Some(Typed::constant(Kind::Double, Some(Value::Float(number)), c.span)));
        }
        let function = match (c.name, c.arguments.len()) {
            ("abs" | "ceil" | "floor" | "round" | "signum", _) => return self.rounding(c).map(Some),
            ("sqrt", _) => D::SquareRoot,
            ("cbrt", _) => D::CubeRoot,
            ("exp", _) => D::Exponential,
            ("log", 1) => D::Logarithm,
            ("log", _) => D::LogarithmTo,
            ("log10", _) => D::LogarithmTo10,
            ("pow", _) => D::Power,
            ("sin", _) => D::Sine,
            ("cos", _) => D::Cosine,
            ("tan", _) => D::Tangent,
            ("asin", _) => D::InverseSine,
            ("acos", _) => D::InverseCosine,
            ("atan", _) => D::InverseTangent,
            ("atan2", _) => D::AngleOf,
            ("sinh", _) => D::HyperbolicSine,
            ("cosh", _) => D::HyperbolicCosine,
            ("tanh", _) => D::HyperbolicTangent,
            ("hypot", _) => D::Hypotenuse,
            ("to_degrees", _) => D::ToDegrees,
            ("to_radians", _) => D::ToRadians,
            _ => return Ok(None),
        };
        for at in 0..c.arguments.len() {
            self.demand(c, at, "numeric", Kind::is_number)?;
        }
        Ok(Some(self.made(c, Kind::Double, call(T::Decimal(function), Self::singles(c)))))
    }

    fn rounding(&self, c: &Call<'_>) -> Result<Typed, EsqlError> {
        self.demand(c, 0, "numeric", Kind::is_number)?;
        if c.arguments.len() > 1 {
            self.demand(c, 1, "whole number except unsigned_long or counter types", Kind::is_whole)?;
        }
        let kind = c.arguments[0].kind;
        let mut singles = Self::singles(c);
        if kind == Kind::Double {
            singles[0] = call(T::To(Kind::Double.typed()), vec![singles[0].clone()]);
        }
        let width = if kind == Kind::Integer { WholeWidth::Integer } else { WholeWidth::Long };
        Ok(match (c.name, kind) {
            ("signum", _) => self.made(c, Kind::Double, call(T::Sign, singles)),
            ("round", _) => self.made(c, kind, call(T::Round, singles)),
            ("abs", Kind::Integer | Kind::Long) => self.made(c, kind, call(T::AbsoluteWhole(width), singles)),
            (_, Kind::Integer | Kind::Long) => self.made(c, kind, singles.remove(0)),
            ("abs", _) => self.made(c, kind, call(T::Decimal(D::Absolute), singles)),
            ("ceil", _) => self.made(c, kind, call(T::Decimal(D::Ceil), singles)),
            _ => self.made(c, kind, call(T::Decimal(D::Floor), singles)),
        })
    }

    /// The type that several values have in common.
    fn common(&self, c: &Call<'_>, values: &[&Typed]) -> Result<Kind, EsqlError> {
        let mut kind = Kind::Null;
        for value in values {
            kind = match kind.common(value.kind) {
                Some(kind) => kind,
                None => {
                    let message = format!(
                        "argument of [{}] must be [{}], found value [{}] type [{}]",
                        self.written(c.span),
                        kind.written(),
                        self.written(value.span),
                        value.kind.written()
                    );
                    return Err(self.verification(c.span, message));
                }
            };
        }
        Ok(kind)
    }

    fn case(&self, c: &Call<'_>) -> Result<Typed, EsqlError> {
        let (pairs, otherwise) = c.arguments.as_chunks::<2>();
        for [condition, _] in pairs {
            if !matches!(condition.kind, Kind::Boolean | Kind::Null) {
                let message = format!(
                    "argument of [{}] must be [boolean], found value [{}] type [{}]",
                    self.written(c.span),
                    self.written(condition.span),
                    condition.kind.written()
                );
                return Err(self.verification(c.span, message));
            }
        }
        let values: Vec<&Typed> = pairs.iter().map(|[_, value]| value).chain(otherwise).collect();
        let kind = self.common(c, &values)?;
        let mut arguments: Vec<Expr> =
            pairs.iter().flat_map(|[condition, value]| [condition.holds(), value.expr()]).collect();
        arguments.push(otherwise.first().map_or(Expr::Literal(None), Typed::expr));
        let is_list = values.iter().any(|value| value.is_list);
        Ok(self.made(c, kind, Expr::Call(Function::Case, arguments)).several(is_list))
    }

    fn coalesce(&self, c: &Call<'_>) -> Result<Typed, EsqlError> {
        let values: Vec<&Typed> = c.arguments.iter().collect();
        let kind = self.common(c, &values)?;
        let is_list = values.iter().any(|value| value.is_list);
        let arguments = values.iter().map(|value| value.expr()).collect();
        Ok(self.made(c, kind, Expr::Call(Function::Coalesce, arguments)).several(is_list))
    }

    fn extreme(&self, c: &Call<'_>) -> Result<Typed, EsqlError> {
        let values: Vec<&Typed> = c.arguments.iter().collect();
        let kind = self.common(c, &values)?;
        let function = if c.name == "greatest" { T::Greatest(kind.typed()) } else { T::Least(kind.typed()) };
        // Of several values of an argument, the greatest or least.
        let arguments = values.iter().map(|value| of_double(value)).collect();
        if values.iter().any(|value| value.is_list) {
            let message = format!("[{}] of fields with several values is not supported", c.name.to_uppercase());
            return Err(self.verification(c.span, message));
        }
        Ok(self.made(c, kind, call(function, arguments)))
    }

    /// A whole number that must be a constant.
    pub(super) fn constant_whole(&self, c: &Call<'_>, at: usize) -> Result<i64, EsqlError> {
        match c.arguments[at].constant {
            Some(Some(Value::Integer(number))) => Ok(number),
            _ => {
                let message = format!(
                    "argument of [{}] must be a constant, received [{}]",
                    self.written(c.span),
                    self.written(c.arguments[at].span)
                );
                Err(self.verification(c.span, message))
            }
        }
    }

    /// A text that must be a constant.
    pub(super) fn constant_text(&self, c: &Call<'_>, at: usize) -> Result<String, EsqlError> {
        match &c.arguments[at].constant {
            Some(Some(Value::String(text))) => Ok(text.to_string()),
            _ => {
                let message = format!(
                    "[{}] that is no constant is not supported in [{}]",
                    self.written(c.arguments[at].span),
                    self.written(c.span)
                );
                Err(self.verification(c.span, message))
            }
        }
    }
}

fn counted(fewest: usize, most: usize) -> String {
    let word = |n: usize| ["no", "one", "two", "three", "four"].get(n).copied().unwrap_or("several");
    match (fewest, most) {
        (0, 0) => "no arguments".into(),
        (1, 1) => "exactly one argument".into(),
        (n, most) if n == most => format!("exactly {} arguments", word(n)),
        (n, most) if most >= 1_000 => format!("at least {} argument{}", word(n), if n == 1 { "" } else { "s" }),
        (n, most) => format!("{} to {} arguments", word(n), word(most)),
    }
}

/// A constant text.
pub(super) fn text(text: &str) -> Expr {
    literal(Value::text(text))
}

/// A condition that is missing where one of the arguments is.
pub(super) fn condition(value: Expr, span: Span) -> Typed {
    typed::Typed::value(Kind::Boolean, value, span)
}
