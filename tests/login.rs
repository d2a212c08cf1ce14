//! Ways to log in that a person takes part in: a sudo password, a passphrase, keys of hosts that are met for the first time.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::process::Command;

use support::{Fleet, Repository, Run, TestHost};

/// The repository of hosts that shall have a file, reached as the inventory's lines below `hosts:` say.
fn repository(hosts: &[&TestHost], inventory: &str) -> Repository {
    let repository = Repository::of(hosts);
    repository.write("inventories/t.yml", &format!("hosts:\n{inventory}"));
    repository.environment("  post: {on: every}\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: arrived\n");
    repository
}

/// A user who becomes root with a password, and who logs in with the host's key.
fn with_sudo_password(host: &TestHost, password: &str) {
    host.sh(&format!(
        "useradd -m -s /bin/bash deploy && echo 'deploy:{password}' | chpasswd
         echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/deploy
         install -d -o deploy -m 0700 ~deploy/.ssh
         install -o deploy -m 0600 ~root/.ssh/authorized_keys ~deploy/.ssh/authorized_keys"
    ));
}

fn assert_at_rest(repository: &Repository) {
    let again = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(again.stdout.contains("no changes"), "{}", again.stdout);
}

#[test]
fn a_sudo_password_is_asked_for_once_and_serves_all_hosts() {
    let fleet = Fleet::start(&["one", "two"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let entry = |host: &&TestHost| {
        format!(
            "  {}: {{address: {}, groups: [every], user: deploy, identity_file: {}}}\n",
            host.name,
            host.address,
            host.key.path.display()
        )
    };
    let repository = repository(&hosts, &hosts.iter().map(entry).collect::<String>());
    hosts.iter().for_each(|host| with_sudo_password(host, "open sesame"));

    let without = repository.run(&["t", "deploy", "--yes"]).expect(4);
    let said = without.stdout + &without.stderr;
    assert!(said.contains("sudo asks for a password of `deploy`") && said.contains("--ask-sudo-password"), "{said}");

    let mut terminal = repository.terminal(&["t", "deploy", "--yes", "--ask-sudo-password"]);
    terminal.answer("sudo password on the hosts: ", "open seasam\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(4), "{shown}");
    assert!(shown.contains("sudo refused the password of `deploy`") && !shown.contains("seasam"), "{shown}");

    let mut terminal = repository.terminal(&["t", "deploy", "--yes", "--ask-sudo-password"]);
    terminal.answer("sudo password on the hosts: ", "open sesame\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("sudo password") && !shown.contains("sesame"), "{shown}");
    for host in &hosts {
        assert_eq!(host.sh("cat /srv/post; stat -c ' %U' /srv/post"), "arrived root");
    }
    repository.run(&["t", "plan", "--ask-sudo-password", "--no-input"]).expect(64);
}

#[test]
fn the_passphrase_of_a_key_is_asked_for() {
    let host = TestHost::start();
    let entry = format!("  host: {{address: {}, groups: [every], user: root, identity_file: key}}\n", host.address);
    let repository = repository(&[&host], &entry);
    let key = repository.path("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "open sesame", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let public = fs::read(key.with_extension("pub")).unwrap();
    host.put("/root/.ssh/authorized_keys", "0600", &public);

    let unattended = repository.run(&["t", "deploy", "--yes", "--no-input"]).expect(4);
    let said = unattended.stdout + &unattended.stderr;
    assert!(said.contains("protected by a passphrase") && said.contains("ssh-add"), "{said}");
    assert_eq!(host.sh("ls /srv"), "");

    let mut terminal = repository.terminal(&["t", "deploy", "--yes"]);
    terminal.answer("passphrase of ", "open seasam\r");
    terminal.answer("passphrase of ", "open sesame\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("passphrase of ") && !shown.contains("sesame"), "asked once more, or shown: {shown}");
    assert_eq!(host.sh("cat /srv/post"), "arrived");
}

/// A jump host and a host that only it reaches; no key of theirs is known.
struct Strangers {
    fleet: Fleet,
    repository: Repository,
}

impl Strangers {
    fn new() -> Self {
        let fleet = Fleet::start(&["jump", "inner"]);
        fleet.hide("inner");
        let (jump, inner) = (&fleet["jump"], &fleet["inner"]);
        let inventory = format!(
            "  jump: {{address: {}, groups: [every]}}\n  inner: {{address: {}, groups: [every], jump: jump}}\n\
             defaults: {{user: root, identity_file: {}}}\n",
            jump.address,
            inner.address,
            fleet.key.path.display()
        );
        let repository = repository(&[jump, inner], &inventory);
        fs::remove_file(repository.path("environments/t/known_hosts")).unwrap();
        Self { fleet, repository }
    }

    /// Both hosts' keys are pinned, and nothing else.
    fn assert_pinned(&self) {
        let pins = fs::read_to_string(self.repository.path("environments/t/known_hosts")).unwrap();
        for host in self.fleet.hosts() {
            let pinned = |key: &String| {
                let words: Vec<&str> = key.split(' ').take(2).collect();
                pins.contains(&format!("{} {}", host.address, words.join(" ")))
            };
            assert!(host.host_keys.iter().any(pinned), "no key of {} in\n{pins}", host.name);
        }
        assert_eq!(pins.lines().filter(|line| !line.starts_with('#')).count(), 2, "{pins}");
    }

    fn assert_deployed(&self) {
        for host in self.fleet.hosts() {
            assert_eq!(host.sh("cat /srv/post"), "arrived");
        }
        assert_at_rest(&self.repository);
    }
}

#[test]
fn hosts_that_are_met_for_the_first_time_are_refused_when_nobody_can_be_asked() {
    let strangers = Strangers::new();
    let refused = strangers.repository.run(&["t", "deploy", "--yes", "--no-input"]).expect(1);
    let Run { stdout, stderr, .. } = &refused;
    assert!(stdout.contains("jump") && stdout.contains("SHA256:"), "{stdout}");
    for part in ["met for the first time", "ssh-keygen -lf", "--accept-new-host-keys"] {
        assert!(stderr.contains(part), "no `{part}` in\n{stderr}");
    }
    assert!(!strangers.repository.path("environments/t/known_hosts").exists());

    let accepted =
        strangers.repository.run(&["t", "deploy", "--yes", "--no-input", "--accept-new-host-keys"]).expect(0);
    assert_eq!(accepted.stderr.matches("pinned 1 host key in ").count(), 2, "{}", accepted.stderr);
    strangers.assert_pinned();
    strangers.assert_deployed();
}

#[test]
fn whoever_sits_at_a_terminal_is_asked_about_each_round_of_new_hosts() {
    const QUESTION: &str = "Trust and pin their keys? [y/N] ";
    let strangers = Strangers::new();
    let mut terminal = strangers.repository.terminal(&["t", "deploy", "--yes"]);
    terminal.answer(QUESTION, "n\n");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(1), "{shown}");
    assert!(!strangers.repository.path("environments/t/known_hosts").exists());

    let mut terminal = strangers.repository.terminal(&["t", "deploy", "--yes"]);
    terminal.answer(QUESTION, "y\n");
    // The inner host shows its key only through a jump host that is trusted.
    terminal.answer(QUESTION, "yes\n");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(QUESTION), "{shown}");
    strangers.assert_pinned();
    strangers.assert_deployed();
}
