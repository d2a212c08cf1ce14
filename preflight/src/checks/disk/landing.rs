//! `disk.landing`: room for the dump of another site.

use super::place::path_param;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::df::{DF, FileSystems};

/// Room for the dump of another site.
pub struct Landing;

static ROOM: Threshold = Threshold {
    id: "disk.landing.room",
    doc: "less free space than this share of the announced dump fails",
    unit: Unit::Percent,
    values: Values::Same(200.0),
    basis: Basis::Documented("migration guide, step 2: the archive and what is unpacked from it"),
};

static ABOUT: About = About {
    id: "disk.landing",
    title: "There is room for the dump of the other site",
    measures: "`df` on the host param `landing_path`, against the host param `landing_dump`: the size that was announced for the dump.",
    why: "A dump that does not fit is noticed hours into the downtime that it was planned for.",
    thresholds: &[&ROOM],
    fix: "give the host more room at its `landing_path`",
    source: "transition guide 5.1; migration guide, step 2",
    vantage: Vantage::Host,
    applies: "hosts that declare `params: {landing_path: /srv/landing, landing_dump: 500GiB}` in the inventory",
    blocks: &[Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Landing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) if host.param("landing_path").is_none() && host.param("landing_dump").is_none() => {
                Ask::skip("no dump lands on this host: it declares no `landing_path`")
            }
            Ok(host) => Ask::of(host, [command(&DF)]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let path = path_param(host, "landing_path")?
            .ok_or_else(|| Unmeasured::new("host param `landing_dump` is there, `landing_path` is not"))?;
        let dump = dump(host)?;
        let all = FileSystems::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`df` printed something else than a table of file systems"))?;
        let fs = all.of(&path).ok_or_else(|| Unmeasured::new(format!("`df` does not say what {path} is on")))?;
        let needed = dump as f64 * scene.limit(&ROOM) / 100.0;
        let free = fs.available as f64;
        let observed = format!("{} free on {}", Unit::Bytes.show(free), fs.target);
        let expected = format!("at least {} for a dump of {}", Unit::Bytes.show(needed), Unit::Bytes.show(dump as f64));
        Ok(if free < needed { Judgement::fail(observed, expected) } else { Judgement::pass(observed, expected) })
    }
}

/// The announced size, in bytes.
fn dump(host: &HostScene<'_>) -> Result<u64, Unmeasured> {
    let written = host.param("landing_dump");
    let written =
        written.ok_or_else(|| Unmeasured::new("host param `landing_path` is there, `landing_dump` is not"))?;
    let bytes = written.as_str().and_then(|text| cc_plan::quantity::parse_bytes(text).ok());
    bytes.ok_or_else(|| {
        Unmeasured::new(format!("host param `landing_dump` is {}, no size", written.describe()))
            .fix("write it as `landing_dump: 500GiB`")
    })
}

#[cfg(test)]
mod tests {
    use crate::tool::df::DF;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const SERVER: &str = include_str!("../../../tests/fixtures/df/data-volume.txt");

    fn trial(params: &str) -> Trial {
        let inventory = format!("provider: static\nhosts:\n  db1: {{address: 10.0.0.1, params: {{{params}}}}}\n");
        let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: db1}\n", &inventory);
        trial.phase = Phase::Migration;
        trial.command("db1", &DF, 0, SERVER, "");
        trial
    }

    #[test]
    fn twice_the_dump_must_fit() {
        let verdict =
            |dump| trial(&format!("landing_path: /opt/data/in, landing_dump: {dump}")).verdict("disk.landing", "db1");
        assert_eq!((verdict("700GiB"), verdict("900GiB")), (Verdict::Pass, Verdict::Fail));
        assert_eq!(trial("zone: a").verdict("disk.landing", "db1"), Verdict::Skip);
        for params in [
            "landing_path: /opt",
            "landing_dump: 1GiB",
            "landing_path: in, landing_dump: 1GiB",
            "landing_path: /in, landing_dump: much",
        ] {
            assert!(trial(params).finding("disk.landing", "db1").unmeasured, "{params}");
        }
    }
}
