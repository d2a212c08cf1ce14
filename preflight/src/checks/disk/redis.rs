//! `disk.redis`: room for what Redis writes.

use cc_plan::node::Kind;
use cc_plan::spec::environment::Service;

use super::place::folder;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::threshold::Unit;
use crate::tool::df::{DF, FileSystems};

/// Room for what Redis writes.
pub struct Redis;

static ABOUT: About = About {
    id: "disk.redis",
    title: "There is room for what Redis writes",
    measures: "`df` on /var/lib/redis, and `du` on it where Redis runs already, against the disk that the services of role redis \
               declare: three times their maxmemory.",
    why: "Redis rewrites its log beside the old one: without room for both it stops accepting writes, and with it every queue.",
    thresholds: &[],
    fix: "grow the disk of /var/lib/redis, or lower `maxmemory` of the service",
    source: "services guide, Redis: three times maxmemory",
    vantage: Vantage::Host,
    applies: "hosts of every size with services of role redis that are persistent",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

const DU: [&str; 4] = ["du", "-s", "-B1", "/var/lib/redis"];

impl Check for Redis {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) if !host.has_role("redis") => Ask::skip("no service of role redis is on this host"),
            Ok(host) if persistent(host).next().is_none() => {
                Ask::skip("Redis writes nothing here: `persistent: false`")
            }
            Ok(host) if host.installed => Ask::of(host, [command(&DF), command(&DU)]),
            Ok(host) => Ask::of(host, [command(&DF)]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let all = FileSystems::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`df` printed something else than a table of file systems"))?;
        let path = folder("redis").unwrap_or("/var");
        let fs = all.of(path).ok_or_else(|| Unmeasured::new(format!("`df` does not say what {path} is on")))?;
        let mut needed = 0_u64;
        for service in persistent(host) {
            let name = &service.name.value;
            let needs = host.needs.iter().find(|needs| needs.service == *name).and_then(|needs| needs.disk);
            let bytes = needs.ok_or_else(|| Unmeasured::new(format!("how much {name} needs is not known")))?;
            needed = needed.saturating_add(bytes);
        }
        let own = if host.installed { used(answers)? } else { 0 };
        let room = fs.available.saturating_add(own);
        let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
        let observed = match own {
            0 => format!("{} free on {}", show(room), fs.target),
            _ => format!("{} free on {} with the {} that Redis has", show(room), fs.target, show(own)),
        };
        let expected = format!("at least {}", show(needed));
        Ok(if room < needed { Judgement::fail(observed, expected) } else { Judgement::pass(observed, expected) })
    }
}

/// Services of role redis that write to disk.
fn persistent<'h>(host: &'h HostScene<'_>) -> impl Iterator<Item = &'h Service> {
    let off = |service: &Service| {
        service.params.iter().any(|(name, node)| name.value == "persistent" && node.kind == Kind::Bool(false))
    };
    host.services.iter().copied().filter(move |service| service.role.value == "redis" && !off(service))
}

/// What Redis has written already, in bytes.
fn used(answers: &Answered<'_>) -> Result<u64, Unmeasured> {
    match answers.ended(1)? {
        (0, stdout, _) => stdout.split_whitespace().next().and_then(|bytes| bytes.parse().ok()),
        (_, _, stderr) if stderr.contains("No such file or directory") => Some(0),
        _ => None,
    }
    .ok_or_else(|| Unmeasured::new("`du` does not say how much is in /var/lib/redis"))
}

#[cfg(test)]
mod tests {
    use super::DU;
    use crate::Verdict;
    use crate::tool::df::DF;
    use crate::trial::Trial;

    fn trial(redis: &str, free: u64) -> Trial {
        let environment = format!("environment: trial\nsize: single\nservices:\n  redis: {{on: a, {redis}}}\n");
        let mut trial = Trial::of(&environment, "provider: static\nhosts:\n  a: {address: 10.0.0.1}\n");
        let table = format!("1B-blocks Used Avail IUse% Type Mounted on\n99000000000 1 {} 1% ext4 /\n", free << 30);
        trial.command("a", &DF, 0, &table, "");
        trial
    }

    #[test]
    fn the_rewritten_log_must_fit_beside_the_old_one() {
        assert_eq!(trial("gigabytes: 12", 12).verdict("disk.redis", "a"), Verdict::Pass);
        let finding = trial("gigabytes: 12", 11).finding("disk.redis", "a");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "11 GiB free on /"));
        assert_eq!(trial("persistent: false", 0).verdict("disk.redis", "a"), Verdict::Skip);
    }

    #[test]
    fn what_redis_has_already_counts() {
        let mut trial = trial("gigabytes: 12", 11);
        trial.installed = true;
        trial.command(
            "a",
            &DF,
            0,
            "1B-blocks Used Avail IUse% Type Mounted on\n99000000000 1 11811160064 1% ext4 /\n",
            "",
        );
        trial.command("a", &DU, 0, "2147483648\t/var/lib/redis\n", "");
        assert_eq!(trial.verdict("disk.redis", "a"), Verdict::Pass);
        trial.command("a", &DU, 1, "", "du: cannot access '/var/lib/redis': No such file or directory");
        assert_eq!(trial.verdict("disk.redis", "a"), Verdict::Fail);
        trial.command("a", &DU, 1, "", "du: Permission denied");
        assert!(trial.finding("disk.redis", "a").unmeasured);
    }
}
