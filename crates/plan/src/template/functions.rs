//! The functions that Loki adds to Go's: its own and those of sprig.

mod json;
mod numeric;
mod text;
mod time;

use data_encoding::BASE64;
use gotemplate::Body::{Matching, OfInput, Partial, Total};
use gotemplate::Parameter::{Any, Float, Integer, Text, Time};
use gotemplate::{Function, Value, title, url_encoded};

use self::numeric::{converted, decimal, fold, rounded, whole};
use super::cast::{to_float, to_integer};
use super::decimal::Operation;

/// All of them.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("__line__", &[], OfInput),
    Function::new("__timestamp__", &[], OfInput),
    Function::new("now", &[], OfInput),
    Function::new("ToLower", &[Text], Total(|of| of.text(0).to_lowercase().into())),
    Function::new("ToUpper", &[Text], Total(|of| of.text(0).to_uppercase().into())),
    Function::new("lower", &[Text], Total(|of| of.text(0).to_lowercase().into())),
    Function::new("upper", &[Text], Total(|of| of.text(0).to_uppercase().into())),
    Function::new("title", &[Text], Total(|of| title(of.text(0)).into())),
    Function::new(
        "Replace",
        &[Text, Text, Text, Integer],
        Partial(|of| text::replaced(of.text(0), of.text(1), of.text(2), of.integer(3))),
    ),
    Function::new("replace", &[Text, Text, Text], Partial(|of| text::replaced(of.text(2), of.text(0), of.text(1), -1))),
    Function::new("Trim", &[Text, Text], Total(|of| of.text(0).trim_matches(text::is_in(of.text(1))).into())),
    Function::new("TrimLeft", &[Text, Text], Total(|of| of.text(0).trim_start_matches(text::is_in(of.text(1))).into())),
    Function::new("TrimRight", &[Text, Text], Total(|of| of.text(0).trim_end_matches(text::is_in(of.text(1))).into())),
    Function::new("trimAll", &[Text, Text], Total(|of| of.text(1).trim_matches(text::is_in(of.text(0))).into())),
    Function::new("TrimPrefix", &[Text, Text], Total(|of| text::without_prefix(of.text(0), of.text(1)))),
    Function::new("TrimSuffix", &[Text, Text], Total(|of| text::without_suffix(of.text(0), of.text(1)))),
    Function::new("trimPrefix", &[Text, Text], Total(|of| text::without_prefix(of.text(1), of.text(0)))),
    Function::new("trimSuffix", &[Text, Text], Total(|of| text::without_suffix(of.text(1), of.text(0)))),
    Function::new("TrimSpace", &[Text], Total(|of| of.text(0).trim().into())),
    Function::new("trim", &[Text], Total(|of| of.text(0).trim().into())),
    Function::new("trunc", &[Integer, Text], Total(|of| text::truncated(of.integer(0), of.text(1)))),
    Function::new(
        "substr",
        &[Integer, Integer, Text],
        Partial(|of| text::substring(of.integer(0), of.integer(1), of.text(2))),
    ),
    Function::new("contains", &[Text, Text], Total(|of| of.text(1).contains(of.text(0)).into())),
    Function::new("hasPrefix", &[Text, Text], Total(|of| of.text(1).starts_with(of.text(0)).into())),
    Function::new("hasSuffix", &[Text, Text], Total(|of| of.text(1).ends_with(of.text(0)).into())),
    Function::new("indent", &[Integer, Text], Partial(|of| text::indented(of.integer(0), of.text(1), ""))),
    Function::new("nindent", &[Integer, Text], Partial(|of| text::indented(of.integer(0), of.text(1), "\n"))),
    Function::new("repeat", &[Integer, Text], Partial(|of| text::repeated(of.text(1), of.integer(0)).map(Value::from))),
    Function::new("alignLeft", &[Integer, Text], Partial(|of| text::aligned_left(of.integer(0), of.text(1)))),
    Function::new("alignRight", &[Integer, Text], Partial(|of| text::aligned_right(of.integer(0), of.text(1)))),
    Function::new(
        "regexReplaceAll",
        &[Text, Text, Text],
        Matching(|regex, of| {
            gotemplate::replaced(regex, of.text(1), |found, out| goregex::expand(found, of.text(2), out))
        }),
    ),
    Function::new(
        "regexReplaceAllLiteral",
        &[Text, Text, Text],
        Matching(|regex, of| gotemplate::replaced(regex, of.text(1), |_, out| out.push_str(of.text(2)))),
    ),
    Function::new(
        "count",
        &[Text, Text],
        Matching(|regex, of| Ok(Value::Integer(regex.find_iter(of.text(1)).count() as i64))),
    ),
    Function::new("urldecode", &[Text], Partial(|of| text::url_decoded(of.text(0)))),
    Function::new("urlencode", &[Text], Total(|of| url_encoded(of.text(0)).into())),
    Function::new("b64enc", &[Text], Total(|of| BASE64.encode(of.text(0).as_bytes()).into())),
    Function::new("b64dec", &[Text], Total(|of| text::base64_decoded(of.text(0)))),
    Function::new("bytes", &[Text], Partial(|of| converted("bytes", of.text(0)))),
    Function::new("duration", &[Text], Partial(|of| converted("duration", of.text(0)))),
    Function::new("duration_seconds", &[Text], Partial(|of| converted("duration_seconds", of.text(0)))),
    Function::new("unixEpoch", &[Time], Total(|of| of.time(0).units(1).to_string().into())),
    Function::new("unixEpochMillis", &[Time], Total(|of| of.time(0).units(1_000).to_string().into())),
    Function::new("unixEpochNanos", &[Time], Total(|of| of.time(0).units(1_000_000_000).to_string().into())),
    Function::new("unixToTime", &[Text], Partial(|of| time::of_unix(of.text(0)).map(Value::Time))),
    Function::new("toDate", &[Text, Text], Total(|of| time::parsed(of.text(0), of.text(1), "Local"))),
    Function::new("toDateInZone", &[Text, Text, Text], Total(|of| time::parsed(of.text(0), of.text(2), of.text(1)))),
    Function::new("date", &[Text, Any], Partial(time::date)),
    Function::variadic(
        "default",
        &[Any],
        Total(|of| of.get(1).filter(|given| given.is_true()).unwrap_or(&of[0]).clone()),
    ),
    Function::new("fromJson", &[Text], Total(|of| json::read(of.text(0)))),
    Function::new("int", &[Any], Total(|of| Value::Integer(to_integer(&of[0])))),
    Function::new("float64", &[Any], Total(|of| Value::Float(to_float(&of[0])))),
    Function::variadic("add", &[], Total(|of| Value::Long(of.iter().map(to_integer).fold(0, i64::wrapping_add)))),
    Function::new("sub", &[Any, Any], Partial(|of| whole(of, |a, b| Some(a.wrapping_sub(b))))),
    Function::variadic("mul", &[Any], Partial(|of| whole(of, |a, b| Some(a.wrapping_mul(b))))),
    Function::new("div", &[Any, Any], Partial(|of| whole(of, |a, b| (b != 0).then(|| a.wrapping_div(b))))),
    Function::new("mod", &[Any, Any], Partial(|of| whole(of, |a, b| (b != 0).then(|| a.wrapping_rem(b))))),
    Function::variadic("addf", &[], Partial(|of| decimal("addf", Operation::Add, of))),
    Function::variadic("subf", &[Any], Partial(|of| decimal("subf", Operation::Subtract, of))),
    Function::variadic("mulf", &[Any], Partial(|of| decimal("mulf", Operation::Multiply, of))),
    Function::variadic("divf", &[Any], Partial(|of| decimal("divf", Operation::Divide, of))),
    Function::variadic("max", &[Any], Partial(|of| whole(of, |a, b| Some(a.max(b))))),
    Function::variadic("min", &[Any], Partial(|of| whole(of, |a, b| Some(a.min(b))))),
    Function::variadic("maxf", &[Any], Total(|of| fold(of, f64::max))),
    Function::variadic("minf", &[Any], Total(|of| fold(of, f64::min))),
    Function::new("ceil", &[Any], Total(|of| Value::Float(to_float(&of[0]).ceil()))),
    Function::new("floor", &[Any], Total(|of| Value::Float(to_float(&of[0]).floor()))),
    Function { name: "round", parameters: &[Any, Integer], more: Some(Float), body: Total(rounded) },
];
