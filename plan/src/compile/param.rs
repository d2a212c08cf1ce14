//! Params have types: what was written is checked and converted once, so that templates compute with numbers.

use cc_agent::resource::Mode;
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::quantity::{parse_bytes, parse_duration, parse_percent};
use crate::spec::role::ParamType;
use crate::template::SecretValue;

/// Converts a value to a param's type; `none` stays none.
///
/// # Errors
/// What is wrong with the value, and what to write instead.
pub(crate) fn convert(kind: &ParamType, value: Value) -> Result<Value, (String, String)> {
    let shown = shown(&value);
    let wrong = |what: &str, write: &str| Err((format!("{shown} is not {what}"), write.to_owned()));
    let text = value.as_str();
    match kind {
        ParamType::String => match value.kind() {
            ValueKind::String => Ok(value),
            ValueKind::Number if value.is_integer() => Ok(Value::from(value.to_string())),
            _ if SecretValue::of(&value).is_some() => wrong("text", "declare the param with `type: secret`"),
            _ => wrong("text", "write it in quotes"),
        },
        ParamType::Integer => {
            integer(&value).map(Value::from).map_or_else(|| wrong("a whole number", "write digits"), Ok)
        }
        ParamType::Number => match f64::try_from(value.clone()) {
            Ok(_) if value.is_number() => Ok(value),
            _ => wrong("a number", "write a number without a unit"),
        },
        ParamType::Boolean => match value.kind() {
            ValueKind::Bool => Ok(value),
            _ => wrong("true or false", "write `true` or `false`, without quotes"),
        },
        ParamType::Bytes => {
            let bytes = text.map_or_else(|| whole(&value), |text| parse_bytes(text).ok());
            bytes.map(Value::from).map_or_else(|| wrong("a number of bytes", "write for example 512MiB or 2GB"), Ok)
        }
        ParamType::Duration => {
            let seconds = text.map_or_else(|| whole(&value), |text| parse_duration(text).ok());
            seconds.map(Value::from).map_or_else(|| wrong("a duration", "write for example 90s, 5m, 2h or 1d"), Ok)
        }
        ParamType::Percent => {
            let number = match text {
                Some(text) => parse_percent(text).ok().map(f64::from),
                None => f64::try_from(value.clone()).ok(),
            };
            match number {
                Some(number) if (0.0..=100.0).contains(&number) => Ok(simplest(number)),
                _ => wrong("a percentage from 0% to 100%", "write for example 25%"),
            }
        }
        ParamType::Mode => match text.map(Mode::parse) {
            Some(Ok(mode)) => Ok(Value::from(mode.to_string())),
            _ => wrong("a file mode", "write octal digits in quotes, such as \"0640\""),
        },
        ParamType::Path => match text {
            Some(path) if path.starts_with('/') => Ok(value),
            _ => wrong("an absolute path", "write a path that begins with `/`"),
        },
        ParamType::Port => match integer(&value).or_else(|| text?.trim().parse().ok()) {
            Some(port @ 1..=65535) => Ok(Value::from(port)),
            _ => wrong("a port", "write a number from 1 to 65535"),
        },
        ParamType::Secret => match SecretValue::of(&value) {
            Some(secret) => Ok(Value::from_object(secret)),
            None => {
                Err(("this is not a secret".to_owned(), "write `{secret: name}`, never the value itself".to_owned()))
            }
        },
        ParamType::List => match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => Ok(value),
            _ => wrong("a list", "write `[first, second]`"),
        },
        ParamType::Map => match value.kind() {
            ValueKind::Map => Ok(value),
            _ => wrong("a mapping", "write `{key: value}`"),
        },
        ParamType::Enum(known) => match text {
            Some(text) if known.iter().any(|known| known == text) => Ok(value),
            _ => wrong("one of the accepted values", &format!("write one of: {}", known.join(", "))),
        },
    }
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
