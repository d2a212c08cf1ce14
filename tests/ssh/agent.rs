//! The agent is found or sent, and becomes root.

use std::sync::Arc;
use std::time::Duration;

use cc_agent::secret::Secret;
use cc_cloud::ssh::{AgentBinary, AgentSession, Become, Connector, ConnectorOptions, Reason, Session, SshError};

use crate::host::{Host, PASSWORD, Setup};
use crate::lab::{Lab, stand_in, stand_in_file};
use crate::login::SOON;

/// A session of this user with a host that differs in this way.
pub async fn session(lab: &Lab, user: &str, inside: &str, become_root: Become) -> (Host, Session) {
    session_on(lab, user, Setup { inside, ..Setup::default() }, become_root).await
}

async fn session_on(lab: &Lab, user: &str, setup: Setup<'_>, become_root: Become) -> (Host, Session) {
    let host = Host::with(lab, setup);
    lab.trust(&[&host]).await;
    let mut target = lab.target(&host, user);
    target.become_root = become_root;
    let session = lab.connector().connect(&target).await.unwrap();
    (host, session)
}

pub async fn start(session: &Session) -> Result<AgentSession, SshError> {
    session.start_agent(&stand_in(), "local").await
}

pub async fn failure(session: &Session) -> SshError {
    start(session).await.map(|_| ()).unwrap_err()
}

fn password(text: &str) -> Become {
    Become::SudoWithPassword(Arc::new(Secret::new(text.to_owned())))
}

#[tokio::test]
async fn is_sent_once_and_then_found_in_one_round_trip() {
    let lab = Lab::new();
    for user in ["root", "deploy"] {
        let lab = if user == "root" { &lab } else { &Lab::new() };
        let (host, session) = session(lab, user, "", Become::Sudo).await;
        let first = start(&session).await.unwrap();
        assert!(first.root && first.uploaded);
        assert_eq!(first.link.round_trips(), 3, "search, upload, greeting");
        let second = start(&session).await.unwrap();
        assert!(second.root && !second.uploaded);
        assert_eq!(second.link.round_trips(), 1, "the greeting is answered at once");
        assert!(second.link.bytes_sent() < 10_000, "{}", second.link.bytes_sent());

        let digest = stand_in().digest().to_owned();
        let place = format!("/var/lib/cc-cloud/agent-{}", &digest[..12]);
        assert_eq!((first.place.as_str(), second.place.as_str()), (place.as_str(), place.as_str()));
        assert_eq!(host.inside("stat -c '%A %U' /var/lib/cc-cloud").trim(), "drwx------ root");
        assert_eq!(host.inside(&format!("stat -c '%A %U' {place}")).trim(), "-rwx------ root");
        assert_eq!(host.inside(&format!("sha256sum {place}")).split(' ').next().unwrap(), digest);
        assert_eq!(host.inside("ls -A /var/lib/cc-cloud").lines().count(), 1, "nothing else is left");
    }
}

#[tokio::test]
async fn many_sessions_at_once() {
    let lab = Lab::new();
    let host = Host::with(&lab, Setup { sshd: "MaxStartups 100", ..Setup::default() });
    lab.trust(&[&host]).await;
    let (connector, target, agent) = (lab.connector(), lab.target(&host, "deploy"), stand_in());
    let sessions = (0..8).map(async |_| {
        let session = connector.connect(&target).await.unwrap();
        let started = session.start_agent(&agent, "local").await.unwrap();
        started.link.bye(false, SOON).await.unwrap();
    });
    futures_util::future::join_all(sessions).await;
    assert_eq!(host.inside("ls -A /var/lib/cc-cloud").lines().count(), 1, "all sent the same one");
}

