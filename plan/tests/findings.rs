//! What is wrong with an environment, and where: found while compiling.
#![allow(clippy::unwrap_used, clippy::panic)]

mod folder;

use cc_plan::compile::Known;
use folder::Folder;
use insta::assert_snapshot;

/// What is found for each of several inputs, below it.
fn table<'i>(inputs: &[&'i str], found: impl Fn(&'i str) -> String) -> String {
    inputs.iter().map(|input| format!("{}\n{}\n", input.trim_end(), found(input))).collect()
}

/// One host, one service `app` whose role has these resources and params.
fn app(params: &str, resources: &str) -> Folder {
    Folder::new(&[
        ("environments/e/environment.yml", "environment: e\nservices:\n  app: {on: [one], key: {secret: app_key}}\n"),
        ("inventories/e.yml", "provider: static\nhosts:\n  h1: {address: 10.0.0.1, groups: [one]}\n"),
        ("secrets/e.yml", "recipients: [age1example]\nvalues: {app_key: sealed}\n"),
        (
            "roles/app/role.yml",
            &format!(
                "role: app\ndescription: An application\nparams:\n  key: {{type: secret}}\n{params}resources:\n{resources}"
            ),
        ),
    ])
}

/// What loading finds, or else compiling.
fn findings(folder: &Folder) -> String {
    match folder.try_load() {
        Ok(_) => folder.try_compile(&Known::default()).map(|plan| format!("{plan:#?}")).unwrap_err(),
        Err(found) => found,
    }
}

/// The findings about a template file with this text.
fn in_template(text: &str) -> String {
    let folder = app("", "  - template: /etc/app.conf\n    source: app.conf.j2\n");
    folder.write("roles/app/templates/app.conf.j2", text);
    findings(&folder)
}

#[test]
fn an_undefined_name_is_found_where_it_stands() {
    assert_snapshot!(table(
        &[
            "a = 1\nb = {{ params.kex }}\n",
            "a = {{ parms.key }}\n",
            "{% if host.memry > 1 %}x{% endif %}\n",
            "{% for c in clients %}{{ c }}{% endfor %}{{ hosts.h1.adress }}\n",
            "{{ services.appp.address }}\n",
            "{{ external.smtp.address }}\n",
        ],
        in_template
    ));
}

#[test]
fn an_undefined_name_in_a_role_is_found_where_it_stands() {
    assert_snapshot!(table(
        &[
            "  - file: /a\n    content: |\n      one\n      two {{ params.kez }}\n",
            "  - file: /a\n    owner: \"{{ params.owner }}\"\n",
            "  - file: /a\n    when: params.enabled\n",
            "  - file: \"/a/{{ item }}\"\n    each: host.grups\n",
        ],
        |resources| findings(&app("", resources))
    ));
    assert_snapshot!(findings(&app(
        "  size: {type: bytes, default: \"{{ host.memori }}\"}\n",
        "  - file: \"/{{ params.size }}\"\n"
    )));
}

#[test]
fn templates_that_are_wrong() {
    assert_snapshot!(table(
        &[
            "one\n{% for a in b %}\n",
            "{{ 'a' | uper }}\n",
            "{{ now() }}\n",
            "{% include 'other.j2' %}\n",
            "{% include '/etc/passwd' %}\n",
            "{% include '../../../etc/passwd' %}\n",
            "{{ 'a'.upper() }}\n",
            "{{ 1 + 'a' }}\n",
            "{{ 5 // 0 }}\n",
            "{{ host.memory | bytes('mb') }}\n",
        ],
        in_template
    ));
}

#[test]
fn a_template_that_does_not_end_is_stopped() {
    assert_snapshot!(table(
        &[
            "{% for a in range(10000) %}{% for b in range(10000) %}{% set c = a + b %}{% endfor %}{% endfor %}\n",
            "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}\n",
            "{% include 'app.conf.j2' %}\n",
        ],
        in_template
    ));
}

#[test]
fn what_is_none_is_not_printed() {
    let folder =
        app("  note: {type: string, optional: true}\n", "  - file: /a\n    content: \"note: {{ params.note }}\"\n");
    assert_snapshot!(findings(&folder));
}

#[test]
fn a_secret_is_carried_whole_or_not_at_all() {
    assert_snapshot!(table(
        &[
            "params.key | upper",
            "params.key | length",
            "params.key | replace('a', 'b')",
            "('x' ~ params.key) | trim",
            "('x' ~ params.key) | urlencode",
            "('x' ~ params.key) | to_json",
            "params.key + 'x'",
            "params.key | truncate(3)",
            "[params.key] | sort",
            "params.key is startingwith('a')",
            "params.key | indent(2)",
            "{'a': [params.key]} | pprint",
            "params.key | int",
            "params.key | list",
            "params.key * 2",
            "params.key.upper()",
            "params.key is eq 'x'",
        ],
        |expression| {
            let found = in_template(&format!("{{{{ {expression} }}}}\n"));
            assert!(found.contains("roles/app/templates/app.conf.j2:1:"), "{expression}: {found}");
            found
        }
    ));
}

#[test]
fn a_secret_cut_into_pieces_is_found() {
    assert_snapshot!(table(
        &["{{ ('x' ~ params.key)[3:] }}\n", "{% for c in 'x' ~ params.key %}{{ c }},{% endfor %}\n",],
        in_template
    ));
}

