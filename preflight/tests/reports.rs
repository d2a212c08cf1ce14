//! Each report of one sample, as it was looked at and found good; and what must hold for any text that hosts may give.
#![allow(clippy::unwrap_used, clippy::panic)]

mod sample;

use std::collections::BTreeSet;

use cc_preflight::report::{Look, Report, explain, github, html, json, junit, prometheus, sarif, table};
use cc_preflight::{Finding, Policy, Verdict};
use insta::assert_snapshot;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

fn look(width: usize) -> Look {
    Look { width, color: false }
}

fn xml_faults(text: &str) -> Result<usize, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let (mut elements, mut depth) = (0, 0_usize);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                attributes(&start)?;
                (elements, depth) = (elements + 1, depth + 1);
            }
            Event::Empty(start) => {
                attributes(&start)?;
                elements += 1;
            }
            Event::End(_) => depth = depth.checked_sub(1).ok_or("an end without a start")?,
            Event::Eof if depth == 0 => return Ok(elements),
            Event::Eof => return Err(format!("{depth} elements are open at the end")),
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                if !["lt", "gt", "amp", "quot", "#39"].contains(&name) {
                    return Err(format!("an unknown reference &{name};"));
                }
            }
            _ => {}
        }
    }
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) -> Result<(), String> {
    start.attributes().try_for_each(|attribute| attribute.map(drop).map_err(|error| error.to_string()))
}

#[test]
fn the_table_reads_at_a_glance() {
    assert_snapshot!("table", table::render(&sample::report(), look(100), false));
    assert_snapshot!("table_narrow", table::render(&sample::report(), look(40), false));
    assert_snapshot!("table_all", table::render(&sample::report(), look(160), true));
    let color = table::render(&sample::report(), Look { width: 100, color: true }, false);
    let bare = color.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
    let first = color.split('\u{1b}').next().unwrap();
    let bare = first.to_owned() + &bare.skip(1).collect::<String>();
    assert_eq!(bare, table::render(&sample::report(), look(100), false));
}

#[test]
fn the_other_reports_are_as_they_were_looked_at() {
    let report = sample::report();
    let lines: Vec<String> = json::objects(&report).iter().map(ToString::to_string).collect();
    assert_snapshot!("json_lines", lines.join("\n"));
    assert_snapshot!("json", json::document(&report));
    assert_snapshot!("junit", junit::render(&report));
    assert_snapshot!("sarif", sarif::render(&report));
    assert_snapshot!("github", github::render(&report));
    assert_snapshot!("prometheus", prometheus::render(&report));
    assert_snapshot!("html", html::render(&report));
}

#[test]
fn explain_says_everything() {
    assert_snapshot!("explain", explain::render(sample::CHECKS[0], look(80)));
    assert_snapshot!("explain_deep", explain::render(sample::CHECKS[1], look(50)));
    assert_snapshot!("explain_list", explain::list(&sample::CHECKS, look(60)));
}

#[test]
fn nothing_found_is_said_so() {
    let empty = Report { findings: vec![], hosts: vec![], environment: None, ..sample::report() };
    assert_eq!(empty.summary(), "nothing was checked; nothing blocks install");
    assert!(table::render(&empty, look(80), false).ends_with("nothing was checked; nothing blocks install\n"));
    assert_eq!(github::render(&empty), "");
    xml_faults(&junit::render(&empty)).unwrap();
    xml_faults(&html::render(&empty)).unwrap();
}

#[test]
fn what_several_checks_say_alike_stands_once() {
    let why = "could not be measured: web1 could not be reached: cannot connect to 10.0.0.1:22";
    let unreached = |id: &str| Finding {
        unmeasured: true,
        fix: "let web1 be reached, then run preflight again".to_owned(),
        ..sample::finding(id, "web1", Verdict::Fail, why, &format!("What {id} asks for"))
    };
    let ids = ["os.arch", "os.eol", "os.ids", "os.time", "os.pro", "hw.cpu"];
    let mut findings: Vec<Finding> = ids.map(unreached).to_vec();
    findings.push(sample::finding("acc.ssh", "web1", Verdict::Fail, "cannot connect to 10.0.0.1:22", "a login"));
    let report = Report { findings, policy: Policy::default(), ..sample::report() };
    assert_snapshot!("table_unreached", table::render(&report, look(100), false));
    let all = table::render(&report, look(100), true);
    assert!(ids.iter().all(|id| all.contains(id)), "{all}");
}

#[test]
fn many_blocking_checks_are_counted() {
    let many = (0..5).flat_map(|check| (0..4).map(move |host| (check, host)));
    let findings = many.map(|(check, host)| {
        sample::finding(&format!("os.check{check}"), &format!("web{host}"), Verdict::Fail, "bad", "good")
    });
    let report = Report { findings: findings.collect(), ..sample::report() };
    assert_eq!(
        report.summary(),
        "20 fail; install is blocked by os.check0 on 4 hosts, os.check1 on 4 hosts, os.check2 on 4 hosts and 2 more checks"
    );
}

/// The file must be of use where there is no network, and betray nobody who opens it.
#[test]
fn html_fetches_nothing() {
    let text = html::render(&sample::report());
    for word in [
        "src=",
        "<link",
        "<script",
        "<img",
        "<iframe",
        "url(",
        "@import",
        "http://",
        "https://",
        "onclick",
        "javascript:",
    ] {
        assert!(!text.contains(word), "{word}");
    }
    let addresses: Vec<&str> = text.split("href=\"").skip(1).collect();
    assert!(!addresses.is_empty() && addresses.iter().all(|address| address.starts_with('#')));
    let ids: BTreeSet<&str> = text.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for address in addresses {
        assert!(ids.contains(&address[1..].split('"').next().unwrap()), "{address}");
    }
}