#[tokio::test]
async fn sudo_with_a_password() {
    let lab = Lab::new();
    let (host, session) = session(&lab, "asked", "", password(PASSWORD)).await;
    let first = start(&session).await.unwrap();
    assert!(first.root && first.uploaded);
    let second = start(&session).await.unwrap();
    assert!(second.root && !second.uploaded);
    assert_eq!(second.link.round_trips(), 3, "prompt, password, greeting");
    assert!(!host.log().contains(PASSWORD));

    let mut target = lab.target(&host, "asked");
    target.become_root = password("incorrect horse");
    let session = lab.connector().connect(&target).await.unwrap();
    let error = failure(&session).await;
    assert!(matches!(*error.reason, Reason::SudoWrongPassword { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("incorrect horse"));
}

#[tokio::test]
async fn a_password_that_nobody_asks_for_is_not_sent() {
    for user in ["deploy", "root"] {
        let lab = Lab::new();
        let (_host, session) = session(&lab, user, "", password(PASSWORD)).await;
        let started = start(&session).await.unwrap();
        assert!(started.root && started.uploaded, "{user}");
    }
}

#[tokio::test]
async fn each_trouble_with_sudo_is_one_clear_error() {
    let cases: [(&str, &str, Become, &str, &str); 5] = [
        ("asked", "", Become::Sudo, "sudo asks for a password of `asked`", "NOPASSWD"),
        ("terminal", "", Become::Sudo, "sudo works for `terminal` only at a terminal", "!requiretty"),
        ("nobody-special", "", Become::Sudo, "sudo asks for a password of `nobody-special`", "NOPASSWD"),
        ("nobody-special", "", password(PASSWORD), "`nobody-special` may not use sudo", "/etc/sudoers.d"),
        (
            "deploy",
            "mount --bind /dev/null /usr/bin/sudo",
            Become::Sudo,
            "not root and the host has no sudo",
            "install sudo",
        ),
    ];
    for (user, inside, become_root, message, hint) in cases {
        let lab = Lab::new();
        let (host, session) = session(&lab, user, inside, become_root).await;
        let error = failure(&session).await;
        assert!(error.to_string().starts_with("web1: ") && error.to_string().contains(message), "{user}: {error}");
        assert!(error.hint().unwrap().contains(hint), "{user}: {:?}", error.hint());
        assert_eq!(host.inside("ls /var/lib"), "sudo\n", "nothing is left behind");
    }
}

#[tokio::test]
async fn without_sudo_it_runs_as_the_user() {
    let lab = Lab::new();
    let (host, session) = session(&lab, "nobody-special", "", Become::None).await;
    let started = start(&session).await.unwrap();
    assert!(!started.root && started.uploaded);
    assert!(started.place.starts_with("/home/nobody-special/.cache/cc-cloud/agent-"), "{}", started.place);
    assert!(!start(&session).await.unwrap().uploaded);
    assert_eq!(host.inside("ls /var/lib"), "sudo\n");
}

#[tokio::test]
async fn shells_that_talk_and_odd_umasks_do_no_harm() {
    let noise = r#"
        mkdir -p /home/deploy/bin
        { echo 'umask 777; echo "Welcome to web1!"; printf "cc-cloud-: no newline"; echo warning >&2'
          echo 'export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8'; } >/home/deploy/.bashrc
        cp /home/deploy/.bashrc /home/deploy/.profile"#;
    let lab = Lab::new();
    let setup = Setup { inside: noise, shell: "/bin/bash", ..Setup::default() };
    let (host, session) = session_on(&lab, "deploy", setup, Become::Sudo).await;
    let heard = session.exec("true", SOON).await.unwrap();
    assert!(heard.stdout.starts_with(b"Welcome"), "the test makes the noise that it means to make");
    for uploaded in [true, false] {
        let started = start(&session).await.unwrap();
        assert_eq!((started.root, started.uploaded), (true, uploaded));
    }
    assert_eq!(host.inside("stat -c '%A' /var/lib/cc-cloud/agent-*").trim(), "-rwx------");
}

#[tokio::test]
async fn a_shell_that_runs_nothing_is_an_error_with_its_words() {
    for (shell, message) in [
        ("/usr/sbin/nologin", "not available"),
        ("/home/deploy/endless", "prints more than"),
        ("/bin/false", "exit status 1"),
    ] {
        let lab = Lab::new();
        let inside = "printf '#!/bin/sh\\nexec yes' >/home/deploy/endless; chmod 755 /home/deploy/endless";
        let setup = Setup { shell, inside, ..Setup::default() };
        let (_host, session) = session_on(&lab, "deploy", setup, Become::Sudo).await;
        let error = failure(&session).await;
        assert!(matches!(*error.reason, Reason::ExecRefused { .. }), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn another_machine_and_a_host_without_tools() {
    let lab = Lab::new();
    let (host, deploy) = session(&lab, "deploy", "", Become::Sudo).await;
    let mut bytes = std::fs::read(stand_in_file()).unwrap();
    bytes[18..20].copy_from_slice(&183_u16.to_le_bytes());
    std::fs::write(lab.path("arm"), bytes).unwrap();
    let arm = AgentBinary::open(&lab.path("arm"), "", None).unwrap();
    let error = deploy.start_agent(&arm, "local").await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the host is `Linux x86_64`, the agent is for `Linux aarch64`"), "{error}");
    assert!(error.hint().unwrap().contains("--agent-binary"));
    assert_eq!(host.inside("ls /var/lib"), "sudo\n", "nothing was sent");

    let lab = Lab::new();
    let (_host, deploy) =
        session(&lab, "deploy", "mount --bind /dev/null $(readlink -f /usr/bin/gzip)", Become::Sudo).await;
    let error = failure(&deploy).await;
    assert!(error.to_string().contains("the host has no `gzip`"), "{error}");
}

#[tokio::test]
async fn a_shell_that_hangs_is_an_error_that_says_what_was_awaited() {
    let lab = Lab::new();
    let inside = "printf '#!/bin/sh\\nexec sleep 30' >/home/deploy/hang; chmod 755 /home/deploy/hang";
    let host = Host::with(&lab, Setup { shell: "/home/deploy/hang", inside, ..Setup::default() });
    lab.trust(&[&host]).await;
    let options = ConnectorOptions { answer_timeout: Duration::from_millis(500), ..lab.options() };
    let session = Connector::new(options).connect(&lab.target(&host, "deploy")).await.unwrap();
    let error = failure(&session).await;
    assert_eq!(error.to_string(), "web1: no answer within 0.5 s while waiting for the first answer of the login shell");
    let error = session.exec("true", Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(error.to_string(), "web1: no answer within 0.5 s while waiting for the end of `true`");
}

#[tokio::test]
async fn a_server_without_sessions_is_an_error() {
    let lab = Lab::new();
    let setup = Setup { sshd: "MaxSessions 0", ..Setup::default() };
    let (_host, session) = session_on(&lab, "deploy", setup, Become::Sudo).await;
    let error = failure(&session).await;
    assert!(matches!(*error.reason, Reason::ExecRefused { .. }), "{error}");
}

// The connection is ended by a task, while the test blocks on the host.
#[tokio::test(flavor = "multi_thread")]
async fn the_agent_ends_with_its_session() {
    let lab = Lab::new();
    for user in ["root", "deploy"] {
        let (host, session) = session(&lab, user, "", Become::Sudo).await;
        let started = start(&session).await.unwrap();
        let name = started.place.rsplit('/').next().unwrap().to_owned();
        // Other tests have agents of the same name, in other namespaces.
        let own = r#"[ "$(readlink /proc/$pid/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ]"#;
        let pid = host.inside(&format!("for pid in $(pidof {name}); do if {own}; then echo $pid; fi; done"));
        drop((started, session));
        host.inside(&format!("timeout 30 tail --pid={} -f /dev/null", pid.trim()));
        std::fs::remove_dir_all(lab.path("host-web1")).unwrap();
    }
}
