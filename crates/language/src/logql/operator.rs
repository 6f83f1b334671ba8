//! Operators between two results, and which series of them meet.

use pest::iterators::Pair;

use super::grammar::Rule;
use super::grouping::Grouping;

types::named! {
    /// Operators between numbers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum BinaryOperator {
        Add = "+",
        Subtract = "-",
        Multiply = "*",
        Divide = "/",
        Remainder = "%",
        Power = "^",
        Equal = "==",
        NotEqual = "!=",
        Greater = ">",
        GreaterOrEqual = ">=",
        Less = "<",
        LessOrEqual = "<=",
        And = "and",
        Or = "or",
        Unless = "unless",
    }
}

impl BinaryOperator {
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Power => 6,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
            Self::Add | Self::Subtract => 4,
            Self::And | Self::Unless => 2,
            Self::Or => 1,
            _ => 3,
        }
    }
}

/// Which series of two results meet, and what becomes of a comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct VectorMatching {
    /// Whether a comparison gives 0 or 1 instead of filtering.
    pub gives_bool: bool,
    /// Labels that must be equal; `None` is all of them.
    pub on: Option<Grouping>,
    /// The side on which several series may meet one of the other.
    pub many: Option<Side>,
    /// Labels that the series of that side take over from the other.
    pub taken: Vec<String>,
}

/// A side of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl VectorMatching {
    /// Reads `on (…)`, `ignoring (…)` and what may follow.
    pub(super) fn read(&mut self, pair: Pair<'_, Rule>) {
        let is_ignoring = pair.as_str().to_ascii_lowercase().starts_with("ignoring");
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::many_side => {
                    let is_left = part.as_str().eq_ignore_ascii_case("group_left");
                    self.many = Some(if is_left { Side::Left } else { Side::Right });
                }
                Rule::label_list => {
                    let labels = part.into_inner().filter(|part| part.as_rule() == Rule::label);
                    let labels: Vec<String> = labels.map(|label| label.as_str().to_owned()).collect();
                    match self.many {
                        Some(_) => self.taken = labels,
                        None if is_ignoring => self.on = Some(Grouping::Without(labels)),
                        None => self.on = Some(Grouping::By(labels)),
                    }
                }
                _ => {}
            }
        }
    }
}
