//! What a container cannot show, in a virtual machine: swap, devices, all of the kernel's parameters, and what a reboot leaves.
//!
//! The cases are data as in the conformance suite: `tests/vm/*.yml`. It is slow, because the processor is emulated: `make test-vm`.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{Case, Phase, Suite, TestHost};

#[test]
fn every_case_is_planned_applied_at_rest_and_the_same_after_a_reboot() {
    let host = TestHost::virtual_machine(&["one", "two", "three", "four"]);
    let mut suite = Suite::start(Case::all("vm"), host);
    suite.accept(&[
        ("net.addr", "its port is forwarded from this machine"),
        ("os.time", "there is no time server in its network"),
    ]);
    for phase in Phase::ALL {
        suite.converge(phase);
        suite.reboot(phase);
    }
    suite.finish();
}
