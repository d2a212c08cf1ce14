//! `os.ids`: users and groups of the plan are free, or ours.

use std::collections::{BTreeMap, BTreeSet};

use cc_agent::resource::{Presence, Resource};

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::getent::Entry;

/// Users and groups of the plan are free, or ours.
pub struct Ids;

static ABOUT: About = About {
    id: "os.ids",
    title: "Users and groups of the plan are free, or ours",
    measures: "`getent passwd` and `getent group` of every name and number that a `user` or `group` of the plan has on this host; \
               directory services count too.",
    why: "Two accounts with one number own each other's files; a service that runs as somebody's login account gives that person \
          its data and its secrets.",
    thresholds: &[],
    fix: "give the other account another number (`usermod -u`, `groupmod -g`, and `chown` its files), or the plan's",
    // There, a list of names and the group 1500 that shares files; here, whatever the plan has.
    source: "the predecessor's group_vars (shared_dir_gid 1500; ansible, cchq and the services' users)",
    vantage: Vantage::Host,
    applies: "every host that the plan makes users or groups on",
    blocks: &[Phase::Install],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// Numbers from here on are people's: `FIRST_UID` of adduser.conf on Debian and Ubuntu.
const FIRST_LOGIN: u32 = 1000;

/// The user and the group that every system has: whoever does not find them has not looked.
const ALWAYS: &str = "root";

/// An account that the plan wants.
struct Wanted<'p> {
    name: &'p str,
    id: Option<u32>,
    system: bool,
    service: &'p str,
}

/// Users, and groups.
fn wanted<'p>(host: &HostScene<'p>) -> [Vec<Wanted<'p>>; 2] {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for step in host.steps {
        let service = step.service.as_str();
        match &step.resource {
            Resource::User(user) if user.state == Presence::Present => {
                users.push(Wanted { name: &user.name, id: user.uid, system: user.system, service });
            }
            Resource::Group(group) if group.state == Presence::Present => {
                groups.push(Wanted { name: &group.name, id: group.gid, system: group.system, service });
            }
            _ => {}
        }
    }
    [users, groups]
}

impl Check for Ids {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let wanted = wanted(host);
        if wanted.iter().all(Vec::is_empty) {
            return Ask::skip("the plan makes no user and no group on this host");
        }
        let probes = ["passwd", "group"].into_iter().zip(&wanted).map(|(database, wanted)| {
            let numbers = wanted.iter().filter_map(|account| Some(account.id?.to_string()));
            let names = wanted.iter().map(|account| account.name).chain([ALWAYS]);
            let keys: BTreeSet<String> = names.map(str::to_owned).chain(numbers).collect();
            command(&["getent", database].into_iter().chain(keys.iter().map(String::as_str)).collect::<Vec<_>>())
        });
        Ask::of(host, probes)
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let (mut taken, mut count) = (Vec::new(), 0);
        for (index, wanted) in wanted(host).iter().enumerate() {
            // 2: not all of them are there, which is as it should be.
            let (status, stdout, stderr) = answers.ended(index)?;
            let found = Entry::parse(stdout).filter(|found| found.iter().any(|entry| entry.name == ALWAYS));
            let found = found.ok_or_else(|| {
                Unmeasured::new(format!("`getent` does not even know {ALWAYS} (status {status}): {}", stderr.trim()))
            })?;
            let word = ["user", "group"][index];
            taken.extend(wanted.iter().filter_map(|account| conflict(account, word, &found, host.installed)));
            count += wanted.len();
        }
        let expected = "free, or as the plan has them";
        Ok(if taken.is_empty() {
            Judgement::pass(format!("{count} users and groups of the plan, none is somebody else's"), expected)
        } else {
            Judgement::fail(taken.join("; "), expected)
        })
    }
}

fn conflict(wanted: &Wanted<'_>, word: &str, found: &[Entry], installed: bool) -> Option<String> {
    let by_name: BTreeMap<&str, u32> = found.iter().map(|entry| (entry.name.as_str(), entry.id)).collect();
    let Wanted { name, service, .. } = wanted;
    if let Some(id) = wanted.id {
        let owner = found.iter().find(|entry| entry.id == id && entry.name != *name);
        if let Some(owner) = owner {
            return Some(format!("{word} {id}, which `{service}` gives to {name}, is {}", owner.name));
        }
        let other = by_name.get(name).filter(|now| **now != id);
        return other.map(|now| format!("{word} {name} of `{service}` is {now} here, not {id}"));
    }
    let login = by_name.get(name).filter(|now| wanted.system && **now >= FIRST_LOGIN && !installed);
    login.map(|now| format!("{word} {name}, under which `{service}` is to run, is a login account ({now}) here"))
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    const ROLE: &str =
        "role: app\ndescription: a\nresources:\n  - group: shared\n    gid: 1500\n  - user: app\n    system: true\n";

    fn trial(passwd: &str, group: &str) -> Trial {
        let environment = "environment: trial\nservices: {app: {on: app1}}\n";
        let inventory = "provider: static\nhosts: {app1: {address: 10.0.0.3}}\n";
        let mut trial = Trial::with_roles(environment, inventory, &[("app", ROLE)]);
        trial.command(
            "app1",
            &["getent", "passwd", "app", "root"],
            2,
            &format!("root:x:0:0:root:/root:/bin/bash\n{passwd}"),
            "",
        );
        trial.command("app1", &["getent", "group", "1500", "root", "shared"], 2, &format!("root:x:0:\n{group}"), "");
        trial
    }

    #[test]
    fn a_number_or_name_of_somebody_else_fails() {
        for (passwd, group, says) in [
            ("", "bob:x:1500:\n", "group 1500, which `app` gives to shared, is bob"),
            ("", "shared:x:1400:bob\n", "group shared of `app` is 1400 here, not 1500"),
            (
                "app:x:1001:1001::/home/app:/bin/bash\n",
                "",
                "user app, under which `app` is to run, is a login account (1001) here",
            ),
        ] {
            let finding = trial(passwd, group).finding("os.ids", "app1");
            assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, says));
        }
    }

    #[test]
    fn free_ones_and_ours_pass() {
        let ours = ("app:x:997:997::/home/app:/usr/sbin/nologin\n", "shared:x:1500:\n");
        for (passwd, group) in [("", ""), ours] {
            assert_eq!(trial(passwd, group).verdict("os.ids", "app1"), Verdict::Pass);
        }
        assert!(trial("app is not here", "").finding("os.ids", "app1").unmeasured);
    }
}
