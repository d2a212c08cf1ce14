//! What a resource needs beyond the types of its fields.

use serde_json::{Value, json};

/// A rule about the fields of a resource type.
pub(crate) struct ResourceRule {
    types: &'static [&'static str],
    pub(crate) need: Need,
    /// Why, or what to write.
    pub(crate) hint: &'static str,
}

/// Which fields go together. For what should be absent, none is needed.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    /// At least one of them.
    OneOf(&'static [&'static str]),
    /// At most one of two.
    NotBoth(&'static str, &'static str),
}

const RULES: &[ResourceRule] = &[
    ResourceRule {
        types: &["command"],
        need: Need::OneOf(&["creates", "unless", "changes"]),
        hint: "say when it has nothing to do: `creates: /path`, `unless: command`; or `changes: always`",
    },
    ResourceRule {
        types: &["command"],
        need: Need::OneOf(&["argv", "shell"]),
        hint: "write `argv: [program, argument]`, or `shell:` with a line for sh",
    },
    ResourceRule { types: &["command"], need: Need::NotBoth("argv", "shell"), hint: "keep one of them" },
    ResourceRule {
        types: &["service"],
        need: Need::OneOf(&["enabled", "running", "masked"]),
        hint: "say what should be: `enabled: true`, `running: true` or `masked: true`; only handlers restart and reload",
    },
    ResourceRule {
        types: &["symlink"],
        need: Need::OneOf(&["target"]),
        hint: "write `target:` with what the link points to",
    },
    ResourceRule {
        types: &["mount"],
        need: Need::OneOf(&["device"]),
        hint: "write `device:`, such as `UUID=…` or a device file",
    },
    ResourceRule { types: &["mount"], need: Need::OneOf(&["fstype"]), hint: "write `fstype:`, such as ext4" },
    ResourceRule {
        types: &["cron"],
        need: Need::OneOf(&["schedule"]),
        hint: "write `schedule:`, such as \"5 4 * * *\"",
    },
    ResourceRule { types: &["cron"], need: Need::OneOf(&["command"]), hint: "write `command:` with a line for sh" },
    ResourceRule { types: &["hosts_entry"], need: Need::OneOf(&["address"]), hint: "write `address:`" },
    ResourceRule { types: &["sysctl"], need: Need::OneOf(&["value"]), hint: "write `value:`" },
    ResourceRule { types: &["swap_file"], need: Need::OneOf(&["size"]), hint: "write `size:`, such as 2GiB" },
    ResourceRule { types: &["apt_repository"], need: Need::OneOf(&["uris"]), hint: "write `uris: [address]`" },
    ResourceRule { types: &["apt_repository"], need: Need::OneOf(&["suites"]), hint: "write `suites: [name]`" },
    ResourceRule { types: &["apt_repository"], need: Need::NotBoth("key", "key_source"), hint: "keep one of them" },
    ResourceRule {
        types: &["archive"],
        need: Need::OneOf(&["url"]),
        hint: "write `url:`; a folder of your own is sent with `tree:`",
    },
    ResourceRule {
        types: &["unit", "block"],
        need: Need::OneOf(&["content", "source"]),
        hint: "write `source:` with a template of the role, or the text itself as `content:`",
    },
    ResourceRule {
        types: &["file", "unit", "block"],
        need: Need::NotBoth("content", "source"),
        hint: "keep one of them",
    },
    ResourceRule {
        types: &["python_venv"],
        need: Need::OneOf(&["requirements", "source"]),
        hint: "write `source:` with a requirements or lock file, or its lines as `requirements:`",
    },
    ResourceRule { types: &["python_venv"], need: Need::NotBoth("requirements", "source"), hint: "keep one of them" },
];

impl ResourceRule {
    /// The rules of a resource type.
    pub(crate) fn of(type_name: &str) -> impl Iterator<Item = &'static Self> {
        RULES.iter().filter(move |rule| rule.is_about(type_name))
    }

    /// Whether it is a rule of this type.
    pub(crate) fn is_about(&self, type_name: &str) -> bool {
        self.types.contains(&type_name)
    }

    /// What is wrong with a resource that has these fields.
    pub(crate) fn violation(&self, has: impl Fn(&str) -> bool) -> Option<String> {
        match self.need {
            Need::OneOf(fields) if !fields.iter().any(|field| has(field)) => Some(match fields {
                [one] => format!("has no `{one}`"),
                _ => format!("has none of `{}`", fields.join("`, `")),
            }),
            Need::NotBoth(a, b) if has(a) && has(b) => Some(format!("has both `{a}` and `{b}`")),
            _ => None,
        }
    }

    /// The rule as a sentence.
    pub(crate) fn words(&self) -> String {
        match self.need {
            Need::OneOf([one]) => format!("Needs `{one}`."),
            Need::OneOf(fields) => format!("Needs one of `{}`.", fields.join("`, `")),
            Need::NotBoth(a, b) => format!("Not both `{a}` and `{b}`."),
        }
    }

    /// The rule in words of JSON Schema.
    pub(crate) fn schema(&self, has_state: bool) -> Value {
        let required = |field: &str| json!({"required": [field]});
        match self.need {
            Need::OneOf(fields) => {
                let mut choices: Vec<Value> = fields.iter().map(|field| required(field)).collect();
                if has_state {
                    choices.push(json!({"properties": {"state": {"const": "absent"}}, "required": ["state"]}));
                }
                json!({"anyOf": choices})
            }
            Need::NotBoth(a, b) => json!({"not": {"required": [a, b]}}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_speak_of_fields_that_exist() {
        let role = crate::schema::role();
        let entries = role["definitions"]["ResourceEntry"]["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
        for rule in RULES {
            for type_name in rule.types {
                let entry = entries.iter().find(|entry| entry["title"] == **type_name);
                let fields: &[&str] = match &rule.need {
                    Need::OneOf(fields) => fields,
                    Need::NotBoth(a, b) => &[a, b],
                };
                for field in fields {
                    assert!(entry.is_some_and(|entry| entry["properties"].get(field).is_some()), "{type_name}.{field}");
                }
            }
        }
    }
}
