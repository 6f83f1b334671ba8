//! Functions of values whose types are known before a query runs. No user of ours writes them; ES|QL uses them.

use serde::{Deserialize, Serialize};

use crate::operator::ArithmeticOperator;

/// A function that is missing where an argument is missing, has several values (unless the function is about them) or
/// the result cannot be given in its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypedFunction {
    /// Stored values in a type: elements of lists one by one, one element for a list of one.
    As(TypedKind),
    /// The value where there is only one.
    Single,
    /// Whether a text is a JSON object as a whole.
    IsRecord,
    /// -1, 0 or 1, as the first text comes before, equals or comes after the second.
    CompareTexts,
    /// The same of addresses.
    CompareAddresses,
    /// A text that sorts as the text does byte by byte, and never reads as a number.
    TextKey,
    /// The text of such a key.
    TextOfKey,
    /// A text that sorts as an address does.
    AddressKey,
    /// The address of such a key.
    AddressOfKey,
    /// Arithmetic of whole numbers; no power.
    Whole(ArithmeticOperator, WholeWidth),
    /// Conversion of each value.
    To(TypedKind),
    /// A function of numbers with a decimal result: number, second operand.
    Decimal(DecimalFunction),
    /// Rounded to so many decimals: number, decimals.
    Round,
    /// The absolute value of a whole number.
    AbsoluteWhole(WholeWidth),
    /// -1, 0 or 1.
    Sign,
    /// The first characters: text, how many.
    Left,
    /// The last characters.
    Right,
    /// A part of a text from a character on, counted from 1 or from the end: text, start, length.
    Substring,
    /// Where a text is in another, from 1; 0 where it does not: text, part, start.
    Locate,
    /// The characters in the other order.
    Reverse,
    /// A text several times: text, how often.
    Repeat,
    /// A part of a text cut at a delimiter, as list.
    Split,
    /// A part of an instant, by the name of a `ChronoField`.
    DatePart(DatePart),
    /// An instant later by milliseconds: time, milliseconds.
    AddMilliseconds,
    /// An instant later by months: time, months.
    AddMonths,
    /// How many units lie between two instants: first, second.
    DateDifference(DateUnit),
    /// Whether an address lies in one of the blocks.
    IsInBlocks,
    /// The block that an address lies in: address, bits of version 4, bits of version 6.
    AddressPrefix,
    /// About the values of a list.
    List(ListFunction),
    /// The greatest of several values of a type.
    Greatest(TypedKind),
    /// The least.
    Least(TypedKind),
}

/// Types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypedKind {
    /// `true` and `false`.
    Boolean,
    /// Whole numbers of 32 bits.
    Integer,
    /// Whole numbers of 64 bits.
    Long,
    /// Decimal numbers.
    Double,
    /// Texts.
    Text,
    /// Instants in milliseconds.
    Date,
    /// Addresses, as text.
    Address,
}

/// Bits of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WholeWidth {
    /// 32.
    Integer,
    /// 64.
    Long,
}

types::named! {
    /// Functions with decimal results, by their names in ES|QL, where the logarithm has one name for both.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum DecimalFunction {
        /// Absolute value.
        Absolute = "abs",
        /// Least whole number not below.
        Ceil = "ceil",
        /// Greatest whole number not above.
        Floor = "floor",
        /// Square root.
        SquareRoot = "sqrt",
        /// Cube root.
        CubeRoot = "cbrt",
        /// e to the power.
        Exponential = "exp",
        /// Natural logarithm.
        Logarithm = "log",
        /// Logarithm to a base: base, number.
        LogarithmTo = "log of base",
        /// To base 10.
        LogarithmTo10 = "log10",
        /// Power: base, exponent.
        Power = "pow",
        /// Sine.
        Sine = "sin",
        /// Cosine.
        Cosine = "cos",
        /// Tangent.
        Tangent = "tan",
        /// Inverse sine.
        InverseSine = "asin",
        /// Inverse cosine.
        InverseCosine = "acos",
        /// Inverse tangent.
        InverseTangent = "atan",
        /// Angle of a point: y, x.
        AngleOf = "atan2",
        /// Hyperbolic sine.
        HyperbolicSine = "sinh",
        /// Hyperbolic cosine.
        HyperbolicCosine = "cosh",
        /// Hyperbolic tangent.
        HyperbolicTangent = "tanh",
        /// Length of a hypotenuse.
        Hypotenuse = "hypot",
        /// Radians as degrees.
        ToDegrees = "to_degrees",
        /// Degrees as radians.
        ToRadians = "to_radians",
    }
}

types::named! {
    /// Parts of instants, by their names of `ChronoField`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[expect(missing_docs, reason = "named as they are")]
    pub enum DatePart {
        Year = "year",
        MonthOfYear = "month_of_year",
        DayOfMonth = "day_of_month",
        DayOfYear = "day_of_year",
        DayOfWeek = "day_of_week",
        HourOfDay = "hour_of_day",
        MinuteOfHour = "minute_of_hour",
        MinuteOfDay = "minute_of_day",
        SecondOfMinute = "second_of_minute",
        SecondOfDay = "second_of_day",
        MilliOfSecond = "milli_of_second",
        MilliOfDay = "milli_of_day",
        EpochDay = "epoch_day",
        HourOfHalfDay = "hour_of_ampm",
        ClockHourOfHalfDay = "clock_hour_of_ampm",
        HalfOfDay = "ampm_of_day",
        Era = "era",
        ProlepticMonth = "proleptic_month",
        YearOfEra = "year_of_era",
        DayOfWeekInMonth = "aligned_day_of_week_in_month",
        DayOfWeekInYear = "aligned_day_of_week_in_year",
        WeekOfMonth = "aligned_week_of_month",
        WeekOfYear = "aligned_week_of_year",
        ClockHourOfDay = "clock_hour_of_day",
        NanoOfSecond = "nano_of_second",
        MicroOfSecond = "micro_of_second",
        MicroOfDay = "micro_of_day",
        NanoOfDay = "nano_of_day",
        InstantSeconds = "instant_seconds",
        OffsetSeconds = "offset_seconds",
    }
}

/// Units of differences of instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DateUnit {
    /// So many milliseconds.
    Milliseconds(i64),
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// So many calendar months.
    Months(i64),
}

/// Functions of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ListFunction {
    /// How many there are.
    Count,
    /// The first.
    First,
    /// The last.
    Last,
    /// The least, of numbers and times.
    Min,
    /// The greatest.
    Max,
    /// The least text.
    MinText,
    /// The greatest text.
    MaxText,
    /// The sum of whole numbers.
    SumWhole(WholeWidth),
    /// The sum of decimals.
    SumDecimal,
    /// The mean.
    Average,
    /// The value in the middle, as decimal.
    Median,
    /// The texts one after the other: values, separator.
    Join,
    /// Without repetitions.
    Distinct,
    /// In order.
    Sort,
    /// In the other order.
    SortDescending,
    /// From one place to another, counted from 0 or from the end.
    Slice,
    /// Both lists one after the other.
    Append,
    /// Whether a list has all values of another.
    Contains,
}
