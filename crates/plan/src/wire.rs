//! Serialized forms of compiled parts of a plan, for plans that are sent between the nodes of a fleet.
//!
//! What reads events and groups them can be written and read (`serde`); the operators that come after it, and queries
//! inside others, cannot: they stay with the node that was asked.

/// A compiled expression as its text, which holds all of its flags.
pub(crate) mod regex {
    use ::regex::Regex;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(regex: &Regex, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(regex.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
        Regex::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A template as what errors call it and its text.
pub(crate) mod template {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::template::Template;

    pub(crate) fn serialize<S: Serializer>(template: &Template, serializer: S) -> Result<S::Ok, S::Error> {
        (template.name, template.text()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        let (name, text) = <(String, String)>::deserialize(deserializer)?;
        let name = ["line", "label"].into_iter().find(|known| *known == name);
        let name = name.ok_or_else(|| D::Error::custom("a template is of a line or of a label"))?;
        Template::parse(name, &text).map_err(D::Error::custom)
    }
}

/// Alternatives as the list of their patterns.
pub(crate) mod alternatives {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::text_pattern::{Alternatives, TextPattern};

    pub(crate) fn serialize<S: Serializer>(of: &Arc<Alternatives>, serializer: S) -> Result<S::Ok, S::Error> {
        of.patterns.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Alternatives>, D::Error> {
        let patterns = Vec::<TextPattern>::deserialize(deserializer)?;
        Alternatives::new(patterns).map(Arc::new).ok_or_else(|| D::Error::custom("these are no alternatives"))
    }
}

/// A decimal number as its bits: read as text it might become a neighbour.
pub(crate) mod decimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(number.to_bits())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// A constant with its type; a decimal number as its bits.
pub(crate) mod literal {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use types::{Timestamp, Value};

    #[derive(Serialize, Deserialize)]
    enum Literal {
        String(Arc<str>),
        Integer(i64),
        Float(u64),
        Boolean(bool),
        Timestamp(i64),
        List(Vec<Option<Literal>>),
        Object(Vec<(Arc<str>, Option<Literal>)>),
    }

    impl From<&Value> for Literal {
        fn from(value: &Value) -> Self {
            let of = |value: &Option<Value>| value.as_ref().map(Self::from);
            match value {
                Value::String(text) => Self::String(text.clone()),
                Value::Integer(number) => Self::Integer(*number),
                Value::Float(number) => Self::Float(number.to_bits()),
                Value::Boolean(truth) => Self::Boolean(*truth),
                Value::Timestamp(time) => Self::Timestamp(time.0),
                Value::List(items) => Self::List(items.iter().map(of).collect()),
                Value::Object(members) => {
                    Self::Object(members.iter().map(|(name, value)| (name.clone(), of(value))).collect())
                }
            }
        }
    }

    impl From<Literal> for Value {
        fn from(literal: Literal) -> Self {
            let of = |literal: Option<Literal>| literal.map(Self::from);
            match literal {
                Literal::String(text) => Self::String(text),
                Literal::Integer(number) => Self::Integer(number),
                Literal::Float(bits) => Self::Float(f64::from_bits(bits)),
                Literal::Boolean(truth) => Self::Boolean(truth),
                Literal::Timestamp(nanos) => Self::Timestamp(Timestamp(nanos)),
                Literal::List(items) => Self::List(Arc::new(items.into_iter().map(of).collect())),
                Literal::Object(members) => {
                    Self::Object(Arc::new(members.into_iter().map(|(name, value)| (name, of(value))).collect()))
                }
            }
        }
    }

    pub(crate) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Literal::from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Ok(Option::<Literal>::deserialize(deserializer)?.map(Value::from))
    }
}
