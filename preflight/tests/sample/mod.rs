//! A report with everything that a renderer must cope with.
#![allow(dead_code, clippy::unwrap_used)]

use cc_plan::spec::environment::Size;
use cc_preflight::report::Report;
use cc_preflight::{
    About, Attestation, Basis, Evidence, Finding, Keeps, Phase, Place, Policy, Proof, Threshold, Unit, Values, Vantage,
    Verdict, Waiver,
};

static FREE: Threshold = Threshold {
    id: "disk.size.free_fail",
    doc: "less free space than this fails",
    unit: Unit::Percent,
    values: Values::Same(10.0),
    basis: Basis::Proposed("Elasticsearch refuses to write above 95%"),
};
static SIZE: Threshold = Threshold {
    id: "disk.size.total",
    doc: "a smaller data volume than this fails",
    unit: Unit::Bytes,
    values: Values::BySize { demo: 4.3e10, single: 2.2e12, micro: 1.1e12, small: 5.5e11, large: 5.5e11 },
    basis: Basis::Documented("installation guide, prerequisites 5"),
};
static DISK: About = About {
    id: "disk.size",
    title: "The data volume is large enough",
    measures: "Size and free space of the file system that holds /opt/data, by `df`.",
    why: "A full disk stops PostgreSQL and CouchDB <at once>, and they may not start again.",
    thresholds: &[&FREE, &SIZE],
    fix: "grow the volume of /opt/data",
    source: "installation guide, prerequisites 5",
    vantage: Vantage::Host,
    applies: "every host; `demo` asks for 40 GiB",
    blocks: &[Phase::Install, Phase::Change],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};
static BANDWIDTH: About = About {
    id: "net.bw",
    title: "Hosts exchange data fast enough",
    measures: "Bytes over one TCP connection in ten seconds.",
    why: "Replication falls behind.",
    thresholds: &[],
    fix: "choose a faster link | or attest it",
    source: "transition guide 2.2, consideration 4",
    vantage: Vantage::Pair,
    applies: "pairs of hosts of sizes small and large",
    blocks: &[],
    keeps: Keeps::Run,
    deep: Some("sends as much as it can for 10 s three times"),
    proof: Proof::Parser,
};

/// What there is to say of two of the checks.
pub const CHECKS: [&About; 2] = [&DISK, &BANDWIDTH];

/// What tools may print: markup, quotes, line ends, workflow commands, control characters, and the change of direction.
pub const ODD: &str =
    "<script>alert('x')</script> & \"quoted\"\r\n::error::100% ]]>\u{1b}[31mred\u{0}\u{202e}\u{ffff}\tend\\";

pub fn finding(id: &str, host: &str, verdict: Verdict, observed: &str, expected: &str) -> Finding {
    let good = matches!(verdict, Verdict::Pass | Verdict::Skip);
    Finding {
        id: id.to_owned(),
        title: format!("What {id} asks for"),
        host: (!host.is_empty()).then(|| host.to_owned()),
        to: None,
        verdict,
        observed: observed.to_owned(),
        expected: expected.to_owned(),
        blocks: if verdict == Verdict::Fail { vec![Phase::Install, Phase::GoLive] } else { vec![] },
        source: "installation guide, step 2".to_owned(),
        fix: if good { String::new() } else { format!("mend {id} as the guide says, then run preflight again") },
        unmeasured: false,
        deviations: vec![],
        evidence: Evidence::new(format!("$ measure {id}\n{observed}\n")),
        at: "2026-11-22T12:00:01Z".to_owned(),
        expires: "2026-11-23T12:00:01Z".to_owned(),
        place: None,
        waiver: None,
        lapsed: None,
        attestation: None,
    }
}

fn waiver(check: &str, owner: &str, reason: &str) -> Waiver {
    Waiver {
        check: check.to_owned(),
        host: None,
        owner: owner.to_owned(),
        reason: reason.to_owned(),
        until: jiff::civil::date(2026, 12, 31),
    }
}

fn attestation(check: &str) -> Attestation {
    Attestation {
        check: check.to_owned(),
        host: Some("db1".to_owned()),
        owner: "Amina Diallo".to_owned(),
        date: jiff::civil::date(2026, 11, 2),
        link: None,
        file: Some("contracts/ups-2026.pdf".to_owned()),
    }
}

fn findings() -> Vec<Finding> {
    let long = format!("listeners: {}", (8000..8120).map(|port| format!("tcp/{port}")).collect::<Vec<_>>().join(", "));
    vec![
        finding("os.release", "web1", Verdict::Pass, "ubuntu-22.04", "ubuntu-22.04, debian-12"),
        finding("os.clean", "web1", Verdict::Warn, &long, "only sshd"),
        finding("os.pro", "web1", Verdict::Skip, "not on Debian", ""),
        Finding {
            lapsed: Some(Waiver {
                until: jiff::civil::date(2026, 11, 1),
                ..waiver("acc.sudo", "Jürgen <j@example.org>", "the rights come with the new account")
            }),
            ..finding("acc.sudo", "web1", Verdict::Fail, "sudo: a password is required", "sudo without a password")
        },
        Finding {
            unmeasured: true,
            expires: "2026-11-22T12:00:01Z".to_owned(),
            ..finding("os.time", "web1", Verdict::Fail, "could not be measured: `chronyc` is not there", "< 100 ms")
        },
        Finding {
            to: Some("db1".to_owned()),
            ..finding("net.ports", "web1", Verdict::Fail, "5432: blocked", "all open")
        },
        Finding {
            waiver: Some(waiver(
                "disk.size",
                "Jürgen <j@example.org>",
                "the new disk comes, \"100%\" sure,\nin a week",
            )),
            deviations: vec!["disk.size.free_fail: 5% instead of 10%".to_owned()],
            ..finding("disk.size", "db1", Verdict::Fail, "1.5 TiB, 4% free", "2 TiB, 5% free")
        },
        finding("os.release", "db1", Verdict::Pass, "debian-12", "ubuntu-22.04, debian-12"),
        Finding {
            attestation: Some(attestation("hw.ups")),
            ..finding("hw.ups", "db1", Verdict::Pass, "no data from a UPS", "an attestation")
        },
        finding("hw.virt", "db1", Verdict::Attest, "the support contract of the hypervisor", "an attestation"),
        finding("os.units", "db2", Verdict::Pass, "running", "running"),
        finding("ext.odd", "", Verdict::Fail, ODD, ODD),
        Finding {
            place: Some(Place { file: "environments/a b, 100%:/environment.yml".to_owned(), line: 12, column: 5 }),
            ..finding("spec.broker", "", Verdict::Warn, "RabbitMQ", "Redis")
        },
    ]
}

/// The sample.
pub fn report() -> Report {
    let mut policy = Policy { os: vec!["ubuntu-22.04".to_owned()], ..Policy::default() };
    policy.figures.insert("disk.size.free_fail", 5.0);
    policy.off.insert("os.livepatch", "the ministry patches by itself: <policy 7>".to_owned());
    Report {
        environment: Some("ministry".to_owned()),
        size: Size::Single,
        phase: Phase::Install,
        started: "2026-11-22T12:00:00Z".parse().unwrap(),
        finished: "2026-11-22T12:00:07.250Z".parse().unwrap(),
        hosts: ["web1", "db1", "db2"].map(str::to_owned).to_vec(),
        findings: findings(),
        policy,
        checks: CHECKS.to_vec(),
        version: "0.1.0".to_owned(),
    }
}
