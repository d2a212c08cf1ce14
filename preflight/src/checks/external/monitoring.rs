//! `ext.obs`: hosts reach the monitoring.

use super::party::Party;
use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::Judged;
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Hosts reach the monitoring.
pub struct Monitoring;

const PARTY: Party = Party { name: "monitoring", there: |status| status < 500 };

static ABOUT: About = About {
    id: "ext.obs",
    title: "Hosts reach the monitoring",
    measures: "From each host, a connection to the port of `external.monitoring`, or where it has none or 443 an HTTPS request that \
          this machine makes over the host's SSH session. Keys are not tried: an event that arrives there after installation \
          proves them.",
    why: "Errors and metrics that do not arrive look like a site without errors.",
    thresholds: &[],
    fix: "let the hosts through to it",
    source: "prerequisites 6",
    vantage: Vantage::Outside,
    applies: "environments with `external.monitoring`",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Monitoring {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        PARTY.ask(scene)
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        PARTY.judge(scene, answers)
    }
}
