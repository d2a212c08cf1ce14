//! The values as people edit them: YAML of `name: value`. No error about it holds any of its text.

use std::collections::BTreeMap;
use std::fmt::Write;

use cc_agent::secret::Secret;
use serde_saphyr::Error as YamlError;
use zeroize::Zeroizing;

use super::document::{Pairs, line, yaml_options};
use super::name::Name;
use super::problem::Problem;
use super::unlocked::unusable;

/// Values by name.
pub(super) type Values = BTreeMap<Name, Secret<String>>;

/// The text that the editor opens.
pub(super) fn write(environment: &str, values: &Values) -> Zeroizing<String> {
    // As large as it can get, so that growing leaves no copies of it in memory.
    let size: usize = values.iter().map(|(name, value)| name.as_str().len() + 6 * value.expose().len() + 16).sum();
    let mut text = Zeroizing::new(String::with_capacity(size + 1024));
    #[expect(clippy::expect_used, reason = "writing to a String cannot fail")]
    put(&mut text, environment, values).expect("a String takes everything");
    text
}

fn put(text: &mut String, environment: &str, values: &Values) -> std::fmt::Result {
    writeln!(
        text,
        "# The secrets of `{environment}`. Save and close the editor: they are sealed, and this file is wiped.\n\
         # One secret a line, its value in quotes: name: \"value\" (within them \\\" is a quote, \\\\ a backslash).\n\
         # Several lines: name: | and then each line indented by two spaces.\n\
         # To remove a secret, delete its line. To change nothing, close without saving.\n"
    )?;
    for (name, value) in values {
        let value = value.expose();
        if is_block(value) {
            // `|` ends with one newline, `|-` with none, `|+` with all that are there.
            let chomp = if !value.ends_with('\n') {
                "-"
            } else if value.ends_with("\n\n") {
                "+"
            } else {
                ""
            };
            writeln!(text, "{name}: |{chomp}")?;
            for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
                writeln!(text, "{}{line}", if line.is_empty() { "" } else { "  " })?;
            }
        } else {
            write!(text, "{name}: ")?;
            quote(text, value)?;
            writeln!(text)?;
        }
    }
    Ok(())
}

/// Whether a value reads best, and reads back exactly, as lines below its name.
fn is_block(value: &str) -> bool {
    let plain =
        |c: char| c == '\n' || matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}') && !matches!(c, '\u{2028}' | '\u{2029}');
    value.trim_end_matches('\n').contains('\n')
        && !value.starts_with([' ', '\n'])
        && value.chars().all(plain)
        && value.lines().all(|line| line.is_empty() || line.trim_start() == line || !line.trim().is_empty())
}

/// A double-quoted scalar: everything that is not plain text as an escape.
fn quote(text: &mut String, value: &str) -> std::fmt::Result {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => write!(text, "\\{c}")?,
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            ' '..='~' => text.push(c),
            c if c.is_alphanumeric() => text.push(c),
            c if u32::from(c) <= 0xff => write!(text, "\\x{:02x}", u32::from(c))?,
            c if u32::from(c) <= 0xffff => write!(text, "\\u{:04x}", u32::from(c))?,
            c => write!(text, "\\U{:08x}", u32::from(c))?,
        }
    }
    text.push('"');
    Ok(())
}

