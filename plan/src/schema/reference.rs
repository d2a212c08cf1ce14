//! Pages of the reference, made from the schema, so that they cannot say anything else than validation does.

use std::fmt::Write as _;

use serde_json::Value;

use super::{View, attestations, environment, inventory, role, waivers};

const NOTE: &str =
    "<!-- Made from the schema by `UPDATE_DOCS=1 cargo test -p cc-plan --test reference`; do not edit. -->\n";

/// Keys of a role that have a page of their own.
const OWN_PAGES: [&str; 3] = ["resources", "handlers", "health"];

/// File names in `docs/src/reference/` and their text in Markdown.
pub fn reference() -> Vec<(&'static str, String)> {
    vec![
        ("index.md", index()),
        ("environment.md", file("`environments/<env>/environment.yml`", environment(), &[])),
        ("inventory.md", file("`inventories/<env>.yml`", inventory(), &[])),
        ("role.md", file("`roles/<role>/role.yml`", role(), &OWN_PAGES)),
        ("waivers.md", file("`environments/<env>/waivers.yml`", waivers(), &[])),
        ("attestations.md", file("`environments/<env>/attestations.yml`", attestations(), &[])),
        ("resources.md", resources()),
        ("checks.md", checks()),
    ]
}

fn index() -> String {
    format!(
        "{NOTE}# Reference\n\n\
         - [Environment](environment.md): `environments/<env>/environment.yml`\n\
         - [Inventory](inventory.md): `inventories/<env>.yml`\n\
         - [Role](role.md): `roles/<role>/role.yml`\n\
         - [Waivers](waivers.md): `environments/<env>/waivers.yml`\n\
         - [Attestations](attestations.md): `environments/<env>/attestations.yml`\n\
         - [Resource types](resources.md) that roles are written in\n\
         - [Health checks](checks.md) of roles\n\n\
         `cc-cloud schema` writes the same as JSON Schema (draft 7) for editors. A file points to it with its first line:\n\n\
         ```yaml\n# yaml-language-server: $schema=../../schema/environment.schema.json\n```\n"
    )
}

fn file(title: &str, schema: &Value, own_pages: &[&str]) -> String {
    let mut page = format!("{NOTE}# {title}\n\n");
    section(&mut page, View::new(schema), "", own_pages);
    page
}

/// A mapping with its keys, then the mappings in it. `path` is where it stands, empty for the whole file.
fn section(page: &mut String, view: View<'_>, path: &str, own_pages: &[&str]) {
    if !path.is_empty() {
        let _ = writeln!(page, "\n## `{path}`\n");
    }
    if let Some(doc) = view.text("description") {
        let _ = writeln!(page, "{doc}\n");
    }
    keys(page, view, &[]);
    for (name, schema) in view.properties().into_iter().flatten() {
        if own_pages.contains(&name.as_str()) {
            continue;
        }
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        values(page, view.part(schema), name);
        inner(page, view.part(schema), &path, own_pages);
    }
}

/// The mappings inside of a value.
fn inner(page: &mut String, view: View<'_>, path: &str, own_pages: &[&str]) {
    if let Some(choices) = view.plain_choices() {
        return choices.into_iter().for_each(|choice| inner(page, choice, path, own_pages));
    }
    if let Some(items) = view.under("items") {
        inner(page, items, &format!("{path}[]"), own_pages);
    } else if let Some(entry) = view.under("additionalProperties") {
        inner(page, entry, &format!("{path}.NAME"), own_pages);
    } else if view.properties().is_some() {
        section(page, view, path, own_pages);
    }
}

