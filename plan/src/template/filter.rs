//! The filters that configuration files need beside the engine's own.

use cc_agent::secret::{Token, Transform, contains_token, token};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::secret_filter::{add_transform, refusal, refuse};
use super::{SecretValue, to_json};

/// Every filter, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "bytes",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "dirname",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "quote",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha256",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "to_json",
    "to_yaml",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

/// Adds our filters.
pub(super) fn add(env: &mut Environment<'static>) {
    env.remove_filter("urlencode");
    add_transform(env, Transform::UrlEncode, urlencode);
    add_transform(env, Transform::Base64, |text| base64(text.as_bytes()));
    add_transform(env, Transform::Sha256, |text| hex(&Sha256::digest(text.as_bytes())));
    add_transform(env, Transform::Quote, quote);
    env.remove_filter("tojson");
    env.add_filter("tojson", json);
    env.add_filter("to_json", json);
    env.add_filter("to_yaml", yaml);
    env.add_filter("bytes", bytes);
    env.add_filter("basename", |path: Value| path_part("basename", &path, |p| p.rsplit('/').next().unwrap_or(p)));
    env.add_filter("dirname", |path: Value| {
        path_part("dirname", &path, |p| match p.rsplit_once('/') {
            Some(("", _)) => "/",
            Some((parent, _)) => parent,
            None => ".",
        })
    });
}

/// `bytes(unit)`: a number of bytes in this unit, rounded down. `kB` is 1000, `KiB` is 1024, and so on; note that what
/// PostgreSQL and Redis call `MB` is `MiB` here.
fn bytes(value: &Value, unit: &str) -> Result<i64, Error> {
    let size: i64 = match unit {
        "B" => 1,
        "kB" | "KB" => 1000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "TiB" => 1 << 40,
        _ => {
            return Err(refusal(&format!(
                "`{unit}` is not a unit of bytes\nwrite B, kB, KiB, MB, MiB, GB, GiB, TB or TiB"
            )));
        }
    };
    refuse("bytes", value)?;
    let number = f64::try_from(value.clone()).map_err(|_| {
        refusal(&format!("the filter `bytes` wants a number of bytes, not a value of type {}", value.kind()))
    })?;
    let whole = if value.is_integer() { value.as_i64() } else { None };
    #[expect(clippy::cast_possible_truncation, reason = "rounding down is what the filter promises")]
    Ok(whole.unwrap_or(number.floor() as i64).div_euclid(size))
}

/// JSON on one line, or with `indent` spaces a level. A secret in it becomes a JSON string on the host.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands keyword arguments over by value")]
fn json(value: &Value, indent: Option<usize>, kwargs: Kwargs) -> Result<Value, Error> {
    if let Some(secret) = SecretValue::of(value) {
        return Ok(Value::from_object(secret.with(Transform::Json)));
    }
    let indent = match indent {
        Some(indent) => Some(indent),
        None => kwargs.get::<Option<usize>>("indent")?,
    };
    kwargs.assert_all_used()?;
    let json = json_with_secrets("to_json", value)?;
    let Some(indent) = indent.filter(|indent| *indent > 0) else { return Ok(unquoted(&json.to_string())) };
    let spaces = " ".repeat(indent);
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
    serde::Serialize::serialize(&json, &mut serde_json::Serializer::with_formatter(&mut out, formatter))
        .map_err(|e| refusal(&e.to_string()))?;
    Ok(unquoted(&String::from_utf8(out).map_err(|e| refusal(&e.to_string()))?))
}

/// YAML in block style, ending with a newline. A secret in it becomes a string in double quotes on the host.
fn yaml(value: &Value) -> Result<Value, Error> {
    let json = json_with_secrets("to_yaml", value)?;
    serde_saphyr::to_string(&json).map(|text| unquoted(&text)).map_err(|e| refusal(&e.to_string()))
}

/// The value with every secret as a token that the agent makes a JSON string of.
fn json_with_secrets(filter: &str, value: &Value) -> Result<Json, Error> {
    fn quote(filter: &str, json: &mut Json) -> Result<(), Error> {
        match json {
            Json::String(text) if contains_token(text) => {
                let secret = SecretValue::of(&Value::from(text.as_str())).ok_or_else(|| {
                    refusal(&format!(
                        "the filter `{filter}` can't be applied to text with a secret in it\n\
                         give it the secret alone, as a value of its own"
                    ))
                })?;
                *text = secret.with(Transform::Json).token();
                Ok(())
            }
            Json::Array(items) => items.iter_mut().try_for_each(|item| quote(filter, item)),
            Json::Object(map) => map.values_mut().try_for_each(|item| quote(filter, item)),
            _ => Ok(()),
        }
    }
    let mut json = to_json(value).map_err(|why| refusal(&why))?;
    quote(filter, &mut json)?;
    Ok(json)
}

/// Takes the quotes around tokens away: the agent brings its own.
fn unquoted(text: &str) -> Value {
    if !contains_token(text) {
        return Value::from(text);
    }
    let mut unquoted = String::with_capacity(text.len());
    let mut after_secret = false;
    for piece in Token::split(text) {
        let is_secret = matches!(piece, Token::Secret(..));
        match piece {
            Token::Text(text) if after_secret => unquoted.push_str(text.strip_prefix('"').unwrap_or(text)),
            Token::Text(text) | Token::Broken(text) => unquoted.push_str(text),
            Token::Secret(name, transforms) => {
                unquoted.truncate(unquoted.trim_end_matches('"').len());
                unquoted.push_str(&token(name, &transforms));
            }
        }
        after_secret = is_secret;
    }
    Value::from(unquoted)
}

fn path_part(name: &str, path: &Value, part: impl Fn(&str) -> &str) -> Result<String, Error> {
    refuse(name, path)?;
    let text = path.as_str().ok_or_else(|| refusal(&format!("the filter `{name}` wants a path")))?;
    Ok(part(text.trim_end_matches('/')).to_owned())
}

fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Quotes for a POSIX shell; text that needs no quotes stays as it is.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%_-+=:,./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
