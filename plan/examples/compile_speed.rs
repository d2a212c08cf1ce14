//! How long it takes to compile an environment of 200 hosts with 300 steps each: `cargo run --release -p cc-plan --example
//! compile_speed`.
//!
//! Every host has the same mix as the benchmark environment: directories, templates that loop over other hosts, users, lines,
//! packages, services and guarded commands, in three services whose params depend on the host's facts.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cc_agent::facts::Facts;
use cc_plan::compile::{Known, compile};
use cc_plan::repository::Repository;
use cc_plan::spec;

const HOSTS: usize = 200;
const SERVICES: usize = 3;
/// Steps of a service: together 300 on each host.
const STEPS: [(&str, usize); 7] =
    [("directory", 20), ("template", 40), ("user", 10), ("line", 10), ("package", 5), ("service", 5), ("command", 10)];
/// Hosts that every template lists.
const PEERS: usize = 10;
const RUNS: usize = 7;

const TEMPLATE: &str = "# Written for {{ host.name }} by {{ service.name }}.
{% for name in groups.peers %}
peer {{ name }} {{ hosts[name].address }}
{% endfor %}
workers = {{ params.workers }}
cache = {{ params.cache | bytes('MiB') }}MB
{% if params.password %}
password = {{ params.password }}
{% endif %}
";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let shipped = BTreeMap::new();
    let started = Instant::now();
    let spec = spec::load(&Repository { root: folder.path().to_path_buf(), shipped: &shipped }, "speed").unwrap().spec;
    println!("load     {:>8.1} ms", millis(started.elapsed()));

    let names = spec.inventory.hosts.iter().map(|host| host.name.value.clone());
    let known = Known { facts: names.map(|name| (name, Facts::placeholder())).collect(), ..Known::default() };
    let mut times = Vec::new();
    let mut plan = compile(&spec, &known).unwrap();
    for _ in 0..RUNS {
        let started = Instant::now();
        plan = compile(&spec, &known).unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    let steps: usize = plan.hosts.iter().map(|host| host.steps.len()).sum();
    println!(
        "compile  {:>8.1} ms, median of {RUNS} ({:.1} to {:.1}); {} hosts, {steps} steps, {} threads",
        millis(times[RUNS / 2]),
        millis(times[0]),
        millis(times[RUNS - 1]),
        plan.hosts.len(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    let started = Instant::now();
    let digest = plan.digest().unwrap();
    println!("digest   {:>8.1} ms, {digest}", millis(started.elapsed()));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn write(root: &Path) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let mut services = String::new();
    for number in 0..SERVICES {
        writeln!(services, "  app{number}: {{role: app, on: all, password: {{secret: password}}}}").unwrap();
    }
    write("environments/speed/environment.yml", &format!("environment: speed\nservices:\n{services}"));
    let mut hosts = String::new();
    for number in 0..HOSTS {
        let groups = if number < PEERS { "all, peers" } else { "all" };
        let address = format!("10.0.{}.{}", number / 250, number % 250 + 1);
        writeln!(hosts, "  h{number}: {{address: {address}, groups: [{groups}]}}").unwrap();
    }
    write("inventories/speed.yml", &format!("provider: static\nhosts:\n{hosts}"));
    write("secrets/speed.yml", "recipients: [age1example]\nvalues: {password: sealed}\n");
    write("roles/app/templates/app.conf.j2", TEMPLATE);
    let mut role = String::from(
        "role: app\ndescription: A synthetic service\nparams:\n  workers: {type: integer, default: \"{{ host.cpus * 2 }}\"}\n  \
         cache: {type: bytes, default: \"{{ host.memory * 0.25 }}\"}\n  password: {type: secret}\nresources:\n",
    );
    for (kind, count) in STEPS {
        for number in 0..count {
            role.push_str(&resource(kind, number));
        }
    }
    role.push_str("handlers:\n  restart: {service: app0, restart: true}\nhealth:\n  - tcp: 80\n");
    write("roles/app/role.yml", &role);
}

fn resource(kind: &str, number: usize) -> String {
    match kind {
        "directory" => format!("  - directory: \"/srv/{{{{ service.name }}}}/{number}\"\n    mode: \"0755\"\n"),
        "template" => format!(
            "  - template: \"/etc/{{{{ service.name }}}}/{number}.conf\"\n    source: app.conf.j2\n    mode: \"0640\"\n    \
             notify: restart\n"
        ),
        "user" => format!("  - user: \"{{{{ service.name }}}}-{number}\"\n    system: true\n"),
        "line" => {
            format!("  - line: \"/etc/{{{{ service.name }}}}.list\"\n    text: \"{{{{ host.name }}}} {number}\"\n")
        }
        "package" => format!("  - package: \"{{{{ service.name }}}}-package-{number}\"\n"),
        "service" => {
            format!("  - service: \"{{{{ service.name }}}}-{number}\"\n    enabled: true\n    running: true\n")
        }
        _ => format!(
            "  - command: \"{{{{ service.name }}}} {number}\"\n    argv: [make, \"{{{{ host.name }}}}\"]\n    creates: \
             \"/srv/{{{{ service.name }}}}/made-{number}\"\n"
        ),
    }
}