/// The table of a mapping's keys.
fn keys(page: &mut String, view: View<'_>, without: &[&str]) {
    page.push_str("| key | value | default | what |\n|---|---|---|---|\n");
    for (name, schema) in view.properties().into_iter().flatten() {
        if without.contains(&name.as_str()) {
            continue;
        }
        let part = view.part(schema);
        let default = match schema.get("default") {
            _ if view.required().any(|required| required == name) => "required".to_owned(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let doc = schema.get("description").and_then(Value::as_str).or_else(|| part.text("description"));
        let doc = doc.unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {} | {default} | {doc} |", words(part).replace('|', "\\|"));
    }
}

/// The documented values of an enumeration.
fn values(page: &mut String, view: View<'_>, name: &str) {
    let choices = view.plain_choices().unwrap_or_default();
    if let [only] = choices.as_slice()
        && only.text("const").is_none()
    {
        return values(page, *only, name);
    }
    let documented: Vec<(&str, &str)> =
        choices.iter().filter_map(|choice| Some((choice.text("const")?, choice.text("description")?))).collect();
    if !documented.is_empty() {
        let _ = writeln!(page, "\nValues of `{name}`:\n");
        for (value, doc) in documented {
            let _ = writeln!(page, "- `{value}`: {doc}");
        }
    }
}

/// What a value is, a little more than in messages: "list of text".
fn words(view: View<'_>) -> String {
    if let Some(names) = view.names() {
        return names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    }
    if view.format().is_none()
        && let Some(choices) = view.plain_choices()
    {
        return choices.into_iter().map(words).collect::<Vec<_>>().join(" or ");
    }
    if let Some(items) = view.under("items") {
        return format!("list of {}", words(items));
    }
    if let Some(entry) = view.under("additionalProperties") {
        return format!("mapping of names to {}", words(entry));
    }
    match view.words() {
        words if words.is_empty() => "anything".to_owned(),
        words => words.trim_start_matches("an ").trim_start_matches("a ").to_owned(),
    }
}

/// The alternatives of a definition of the role's schema, with their titles.
fn entries(definition: &str) -> Vec<(&'static str, View<'static>)> {
    let root = View::new(role());
    let definition = &role()["definitions"][definition];
    let choices = root.part(definition).choices().unwrap_or_default();
    choices.into_iter().filter_map(|choice| Some((choice.text("title")?, choice))).collect()
}

fn resources() -> String {
    let mut page = format!(
        "{NOTE}# Resource types\n\n\
         A resource is a mapping. Its first key is the type, with the identity as its value; the other keys are fields. Every value \
         may be a template. A field that is absent is not managed, unless it has a default.\n\n```yaml\nresources:\n  \
         - directory: /srv/web\n    owner: web\n    mode: \"0755\"\n```\n\n## Keys of every resource\n\n"
    );
    let entries = entries("ResourceEntry");
    let common = ["when", "each", "notify", "requires", "tags"];
    if let Some((_, first)) = entries.first() {
        let fields: Vec<&str> = first.properties().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let fields: Vec<&str> = fields.into_iter().filter(|name| !common.contains(name)).collect();
        keys(&mut page, *first, &fields);
    }
    page.push_str("\nHandlers are resources too. They have `when`, and a service may say `restart: true` or `reload: true` there.\n");
    for (name, view) in entries {
        let _ = writeln!(page, "\n## {name}\n\n{}\n", view.text("description").unwrap_or_default());
        keys(&mut page, view, &common);
        rules(&mut page, name);
    }
    page
}

fn rules(page: &mut String, name: &str) {
    let rules: Vec<String> = super::ResourceRule::of(name).map(super::ResourceRule::words).collect();
    if !rules.is_empty() {
        let _ = writeln!(page, "\n{}", rules.join(" "));
    }
}

fn checks() -> String {
    let mut page = format!(
        "{NOTE}# Health checks\n\n\
         After a stage that changed something, and in `verify`, every check of a role runs on the service's own hosts. A check is a \
         mapping whose first key is the type; beside it, `when` may hold a condition. The value is a mapping of the fields below, or \
         the first of them alone: `tcp: 6379`.\n"
    );
    for (name, view) in entries("CheckEntry") {
        let _ = writeln!(page, "\n## {name}\n\n{}\n", view.text("description").unwrap_or_default());
        let value = view.properties().and_then(|properties| properties.get(name)).map(|schema| view.part(schema));
        let fields = value.and_then(View::choices).unwrap_or_default();
        if let Some(fields) = fields.into_iter().find(|choice| choice.properties().is_some()) {
            keys(&mut page, fields, &[]);
        }
    }
    page
}
