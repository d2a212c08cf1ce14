//! What becomes of every resource type on each distribution: the cases of the conformance suite, compiled. On Debian the suite
//! applies them to a real host; for Ubuntu this is the proof that there is.
#![allow(clippy::unwrap_used, missing_docs)]

mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use cc_agent::facts::{Facts, Os};
use cc_agent::resource::Resource;
use cc_plan::compile::{Known, RepositoryFiles};
use folder::Folder;
use serde::Deserialize;
use serde_json::Value;

/// What depends on the distribution.
const FACTS: &str = r#"[
    {"file": "/srv/system", "content": "{{ host.os.id }} {{ host.os.version }} {{ host.os.codename }}"},
    {"package": "{{ {'bookworm': 'postgresql-15', 'jammy': 'postgresql-14', 'noble': 'postgresql-16'}[host.os.codename] }}"},
    {"package": "ubuntu-keyring", "when": "host.os.id == 'ubuntu'"}
]"#;

/// A case as the suite has it; what only a real host needs is left out.
#[derive(Deserialize)]
struct Case {
    case: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    role_files: BTreeMap<String, String>,
    create: Form,
    update: Option<Form>,
    delete: Option<Form>,
}

#[derive(Deserialize)]
struct Form {
    resources: Value,
}

impl Case {
    fn form(&self, name: &str) -> Option<&Form> {
        match name {
            "create" => Some(&self.create),
            "update" => self.update.as_ref(),
            _ => self.delete.as_ref(),
        }
    }

    /// Those for a container and, of the types that no container can show, those for a virtual machine.
    fn all() -> Vec<Self> {
        let mut cases = Self::read("conformance");
        let shown: BTreeSet<String> = cases.iter().map(|case| case.type_name.clone()).collect();
        cases.extend(Self::read("vm").into_iter().filter(|case| !shown.contains(&case.type_name)));
        cases
    }

    fn read(folder: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "yml"));
        files.sort();
        let read = |path| serde_saphyr::from_str::<Vec<Self>>(&std::fs::read_to_string(path).unwrap()).unwrap();
        files.iter().flat_map(read).collect()
    }
}

/// A repository with a role for each case that has this form.
fn repository(form: &str) -> Folder {
    let folder = Folder::new(&[("inventories/e.yml", "hosts:\n  host: {address: 10.0.0.1, groups: [every]}\n")]);
    let mut services = String::new();
    let mut role = |name: &str, resources: &str| {
        writeln!(services, "  {name}: {{on: every}}").unwrap();
        // JSON is YAML.
        folder.write(&format!("roles/{name}/role.yml"), &format!("role: {name}\nresources: {resources}\n"));
    };
    for case in Case::all() {
        let Some(Form { resources }) = case.form(form) else { continue };
        let name = case.case.replace([' ', '_'], "-");
        role(&name, &serde_json::to_string(resources).unwrap());
        for (path, text) in &case.role_files {
            folder.write(&format!("roles/{name}/{path}"), text);
        }
    }
    if form == "create" {
        role("facts", FACTS);
    }
    folder.write("environments/e/environment.yml", &format!("environment: e\nsize: demo\nservices:\n{services}"));
    folder
}

/// The steps on a host with this distribution, all forms of a case.
fn steps(id: &str, version: &str, codename: &str) -> Vec<(String, Resource)> {
    let os = Os { id: id.to_owned(), version: version.to_owned(), codename: codename.to_owned() };
    let facts = Facts { os, ..Facts::placeholder() };
    let mut steps = Vec::new();
    for form in ["create", "update", "delete"] {
        let folder = repository(form);
        let plan = folder.compile(&Known {
            facts: BTreeMap::from([("host".to_owned(), facts.clone())]),
            addresses: BTreeMap::from([("host".to_owned(), "10.0.0.1".to_owned())]),
            files: Some(Arc::new(RepositoryFiles::new(folder.path()))),
        });
        for step in plan.hosts.into_iter().flat_map(|host| host.steps) {
            assert_eq!(step.unknown, None, "{}", step.id);
            steps.push((format!("{form} {}", step.id), step.resource));
        }
    }
    steps
}

fn shown(steps: &[(String, Resource)]) -> String {
    let line = |(id, resource): &(String, Resource)| format!("{id} {}", serde_json::to_string(resource).unwrap());
    steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_type_is_missing() {
    let steps = steps("debian", "12", "bookworm");
    let types: BTreeSet<&str> = steps.iter().map(|(_, resource)| resource.type_name()).collect();
    assert_eq!(types, Resource::TYPES.iter().copied().collect());
}

#[test]
fn steps_on_debian_12() {
    insta::assert_snapshot!(shown(&steps("debian", "12", "bookworm")));
}

#[test]
fn steps_on_ubuntu_22_04() {
    insta::assert_snapshot!(shown(&steps("ubuntu", "22.04", "jammy")));
}

#[test]
fn steps_on_ubuntu_24_04() {
    insta::assert_snapshot!(shown(&steps("ubuntu", "24.04", "noble")));
}
