//! What filters and tests may do with a secret: carry it whole, or transform it in one of the ways that the agent knows.
//!
//! A plan holds a secret's token, so that a filter which looks into text would see the token and not the value: `upper`
//! would damage it, `length` would count the wrong characters. Such a filter fails instead.

use cc_agent::secret::Transform;
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};

use super::SecretValue;

/// How far secrets may go into a filter.
#[derive(Clone, Copy, PartialEq)]
enum Admits {
    /// As an argument, and anywhere in one.
    Anywhere,
    /// Only inside a list or mapping, whose items are carried whole.
    Inside,
    /// Neither as an argument nor as an item of one: items are compared.
    NotAsItem,
    /// Not at all.
    Nowhere,
}

/// Replaces the engine's filters and tests by ones that refuse secrets which they would damage.
pub(super) fn guard(env: &mut Environment<'static>) {
    for (admits, filters) in guarded_filters() {
        for (name, filter) in filters {
            env.remove_filter(name);
            env.add_filter(name, move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
                let arguments: Vec<Value> = arguments.0.into_iter().map(ValueOrKwargs::into_value).collect();
                check("filter", name, &arguments, admits)?;
                filter.call(state, &arguments)
            });
        }
    }
    for (name, test) in guarded_tests() {
        env.remove_test(name);
        env.add_test(name, move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            let arguments: Vec<Value> = arguments.0.into_iter().map(ValueOrKwargs::into_value).collect();
            check("test", name, &arguments, Admits::Inside)?;
            test.call(state, &arguments)
        });
    }
}

/// A filter that transforms a secret by its token and any other text by itself.
pub(super) fn add_transform(env: &mut Environment<'static>, transform: Transform, plain: fn(&str) -> String) {
    let name = transform.name();
    env.add_filter(name, move |value: Value| -> Result<Value, Error> {
        if let Some(secret) = SecretValue::of(&value) {
            return Ok(Value::from_object(secret.with(transform)));
        }
        if SecretValue::is_in(&value) {
            return Err(refusal(&format!(
                "the filter `{name}` can't be applied to text with a secret in it\n\
                 apply it to the secret alone, before it becomes part of the text: `{{{{ params.password | {name} }}}}`"
            )));
        }
        match value.as_str() {
            Some(text) => Ok(Value::from(plain(text))),
            None if value.is_number() => Ok(Value::from(plain(&value.to_string()))),
            None => Err(refusal(&format!("the filter `{name}` wants text, not a value of type {}", value.kind()))),
        }
    });
}

/// Fails when an argument is, or contains, a secret's token.
pub(super) fn refuse(name: &str, value: &Value) -> Result<(), Error> {
    check("filter", name, std::slice::from_ref(value), Admits::Nowhere)
}

fn check(what: &str, name: &str, arguments: &[Value], admits: Admits) -> Result<(), Error> {
    let refused = match admits {
        Admits::Anywhere => false,
        Admits::Inside => arguments.iter().any(SecretValue::is_in),
        Admits::NotAsItem => arguments.iter().any(SecretValue::is_in_list),
        Admits::Nowhere => arguments.iter().any(SecretValue::is_within),
    };
    if !refused {
        return Ok(());
    }
    Err(refusal(&format!(
        "the {what} `{name}` can't be applied to a secret\n\
         only the agent knows its value; it can apply `urlencode`, `b64encode`, `sha256`, `quote` and `to_json`"
    )))
}

pub(super) fn refusal(message: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.to_owned())
}

type Named = (&'static str, Value);

fn guarded_filters() -> [(Admits, Vec<Named>); 4] {
    macro_rules! table {
        ($($name:literal $filter:ident,)*) => { vec![$(($name, Value::from_function(filters::$filter))),*] };
    }
    [
        (
            Admits::Anywhere,
            table! {
                "safe" safe, "default" default, "d" default, "string" string, "bool" bool, "format" format,
            },
        ),
        (
            Admits::Inside,
            table! {
                "length" length, "count" length, "dictsort" dictsort, "items" items, "reverse" reverse, "join" join,
                "attr" attr, "first" first, "last" last, "list" list, "batch" batch, "slice" slice, "select" select,
                "reject" reject, "selectattr" selectattr, "rejectattr" rejectattr, "map" map, "groupby" groupby,
                "chain" chain, "zip" zip,
            },
        ),
        (
            Admits::NotAsItem,
            table! {
                "escape" escape, "e" escape, "lower" lower, "upper" upper, "title" title, "capitalize" capitalize,
                "replace" replace, "trim" trim, "split" split, "lines" lines, "round" round, "abs" abs, "int" int,
                "float" float, "min" min, "max" max, "sort" sort, "sum" sum, "indent" indent, "unique" unique,
            },
        ),
        (Admits::Nowhere, table! { "pprint" pprint, }),
    ]
}

fn guarded_tests() -> Vec<Named> {
    macro_rules! table {
        ($($($name:literal)* => $test:ident,)*) => { vec![$($(($name, Value::from_function(tests::$test)),)*)*] };
    }
    table! {
        "odd" => is_odd, "even" => is_even, "divisibleby" => is_divisibleby,
        "startingwith" => is_startingwith, "endingwith" => is_endingwith, "lower" => is_lower, "upper" => is_upper,
        "sameas" => is_sameas, "eq" "equalto" "==" => is_eq, "ne" "!=" => is_ne, "lt" "lessthan" "<" => is_lt,
        "le" "<=" => is_le, "gt" "greaterthan" ">" => is_gt, "ge" ">=" => is_ge, "in" => is_in,
    }
}
