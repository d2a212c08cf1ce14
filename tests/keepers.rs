//! One suite for all kinds of keepers: a folder of this machine, and a real host.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "keepers/suite.rs"]
mod suite;
mod support;

use std::time::Duration;

use cc_cloud::keeper::{FolderKeeper, HostKeeper, Keeper};
use cc_cloud::ssh::{AgentBinary, Connector, ConnectorOptions, Endpoint, Session, Target};
use suite::Ways;
use support::{TestHost, agent_binary};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let ways: Ways = (0..4).map(|_| Box::new(FolderKeeper::new(folder.path())) as Box<dyn Keeper>).collect();
    suite::conforms(ways, 1000).await;
}

async fn session(host: &TestHost) -> Session {
    let options = ConnectorOptions { known_hosts: Some(host.known_hosts()), ..ConnectorOptions::default() };
    let mut endpoint: Endpoint = format!("root@{}:{}", host.address, host.port).parse().unwrap();
    endpoint.identity_files = vec![host.key.path.clone()];
    Connector::new(options).connect(&Target::new(&host.name, endpoint)).await.unwrap()
}

async fn keeper(session: &Session, host: &TestHost) -> HostKeeper {
    let agent = AgentBinary::open(&agent_binary(), "", None).unwrap();
    HostKeeper::new(&host.name, session.start_agent(&agent, "t").await.unwrap(), Duration::from_secs(30))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_conforms() {
    let host = TestHost::start();
    let sessions = [session(&host).await, session(&host).await];
    let mut ways: Ways = Vec::new();
    for session in &sessions {
        // Two on each connection.
        ways.push(Box::new(keeper(session, &host).await));
        ways.push(Box::new(keeper(session, &host).await));
    }
    suite::conforms(ways, 100).await;
    assert_eq!(
        host.sh("stat -c '%a %U' /var/lib/cc-cloud/t/kept /var/lib/cc-cloud/t/kept/count"),
        "700 root\n600 root"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_is_full_is_named_and_leaves_the_record() {
    let host = TestHost::start_with(&[("/var/lib/cc-cloud/t", "size=64k,mode=0700")]);
    let session = session(&host).await;
    let mut keeper = keeper(&session, &host).await;
    keeper.put("lock", b"one", None).await.unwrap();
    let one = keeper.get("lock").await.unwrap();
    let seen = one.as_ref().map(|kept| &kept.version);
    let error = keeper.put("lock", &vec![7; 100_000], seen).await.unwrap_err();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert_eq!(keeper.get("lock").await.unwrap(), one);
}
