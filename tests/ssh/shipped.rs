//! The agent as it is shipped, which `make test` builds and names in CC_AGENT_BINARY.

use std::path::PathBuf;

use cc_agent::protocol::{Reply, Request};
use cc_cloud::ssh::{AgentBinary, Become};

use crate::agent::session;
use crate::lab::Lab;
use crate::login::SOON;

fn path() -> PathBuf {
    std::env::var_os("CC_AGENT_BINARY").map(PathBuf::from).expect("CC_AGENT_BINARY is set by `make test`")
}

/// The bars of the design: what a host must hold, and what goes over a slow link.
#[tokio::test]
async fn it_is_small() {
    let agent = AgentBinary::open(&path(), "", None).unwrap();
    assert!(agent.length() <= 2_500_000, "it has {} bytes", agent.length());
    let packed = agent.packed().await.unwrap().len();
    assert!(packed <= 1_000_000, "packed it has {packed} bytes");
}

#[tokio::test]
async fn hello_facts_and_a_plan_that_changes_nothing_are_two_round_trips() {
    let lab = Lab::new();
    let agent = AgentBinary::open(&path(), "", Some(lab.path("cache"))).unwrap();
    let (host, session) = session(&lab, "deploy", "", Become::Sudo).await;
    for uploaded in [true, false] {
        let mut started = session.start_agent(&agent, "local").await.unwrap();
        assert_eq!((started.root, started.uploaded), (true, uploaded));
        assert_eq!(started.facts.arch, std::env::consts::ARCH);
        let observe = Request::Observe { steps: Vec::new(), handlers: Vec::new(), past: false };
        let reply = started.link.call(&observe, SOON).await.unwrap();
        assert!(matches!(&reply, Reply::Observed { changes, .. } if changes.is_empty()), "{reply:?}");
        assert_eq!(started.link.round_trips(), if uploaded { 4 } else { 2 });
        started.link.bye(!uploaded, SOON).await.unwrap();
    }
    assert_eq!(host.inside("ls /var/lib"), "sudo\n", "it has left nothing");
}
