//! Which hosts are trusted.

use std::process::Command;

use cc_cloud::ssh::{Connector, ConnectorOptions, HostName, KnownHostsFiles, Reason, SshError, Target, Verdict};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use russh::keys::PublicKey;

use crate::host::{Host, Setup};
use crate::lab::{Lab, run};

async fn connect(lab: &Lab, target: &Target) -> Result<(), SshError> {
    lab.connector().connect(target).await.map(|_| ())
}

#[tokio::test]
async fn unknown_keys_of_all_hosts_are_gathered_once() {
    let lab = Lab::new();
    let start = |name| Host::with(&lab, Setup { name, ..Setup::default() });
    let (web, db) = (start("web1"), start("db1"));
    let targets = [lab.target(&web, "deploy"), lab.target(&db, "deploy"), lab.target(&web, "root")];

    let error = connect(&lab, &targets[0]).await.unwrap_err();
    assert_eq!(error.unknown_key().unwrap().host, "web1");
    assert!(error.hint().unwrap().contains("ssh_host_ed25519_key.pub"), "{error}");

    let connector = lab.connector();
    let scan = connector.scan(&targets).await;
    assert!(scan.failed.is_empty());
    let names: Vec<&str> = scan.unknown.iter().map(|key| key.host.as_str()).collect();
    assert_eq!(names, ["web1", "db1"], "in the order of the targets, each once");
    let shown = run(Command::new("ssh-keygen").arg("-lf").arg(lab.path("host-web1/ssh_host_ed25519_key.pub")));
    let fingerprint = scan.unknown[0].fingerprint();
    assert!(shown.contains(fingerprint.split(' ').nth(1).unwrap()), "{shown} {fingerprint}");

    connector.pin(&scan.unknown).unwrap();
    assert_eq!(lab.read("known_hosts").lines().count(), 2);
    let connections = web.connections() + db.connections();
    let scan = connector.scan(&targets).await;
    assert!(scan.unknown.is_empty() && scan.failed.is_empty());
    assert_eq!(web.connections() + db.connections(), connections, "known hosts are not asked");
    for target in &targets {
        connect(&lab, target).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_behind_an_unknown_jump_host_is_asked_about_after_it() {
    let lab = Lab::new();
    let start = |name| Host::with(&lab, Setup { name, ..Setup::default() });
    let (jump, web) = (start("jump"), start("web1"));
    let mut target = lab.target(&web, "deploy");
    target.jump = vec![lab.endpoint(&jump, "deploy")];
    let connector = lab.connector();
    for expected in [format!("deploy@127.0.0.1:{}", jump.port()), "web1".to_owned()] {
        let scan = connector.scan(&[target.clone(), target.clone()]).await;
        let hosts: Vec<&str> = scan.unknown.iter().map(|key| key.host.as_str()).collect();
        assert_eq!(hosts, [expected.as_str()], "{:?}", scan.failed);
        connector.pin(&scan.unknown).unwrap();
    }
    assert!(connector.scan(std::slice::from_ref(&target)).await.unknown.is_empty());
    connector.connect(&target).await.unwrap();
}

#[tokio::test]
async fn changed_and_revoked_keys_stop() {
    let lab = Lab::new();
    let host = Host::start(&lab);
    lab.trust(&[&host]).await;
    let target = lab.target(&host, "deploy");
    let key = host.public_key("ed25519");
    let address = format!("[127.0.0.1]:{}", host.port());
    lab.key("other", &["-t", "ed25519"]);

    lab.write("known_hosts", &format!("# pinned\n{address} {}", lab.read("other.pub")));
    let error = connect(&lab, &target).await.unwrap_err();
    let Reason::HostKeyChanged { shown, known, place, .. } = &*error.reason else { panic!("{error}") };
    assert_ne!(shown, known);
    assert!(error.to_string().contains(shown) && error.to_string().contains(known));
    assert!(place.ends_with("known_hosts:2"), "{place}");
    assert!(error.hint().unwrap().contains("do not go on"));
    assert!(!error.is_unreachable());
    let scan = lab.connector().scan(std::slice::from_ref(&target)).await;
    assert!(scan.unknown.is_empty(), "a changed key is not offered for acceptance");

    lab.write("known_hosts", &format!("{address} {key}@revoked * {key}"));
    let error = connect(&lab, &target).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::HostKeyRevoked { .. }), "{error}");

    lab.write("known_hosts", &format!("@revoked * {key}"));
    let scan = lab.connector().scan(std::slice::from_ref(&target)).await;
    assert!(matches!(*scan.failed[0].reason, Reason::HostKeyRevoked { .. }));
    assert!(!host.log().contains("Accepted"), "no login before the key is trusted: {}", host.log());
}