/// What was edited, or everything that is wrong with it.
pub(super) fn read(text: &str) -> Result<Values, Vec<Problem>> {
    let pairs: Option<Pairs> =
        serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| vec![yaml(&error)])?;
    let mut values = Values::new();
    let mut problems = Vec::new();
    for (key, value) in pairs.map(|pairs| pairs.0).unwrap_or_default() {
        let at = line(&value);
        let value = Secret::new(value.value);
        let Ok(name) = key.parse::<Name>() else {
            let what = "what stands before the colon cannot be the name of a secret";
            problems
                .push(Problem::error(at, what).hint("names are lower-case letters, digits and `_`, a letter first"));
            continue;
        };
        if let Some(reason) = unusable(value.expose()) {
            problems.push(Problem::error(at, format!("the value of `{name}` {reason}")));
        }
        if values.contains_key(&name) {
            problems.push(Problem::error(at, format!("`{name}` is there twice")).hint("delete one of the two"));
        }
        values.insert(name, value);
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn yaml(error: &YamlError) -> Problem {
    let at = error.location().map(|location| usize::try_from(location.line()).unwrap_or(usize::MAX));
    let at = at.filter(|line| *line > 0);
    match error.without_snippet() {
        YamlError::NullIntoString { .. } => {
            Problem::error(at, "a name has no value").hint("to remove a secret, delete its line")
        }
        YamlError::Unexpected { .. } | YamlError::SerdeInvalidType { .. } => {
            Problem::error(at, "a value is not text, or the file is no list of `name: value`")
                .hint("put values in quotes: name: \"value\"")
        }
        _ => Problem::error(at, "not YAML of `name: value`")
            .hint("put values in quotes: name: \"value\"; write \\\" and \\\\ for a quote and a backslash in them"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), Secret::new((*value).to_owned()))).collect()
    }

    fn back(text: &str) -> Vec<(String, String)> {
        let values = read(text).unwrap();
        values.iter().map(|(name, value)| (name.to_string(), value.expose().clone())).collect()
    }

    fn problem(text: &str) -> String {
        read(text).err().unwrap().iter().map(|problem| format!("{problem}; ")).collect()
    }

    #[test]
    fn values_stand_there_as_people_expect() {
        let text = write(
            "prod",
            &values(&[("a", "x \"y\" \\ #z: é"), ("key", "-----BEGIN\nabc\n-----END\n"), ("two", "a\nb")]),
        );
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            ["", r#"a: "x \"y\" \\ #z: é""#, "key: |", "  -----BEGIN", "  abc", "  -----END", "two: |-", "  a", "  b"]
        );
    }

    #[test]
    fn unquoted_values_are_taken_as_they_stand() {
        let pairs = back("port: 0123\nflag: yes\nhex: 0x1F\ndate: 2024-01-01\nnumber: 1_000\n");
        let expected =
            [("date", "2024-01-01"), ("flag", "yes"), ("hex", "0x1F"), ("number", "1_000"), ("port", "0123")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_empty_sheet_has_no_secrets() {
        assert!(back("").is_empty());
        assert!(back("# nothing\n").is_empty());
        assert!(back(&write("prod", &Values::new())).is_empty());
    }

    #[test]
    fn mistakes_are_told_by_line_and_without_the_text() {
        for (text, expected) in [
            ("a: \"x\"\nb: hunter2: x\n", "line 2: not YAML"),
            ("a: \"hunter2\n", "line 2: not YAML"),
            ("a: x\nb:\n", "line 2: a name has no value"),
            ("a: x\nb: [hunter2]\n", "line 2: a value is not text"),
            ("a: x\nb: {c: hunter2}\n", "line 2: a value is not text"),
            ("- hunter2\n", "line 1: a value is not text"),
            ("hunter2\n", "line 1: a value is not text"),
            (
                "a: x\nHunter2: y\nb: \"\"\na: z\n",
                "line 2: what stands before the colon cannot be the name of a secret; line 3: the value of `b` is empty",
            ),
            ("a: x\na: z\n", "line 2: `a` is there twice"),
            ("a: &x hunter2\nb: *y\n", "line 1: not YAML"),
            ("a: x\nb: &c hunter2\n", "line 2: not YAML"),
            ("a: x\nb: !c hunter2\n", "line 2: not YAML"),
            ("a: x\nb: @hunter2\n", "line 2: not YAML"),
            ("<<: {a: hunter2}\n", "line 1: not YAML"),
        ] {
            let said = problem(text);
            assert!(said.starts_with(expected), "{text:?}: {said}");
            assert!(!said.to_lowercase().contains("hunter2"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn every_value_reads_back(
            one in "[^\u{0}\u{E000}\u{E001}]{1,80}",
            two in "([ -~]{0,12}\n){1,6}[ -~]{0,5}",
            three in "[ \\t\n:#\"'|>%@`{}\\[\\],&*!?a-c\\\\-]{1,30}",
        ) {
            let before = [("one", one.as_str()), ("three", three.as_str()), ("two", two.as_str())];
            let text = write("prod", &values(&before));
            prop_assert_eq!(back(&text), before.map(|(name, value)| (name.to_owned(), value.to_owned())), "{}", *text);
        }
    }
}
