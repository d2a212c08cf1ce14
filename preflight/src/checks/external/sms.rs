//! `ext.sms`: hosts reach the SMS gateway.

use super::party::Party;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::Judged;
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Hosts reach the SMS gateway.
pub struct Sms;

const PARTY: Party = Party { name: "sms", there: |status| status < 500 };

static ABOUT: About = About {
    id: "ext.sms",
    title: "Hosts reach the SMS gateway",
    measures: "From each host, a connection to the port of `external.sms`, or where it has none or 443 an HTTPS request that this \
          machine makes over the host's SSH session. No message is sent; the predecessor's queues for SMS are services of this \
          environment, which its own health checks cover.",
    why: "Reminders and surveys by SMS stay in a queue, and nobody notices for days.",
    thresholds: &[],
    fix: "open the port from the hosts to the gateway, and have their addresses let in there",
    source: "transition guide 3.1, question 7",
    vantage: Vantage::Outside,
    applies: "environments with `external.sms`",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Sms {
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
