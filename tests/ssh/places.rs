//! Where the agent is kept, and where it is not.

use cc_cloud::ssh::{Become, Reason, Session, SshError};

use crate::agent::{failure, session, start};
use crate::host::Host;
use crate::lab::{Lab, stand_in};

async fn as_root(lab: &Lab, inside: &str) -> (Host, Session) {
    session(lab, "root", inside, Become::Sudo).await
}

/// Where the agent lands on a host that differs in this way; twice, so that it is also found there.
async fn lands(inside: &str) -> (Host, String, Lab) {
    let lab = Lab::new();
    let (host, session) = as_root(&lab, inside).await;
    let first = start(&session).await.unwrap();
    let second = start(&session).await.unwrap();
    assert!(first.uploaded && !second.uploaded);
    assert_eq!(first.place, second.place);
    (host, first.place.rsplit_once('/').unwrap().0.to_owned(), lab)
}

fn places(error: &SshError) -> Vec<String> {
    match &*error.reason {
        Reason::NoPlace { places } => places.clone(),
        _ => panic!("{error}"),
    }
}

const READ_ONLY: &str = "mount -o remount,ro";

#[tokio::test]
async fn goes_on_to_the_next_place() {
    let noexec = |place: &str| format!("mount -t tmpfs -o noexec tmpfs {place}");
    for (inside, place) in [
        (format!("{READ_ONLY} /var/lib"), "/run/cc-cloud"),
        (noexec("/var/lib"), "/run/cc-cloud"),
        (format!("{}; {READ_ONLY} /run", noexec("/var/lib")), "/dev/shm/cc-cloud"),
        (format!("{}; {READ_ONLY} /run; {}", noexec("/var/lib"), noexec("/dev/shm")), "/tmp/cc-cloud"),
        ("mount -t tmpfs -o size=200k tmpfs /var/lib".to_owned(), "/run/cc-cloud"),
        ("mkdir -m 777 /var/lib/cc-cloud".to_owned(), "/run/cc-cloud"),
        ("mkdir -m 700 /var/lib/cc-cloud; chown 4100 /var/lib/cc-cloud".to_owned(), "/run/cc-cloud"),
        ("echo >/var/lib/cc-cloud".to_owned(), "/run/cc-cloud"),
    ] {
        assert_eq!(lands(&inside).await.1, place, "{inside}");
    }
}

#[tokio::test]
async fn no_place_at_all_is_one_error_with_every_reason() {
    let inside = format!(
        "{READ_ONLY} /var/lib; mount -t tmpfs -o noexec tmpfs /run; mkdir /run/sshd; mount -t tmpfs -o size=100k tmpfs /dev/shm; \
         mkdir -m 700 /tmp/cc-cloud; chown 4100 /tmp/cc-cloud"
    );
    let lab = Lab::new();
    let (_host, session) = as_root(&lab, &inside).await;
    let error = failure(&session).await;
    let kib = stand_in().length().div_ceil(1024);
    assert_eq!(
        places(&error),
        [
            "/var/lib/cc-cloud cannot be made: Read-only file system".to_owned(),
            "/run/cc-cloud is mounted noexec".to_owned(),
            format!("/dev/shm/cc-cloud has 100 KiB free, the agent needs {kib} KiB"),
            "/tmp/cc-cloud belongs to somebody else".to_owned(),
        ]
    );
    assert!(error.hint().unwrap().contains("noexec"));
}

#[tokio::test]
async fn a_full_disk_that_lies_about_its_space_is_an_error() {
    // df in this place says that there is room, as a quota does.
    let inside = "mount -t tmpfs -o size=100k tmpfs /var/lib
        printf '#!/bin/sh\\necho x; echo x x x 99999999 x x\\n' >/tmp/df; chmod 755 /tmp/df; mount --bind /tmp/df $(readlink -f /usr/bin/df)";
    let lab = Lab::new();
    let (host, session) = as_root(&lab, inside).await;
    let error = failure(&session).await;
    assert!(matches!(*error.reason, Reason::AgentWrite { .. }), "{error}");
    assert!(error.to_string().contains("/var/lib/cc-cloud: No space left on device"), "{error}");
    assert_eq!(host.inside("ls -A /var/lib/cc-cloud"), "", "what was begun is removed");
}

#[tokio::test]
async fn a_planted_link_is_never_followed() {
    // Instead of the directory.
    let (host, place, _lab) = lands("mkdir -m 700 /home/elsewhere; ln -s /home/elsewhere /var/lib/cc-cloud").await;
    assert_eq!(place, "/run/cc-cloud");
    assert_eq!(host.inside("ls -A /home/elsewhere"), "");

    // Instead of the agent, to a file or to a directory.
    let name = format!("agent-{}", &stand_in().digest()[..12]);
    for planted in ["echo precious >/home/victim", "mkdir /home/victim"] {
        let inside = format!("{planted}; mkdir -m 700 /var/lib/cc-cloud; ln -s /home/victim /var/lib/cc-cloud/{name}");
        let (host, place, _lab) = lands(&inside).await;
        assert_eq!(place, "/var/lib/cc-cloud");
        assert_eq!(host.inside(&format!("stat -c %F /var/lib/cc-cloud/{name}")).trim(), "regular file");
        assert_eq!(
            host.inside("cat /home/victim 2>/dev/null || ls -A /home/victim"),
            if planted.starts_with("echo") { "precious\n" } else { "" }
        );
    }

    // Somebody's directory of that name is in the way, and is left alone.
    let lab = Lab::new();
    let (_host, session) = as_root(&lab, &format!("mkdir -p -m 700 /var/lib/cc-cloud/{name}")).await;
    let error = failure(&session).await;
    assert!(matches!(*error.reason, Reason::AgentWrite { .. }), "{error}");
}

#[tokio::test]
async fn a_link_to_an_agent_is_not_run_and_a_changed_agent_is_replaced() {
    let lab = Lab::new();
    let (host, session) = as_root(&lab, "").await;
    let place = start(&session).await.unwrap().place;
    host.inside(&format!("mv {place} /var/lib/moved; ln -s /var/lib/moved {place}"));
    assert!(start(&session).await.unwrap().uploaded, "a link, even to the right file");
    host.inside(&format!("cp {place} /var/lib/changed; echo >>/var/lib/changed; mv /var/lib/changed {place}"));
    assert!(start(&session).await.unwrap().uploaded, "a changed file");
    host.inside(&format!("chown 4100 {place}"));
    assert!(start(&session).await.unwrap().uploaded, "somebody else's file");
    assert!(!start(&session).await.unwrap().uploaded);
}

#[tokio::test]
async fn old_agents_and_broken_uploads_are_swept() {
    let inside = "mkdir -m 700 /var/lib/cc-cloud; cd /var/lib/cc-cloud; mkdir journal; echo >journal/agent-kept
        echo >agent-000000000000; echo >.agent-000000000000.17; touch -d '40 days ago' agent-000000000000 .agent-000000000000.17
        echo >agent-111111111111; cd /";
    let (host, _, _lab) = lands(inside).await;
    let name = format!("agent-{}", &stand_in().digest()[..12]);
    let mut expected = vec!["agent-111111111111".to_owned(), name, "journal".to_owned()];
    expected.sort();
    assert_eq!(host.inside("ls -A /var/lib/cc-cloud").lines().collect::<Vec<_>>(), expected);
    assert_eq!(host.inside("ls /var/lib/cc-cloud/journal"), "agent-kept\n");
}