#[test]
fn a_secret_stands_only_where_the_agent_reveals_it() {
    assert_snapshot!(table(
        &[
            "  - command: run {{ params.key }}\n    argv: [a]\n    changes: always\n",
            "  - command: run\n    argv: [a, \"{{ params.key }}\"]\n    changes: always\n",
            "  - command: run\n    shell: echo {{ params.key }}\n    changes: always\n",
            "  - file: /etc/{{ params.key }}\n",
            "  - file: /etc/a\n    owner: \"{{ params.key }}\"\n",
            "  - line: /etc/a\n    text: password={{ params.key }}\n",
            "  - git: /srv/a\n    repository: https://u:{{ params.key }}@example.org/a\n    revision: main\n",
        ],
        |resources| findings(&app("", resources))
    ));
}

#[test]
fn params_have_types() {
    // Given by templates, so that the loader cannot have found them.
    let found = |line: &str| {
        let (kind, value) = line.split_once(" <- ").unwrap();
        let folder =
            app(&format!("  given: {{{kind}}}\n"), "  - file: /a\n    content: \"{{ params.given | to_json }}\"\n");
        let services =
            format!("  app:\n    on: [one]\n    key: {{secret: app_key}}\n    given: \"{{{{ {value} }}}}\"\n");
        folder.write("environments/e/environment.yml", &format!("environment: e\nservices:\n{services}"));
        findings(&folder)
    };
    assert_snapshot!(table(
        &[
            "type: integer <- 1.5",
            "type: string <- 1.5",
            "type: number <- '1'",
            "type: boolean <- 'maybe'",
            "type: bytes <- '12 apples'",
            "type: bytes <- -1",
            "type: duration <- 'fortnight'",
            "type: percent <- '130%'",
            "type: mode <- 640",
            "type: path <- 'srv/a'",
            "type: port <- 70000",
            "type: secret <- 'hunter2'",
            "type: list <- {'a': 1}",
            "type: map <- ['a']",
            "type: string <- params.key",
            "type: enum, values: [a, b] <- 'c'",
            "type: string <- none",
        ],
        found
    ));
}

#[test]
fn params_that_depend_on_each_other_in_a_circle() {
    let params = "  a: {type: integer, default: \"{{ params.b + 1 }}\"}\n  b: {type: integer, default: \"{{ params.a + 1 }}\"}\n";
    assert_snapshot!(findings(&app(params, "  - file: \"/{{ params.a }}\"\n")));
}

#[test]
fn resources_that_are_wrong() {
    assert_snapshot!(table(
        &[
            "  - file: /a\n    mode: \"{{ 'rw' }}\"\n",
            "  - swap_file: /a\n    size: \"{{ 'big' }}\"\n",
            "  - file: \"{{ host.groups }}\"\n",
            "  - file: /a\n    source: \"{{ 'b' }}\"\n",
            "  - file: /a\n    content: a\n  - file: \"{{ '/a' }}\"\n    content: b\n",
            "  - file: /a\n    requires: \"{{ 'file:/b' }}\"\n",
            "  - file: /{{ item }}\n    each: 5 + 1\n",
        ],
        |resources| findings(&app("", resources))
    ));
}

#[test]
fn services_that_use_each_other() {
    let role = |name: &str, offers: &str, uses: &str| {
        format!("role: {name}\ndescription: One\noffers: [{{name: {offers}}}]\nuses: [{uses}]\nresources: []\n")
    };
    let folder = |services: &str| {
        Folder::new(&[
            ("environments/e/environment.yml", &format!("environment: e\nservices:\n{services}")),
            ("inventories/e.yml", "provider: static\nhosts:\n  h1: {address: 10.0.0.1, groups: [one]}\n"),
            ("roles/a/role.yml", &role("a", "x", "y")),
            ("roles/b/role.yml", &role("b", "y", "x")),
            ("roles/c/role.yml", &role("c", "z", "z")),
        ])
    };
    let found = |services: &str| findings(&folder(services));
    assert_snapshot!(table(
        &[
            "  a: {on: [one]}\n  b: {on: [one]}\n",
            "  c: {on: [one]}\n",
            "  a: {on: [one]}\n",
            "  a: {on: [one]}\n  b: {on: [one], uses: {x: a}}\n  b2: {role: b, on: [one], uses: {x: a}}\n",
        ],
        found
    ));
}

#[test]
fn a_file_of_two_services() {
    let role = |name: &str, content: &str| {
        format!("role: {name}\ndescription: One\nresources:\n  - file: /etc/shared\n    content: {content}\n")
    };
    let folder = Folder::new(&[
        ("environments/e/environment.yml", "environment: e\nservices:\n  a: {on: [one]}\n  b: {on: [one]}\n"),
        ("inventories/e.yml", "provider: static\nhosts:\n  h1: {address: 10.0.0.1, groups: [one]}\n"),
        ("roles/a/role.yml", &role("a", "same")),
        ("roles/b/role.yml", &role("b", "same")),
    ]);
    let plan = folder.compile(&Known::default());
    let ids: Vec<&str> = plan.hosts[0].steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["a/file:/etc/shared"], "it belongs to the first");
    folder.write("roles/b/role.yml", &role("b", "other"));
    assert_snapshot!(findings(&folder));
}
