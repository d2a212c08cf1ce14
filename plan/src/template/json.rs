//! From a template's value to JSON.

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Number};

use super::SecretValue;

/// A template's value as JSON: secrets become their tokens.
///
/// # Errors
/// A sentence for a person when the value, or one inside it, is undefined, a function, or a number that JSON has not.
pub fn to_json(value: &Value) -> Result<serde_json::Value, String> {
    use serde_json::Value as Json;
    Ok(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => Json::Number(number(value)?),
        ValueKind::String => Json::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => Json::Array(
            value.try_iter().map_err(|e| e.to_string())?.map(|item| to_json(&item)).collect::<Result<_, _>>()?,
        ),
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter().map_err(|e| e.to_string())? {
                let item = value.get_item(&key).map_err(|e| e.to_string())?;
                map.insert(key.to_string(), to_json(&item)?);
            }
            Json::Object(map)
        }
        ValueKind::Undefined => return Err("the value is undefined".to_owned()),
        kind => match value.downcast_object_ref::<SecretValue>() {
            Some(secret) => Json::String(secret.token()),
            None => return Err(format!("a value of type {kind} can't be used here")),
        },
    })
}

fn number(value: &Value) -> Result<Number, String> {
    if value.is_integer() {
        let whole = value.as_i64().map(Number::from);
        let large = || u64::try_from(value.clone()).ok().map(Number::from);
        whole.or_else(large).ok_or_else(|| format!("{value} is too large a number"))
    } else {
        let float = f64::try_from(value.clone()).map_err(|e| e.to_string())?;
        Number::from_f64(float).ok_or_else(|| format!("{value} is not a finite number"))
    }
}