#[tokio::test]
async fn the_users_files_count_too() {
    let lab = Lab::new();
    let host = Host::start(&lab);
    let mine = lab.write("mine", &format!("[127.0.0.1]:{} {}", host.port(), host.public_key("ed25519")));
    run(Command::new("ssh-keygen").arg("-H").arg("-f").arg(&mine));
    assert!(lab.read("mine").starts_with("|1|"), "hashed");
    lab.write(
        "config",
        &format!("UserKnownHostsFile {} {}\nGlobalKnownHostsFile none\n", lab.path("absent").display(), mine.display()),
    );
    connect(&lab, &lab.target(&host, "deploy")).await.unwrap();
    assert!(!lab.path("known_hosts").exists(), "what the user knows is not pinned again");
}

#[tokio::test]
async fn a_host_with_several_keys_shows_the_known_one() {
    let lab = Lab::new();
    let kinds = ["ed25519", "ecdsa", "rsa"];
    let host = Host::with(&lab, Setup { host_keys: &kinds, ..Setup::default() });
    for kind in kinds {
        lab.write("known_hosts", &format!("[127.0.0.1]:{} {}", host.port(), host.public_key(kind)));
        connect(&lab, &lab.target(&host, "deploy")).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[tokio::test]
async fn host_certificates() {
    let lab = Lab::new();
    lab.key("ca", &["-t", "ed25519"]);
    let sshd = "HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub";
    let host = Host::with(&lab, Setup { sshd, ..Setup::default() });
    let target = lab.target(&host, "deploy");
    let sign =
        |options: &[&str]| lab.sign("ca", "host-web1/ssh_host_ed25519_key", &[&["-h", "-I", "web1"], options].concat());
    let authority = format!("@cert-authority [127.0.0.1]:* {}", lab.read("ca.pub"));

    sign(&["-n", "127.0.0.1", "-V", "-5m:+1h"]);
    lab.write("known_hosts", &authority);
    connect(&lab, &target).await.unwrap();

    for (options, why) in
        [(["-n", "db1", "-V", "-5m:+1h"], "it is for db1"), (["-n", "127.0.0.1", "-V", "-2h:-1h"], "it has expired")]
    {
        sign(&options);
        let error = connect(&lab, &target).await.unwrap_err();
        let Reason::HostCertificate { detail, .. } = &*error.reason else { panic!("{error}") };
        assert_eq!(detail, why);
    }

    lab.key("other_ca", &["-t", "ed25519"]);
    lab.write("known_hosts", &format!("@cert-authority * {}", lab.read("other_ca.pub")));
    assert!(connect(&lab, &target).await.unwrap_err().unknown_key().is_some());
    lab.write("known_hosts", &format!("{authority}@revoked * {}", lab.read("ca.pub")));
    assert!(matches!(*connect(&lab, &target).await.unwrap_err().reason, Reason::HostKeyRevoked { .. }));
}

#[tokio::test]
async fn a_broken_file_of_the_environment_is_an_error_with_its_line() {
    let lab = Lab::new();
    let host = Host::start(&lab);
    lab.write("known_hosts", "# ours\n[127.0.0.1]:*\n");
    let error = connect(&lab, &lab.target(&host, "deploy")).await.unwrap_err();
    assert!(error.to_string().contains("known_hosts: line 2: no key"), "{error}");
    let options = ConnectorOptions { known_hosts: None, ..lab.options() };
    assert!(Connector::new(options).pin(&[]).is_err(), "an environment without a file cannot pin");
}

/// ssh-keygen is asked about the same lines.
#[test]
fn names_match_as_openssh_matches_them() {
    let lab = Lab::new();
    let key = lab.read("id.pub");
    let public = PublicKey::from_openssh(&key).unwrap();
    let part = prop_oneof!["[aA]{1,2}", "[aAb*?.]{1,4}", Just("*".to_owned())];
    let pattern = (any::<bool>(), part, prop_oneof![Just(None), Just(Some(22)), Just(Some(23))]).prop_map(
        |(negated, host, port)| {
            let host = port.map_or(host.clone(), |port| format!("[{host}]:{port}"));
            format!("{}{host}", if negated { "!" } else { "" })
        },
    );
    let lines =
        prop::collection::vec(prop::collection::vec(pattern, 1..4).prop_map(|patterns| patterns.join(",")), 1..3);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&(lines, "[aAb.]{1,3}", prop_oneof![Just(22_u16), Just(23)]), |(lines, host, port)| {
        let file = lab.write("lines", &lines.iter().map(|names| format!("{names} {key}")).collect::<String>());
        let name = HostName::new(&host, port);
        let found = Command::new("ssh-keygen").arg("-F").arg(name.to_string()).arg("-f").arg(&file).output().unwrap();
        // Only lines for this port: a line without a port is good for every port, which ssh-keygen does not know.
        let ours = KnownHostsFiles::default().look_up(name, None, &[file]).unwrap();
        let expected = found.status.success();
        let mine = ours.judge(&public) == Verdict::Trusted;
        if port == 22 || expected {
            prop_assert_eq!(mine, expected, "{:?} {} {}", lines, host, port);
        }
        Ok(())
    });
    result.unwrap();
}
