//! Params have types: what was written is checked and converted once, so that templates compute with numbers.

use cc_agent::resource::Mode;
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::quantity::{parse_bytes, parse_duration, parse_percent};
use crate::spec::role::ParamType;
use crate::template::SecretValue;

/// Converts a value to a param's type.
///
/// # Errors
/// What is wrong with the value, and what to write instead.
pub(crate) fn convert(kind: &ParamType, value: &Value) -> Result<Value, (String, String)> {
    accepted(kind, value).ok_or_else(|| {
        let (what, write) = wanted(kind);
        match kind {
            // What stands there may be the secret itself.
            ParamType::Secret => ("this is not a secret".to_owned(), write),
            ParamType::String if SecretValue::of(value).is_some() => {
                ("a secret is not text".to_owned(), "declare the param with `type: secret`".to_owned())
            }
            _ => (format!("{} is not {what}", shown(value)), write),
        }
    })
}

/// The value as templates see it; `None` when it is not of this type.
fn accepted(kind: &ParamType, value: &Value) -> Option<Value> {
    let text = value.as_str();
    let unchanged = |accepted: bool| accepted.then(|| value.clone());
    match kind {
        ParamType::String if value.is_integer() => Some(Value::from(value.to_string())),
        ParamType::String => unchanged(value.kind() == ValueKind::String),
        ParamType::Integer => integer(value).map(Value::from),
        ParamType::Number => unchanged(value.is_number()),
        ParamType::Boolean => unchanged(value.kind() == ValueKind::Bool),
        ParamType::Bytes => text.map_or_else(|| whole(value), |text| parse_bytes(text).ok()).map(Value::from),
        ParamType::Duration => text.map_or_else(|| whole(value), |text| parse_duration(text).ok()).map(Value::from),
        ParamType::Percent => {
            let share = match text {
                Some(text) => parse_percent(text).ok().map(f64::from),
                None => f64::try_from(value.clone()).ok(),
            };
            share.filter(|share| (0.0..=100.0).contains(share)).map(simplest)
        }
        ParamType::Mode => Some(Value::from(Mode::parse(text?).ok()?.to_string())),
        ParamType::Path => unchanged(text?.starts_with('/')),
        ParamType::Port => {
            let port = integer(value).or_else(|| text?.trim().parse().ok());
            port.filter(|port| (1..=65535).contains(port)).map(Value::from)
        }
        ParamType::Secret => SecretValue::of(value).map(Value::from_object),
        ParamType::List => unchanged(matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)),
        ParamType::Map => unchanged(value.kind() == ValueKind::Map),
        ParamType::Enum(known) => unchanged(known.iter().any(|known| Some(known.as_str()) == text)),
    }
}

/// What a type is called, and what to write.
fn wanted(kind: &ParamType) -> (&'static str, String) {
    let (what, write) = match kind {
        ParamType::String => ("text", "write it in quotes"),
        ParamType::Integer => ("a whole number", "write digits"),
        ParamType::Number => ("a number", "write a number without a unit"),
        ParamType::Boolean => ("true or false", "write `true` or `false`, without quotes"),
        ParamType::Bytes => ("a number of bytes", "write for example 512MiB or 2GB"),
        ParamType::Duration => ("a duration", "write for example 90s, 5m, 2h or 1d"),
        ParamType::Percent => ("a percentage from 0% to 100%", "write for example 25%"),
        ParamType::Mode => ("a file mode", "write octal digits in quotes, such as \"0640\""),
        ParamType::Path => ("an absolute path", "write a path that begins with `/`"),
        ParamType::Port => ("a port", "write a number from 1 to 65535"),
        ParamType::Secret => ("a secret", "write `{secret: name}`, never the value itself"),
        ParamType::List => ("a list", "write `[first, second]`"),
        ParamType::Map => ("a mapping", "write `{key: value}`"),
        ParamType::Enum(known) => return ("one of the accepted values", format!("write one of: {}", known.join(", "))),
    };
    (what, write.to_owned())
}

fn integer(value: &Value) -> Option<i64> {
    if !value.is_number() {
        return None;
    }
    if value.is_integer() {
        return value.as_i64();
    }
    let float = f64::try_from(value.clone()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction")]
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

/// A number rounded down: `host.memory * 0.25` is a float.
fn whole(value: &Value) -> Option<u64> {
    if !value.is_number() {
        return None;
    }
    let number = f64::try_from(value.clone()).ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "in range"
    )]
    (number >= 0.0 && number < u64::MAX as f64).then_some(number as u64)
}

fn simplest(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "at most 100")]
    if number.fract() == 0.0 { Value::from(number as i64) } else { Value::from(number) }
}

fn shown(value: &Value) -> String {
    match value.as_str() {
        _ if SecretValue::is_within(value) => "a secret".to_owned(),
        Some(text) => format!("`{text}`"),
        None if value.is_none() => "none".to_owned(),
        None if value.is_number() || value.kind() == ValueKind::Bool => {
            format!("`{}`", value.to_string().to_lowercase())
        }
        None => format!("a {}", value.kind()),
    }
}
