//! Values for the parameters of a query, as a request carries them.

use serde_json::Value as Json;

use super::syntax::Literal;

/// Values for `?` in a query, with names where they have some.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(Option<String>, Literal)>);

impl Parameters {
    /// Reads `params` of a request: values, or objects of a name and a value.
    pub fn read(json: &Json) -> Result<Self, String> {
        let Json::Array(items) = json else { return Err("[params] is no list".into()) };
        let mut found = Vec::new();
        for item in items {
            match item {
                Json::Object(members) => {
                    let mut members = members.iter();
                    let (Some((name, value)), None) = (members.next(), members.next()) else {
                        return Err("an object of [params] has one name and its value".into());
                    };
                    let value = match value {
                        Json::Object(inner) => match (inner.get("value"), inner.get("identifier")) {
                            (Some(value), None) if inner.len() == 1 => value,
                            (None, Some(name)) if inner.len() == 1 => name,
                            _ => return Err(format!("the parameter [{name}] is of a kind that is not supported")),
                        },
                        value => value,
                    };
                    found.push((Some(name.clone()), literal_of(value).ok_or("a parameter is no value")?));
                }
                value => found.push((None, literal_of(value).ok_or("a parameter is no value")?)),
            }
        }
        if found.iter().any(|(name, _)| name.is_some()) && found.iter().any(|(name, _)| name.is_none()) {
            return Err("named and unnamed parameters cannot be used together".into());
        }
        Ok(Self(found))
    }

    /// Returns the number of parameters.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the parameter at an index from 0.
    pub(super) fn at(&self, index: usize) -> Option<&Literal> {
        self.0.get(index).map(|(_, value)| value)
    }

    /// Returns the parameter of a name, or at a place from 1.
    pub(super) fn named(&self, name: &str) -> Option<&Literal> {
        if let Ok(place) = name.parse::<usize>() {
            return self.at(place.checked_sub(1)?);
        }
        self.0.iter().find(|(known, _)| known.as_deref() == Some(name)).map(|(_, value)| value)
    }
}

fn literal_of(json: &Json) -> Option<Literal> {
    Some(match json {
        Json::Null => Literal::Null,
        Json::Bool(truth) => Literal::Boolean(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Literal::Whole(number),
            None => Literal::Decimal(number.as_f64()?),
        },
        Json::String(text) => Literal::Text(text.clone()),
        Json::Array(items) => Literal::List(items.iter().map(literal_of).collect::<Option<_>>()?),
        Json::Object(_) => return None,
    })
}
