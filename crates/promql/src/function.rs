//! The functions of the language with their types.

/// Types of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Text,
    Vector,
    Matrix,
}

impl Kind {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Text => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Text => "string",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
        }
    }
}

/// A function's signature.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Types of the arguments; the last one repeats where `repeats` is set.
    pub(crate) args: &'static [Kind],
    /// Least number of arguments.
    pub(crate) least: usize,
    /// Greatest number of arguments.
    pub(crate) most: usize,
    pub(crate) returns: Kind,
    pub(crate) experimental: bool,
}

const MANY: usize = usize::MAX;

/// Returns the function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

macro_rules! functions {
    ($($name:ident($($arg:ident),*) $least:literal..$most:tt $returns:ident $($experimental:ident)?;)*) => {
        &[$(Function {
            name: stringify!($name),
            args: &[$(Kind::$arg),*],
            least: $least,
            most: $most,
            returns: Kind::$returns,
            experimental: functions!(@ $($experimental)?),
        }),*]
    };
    (@) => { false };
    (@ experimental) => { true };
}

/// In order of name.
static FUNCTIONS: &[Function] = functions! {
    abs(Vector) 1..1 Vector;
    absent(Vector) 1..1 Vector;
    absent_over_time(Matrix) 1..1 Vector;
    acos(Vector) 1..1 Vector;
    acosh(Vector) 1..1 Vector;
    asin(Vector) 1..1 Vector;
    asinh(Vector) 1..1 Vector;
    atan(Vector) 1..1 Vector;
    atanh(Vector) 1..1 Vector;
    avg_over_time(Matrix) 1..1 Vector;
    ceil(Vector) 1..1 Vector;
    changes(Matrix) 1..1 Vector;
    clamp(Vector, Scalar, Scalar) 3..3 Vector;
    clamp_max(Vector, Scalar) 2..2 Vector;
    clamp_min(Vector, Scalar) 2..2 Vector;
    cos(Vector) 1..1 Vector;
    cosh(Vector) 1..1 Vector;
    count_over_time(Matrix) 1..1 Vector;
    day_of_month(Vector) 0..1 Vector;
    day_of_week(Vector) 0..1 Vector;
    day_of_year(Vector) 0..1 Vector;
    days_in_month(Vector) 0..1 Vector;
    deg(Vector) 1..1 Vector;
    delta(Matrix) 1..1 Vector;
    deriv(Matrix) 1..1 Vector;
    double_exponential_smoothing(Matrix, Scalar, Scalar) 3..3 Vector experimental;
    end() 0..0 Scalar experimental;
    exp(Vector) 1..1 Vector;
    first_over_time(Matrix) 1..1 Vector;
    floor(Vector) 1..1 Vector;
    histogram_avg(Vector) 1..1 Vector;
    histogram_count(Vector) 1..1 Vector;
    histogram_fraction(Scalar, Scalar, Vector) 3..3 Vector;
    histogram_quantile(Scalar, Vector) 2..2 Vector;
    histogram_quantiles(Vector, Text, Scalar, Scalar) 3..12 Vector experimental;
    histogram_stddev(Vector) 1..1 Vector;
    histogram_stdvar(Vector) 1..1 Vector;
    histogram_sum(Vector) 1..1 Vector;
    hour(Vector) 0..1 Vector;
    idelta(Matrix) 1..1 Vector;
    increase(Matrix) 1..1 Vector;
    info(Vector, Vector) 1..2 Vector experimental;
    irate(Matrix) 1..1 Vector;
    label_join(Vector, Text, Text, Text) 3..MANY Vector;
    label_replace(Vector, Text, Text, Text, Text) 5..5 Vector;
    last_over_time(Matrix) 1..1 Vector;
    ln(Vector) 1..1 Vector;
    log10(Vector) 1..1 Vector;
    log2(Vector) 1..1 Vector;
    mad_over_time(Matrix) 1..1 Vector experimental;
    max_of(Scalar, Scalar) 2..2 Scalar experimental;
    max_over_time(Matrix) 1..1 Vector;
    min_of(Scalar, Scalar) 2..2 Scalar experimental;
    min_over_time(Matrix) 1..1 Vector;
    minute(Vector) 0..1 Vector;
    month(Vector) 0..1 Vector;
    pi() 0..0 Scalar;
    predict_linear(Matrix, Scalar) 2..2 Vector;
    present_over_time(Matrix) 1..1 Vector;
    quantile_over_time(Scalar, Matrix) 2..2 Vector;
    rad(Vector) 1..1 Vector;
    range() 0..0 Scalar experimental;
    rate(Matrix) 1..1 Vector;
    resets(Matrix) 1..1 Vector;
    round(Vector, Scalar) 1..2 Vector;
    scalar(Vector) 1..1 Scalar;
    sgn(Vector) 1..1 Vector;
    sin(Vector) 1..1 Vector;
    sinh(Vector) 1..1 Vector;
    sort(Vector) 1..1 Vector;
    sort_by_label(Vector, Text) 1..MANY Vector experimental;
    sort_by_label_desc(Vector, Text) 1..MANY Vector experimental;
    sort_desc(Vector) 1..1 Vector;
    sqrt(Vector) 1..1 Vector;
    start() 0..0 Scalar experimental;
    stddev_over_time(Matrix) 1..1 Vector;
    stdvar_over_time(Matrix) 1..1 Vector;
    step() 0..0 Scalar experimental;
    sum_over_time(Matrix) 1..1 Vector;
    tan(Vector) 1..1 Vector;
    tanh(Vector) 1..1 Vector;
    time() 0..0 Scalar;
    timestamp(Vector) 1..1 Vector;
    ts_of_first_over_time(Matrix) 1..1 Vector experimental;
    ts_of_last_over_time(Matrix) 1..1 Vector experimental;
    ts_of_max_over_time(Matrix) 1..1 Vector experimental;
    ts_of_min_over_time(Matrix) 1..1 Vector experimental;
    vector(Scalar) 1..1 Vector;
    year(Vector) 0..1 Vector;
};
