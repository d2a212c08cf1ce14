//! Who may log in, with what, and over which way.

use std::sync::Arc;
use std::time::Duration;

use cc_agent::secret::Secret;
use cc_cloud::ssh::{Bootstrap, Connector, ConnectorOptions, Reason, Retry, Session, SshError, Target};

use crate::host::{Host, Setup};
use crate::lab::{Lab, run};

pub const SOON: Duration = Duration::from_secs(30);

async fn whoami(session: &Session) -> String {
    let output = session.exec("id -un", SOON).await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A host that trusts only the given public keys, and is trusted itself.
async fn host_for(lab: &Lab, keys: &[&str], sshd: &str) -> Host {
    let host = Host::with(lab, Setup { sshd, ..Setup::default() });
    let keys: String = keys.iter().map(|key| lab.read(&format!("{key}.pub"))).collect();
    lab.write("host-web1/authorized_keys", &keys);
    lab.trust(&[&host]).await;
    host
}

/// `deploy` with this key file instead of `id`.
fn with_key(lab: &Lab, host: &Host, key: &str) -> Target {
    let mut target = lab.target(host, "deploy");
    target.endpoint.identity_files = vec![lab.path(key)];
    target
}

fn refused(result: Result<Session, SshError>) -> (SshError, Vec<String>, Vec<String>) {
    let error = result.map(|_| ()).unwrap_err();
    match *error.reason.clone() {
        Reason::LoginRefused { tried, methods, .. } => (error, tried, methods),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn key_files_of_every_type() {
    let lab = Lab::new();
    lab.key("ed25519", &["-t", "ed25519"]);
    lab.key("ecdsa", &["-t", "ecdsa"]);
    lab.key("rsa", &["-t", "rsa", "-b", "2048"]);
    lab.key("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]);
    let host = host_for(&lab, &["ed25519", "ecdsa", "rsa", "pem"], "").await;
    for key in ["ed25519", "ecdsa", "rsa", "pem"] {
        let session = lab.connector().connect(&with_key(&lab, &host, key)).await.unwrap();
        assert_eq!((whoami(&session).await.as_str(), session.user()), ("deploy", "deploy"), "{key}");
        session.close().await;
    }
}

#[tokio::test]
async fn a_protected_key_asks_for_its_passphrase_or_says_so() {
    let lab = Lab::new();
    let key = lab.key("locked", &["-t", "ed25519", "-N", "open sesame"]);
    let host = host_for(&lab, &["locked"], "").await;
    let target = with_key(&lab, &host, "locked");
    let (error, tried, methods) = refused(lab.connector().connect(&target).await);
    assert_eq!(tried, [format!("{} (protected by a passphrase)", key.display())]);
    assert_eq!(methods, ["publickey"]);
    assert!(error.hint().unwrap().contains("ssh-add"));

    let ask: cc_cloud::ssh::AskPassphrase = Arc::new(|_| Some(Secret::new("open sesame".to_owned())));
    let connector = Connector::new(ConnectorOptions { ask_passphrase: Some(ask), ..lab.options() });
    connector.connect(&target).await.unwrap();
}

#[tokio::test]
async fn keys_of_the_ssh_agent() {
    let lab = Lab::new();
    for (key, kind) in [("held", "ed25519"), ("rsa", "rsa")] {
        lab.key(key, &["-t", kind]);
        let agent = lab.ssh_agent(&[key]);
        let other = Lab::new();
        std::fs::copy(lab.path(&format!("{key}.pub")), other.path("id.pub")).unwrap();
        let host = Host::start(&other);
        other.trust(&[&host]).await;
        let settings = other.settings().with_agent_socket(Some(agent.socket.clone()));
        let mut target = other.target(&host, "deploy");
        target.endpoint.identity_files.clear();
        let connector = Connector::new(ConnectorOptions { settings, ..other.options() });
        connector.connect(&target).await.unwrap();
        drop(agent);
        let (_, tried, _) = refused(connector.connect(&target).await);
        assert!(tried[0].starts_with("ssh-agent at "), "{tried:?}");
    }
}

#[tokio::test]
async fn the_named_key_goes_before_a_crowded_agent() {
    let lab = Lab::new();
    let names: Vec<String> = (0..8).map(|number| format!("other{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        lab.key(name, &["-t", "ed25519"]);
    }
    let agent = lab.ssh_agent(&names);
    let settings = lab.settings().with_agent_socket(Some(agent.socket.clone()));
    let connector = Connector::new(ConnectorOptions { settings, ..lab.options() });
    let host = host_for(&lab, &["id"], "MaxAuthTries 4").await;
    connector.connect(&lab.target(&host, "deploy")).await.unwrap();

    let mut unnamed = lab.target(&host, "deploy");
    unnamed.endpoint.identity_files.clear();
    let (_, tried, _) = refused(connector.connect(&unnamed).await);
    assert!(tried.last().unwrap().contains("the server hung up"), "{tried:?}");
    assert!(tried[0].starts_with("agent key SHA256:"), "{tried:?}");
}

#[tokio::test]
async fn user_certificates_from_files_and_agents() {
    let lab = Lab::new();
    lab.key("ca", &["-t", "ed25519"]);
    std::fs::copy(lab.path("ca.pub"), lab.path("ca_copy.pub")).unwrap();
    let host = Host::with(
        &lab,
        Setup { sshd: "TrustedUserCAKeys /etc/ssh/ca.pub\nAuthorizedKeysFile none", ..Setup::default() },
    );
    lab.write("host-web1/ca.pub", &lab.read("ca_copy.pub"));
    lab.trust(&[&host]).await;
    for kind in ["ed25519", "ecdsa", "rsa"] {
        lab.key(kind, &["-t", kind]);
        let (error, ..) = refused(lab.connector().connect(&with_key(&lab, &host, kind)).await);
        assert!(error.to_string().contains(kind), "{error}");
        lab.sign("ca", kind, &["-I", "deployer", "-n", "deploy", "-V", "-5m:+1h"]);
        lab.connector().connect(&with_key(&lab, &host, kind)).await.unwrap();
    }

    // ssh-add adds the certificate too; then one where only the plain key is held and the certificate is in a file.
    let agent = lab.ssh_agent(&["ed25519"]);
    let settings = lab.settings().with_agent_socket(Some(agent.socket.clone()));
    let connector = Connector::new(ConnectorOptions { settings, ..lab.options() });
    let mut target = with_key(&lab, &host, "ed25519");
    std::fs::remove_file(lab.path("ed25519")).unwrap();
    connector.connect(&target).await.unwrap();
    run(std::process::Command::new("ssh-add").arg("-qD").env("SSH_AUTH_SOCK", &agent.socket));
    run(std::process::Command::new("ssh-add").arg("-q").arg(lab.path("rsa")).env("SSH_AUTH_SOCK", &agent.socket));
    run(std::process::Command::new("ssh-add")
        .arg("-qd")
        .arg(lab.path("rsa-cert.pub"))
        .env("SSH_AUTH_SOCK", &agent.socket));
    target.endpoint.identity_files = vec![lab.path("rsa")];
    std::fs::remove_file(lab.path("rsa")).unwrap();
    connector.connect(&target).await.unwrap();
}

#[tokio::test]
async fn a_refused_login_names_what_was_tried_and_is_not_tried_again() {
    let lab = Lab::new();
    let host = host_for(&lab, &["id"], "").await;
    lab.key("stranger", &["-t", "ed25519"]);
    let before = host.connections();
    let (error, tried, methods) = refused(lab.connector().connect(&with_key(&lab, &host, "stranger")).await);
    assert_eq!(tried, [lab.path("stranger").display().to_string()]);
    assert_eq!(methods, ["publickey"]);
    assert!(error.to_string().starts_with("web1: login as `deploy` was refused; tried "), "{error}");
    assert!(error.hint().unwrap().contains("authorized_keys"));
    assert!(!error.is_unreachable());
    assert_eq!(host.connections() - before, 1);
    let (_, tried, _) = refused(lab.connector().connect(&with_key(&lab, &host, "absent")).await);
    assert_eq!(tried, [format!("{} (no such file)", lab.path("absent").display())]);
}

#[tokio::test]
async fn the_bootstrap_user_comes_second() {
    let lab = Lab::new();
    let host = host_for(&lab, &["id"], "DenyUsers newcomer asked").await;
    let mut target = lab.target(&host, "newcomer");
    let (_, tried, _) = refused(lab.connector().connect(&target).await);
    assert_eq!(tried.len(), 1);
    target.bootstrap = Some(Bootstrap { user: "root".to_owned(), identity_files: Vec::new() });
    let session = lab.connector().connect(&target).await.unwrap();
    assert!(session.is_bootstrapped());
    assert_eq!((whoami(&session).await.as_str(), session.user()), ("root", "root"));

    target.endpoint.user = Some("deploy".to_owned());
    assert!(!lab.connector().connect(&target).await.unwrap().is_bootstrapped(), "not when it is not needed");

    target.endpoint.user = Some("newcomer".to_owned());
    target.bootstrap = Some(Bootstrap { user: "asked".to_owned(), identity_files: Vec::new() });
    let (error, tried, _) = refused(lab.connector().connect(&target).await);
    assert!(error.to_string().contains("login as `newcomer`"), "{error}");
    assert!(tried.last().unwrap().starts_with("and as `asked`: "), "{tried:?}");
}

#[tokio::test]
async fn jump_hosts_each_with_settings_of_its_own_are_shared() {
    let lab = Lab::new();
    let start = |name| Host::with(&lab, Setup { name, ..Setup::default() });
    let (first, second, web) = (start("first"), start("second"), start("web"));
    lab.key("jumper", &["-t", "ed25519"]);
    lab.write("host-first/authorized_keys", &lab.read("jumper.pub"));
    lab.trust(&[&first, &second, &web]).await;
    let id = |name: &str| lab.path(name).display().to_string();
    let config = format!(
        "{}Host outer\n HostName 127.0.0.1\n Port {}\n User asked\n IdentityFile {}\n\
         Host inner\n HostName 127.0.0.1\n Port {}\n User deploy\n ProxyJump outer\n IdentityFile {}\n",
        "Host *\n UserKnownHostsFile none\n GlobalKnownHostsFile none\n",
        first.port(),
        id("jumper"),
        second.port(),
        id("id"),
    );
    lab.write("config", &config);
    let mut target = lab.target(&web, "deploy");
    target.jump = vec!["inner".parse().unwrap()];
    let connector = lab.connector();
    let (before_first, before_second, before_web) = (first.connections(), second.connections(), web.connections());
    let all = futures_util::future::join_all((0..4).map(|_| connector.connect(&target))).await;
    for session in all {
        let session = session.unwrap();
        let ssh_connection = session.exec("echo $SSH_CONNECTION", SOON).await.unwrap().stdout;
        assert!(!ssh_connection.is_empty());
    }
    assert_eq!(web.connections() - before_web, 4);
    assert_eq!(
        (first.connections() - before_first, second.connections() - before_second),
        (1, 1),
        "jump hosts are shared"
    );
    assert!(first.log().contains("Accepted publickey for asked"), "{}", first.log());
    assert!(second.log().contains("Accepted publickey for deploy"), "{}", second.log());
}

#[tokio::test]
async fn an_error_at_a_jump_host_names_both() {
    let lab = Lab::new();
    let (jump, web) = (Host::with(&lab, Setup { name: "jump", ..Setup::default() }), Host::start(&lab));
    lab.trust(&[&jump, &web]).await;
    let mut target = lab.target(&web, "deploy");
    let mut endpoint = lab.endpoint(&jump, "deploy");
    endpoint.identity_files = vec![lab.key("stranger", &["-t", "ed25519"])];
    target.jump = vec![endpoint];
    let (error, ..) = refused(lab.connector().connect(&target).await);
    assert_eq!(error.host, "web1");
    assert_eq!(error.jump, Some(format!("deploy@127.0.0.1:{}", jump.port())));

    // The jump host works, what is behind it does not.
    target.jump = vec![lab.endpoint(&jump, "deploy")];
    target.endpoint.port = Some(1);
    let error = lab.connector().connect(&target).await.map(|_| ()).unwrap_err();
    assert!(matches!(*error.reason, Reason::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with("web1: cannot connect to 127.0.0.1:1: the jump host cannot"), "{error}");
}

#[tokio::test]
async fn a_jump_host_that_forwards_nothing_says_so() {
    let lab = Lab::new();
    let jump = Host::with(&lab, Setup { name: "jump", sshd: "AllowTcpForwarding no", ..Setup::default() });
    let web = Host::start(&lab);
    lab.trust(&[&jump, &web]).await;
    let mut target = lab.target(&web, "deploy");
    target.jump = vec![lab.endpoint(&jump, "deploy")];
    let error = lab.connector().connect(&target).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the jump host forwards no connections"), "{error}");
    assert!(error.hint().unwrap().contains("AllowTcpForwarding"), "{:?}", error.hint());
}

#[tokio::test]
async fn the_users_proxy_command() {
    let lab = Lab::new();
    let host = host_for(&lab, &["id"], "").await;
    let before = host.connections();
    lab.write("config", &format!("{}ProxyCommand {}\n", lab.read("config"), host.proxy_command()));
    let session = lab.connector().connect(&lab.target(&host, "deploy")).await.unwrap();
    assert_eq!(whoami(&session).await, "deploy");
    assert_eq!(host.connections(), before, "not over the network");
}

#[tokio::test]
async fn a_busy_server_is_tried_again() {
    let lab = Lab::new();
    let host = Host::with(&lab, Setup { hang_up_on: 2, ..Setup::default() });
    lab.trust(&[&host]).await;
    assert_eq!(host.connections(), 3);

    let busy = Host::with(&lab, Setup { name: "busy", hang_up_on: 100, ..Setup::default() });
    let options = ConnectorOptions { retry: Retry { times: 1, pause: Duration::ZERO }, ..lab.options() };
    let error = Connector::new(options).connect(&lab.target(&busy, "deploy")).await.map(|_| ()).unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(busy.connections(), 2);
}

#[tokio::test]
async fn hosts_that_cannot_be_reached() {
    let lab = Lab::new();
    let host = Host::start(&lab);
    let reason = async |change: &dyn Fn(&mut Target)| {
        let mut target = lab.target(&host, "deploy");
        change(&mut target);
        let options = ConnectorOptions { connect_timeout: Duration::from_millis(300), ..lab.options() };
        Connector::new(options).connect(&target).await.map(|_| ()).unwrap_err()
    };
    let error = reason(&|target| target.endpoint.port = Some(1)).await;
    assert!(error.to_string().contains("127.0.0.1:1: Connection refused"), "{error}");
    assert!(error.is_unreachable());
    let error = reason(&|target| target.endpoint.address = "no-such-host.invalid".to_owned()).await;
    assert!(matches!(*error.reason, Reason::NoAddress { .. }), "{error}");

    // One that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = reason(&|target| target.endpoint.port = Some(port)).await;
    assert!(matches!(*error.reason, Reason::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("the SSH handshake of 127.0.0.1:"), "{error}");

    // One that is something else.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in other.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = reason(&|target| target.endpoint.port = Some(port)).await;
    assert!(error.is_unreachable(), "{error}");
}
