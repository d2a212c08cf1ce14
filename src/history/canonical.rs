//! One way only to write a JSON value, so that a digest of it means something.

use serde_json::Value;

/// The value without white space, the keys of every object in the order of their bytes.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            let pairs = fields.into_iter().map(|(key, value)| (Some(key), value));
            write_list(text, '{', pairs, '}');
        }
        Value::Array(items) => write_list(text, '[', items.iter().map(|item| (None, item)), ']'),
        // Scalars have one form, which serde_json writes.
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_list<'v>(
    text: &mut String,
    open: char,
    items: impl Iterator<Item = (Option<&'v String>, &'v Value)>,
    close: char,
) {
    text.push(open);
    for (index, (key, value)) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if let Some(key) = key {
            text.push_str(&Value::from(key.as_str()).to_string());
            text.push(':');
        }
        write(text, value);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_nothing_stands_between() {
        let value = json!({"b": [1, {"z": null, "a": "é\"\n"}], "a": {}, "B": -2, "c": []});
        assert_eq!(canonical(&value), r#"{"B":-2,"a":{},"b":[1,{"a":"é\"\n","z":null}],"c":[]}"#);
    }
}
