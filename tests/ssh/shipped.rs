//! The agent as it is shipped, which `make test` builds and names in CC_AGENT_BINARY.

use std::path::PathBuf;

use cc_agent::protocol::{Reply, Request};
use cc_cloud::ssh::{AgentBinary, Become};

use crate::agent::session;
use crate::lab::Lab;
use crate::login::SOON;

#[tokio::test]
async fn hello_facts_and_a_plan_that_changes_nothing_are_two_round_trips() {
    let path = std::env::var_os("CC_AGENT_BINARY").map(PathBuf::from).expect("CC_AGENT_BINARY is set by `make test`");
    let lab = Lab::new();
    let agent = AgentBinary::open(&path, "", Some(lab.path("cache"))).unwrap();
    let (host, session) = session(&lab, "deploy", "", Become::Sudo).await;
    for uploaded in [true, false] {
        let mut started = session.start_agent(&agent, "local").await.unwrap();
        assert_eq!((started.root, started.uploaded), (true, uploaded));
        assert_eq!(started.facts.arch, std::env::consts::ARCH);
        let observe = Request::Observe { steps: Vec::new(), handlers: Vec::new() };
        let reply = started.link.call(&observe, SOON).await.unwrap();
        assert!(matches!(&reply, Reply::Observed { changes, .. } if changes.is_empty()), "{reply:?}");
        assert_eq!(started.link.round_trips(), if uploaded { 4 } else { 2 });
        started.link.bye(!uploaded, SOON).await.unwrap();
    }
    assert_eq!(host.inside("ls /var/lib"), "sudo\n", "it has left nothing");
}