/// What the specification asks of results and rules, and what GitHub's code scanning asks beyond.
#[test]
fn sarif_refers_to_its_own_rules() {
    let log: Value = serde_json::from_str(&sarif::render(&sample::report())).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (2, 7));
    for result in results {
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()), "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].is_string(), "{result}");
        if let Some(index) = result["ruleIndex"].as_u64() {
            assert_eq!(rules[usize::try_from(index).unwrap()]["id"], result["ruleId"]);
        }
    }
    let accepted: Vec<&Value> = results.iter().filter(|result| result["suppressions"].is_array()).collect();
    assert!(accepted.len() == 1 && accepted[0]["ruleId"] == "disk.size", "{accepted:?}");
}

/// The counts that CI systems show are those of the cases.
#[test]
fn junit_counts_what_it_has() {
    let text = junit::render(&sample::report());
    let sum = |name: &str| -> usize {
        let start = format!(" {name}=\"");
        let counts = text.split(&start).skip(1);
        counts.map(|rest| rest.split('"').next().unwrap().parse::<usize>().unwrap()).sum()
    };
    for (attribute, element) in
        [("tests", "<testcase "), ("failures", "<failure "), ("errors", "<error "), ("skipped", "<skipped ")]
    {
        assert!(sum(attribute) > 0 && sum(attribute) == text.matches(element).count(), "{attribute}");
    }
}

/// Any finding: every text arbitrary, every verdict.
fn any_finding() -> impl Strategy<Value = Finding> {
    let verdict = prop_oneof![
        Just(Verdict::Skip),
        Just(Verdict::Pass),
        Just(Verdict::Attest),
        Just(Verdict::Warn),
        Just(Verdict::Fail)
    ];
    let text =
        || prop_oneof![any::<String>(), "[<>&\"'%:,\\\\\r\n\t\u{0}\u{1b}\u{ffff} a\\]-]{0,40}".prop_map(String::from)];
    (verdict, text(), text(), text(), proptest::option::of(text()), any::<bool>()).prop_map(
        |(verdict, one, two, three, to, unmeasured)| Finding {
            to,
            unmeasured,
            fix: two.clone(),
            title: three.clone(),
            evidence: cc_preflight::Evidence::new(one.clone()),
            ..sample::finding(&three, &two, verdict, &one, &two)
        },
    )
}

fn any_report() -> impl Strategy<Value = Report> {
    let name = proptest::option::of(any::<String>());
    (name, proptest::collection::vec(any_finding(), 0..6)).prop_map(|(environment, findings)| Report {
        environment,
        findings,
        ..sample::report()
    })
}

proptest! {
    #[test]
    fn xml_and_html_are_well_formed_for_any_text(report in any_report()) {
        for text in [junit::render(&report), html::render(&report)] {
            prop_assert!(xml_faults(&text).is_ok(), "{:?}\n{text}", xml_faults(&text));
            let allowed = |c: char| matches!(c, '\n' | '\t') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
            prop_assert!(text.chars().all(allowed));
        }
    }

    /// No text adds a line, ends a command or begins another.
    #[test]
    fn lines_stay_lines_for_any_text(report in any_report()) {
        let looked_at = |f: &&Finding| !matches!(f.verdict, Verdict::Pass | Verdict::Skip);
        let lines = github::render(&report);
        prop_assert_eq!(lines.lines().count(), report.findings.iter().filter(looked_at).count());
        for line in lines.lines() {
            let (command, _) = line[2..].split_once("::").unwrap();
            prop_assert!(line.starts_with("::") && command.contains(" title="), "{line}");
            prop_assert!(!line.contains('\r'));
        }
        for object in json::objects(&report) {
            prop_assert_eq!(object.to_string().lines().count(), 1);
        }
        let metrics = prometheus::render(&report);
        let series: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap().0).collect();
        prop_assert!(series.iter().all(|name| name.starts_with("cc_cloud_preflight_") && name.ends_with('}')), "{metrics}");
        prop_assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len());
    }

    /// Nothing on a terminal acts, and nothing is wider than it.
    #[test]
    fn the_table_fits_and_is_harmless_for_any_text(report in any_report(), width in 40_usize..200, all: bool) {
        let findings = report.findings.into_iter().map(|finding| Finding { id: "spec.hosts_allowed".to_owned(), ..finding });
        let report = Report { findings: findings.collect(), ..report };
        let text = table::render(&report, look(width), all);
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        for line in text.lines() {
            prop_assert!(line.width() <= width, "{} > {width}: {line:?}", line.width());
        }
    }

    #[test]
    fn json_is_read_back_for_any_text(report in any_report()) {
        let document: Value = serde_json::from_str(&json::document(&report)).unwrap();
        let findings: Vec<Finding> = document["findings"].as_array().unwrap().iter()
            .map(|finding| serde_json::from_value(finding.clone()).unwrap()).collect();
        prop_assert_eq!(findings, report.findings.clone());
        let _: Value = serde_json::from_str(&sarif::render(&report)).unwrap();
    }
}
