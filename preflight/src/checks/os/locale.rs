//! `os.locale`: texts are UTF-8.

use cc_agent::resource::Resource;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command, file};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;

/// Texts are UTF-8.
pub struct Locale;

static ABOUT: About = About {
    id: "os.locale",
    title: "The default locale is UTF-8 and exists",
    measures: "LANG and LC_ALL of /etc/default/locale, against `locale -a`; or the locale that the plan makes the default on this \
               host, and whether it is there or the package that makes it.",
    why: "PostgreSQL takes the encoding of its cluster from the locale when it is installed: without UTF-8, names in other scripts \
          cannot be stored, and the encoding cannot be changed later without a dump and restore.",
    thresholds: &[],
    fix: "run `locale-gen en_US.UTF-8 && update-locale LANG=en_US.UTF-8`, or let the role `base` set `locale`",
    source: "proposed: PostgreSQL's cluster takes its encoding from it (createcluster)",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[Phase::Install, Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Locale {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(
                host,
                [
                    file("/etc/default/locale"),
                    command(&["locale", "-a"]),
                    command(&["dpkg-query", "-W", "-f", "${db:Status-Status}", "locales"]),
                ],
            ),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let made: Vec<String> = answers.stdout(1)?.lines().map(plain).collect();
        if !made.iter().any(|name| name == "c") {
            return Err(Unmeasured::new("`locale -a` does not list C, which every system has"));
        }
        let text = answers.file(0)?.unwrap_or_default();
        let set = ["LC_ALL", "LANG"].iter().find_map(|name| assigned(text, name)).unwrap_or_else(|| "C".to_owned());
        let expected = "a UTF-8 locale that exists";
        if let Some((name, service)) = planned(host) {
            let package =
                host.steps.iter().any(|step| matches!(&step.resource, Resource::Package(one) if one.name == "locales"));
            let maker = package || answers.ended(2).is_ok_and(|(_, status, _)| status.trim() == "installed");
            let observed = format!("{set}; `{service}` sets {name}");
            return Ok(if !is_utf8(name) {
                Judgement::fail(observed, expected).fix(format!("let `{service}` set a locale such as en_US.UTF-8"))
            } else if made.contains(&plain(name)) || maker {
                Judgement::pass(observed, expected)
            } else {
                Judgement::fail(
                    format!("{observed}, which is not there, nor is the package `locales` that makes it"),
                    expected,
                )
                .fix(format!("add `package: locales` before the locale of `{service}`"))
            });
        }
        Ok(match (is_utf8(&set), made.contains(&plain(&set))) {
            (true, true) => Judgement::pass(set, expected),
            (true, false) => Judgement::fail(format!("{set}, which does not exist"), expected),
            (false, _) => Judgement::fail(format!("{set}, which is not UTF-8"), expected),
        })
    }
}

/// The default locale that the plan sets, and the service that does.
fn planned<'p>(host: &HostScene<'p>) -> Option<(&'p str, &'p str)> {
    host.steps.iter().find_map(|step| match &step.resource {
        Resource::Locale(locale) if locale.default => Some((locale.name.as_str(), step.service.as_str())),
        _ => None,
    })
}

/// As `locale -a` and as people write it are the same: `en_US.utf8`, `en_US.UTF-8`.
fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('-', "")
}

fn is_utf8(name: &str) -> bool {
    plain(name).split(['.', '@']).nth(1) == Some("utf8")
}

/// The last value that a shell would see.
fn assigned(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.strip_prefix(name)?.strip_prefix('=').map(|value| value.trim_matches(['"', '\'', ' ']).to_owned())
    };
    text.lines().filter_map(value).next_back().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Verdict, file};

    const LOCALES: [&str; 5] = ["dpkg-query", "-W", "-f", "${db:Status-Status}", "locales"];

    fn verdict(planned: Option<&str>, set: Option<&str>, made: &str, locales: &str) -> Verdict {
        let role = planned.map_or("  - package: x".to_owned(), |name| format!("  - locale: {name}\n    default: true"));
        let role = format!("role: texts\ndescription: t\nresources:\n{role}\n");
        let environment = "environment: trial\nservices: {texts: {on: db1}}\n";
        let mut trial = Trial::with_roles(
            environment,
            "provider: static\nhosts: {db1: {address: 10.0.0.2}}\n",
            &[("texts", &role)],
        );
        match set {
            Some(set) => trial.file("db1", "/etc/default/locale", set),
            None => trial.answer("db1", file("/etc/default/locale"), Outcome::Absent),
        };
        trial.command("db1", &["locale", "-a"], 0, made, "").command("db1", &LOCALES, 0, locales, "");
        trial.verdict("os.locale", "db1")
    }

    #[test]
    fn what_the_host_has_counts_where_the_plan_sets_none() {
        let made = "C\nC.utf8\nPOSIX\nen_US.utf8\n";
        for (set, expected) in [
            (Some("LANG=en_US.UTF-8\n"), Verdict::Pass),
            (Some("LANG=\"C.UTF-8\"\n"), Verdict::Pass),
            (Some("LANG=fr_FR.UTF-8\n"), Verdict::Fail),
            (Some("LANG=en_US.UTF-8\nLC_ALL=en_US.ISO-8859-1\n"), Verdict::Fail),
            (None, Verdict::Fail),
        ] {
            assert_eq!(verdict(None, set, made, ""), expected, "{set:?}");
        }
        assert_eq!(verdict(None, Some("LANG=C.UTF-8"), "not what locale says", ""), Verdict::Fail);
    }

    #[test]
    fn what_the_plan_sets_must_be_there_or_be_makeable() {
        let made = "C\nC.utf8\n";
        assert_eq!(verdict(Some("C.UTF-8"), None, made, ""), Verdict::Pass);
        assert_eq!(verdict(Some("en_US.UTF-8"), None, made, "installed"), Verdict::Pass);
        assert_eq!(verdict(Some("en_US.UTF-8"), None, made, ""), Verdict::Fail);
        assert_eq!(verdict(Some("en_US.ISO-8859-1"), None, made, "installed"), Verdict::Fail);
    }
}
