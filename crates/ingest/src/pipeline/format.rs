//! `parse`: fields out of a text of a known form.

use std::sync::Arc;

use parse::{ArrivalContext, EventParser, Extras, Grok, GrokError, GrokField, GrokType, PartValue, Parts, Shape};
use types::{Batch, BatchBuilder, Value};

use definition::{DefinitionError, Node, compile_regex, nearest};

/// How a text is read.
#[derive(Debug)]
pub(super) enum Format {
    /// A JSON object; nested ones become dotted names.
    Json,
    /// A log line of a form that has a name.
    Shape(Shape),
    /// What a grok pattern or the named groups of a regular expression find.
    Pattern(Grok),
}

/// Fields of a text.
pub(super) type Fields = Vec<(Arc<str>, Value)>;

impl Format {
    pub(super) fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        let text = node.name()?;
        if let Some(source) = text.strip_prefix("regex:") {
            // Errors of the plain expression are told better than those of what a pattern expands to.
            compile_regex(source).map_err(|problem| node.error(problem))?;
            return Grok::of_regex(source).map(Self::Pattern).map_err(|error| match error {
                GrokError::NamesNothing => node.error("this expression names no field, such as (?P<client>\\S+)"),
                other => node.error(other.to_string()),
            });
        }
        if let Some(source) = text.strip_prefix("grok:") {
            return Grok::new(source).map(Self::Pattern).map_err(|error| match error {
                GrokError::Unknown(name) => {
                    let names: Vec<&str> = Grok::patterns().collect();
                    let near = nearest(&name, &names);
                    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                    node.error(format!("there is no grok pattern {name}{hint}"))
                }
                other => node.error(other.to_string()),
            });
        }
        if text == "json" {
            return Ok(Self::Json);
        }
        if let Some(shape) = Shape::of_name(text) {
            return Ok(Self::Shape(shape));
        }
        let known: Vec<&str> = ["json", "common"].into_iter().chain(Shape::ALL.map(Shape::name)).collect();
        let near = nearest(text, &known).map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
        let known = known.join(", ");
        Err(node.error(format!("unknown format \"{text}\"; {near}known: {known}, grok:%{{…}}, regex:(?P<name>…)")))
    }

    /// Returns the fields of a text; `None` if it has another form.
    pub(super) fn read(&self, text: &str, received: &ArrivalContext<'_>) -> Option<Fields> {
        match self {
            Self::Json => json(text, received),
            Self::Shape(shape) => of_shape(*shape, text),
            Self::Pattern(grok) => {
                let mut fields = Vec::new();
                let found = grok.read(text, |field, text| fields.push((field.name.clone(), grok_value(field, text))));
                found.then_some(fields)
            }
        }
    }
}

fn grok_value(field: &GrokField, text: &str) -> Value {
    let number = match field.kind {
        GrokType::Text => None,
        GrokType::Integer => text.parse().ok().map(Value::Integer),
        GrokType::Float => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
    };
    number.unwrap_or_else(|| Value::text(text))
}

fn of_shape(shape: Shape, text: &str) -> Option<Fields> {
    let mut parts = Parts::default();
    if !shape.read(text, &mut parts) {
        return None;
    }
    let mut fields = Vec::with_capacity(parts.len());
    parts.each(text, |name, below, value| {
        let name = below.map_or_else(|| Arc::from(name), |below| format!("{name}.{below}").into());
        let value = match value {
            PartValue::Text(text) => Value::text(&*text),
            PartValue::Integer(number) => Value::Integer(number),
            PartValue::Float(number) => Value::Float(number),
            PartValue::Empty => Value::Object(Arc::default()),
        };
        fields.push((name, value));
    });
    Some(fields)
}

fn json(text: &str, received: &ArrivalContext<'_>) -> Option<Fields> {
    let mut parser = EventParser::new(*received);
    let mut builder = BatchBuilder::new();
    let event = parser.read_record(text.as_bytes()).ok()?;
    event.add_to(&Extras::default(), &mut builder);
    let batch: Batch = builder.finish();
    let of_name = |name: Arc<str>| {
        let value = batch.field(&name).value(0)?;
        Some((name, value))
    };
    Some(batch.field_names().into_iter().filter(|name| !name.starts_with('@')).filter_map(of_name).collect())
}
