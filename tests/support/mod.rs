//! Real hosts for tests: systemd and sshd in containers, made from the rehearsal's image and thrown away afterwards; in a
//! virtual machine for what a container cannot show.
//!
//! [`TestHost`] is one host, [`Fleet`] several on a network of their own. Their methods block and may be called from plain and
//! from `tokio` tests. Everything in Docker carries the label `cc-cloud.test`, so that `make test` can sweep what a killed
//! test left; a virtual machine ends with its test. [`Suite`] proves the resource types on a host by [`Case`]s.
#![allow(dead_code, unused_imports, missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod case;
mod container;
mod files;
mod fleet;
mod output;
mod overheard;
mod repository;
mod snapshot;
mod stepwise;
mod suite;
mod terminal;
mod test_host;
mod virtual_machine;

use std::future::Future;
use std::path::PathBuf;
use std::sync::LazyLock;

pub use case::{Case, Phase};
pub use fleet::Fleet;
pub use output::Output;
pub use overheard::Overheard;
pub use repository::{Repository, Run};
pub use snapshot::Snapshot;
pub use stepwise::Stepwise;
pub use suite::Suite;
pub use terminal::Terminal;
pub use test_host::TestHost;

/// Label of everything that tests make in Docker; its value is the number of the process, so that the sweep spares the living.
pub const LABEL: &str = "cc-cloud.test";

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a tokio runtime")
});

/// Waits for a future on a thread of its own, because `block_on` is not allowed inside of another runtime.
fn wait<F: Future<Output: Send> + Send>(future: F) -> F::Output {
    std::thread::scope(|scope| match scope.spawn(|| RUNTIME.block_on(future)).join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// The agent as it is shipped, which `make test` builds and names in CC_AGENT_BINARY.
pub fn agent_binary() -> PathBuf {
    let path = std::env::var_os("CC_AGENT_BINARY").map(PathBuf::from).expect(
        "CC_AGENT_BINARY is not set: run `make test`, or `cargo build --profile agent -p cc-agent --bin cc-agent` and name \
         the binary that it makes",
    );
    assert!(path.is_file(), "CC_AGENT_BINARY={} is no file", path.display());
    path
}
