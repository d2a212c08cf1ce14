//! `acc.users`: who may log in is written down, with good keys.

use cc_agent::resource::{Presence, Resource};
use cc_plan::counted;
use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::{Ask, command, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::public_key::PublicKey;

/// Who may log in is written down, with good keys.
pub struct Users;

static RSA_BITS: Threshold = Threshold {
    id: "acc.users.rsa_bits",
    doc: "an RSA key with fewer bits is warned of",
    unit: Unit::Count,
    values: Values::Same(3072.0),
    basis: Basis::Proposed("112 bits of security, which 2048 bits give, end with 2030 in NIST SP 800-57"),
};

// The predecessor has lists of present and absent people with a file for each key; here these are the resources `user` and
// `authorized_keys` of the services on a host.
static ABOUT: About = About {
    id: "acc.users",
    title: "Who may log in is written down, with good keys",
    measures: "Users and keys that the plan has for the host; the authorized_keys file of each of those users as it is; and \
               `getent passwd` for users that must be gone.",
    why: "A key that nobody wrote down is a door that nobody closes when its owner leaves. DSA is broken, short RSA soon will be.",
    thresholds: &[&RSA_BITS],
    fix: "list the keys of the deploy user under `authorized_keys` of the role base, replace weak ones (`ssh-keygen -t ed25519`), and \
          deploy, which removes users that must be gone",
    source: "reference of the predecessor, users",
    vantage: Vantage::Host,
    applies: "hosts on which the plan makes a user who can log in, or removes one. On size demo the keys of root may be taken over",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// What the plan says of users of a host.
#[derive(Default)]
struct Wanted<'s> {
    /// Users who can log in, with the path of their keys.
    present: Vec<(&'s str, String)>,
    absent: Vec<&'s str>,
    /// User and key line.
    keys: Vec<(&'s str, &'s str)>,
}

impl<'s> Wanted<'s> {
    fn of(scene: &Scene<'s>, host: &str) -> Self {
        let mut wanted = Self::default();
        let steps = scene.plan.hosts.iter().filter(|plan| plan.host == host).flat_map(|plan| &plan.steps);
        for step in steps.filter(|step| step.unknown.is_none()) {
            match &step.resource {
                Resource::User(user) if user.state == Presence::Absent => wanted.absent.push(&user.name),
                Resource::User(user) => {
                    let shell = user.shell.as_deref().unwrap_or_default();
                    if !user.system && !shell.ends_with("nologin") && !shell.ends_with("/false") {
                        let home = user.home.clone().unwrap_or_else(|| format!("/home/{}", user.name));
                        wanted.present.push((&user.name, format!("{home}/.ssh/authorized_keys")));
                    }
                }
                Resource::AuthorizedKeys(keys) if keys.state == Presence::Present => {
                    wanted.keys.extend(keys.keys.iter().map(|key| (keys.user.as_str(), key.as_str())));
                }
                _ => {}
            }
        }
        wanted
    }
}

impl Check for Users {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let wanted = Wanted::of(scene, &host.name);
        if wanted.present.is_empty() && wanted.absent.is_empty() {
            return Ask::skip("the plan neither makes nor removes a user who can log in");
        }
        let files = wanted.present.iter().map(|(_, path)| file(path));
        Ask::of(host, files.chain(wanted.absent.iter().map(|user| command(&["getent", "passwd", user]))))
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let wanted = Wanted::of(scene, &host.name);
        let expected = "listed keys, Ed25519, ECDSA or RSA of enough bits; nobody who must be gone";
        let mut found: Vec<Judgement> = wanted.keys.iter().filter_map(|(user, line)| weak(scene, user, line)).collect();
        for (index, (user, path)) in wanted.present.iter().enumerate() {
            let listed = wanted.keys.iter().any(|(of, _)| of == user);
            let lines: Vec<&str> = answers.file(index)?.unwrap_or_default().lines().collect();
            found.extend(lines.iter().filter_map(|line| weak(scene, user, line)));
            let has = lines.iter().any(|line| matches!(PublicKey::parse(line), Ok(Some(_))));
            if host.installed && !has && !listed {
                found
                    .push(Judgement::fail(format!("nobody can log in as {user}: there is no key in {path}"), expected));
            } else if !listed && scene.size() != Size::Demo {
                found.push(Judgement::warn(
                    format!("no key is listed for {user}: whoever has root's key gets in"),
                    expected,
                ));
            }
        }
        for (index, user) in wanted.absent.iter().enumerate() {
            match answers.ended(wanted.present.len() + index)? {
                (2, "", _) => {}
                (0, line, _) if line.starts_with(&format!("{user}:")) => {
                    found.push(Judgement::fail(format!("{user} must be gone and is there"), expected));
                }
                (status, ..) => {
                    let why = format!("`getent passwd {user}` ended with status {status} and a text that is not known");
                    return Err(crate::Unmeasured::new(why));
                }
            }
        }
        let counts = format!(
            "{} listed; gone as they must be: {}",
            counted(wanted.keys.len(), "key"),
            counted(wanted.absent.len(), "user")
        );
        Ok(Judgement::worst(found).unwrap_or_else(|| Judgement::pass(counts, expected)))
    }

    fn mask(&self, evidence: &str) -> String {
        let word = |word: &str| match word.strip_prefix("AAAA") {
            Some(blob) if blob.len() > 8 => {
                format!("AAAA…{}", blob.chars().skip(blob.chars().count() - 8).collect::<String>())
            }
            _ => word.to_owned(),
        };
        let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n";
        evidence.lines().map(line).collect()
    }
}

/// What is wrong with a key of a user.
fn weak(scene: &Scene<'_>, user: &str, line: &str) -> Option<Judgement> {
    let least = scene.limit(&RSA_BITS);
    let expected = format!("no DSA, RSA of {} bits", scene.limit_text(&RSA_BITS));
    match PublicKey::parse(line) {
        Ok(Some(key)) if key.kind == "ssh-dss" => Some(Judgement::fail(format!("{user} has a DSA key"), expected)),
        Ok(Some(PublicKey { bits: Some(bits), .. })) if f64::from(bits) < least => {
            Some(Judgement::warn(format!("{user} has an RSA key of {bits} bits"), expected))
        }
        Ok(_) => None,
        Err(_) => Some(Judgement::fail(format!("a line of {user}'s keys is no key"), expected)),
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Phase, Verdict};

    const KEYS: &str = include_str!("../../../tests/fixtures/authorized_keys/kinds.txt");
    const FILE: &str = "/home/deploy/.ssh/authorized_keys";

    fn trial(keys: &str) -> Trial {
        let role = format!(
            "role: people\ndescription: p\nresources:\n  - user: deploy\n    home: /home/deploy\n    shell: /bin/bash\n{keys}  \
             - user: old\n    state: absent\n  - user: daemon9\n    system: true\n"
        );
        let environment = "environment: trial\nservices:\n  people: {on: web1}\n  database: {on: db1}\n";
        let inventory = "hosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";
        let mut trial = Trial::with_roles(environment, inventory, &[("people", &role)]);
        (trial.phase, trial.installed) = (Phase::GoLive, true);
        trial
    }

    fn key(beginning: &str) -> &'static str {
        KEYS.lines().find(|line| line.starts_with(beginning)).unwrap_or_default()
    }

    fn listed(key: &str) -> String {
        format!("  - authorized_keys: deploy\n    keys: [\"{key}\"]\n")
    }

    fn found(trial: &mut Trial, file: &str, getent: (i32, &str)) -> Finding {
        trial.file("web1", FILE, file);
        trial.command("web1", &["getent", "passwd", "old"], getent.0, getent.1, "");
        trial.finding("acc.users", "web1")
    }

    #[test]
    fn listed_good_keys_pass_and_no_blob_is_kept() {
        let good = key("ssh-ed25519");
        let finding = found(&mut trial(&listed(good)), good, (2, ""));
        assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
        assert!(finding.evidence.text.contains("AAAA…") && !finding.evidence.text.contains(good), "{finding:?}");
        assert_eq!(trial("").verdict("acc.users", "db1"), Verdict::Skip);
    }

    #[test]
    fn weak_keys_are_found_in_the_plan_and_on_the_host() {
        let good = key("ssh-ed25519");
        let short = KEYS.lines().filter(|line| line.starts_with("ssh-rsa")).nth(1).unwrap_or_default();
        let on_host = found(&mut trial(&listed(good)), short, (2, ""));
        assert_eq!((on_host.verdict, on_host.observed.contains("2048")), (Verdict::Warn, true), "{on_host:?}");
        assert_eq!(found(&mut trial(&listed(short)), good, (2, "")).verdict, Verdict::Warn);
        assert_eq!(found(&mut trial(&listed(key("ssh-rsa"))), good, (2, "")).verdict, Verdict::Pass);
        let dsa = "ssh-dss AAAAB3NzaC1kc3MAAAAA x";
        assert_eq!(found(&mut trial(&listed(good)), dsa, (2, "")).verdict, Verdict::Fail);
        assert_eq!(found(&mut trial(&listed(good)), "garbage", (2, "")).verdict, Verdict::Fail);
    }

    #[test]
    fn a_user_who_must_be_gone_is_gone() {
        let good = key("ssh-ed25519");
        let mut trial = trial(&listed(good));
        let alive = found(&mut trial, good, (0, "old:x:1001:1001::/home/old:/bin/bash\n"));
        assert!(alive.stops() && alive.observed.starts_with("old must be gone"), "{alive:?}");
        assert!(found(&mut trial, good, (0, "")).unmeasured);
        assert!(found(&mut trial, good, (1, "")).unmeasured);
    }

    #[test]
    fn a_deploy_user_without_a_listed_key_is_warned_of() {
        assert_eq!(found(&mut trial(""), key("ssh-ed25519"), (2, "")).verdict, Verdict::Warn);
        assert_eq!(found(&mut trial(""), "", (2, "")).verdict, Verdict::Fail);
    }
}
