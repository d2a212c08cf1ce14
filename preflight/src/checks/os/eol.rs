//! `os.eol`: the release gets updates long enough.

use cc_plan::spec::environment::Size;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::os_release::OsRelease;
use crate::tool::pro::{self, Pro};

/// The release gets updates long enough.
pub struct Eol;

static WARN: Threshold = Threshold {
    id: "os.eol.warn",
    doc: "A release whose updates end sooner than this warns",
    unit: Unit::Duration,
    values: Values::BySize { demo: 0.0, single: YEAR, micro: YEAR, small: YEAR, large: YEAR },
    basis: Basis::Proposed("hosts are installed anew for the next release, which takes a budget year to plan"),
};

const YEAR: f64 = 365.0 * 86400.0;

static ABOUT: About = About {
    id: "os.eol",
    title: "The release gets security updates for at least another year",
    measures: "ID and VERSION_ID of /etc/os-release, against the dates of the distributions; for Ubuntu those of Pro where \
               `pro status` says that esm-infra is enabled.",
    why: "After its end a release gets no security updates, and no running system is upgraded to the next release: every host has \
          to be installed anew and its data moved.",
    thresholds: &[&WARN],
    fix: "plan to install the hosts anew with the next release; on Ubuntu, `pro attach` and `pro enable esm-infra` give five more years",
    source: "the predecessor's move from Ubuntu 18.04 to 22.04 (changelog 0071); dates: package distro-info-data 0.58+deb12u7",
    vantage: Vantage::Host,
    applies: "every host; for demo it must not be over",
    blocks: &[Phase::Install, Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// The last day with security updates for everybody (Debian: with long-term support, which comes from the same archive), and with
/// Ubuntu Pro.
const ENDS: [(&str, Date, Option<Date>); 8] = [
    ("ubuntu-18.04", date(2023, 5, 31), Some(date(2028, 4, 26))),
    ("ubuntu-20.04", date(2025, 5, 29), Some(date(2030, 4, 23))),
    ("ubuntu-22.04", date(2027, 6, 1), Some(date(2032, 4, 21))),
    ("ubuntu-24.04", date(2029, 5, 31), Some(date(2034, 4, 25))),
    ("ubuntu-26.04", date(2031, 5, 29), Some(date(2036, 4, 23))),
    ("debian-11", date(2026, 8, 31), None),
    ("debian-12", date(2028, 6, 30), None),
    ("debian-13", date(2030, 6, 30), None),
];

impl Check for Eol {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let pro = host.is_ubuntu().then(pro::status);
        Ask::of(host, [file("/etc/os-release")].into_iter().chain(pro))
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let release = OsRelease::parse(answers.text(0)?);
        let name = release.ok_or_else(|| Unmeasured::new("/etc/os-release names no ID and VERSION_ID"))?.name();
        let row = ENDS.iter().find(|(release, ..)| *release == name);
        let (_, standard, extended) =
            row.ok_or_else(|| Unmeasured::new(format!("it is not known here until when {name} gets updates")))?;
        // A client that is not there, or is not understood, gives no longer time.
        let pro = scene.host(subject)?.is_ubuntu() && {
            let status = answers.installed(1).ok().flatten().and_then(Pro::parse);
            status.is_some_and(|pro| pro.enabled("esm-infra"))
        };
        let ends = extended.filter(|_| pro).unwrap_or(*standard);
        let today = scene.now.to_zoned(TimeZone::UTC).date();
        let days = (ends - today).get_days();
        let with = if pro { " with Ubuntu Pro" } else { "" };
        let expected = match scene.size() {
            Size::Demo => "it gets updates".to_owned(),
            _ => format!("updates for at least {}", scene.limit_text(&WARN)),
        };
        Ok(if days < 0 {
            Judgement::fail(format!("{name} has had no updates since {ends}{with}"), expected)
        } else if f64::from(days) * 86400.0 < scene.limit(&WARN) {
            Judgement::warn(format!("{name} gets updates until {ends}{with}: {days} days"), expected)
        } else {
            Judgement::pass(format!("{name} gets updates until {ends}{with}"), expected)
        })
    }

    fn mask(&self, evidence: &str) -> String {
        pro::mask(evidence)
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    const ATTACHED: &str = include_str!("../../../tests/fixtures/pro/attached.json");
    const UNATTACHED: &str = include_str!("../../../tests/fixtures/pro/unattached.json");

    fn verdict(release: &str, pro: &str, now: &str) -> Verdict {
        let mut trial = Trial::new();
        trial.now = format!("{now}T12:00:00Z").parse().unwrap_or_default();
        let (id, version) = release.split_once('-').unwrap_or_default();
        trial.system("web1", release, "vm");
        trial.file("web1", "/etc/os-release", &format!("ID={id}\nVERSION_ID=\"{version}\"\n"));
        trial.command("web1", &["pro", "status", "--format", "json"], 0, pro, "");
        trial.verdict("os.eol", "web1")
    }

    #[test]
    fn the_end_comes_a_year_ahead_and_is_later_with_pro() {
        assert_eq!(verdict("ubuntu-22.04", UNATTACHED, "2026-05-01"), Verdict::Pass);
        assert_eq!(verdict("ubuntu-22.04", UNATTACHED, "2026-11-22"), Verdict::Warn);
        assert_eq!(verdict("ubuntu-22.04", UNATTACHED, "2027-06-01"), Verdict::Warn);
        assert_eq!(verdict("ubuntu-22.04", UNATTACHED, "2027-06-02"), Verdict::Fail);
        assert_eq!(verdict("ubuntu-22.04", "{}", "2027-06-02"), Verdict::Fail);
        assert_eq!(verdict("ubuntu-22.04", ATTACHED, "2027-06-02"), Verdict::Pass);
        assert_eq!(verdict("debian-12", "", "2026-11-22"), Verdict::Pass);
        assert_eq!(verdict("debian-99", "", "2026-11-22"), Verdict::Fail);
    }
}
