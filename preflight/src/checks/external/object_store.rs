//! `ext.s3`: hosts reach the object store.

use super::party::Party;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::Judged;
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Hosts reach the object store.
pub struct ObjectStore;

const PARTY: Party = Party { name: "s3", there: |status| status < 500 };

static ABOUT: About = About {
    id: "ext.s3",
    title: "Hosts reach the object store",
    measures: "From each host, a connection to the port of `external.s3`, or where it has none or 443 an HTTPS request that this \
          machine makes over the host's SSH session. That it refuses a request without a key counts as an answer; what the key \
          may write is proved by the first backup, because a key is never part of a question here.",
    why: "Attachments and backups are kept there: without it submissions with pictures fail, and backups stay on the host that \
          they should outlive.",
    thresholds: &[],
    fix: "let the hosts through to it, and look at its address and certificate",
    source: "backup guide 2",
    vantage: Vantage::Outside,
    applies: "environments with `external.s3`",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for ObjectStore {
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
