//! What templates see and what becomes of their values.
#![allow(clippy::unwrap_used, clippy::panic)]

mod folder;

use cc_agent::facts::Facts;
use cc_agent::resource::{Content, Resource};
use cc_agent::secret::Token;
use cc_plan::compile::Known;
use cc_plan::plan::Plan;
use folder::Folder;
use insta::assert_snapshot;

const SERVING: &str = "
role: serving
description: Offers something
params:
  port: {type: port, default: 5432}
  key: {type: secret}
offers: [{name: thing, port: \"{{ params.port }}\"}, {name: other, port: 99}]
resources:
  - template: /etc/serving.conf
    source: serving.conf.j2
";

/// Two hosts that serve, two that use it, one of them twice, and one service that nobody uses.
fn folder(role: &str) -> Folder {
    Folder::new(&[
        (
            "environments/e/environment.yml",
            "environment: e
size: demo
services:
  client: {role: client, on: [web]}
  second: {role: client, on: [web2]}
  db: {role: serving, on: [db], key: {secret: db_key}, port: \"{{ 5000 + 1 }}\"}
external:
  mail: {address: mail.example.org, port: 587, user: us, password: {secret: mail_key}}
",
        ),
        (
            "inventories/e.yml",
            "provider: static
hosts:
  db1: {address: 10.0.0.1, groups: [db], params: {zone: a}}
  web1: {address: 10.0.0.2, groups: [web]}
  db2: {address: 10.0.0.3, groups: [db]}
  web2: {address: 10.0.0.4, groups: [web, spare]}
",
        ),
        ("secrets/e.yml", "recipients: [age1example]\nvalues: {db_key: sealed, mail_key: sealed}\n"),
        ("roles/serving/role.yml", SERVING),
        (
            "roles/serving/templates/serving.conf.j2",
            "{% for client in clients %}\n{{ client.name }} {{ client.address }}\n{% endfor %}\n",
        ),
        ("roles/client/role.yml", role),
    ])
}

const CLIENT: &str = "
role: client
description: Uses something
uses: [thing, {name: mail, optional: true}, {name: nothing, optional: true}]
";

fn known() -> Known {
    let facts = ["db1", "db2", "web1", "web2"].map(|host| (host.to_owned(), Facts::placeholder()));
    Known { facts: facts.into(), ..Known::default() }
}

fn content<'p>(plan: &'p Plan, host: &str, id: &str) -> &'p str {
    let host = plan.hosts.iter().find(|plan| plan.host == host).unwrap();
    let step = host.steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("{id} in {:#?}", host.steps));
    match &step.resource {
        Resource::File(file) => match file.content.as_ref().unwrap() {
            Content::Text(text) => text,
            other @ Content::Blob { .. } => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// What a template of a client prints on `web2`; tokens in angle brackets.
fn printed(template: &str) -> String {
    let folder = folder(&format!("{CLIENT}resources:\n  - template: \"/{{{{ service.name }}}}\"\n    source: a.j2\n"));
    folder.write("roles/client/templates/a.j2", template);
    folder.write("roles/client/templates/part.j2", "part of {{ service.name }}\n");
    let plan = folder.compile(&known());
    let pieces = Token::split(content(&plan, "web2", "second/template:/second")).into_iter().map(|piece| match piece {
        Token::Text(text) | Token::Broken(text) => text.to_owned(),
        Token::Secret(name, transforms) => {
            format!("<{name}{}>", transforms.iter().map(|t| format!("|{}", t.name())).collect::<String>())
        }
    });
    pieces.collect()
}

#[test]
fn every_name_of_the_scope() {
    assert_snapshot!(printed(
        "host {{ host.name }} {{ host.address }} {{ host.groups | join(' ') }} {{ host.memory }} {{ host.cpus }} {{ host.arch }}
os {{ host.os.id }} {{ host.os.version }} {{ host.os.codename }}; {{ host.hostname }} {{ host.systemd }} {{ host.virtualization }}
hosts {% for name in hosts %}{{ name }}={{ hosts[name].address }} {% endfor %}{{ hosts.db1.params.zone }}
pairs {% for name, other in hosts | items %}{{ name }}:{{ other.groups | join('+') }} {% endfor %}

groups {{ groups.web | join(' ') }}; {{ groups | list | join(' ') }}
service {{ service.name }}
services {{ services.db.role }} {{ services.db.address }} {{ services.db.port }} {{ services.db.params.port }}
hosts of {% for other in services.db.hosts %}{{ other.name }} {{ other.address }}, {% endfor %}

uses {{ uses.thing.service }} {{ uses.thing.address }}:{{ uses.thing.port }} {{ uses.thing.params.key }} {{ uses.thing.hosts | length }}
mail {{ uses.mail.address }}:{{ uses.mail.port }} {{ uses.mail.params.user }} {{ uses.mail.service is none }} {{ uses.mail.hosts[0].name }}
nothing {{ uses.nothing is none }}
external {{ external.mail.user }} {{ external.mail.port }} {{ external.mail.password }}
environment {{ environment.name }} {{ environment.size }}
clients {{ clients | length }}
"
    ));
}

#[test]
fn who_is_served_knows_its_clients_in_inventory_order_and_once() {
    let plan = folder(&format!("{CLIENT}resources: []\n")).compile(&known());
    assert_eq!(content(&plan, "db1", "db/template:/etc/serving.conf"), "web1 10.0.0.2\nweb2 10.0.0.4\n");
}

#[test]
fn stages_follow_uses() {
    let plan = folder(&format!("{CLIENT}resources: []\n")).compile(&known());
    let stages: Vec<Vec<&str>> =
        plan.stages.iter().map(|stage| stage.services.iter().map(|s| s.name.as_str()).collect()).collect();
    assert_eq!(stages, [vec!["db"], vec!["client", "second"]]);
    assert_eq!(plan.stages[1].services[0].uses, ["db"]);
    assert_eq!(plan.stages[0].services[0].hosts, ["db1", "db2"]);
}

#[test]
fn filters() {
    assert_snapshot!(printed(
        "{{ 536870912 | bytes('MiB') }} {{ 1999 | bytes('kB') }} {{ host.memory * 0.1 | float }} {{ (host.memory * 0.1) | bytes('MB') }}
{{ {'b': [1, 'x', none, true], 'a': {}} | to_json }} {{ {'b': 1} | to_json(indent=2) }}
{{ {'b': [1, 'x'], 'a': 'yes'} | to_yaml }}
{{ \"it's\" | quote }} {{ 'plain' | quote }} {{ '' | quote }}
{{ 'hällo' | b64encode }} {{ 'abc' | sha256 }} {{ 'a b/ü' | urlencode }}
{{ '/a/b/c.txt' | basename }} {{ '/a/b/c.txt' | dirname }} {{ '/a' | dirname }} {{ 'a' | dirname }}
{{ 'one\\ntwo' | indent(2) }}
{{ none | default('absent', true) }} {{ uses.nothing | default('absent', true) }} {{ [3, 1, 2] | sort | join(',') }}
"
    ));
}

#[test]
fn secrets_are_carried_and_transformed() {
    assert_snapshot!(printed(
        "{% set key = uses.thing.params.key %}
{{ key }} {{ key | urlencode }} {{ key | b64encode | quote }} {{ key | sha256 }}
{{ 'a' ~ key ~ 'b' }} {{ '%s/%s' | format('x', key) }} {{ [key, 'x'] | join(':') }} {{ key | default('none') }}
{{ 'yes' if key else 'no' }} {{ key is defined }} {{ key is none }} {{ [key] | length }} {{ [key, 1] | first }}
{{ key | to_json }} {{ {'a': key, 'b': ['x', key], 'c': 1} | to_json }}
{{ {'a': key, 'b': ['x', key | urlencode]} | to_yaml }}
{{ [key] | map('quote') | join }} {% for name, value in {'n': key} | items %}{{ name }}={{ value }}{% endfor %}

"
    ));
}

#[test]
fn white_space_is_what_a_configuration_file_wants() {
    assert_eq!(printed("a\n{% if true %}\nb\n{% endif %}\n    {# note #}\nc\n"), "a\nb\nc\n");
    assert_eq!(printed("a\n{% if true %}b{% endif %}\n"), "a\nb\n", "the newline at the end stays");
    assert_eq!(printed("a"), "a", "none is added");
    assert_eq!(printed("{% include 'part.j2' %}\nb\n"), "part of second\nb\n");
    assert_eq!(printed("{{ '<&>' }}\n"), "<&>\n", "nothing is escaped");
}

/// Steps of a client with these resources on `web2`, as JSON.
fn steps(params: &str, resources: &str, known: &Known) -> String {
    let plan = folder(&format!("{CLIENT}params:\n{params}\nresources:\n{resources}")).compile(known);
    let host = plan.hosts.into_iter().find(|host| host.host == "web2").unwrap();
    let steps = host.steps.into_iter().filter(|step| step.service == "client");
    steps.map(|step| serde_json::to_string(&step).unwrap() + "\n").collect()
}

#[test]
fn a_value_that_is_one_expression_keeps_its_type() {
    assert_snapshot!(steps(
        "  size: {type: bytes, default: \"{{ 1.5 * 1024 }}\"}\n  list: {type: list, default: [a, \"{{ host.name }}\"]}",
        "  - swap_file: /swap
    size: \"{{ params.size }}\"
  - swap_file: /swap2
    size: 2GiB
  - command: run
    argv: \"{{ params.list + ['x-' ~ host.cpus, '5'] }}\"
    timeout: 10m
    changes: always
  - package: postgresql-{{ 14 + 1 }}
    version: 15
    hold: \"{{ 1 < 2 }}\"
  - user: app
    shell: \"{{ none }}\"
    groups: \"{{ host.groups }}\"
",
        &known()
    ));
}

#[test]
fn each_when_requires_and_tags() {
    assert_snapshot!(steps(
        "  names: {type: map, default: {x: 1, y: 2}}\n  off: {type: boolean, default: false}",
        "  - directory: \"/srv/{{ item[0] }}\"
    each: params.names | items
    when: item[1] > 1
    tags: [layout]
  - file: /never
    when: params.off
  - line: /etc/list
    text: \"{{ item }}\"
    each: \"['a', 'b', 'a']\"
    requires: [\"directory:/srv/{{ item[0] }}\"]
  - file: /last
    content: x
    requires: [file:/never, \"directory:/srv/{{ item[0] }}\", \"line:/etc/list\"]
",
        &known()
    ));
}

#[test]
fn an_unknown_fact_makes_the_step_unknown_and_no_other() {
    let params = "  half: {type: bytes, default: \"{{ host.memory // 2 }}\"}\n  plain: {type: integer, default: 3}";
    let resources = "  - file: /known
    content: \"{{ params.plain }} {{ host.name }} {{ host.address }}\"
  - file: /half
    content: \"{{ params.half }}\"
  - file: /half-again
    content: \"{{ params.half }} {{ host.os.codename }}\"
  - file: /only-noble
    when: host.os.codename == 'noble'
    content: x
  - file: \"/only-noble/{{ {'noble': 1}[host.os.codename] }}\"
    when: host.os.codename == 'noble'
  - file: /not-unknown
    when: params.plain > 5 and host.cpus > 1
";
    let found = steps(params, resources, &Known::default());
    let unknown: Vec<(String, Option<String>)> = found
        .lines()
        .map(|line| serde_json::from_str::<cc_agent::step::Step>(line).unwrap())
        .map(|step| (step.id, step.unknown))
        .collect();
    let some = |why: &str| Some(why.to_owned());
    assert_eq!(
        unknown,
        [
            ("client/file:/known".to_owned(), None),
            ("client/file:/half".to_owned(), some("host.memory of web2")),
            ("client/file:/half-again".to_owned(), some("host.memory of web2, host.os of web2")),
            ("client/file:/only-noble".to_owned(), some("host.os of web2")),
        ]
    );
}

#[test]
fn an_address_that_the_provider_has_not_given_is_unknown() {
    let folder = folder(&format!("{CLIENT}resources:\n  - file: /a\n    content: \"{{{{ hosts.db1.address }}}}\"\n"));
    folder.write(
        "inventories/e.yml",
        "provider: containers\nhosts:\n  db1: {groups: [db]}\n  web1: {groups: [web]}\n  web2: {groups: [web]}\n",
    );
    let unknown = |known: &Known| folder.compile(known).hosts[1].steps[0].unknown.clone();
    assert_eq!(unknown(&Known::default()), Some("address of db1".to_owned()));
    let addresses = [("db1".to_owned(), "10.1.1.1".to_owned())].into();
    assert_eq!(unknown(&Known { addresses, ..Known::default() }), None);
}

#[test]
fn a_host_gets_the_secrets_of_its_own_steps_only() {
    let plan =
        folder(&format!("{CLIENT}resources:\n  - file: /a\n    content: \"{{{{ external.mail.password }}}}\"\n"))
            .compile(&known());
    assert_eq!(plan.secrets["web1"], ["mail_key"]);
    assert!(plan.secrets["db1"].is_empty(), "its key is in no step");
    assert!(!serde_json::to_string(&plan).unwrap().contains("sealed"));
}

#[test]
fn handlers_of_a_shared_file_are_all_notified() {
    let role = "resources:\n  - file: /shared\n    content: x\n    notify: restart\nhandlers:\n  restart: {service: \"{{ service.name }}\", restart: true}\n";
    let plan = folder(&format!("{CLIENT}{role}")).compile(&known());
    let web2 = plan.hosts.iter().find(|host| host.host == "web2").unwrap();
    let step = &web2.steps[0];
    assert_eq!((web2.steps.len(), step.id.as_str()), (1, "client/file:/shared"));
    assert_eq!(step.notify, ["client/handler:restart", "second/handler:restart"]);
}
