//! `spec.shards`: shard maps without a gap.

use cc_plan::node::{Kind, Node};
use cc_plan::source::Span;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Shard maps without a gap.
pub struct Shards;

/// The param under which a service says which database holds which shards.
const PARAM: &str = "shards";

// The form is that of the predecessor's postgresql.yml, `p1: [0, 511]`, where a role takes it as its param `shards`.
static ABOUT: About = About {
    id: "spec.shards",
    title: "Shard maps are whole",
    measures: "The param `shards` of services, a mapping from databases to their first and last shard: from 0 up without gap or \
               overlap, in written order, and as many shards as a power of two.",
    why: "Data whose shard no database holds cannot be stored; a shard in two databases splits its data between them.",
    thresholds: &[],
    fix: "write the ranges one after the other from 0: `shards: {p1: [0, 511], p2: [512, 1023]}`",
    source: "installation guide, PostgreSQL configuration, partitions; PL/Proxy takes a power of two",
    vantage: Vantage::Spec,
    applies: "environments with a service that has the param `shards`, of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

impl Check for Shards {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        match maps(scene).next() {
            None => Ask::skip("no service spreads a database over shards"),
            Some(_) => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let expected = "ranges one after the other from 0, a power of two in all";
        let mut found = Vec::new();
        for (service, map) in maps(scene) {
            let judgement = match count(map)? {
                Ok(shards) => Judgement::pass(format!("service {service}: {shards} shards"), expected),
                Err((why, span)) => Judgement::fail(format!("service {service}: {why}"), expected).at(scene, span),
            };
            found.push(judgement);
        }
        Ok(Judgement::worst(found).unwrap_or_else(|| Judgement::skip("no service has shards")))
    }
}

fn maps<'s>(scene: &Scene<'s>) -> impl Iterator<Item = (&'s str, &'s Node)> {
    scene.spec.environment.services.iter().flat_map(|service| {
        let map = service.params.iter().filter(|(name, _)| name.value == PARAM);
        map.map(|(_, node)| (service.name.value.as_str(), node))
    })
}

/// How many shards a map has, or what is wrong with it and where.
fn count(map: &Node) -> Result<Result<i64, (String, Span)>, Unmeasured> {
    let entries = map.as_map().ok_or_else(|| Unmeasured::new("`shards` is not written as a mapping"))?;
    let mut next = 0;
    for (database, range) in entries {
        let [Node { kind: Kind::Int(first), .. }, Node { kind: Kind::Int(last), .. }] =
            range.as_list().unwrap_or_default()
        else {
            return Ok(Err((format!("{} has no first and last shard", database.value), range.span)));
        };
        if *first != next || last < first {
            let why = format!(
                "{} begins with shard {first} and ends with {last}, and shard {next} comes next",
                database.value
            );
            return Ok(Err((why, range.span)));
        }
        next = last.saturating_add(1);
    }
    match u64::try_from(next).is_ok_and(u64::is_power_of_two) {
        true => Ok(Ok(next)),
        false => Ok(Err((format!("{next} shards are no power of two"), map.span))),
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const ROLE: &str =
        "role: proxy\ndescription: p\nparams:\n  shards: {type: map, doc: d}\nresources:\n  - package: x\n";

    fn found(shards: &str) -> Finding {
        let environment = format!("environment: trial\nservices:\n  proxy:\n    on: web1\n    shards: {shards}\n");
        Trial::with_roles(&environment, "hosts:\n  web1: {address: 10.0.0.1}\n", &[("proxy", ROLE)])
            .finding("spec.shards", "")
    }

    #[test]
    fn ranges_are_whole() {
        for whole in ["{p1: [0, 3]}", "{p1: [0, 511], p2: [512, 1023]}", "{p1: [0, 0], p2: [1, 1]}"] {
            assert_eq!(found(whole).verdict, Verdict::Pass, "{whole}");
        }
        for broken in [
            "{p1: [0, 511], p2: [513, 1024]}",
            "{p1: [0, 511], p2: [511, 1023]}",
            "{p2: [512, 1023], p1: [0, 511]}",
            "{p1: [1, 4]}",
            "{p1: [0, 4]}",
            "{p1: [3, 0]}",
            "{p1: 5}",
            "{p1: [0, 9223372036854775807]}",
            "{}",
        ] {
            let finding = found(broken);
            assert!(finding.stops() && finding.place.is_some(), "{broken}: {finding:?}");
        }
        assert_eq!(Trial::new().verdict("spec.shards", ""), Verdict::Skip);
    }
}
