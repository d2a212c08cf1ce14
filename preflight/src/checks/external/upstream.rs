//! `ext.upstream`: hosts reach the site that applications are linked to.

use super::party::Party;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::Judged;
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Hosts reach the site that applications are linked to.
pub struct Upstream;

const PARTY: Party = Party { name: "upstream", there: |status| matches!(status, 200..=399 | 401 | 403) };

static ABOUT: About = About {
    id: "ext.upstream",
    title: "Hosts reach the site that applications are linked to",
    measures: "From each host, a connection to the port of `external.upstream`, or where it has none or 443 an HTTPS request that \
          this machine makes over the host's SSH session. The key for the linked project is not tried: it belongs to a person \
          and is entered on the site.",
    why: "Linked applications are copied from that site: without it they stay at their first version.",
    thresholds: &[],
    fix: "let the hosts through to it, and write the address of the site itself as `external.upstream`",
    source: "transition guide 3.2",
    vantage: Vantage::Outside,
    applies: "environments with `external.upstream`",
    blocks: &[Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Upstream {
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
