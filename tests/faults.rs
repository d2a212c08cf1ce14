//! A run that is cut after each of its steps, by the death of its controller and by that of the agent that applies. Part of
//! `make test-faults`; a sample is in tests/attach.rs.
#![allow(missing_docs)]

mod support;

use support::{Stepwise, TestHost};

#[test]
fn a_controller_may_die_after_every_step() {
    let host = TestHost::start();
    let (run, elsewhere) = (Stepwise::new(&host), Stepwise::new(&host));
    for steps in 0..=Stepwise::STEPS {
        run.without_its_controller(steps, &elsewhere.repository);
    }
}

#[test]
fn an_agent_may_die_after_every_step() {
    let host = TestHost::start();
    let run = Stepwise::new(&host);
    for steps in 0..=Stepwise::STEPS {
        run.without_its_agent(steps);
    }
}
