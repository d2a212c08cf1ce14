//! The conversation with an agent that behaves, and with one that does not.

use std::time::Duration;

use cc_agent::protocol::{Event, Reply, Request};
use cc_cloud::ssh::{AgentLink, Become, Connector, ConnectorOptions, Reason, SshError};

use crate::agent::{session, start};
use crate::host::Host;
use crate::lab::Lab;
use crate::login::SOON;
use crate::relay::Relay;

async fn link(lab: &Lab) -> (Host, AgentLink) {
    let (host, session) = session(lab, "root", "", Become::Sudo).await;
    // The link outlives the session's handle.
    (host, start(&session).await.unwrap().link)
}

fn exec(word: &str) -> Request {
    Request::Exec { argv: vec![word.to_owned()] }
}

async fn misbehaviour(word: &str, within: Duration) -> SshError {
    let lab = Lab::new();
    let (_host, mut link) = link(&lab).await;
    let error = link.call(&exec(word), within).await.map(|_| ()).unwrap_err();
    assert_eq!(error.host, "web1");
    assert!(error.hint().is_some());
    error
}

#[tokio::test]
async fn requests_replies_and_events() {
    let lab = Lab::new();
    let (_host, mut link) = link(&lab).await;
    let before = link.round_trips();
    assert!(matches!(link.call(&exec("nothing"), SOON).await.unwrap(), Reply::Exited { status: 0 }));
    assert_eq!(link.round_trips(), before + 1);
    let mut heard = Vec::new();
    let reply = link.call_with(&exec("events"), SOON, |event| heard.push(event)).await.unwrap();
    assert!(matches!(reply, Reply::Exited { status: 0 }));
    let output = |text: &str| Event::Output { stderr: false, text: text.to_owned() };
    assert_eq!(heard, [output("one"), output("two")]);
    assert_eq!(link.round_trips(), before + 2, "events are no round trips of their own");
    let error = link.call(&exec("events"), SOON).await.unwrap_err();
    assert!(error.to_string().contains("an event came in answer to `exec`"), "{error}");

    link.sender.send_secrets(&[7; 1000]).await.unwrap();
    assert!(matches!(link.call(&exec("secrets"), SOON).await.unwrap(), Reply::Exited { status: 1000 }));
}

#[tokio::test]
async fn content_of_any_size() {
    let lab = Lab::new();
    let (_host, mut link) = link(&lab).await;
    for size in [0, 1, 256 << 10, 5_000_000] {
        let content = vec![0x5a; size];
        link.sender.send_blob("d", size as u64, content.as_slice()).await.unwrap();
        assert!(matches!(link.receiver.next(SOON).await.unwrap(), Reply::Done), "{size}");
    }
    assert!(link.bytes_sent() > 5_000_000);
    for (announced, why) in [(9, "more"), (11, "fewer")] {
        let error = link.sender.send_blob("d", announced, [0; 10].as_slice()).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn stop_can_be_said_while_an_answer_is_awaited() {
    let lab = Lab::new();
    let (_host, AgentLink { mut sender, mut receiver }) = link(&lab).await;
    sender.send(&exec("wait for stop")).await.unwrap();
    let waiting = tokio::spawn(async move { receiver.next(SOON).await });
    sender.send(&Request::Stop).await.unwrap();
    assert!(matches!(waiting.await.unwrap().unwrap(), Reply::Exited { status: 130 }));
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let lab = Lab::new();
    let (_host, mut link) = link(&lab).await;
    link.sender.send(&exec("wait for stop")).await.unwrap();
    let error = link.receiver.next(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::TimedOut { .. }), "{error}");
    link.sender.send(&Request::Stop).await.unwrap();
    assert!(matches!(link.receiver.next(SOON).await.unwrap(), Reply::Exited { status: 130 }));
}

#[tokio::test]
async fn the_end_leaves_the_agent_or_nothing() {
    for (leave_nothing, left) in [(false, 1), (true, 0)] {
        let lab = Lab::new();
        let (host, link) = link(&lab).await;
        link.bye(leave_nothing, SOON).await.unwrap();
        assert_eq!(host.inside("ls -A /var/lib/cc-cloud").lines().count(), left);
    }
}

#[tokio::test]
async fn a_failed_request_keeps_its_words() {
    let error = misbehaviour("fail", SOON).await;
    assert_eq!(error.to_string(), "web1: exec: disk on fire");
    assert_eq!(error.hint().unwrap(), "call somebody");
}

#[tokio::test]
async fn a_host_that_hangs_is_named_with_what_was_awaited() {
    let error = misbehaviour("hang", Duration::from_millis(300)).await;
    assert_eq!(error.to_string(), "web1: no answer within 0.3 s while waiting for the answer to `exec`");
}

#[tokio::test]
async fn an_agent_that_dies_has_its_last_words() {
    let error = misbehaviour("die", SOON).await;
    assert_eq!(
        error.to_string(),
        "web1: the agent ended (exit status 7) while the answer to `exec` was awaited; \
         it said: out of cheese | redo from start"
    );
}

#[tokio::test]
async fn broken_frames_are_errors() {
    for (word, message) in [
        ("half a frame", "inside a frame, after 9 bytes"),
        ("oversized", "4294967295 bytes is over the limit"),
        ("garbage", "unknown frame kind 0x4c"),
        ("not a reply", "not a reply"),
    ] {
        let error = misbehaviour(word, SOON).await;
        assert!(matches!(*error.reason, Reason::Protocol { .. }), "{word}: {error}");
        assert!(error.to_string().contains(message), "{word}: {error}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_is_lost() {
    let lab = Lab::new();
    let (host, mut link) = link(&lab).await;
    link.sender.send(&exec("hang")).await.unwrap();
    host.cut();
    let error = link.receiver.next(SOON).await.map(|_| ()).unwrap_err();
    assert!(matches!(*error.reason, Reason::Lost { .. }), "{error}");
    assert!(error.to_string().contains("the answer to `exec`"), "{error}");
}

#[tokio::test]
async fn a_host_that_freezes_is_noticed_by_the_keepalive() {
    let lab = Lab::new();
    let host = Host::start(&lab);
    lab.trust(&[&host]).await;
    let relay = Relay::start(host.port());
    let keepalive = Duration::from_millis(200);
    let connector = Connector::new(ConnectorOptions { keepalive, ..lab.options() });
    let mut target = lab.target(&host, "root");
    target.endpoint.port = Some(relay.port);
    let known = lab.read("known_hosts").replace(&host.port().to_string(), &relay.port.to_string());
    lab.write("known_hosts", &known);
    let mut link = start(&connector.connect(&target).await.unwrap()).await.unwrap().link;
    relay.freeze();
    let error = link.call(&exec("nothing"), SOON).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::Lost { .. }), "{error}");
}
