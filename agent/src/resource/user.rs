//! A local user.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plain::plain;
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Account, Host};
use crate::step_error::StepError;

/// A local user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Primary group; must exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Supplementary groups that it must be in; others are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Create the home directory; by default true unless `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_home: Option<bool>,
    /// Login shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// GECOS field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// A system user (number below 1000, no home).
    #[serde(default)]
    pub system: bool,
    /// crypt(3) hash, mostly a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What the host has of a user.
pub struct UserState {
    account: Option<Account>,
    /// The primary group as the resource spells it, when it is the desired one.
    group: String,
    /// Supplementary groups.
    groups: Vec<String>,
    has_home: bool,
    /// Whether the desired hash is in `/etc/shadow`; true when none is desired.
    has_password: bool,
}

impl User {
    fn wants_home(&self) -> bool {
        self.create_home.unwrap_or(!self.system)
    }

    /// The home directory that a user lacks who is there already. Users of packages often have none on purpose, so that it is
    /// made only for whoever says something of it.
    fn missing_home<'a>(&'a self, account: &'a Account) -> Option<&'a str> {
        let home = self.home.as_ref().unwrap_or(&account.home);
        let wanted = self.wants_home() && (self.create_home.is_some() || self.home.is_some());
        (wanted && !Path::new(home).is_dir()).then_some(home)
    }

    fn check(&self) -> Result<(), StepError> {
        plain("user", &self.name)?;
        for (field, value) in
            [("group", &self.group), ("home", &self.home), ("shell", &self.shell), ("comment", &self.comment)]
        {
            plain(field, value.as_deref().unwrap_or_default())?;
        }
        self.groups.iter().try_for_each(|group| plain("groups", group))
    }

    /// The desired groups that the user is not in.
    fn missing<'a>(&'a self, state: &'a UserState) -> impl Iterator<Item = &'a str> {
        self.groups.iter().map(String::as_str).filter(|group| !state.groups.iter().any(|known| known == group))
    }

    /// The differences of the fields that `useradd` and `usermod` set.
    fn compare(&self, state: &UserState, differ: &mut Differ) {
        let account = state.account.as_ref();
        differ.field("uid", account.map(|account| account.uid), self.uid);
        differ.field("group", account.map(|_| &state.group), self.group.as_ref());
        if self.missing(state).next().is_some() {
            let before = account.map(|_| state.groups.join(" "));
            let after: Vec<&str> = state.groups.iter().map(String::as_str).chain(self.missing(state)).collect();
            differ.field("groups", before, Some(after.join(" ")));
        }
        differ.field("home", account.map(|account| &account.home), self.home.as_ref());
        differ.field("shell", account.map(|account| &account.shell), self.shell.as_ref());
        differ.field("comment", account.map(|account| &account.comment), self.comment.as_ref());
        if !state.has_password {
            differ.push(Detail::Secret { field: "password_hash".to_owned() });
        }
    }

    fn add(&self, host: &Host) -> Result<(), StepError> {
        let mut argv = vec!["useradd".to_owned()];
        argv.push(if self.wants_home() { "--create-home" } else { "--no-create-home" }.to_owned());
        if self.system {
            argv.push("--system".to_owned());
        }
        argv.extend(self.options());
        // A group of the user's name would be in the way of the one that useradd makes.
        if self.group.is_none() && host.accounts()?.group(&self.name).is_some() {
            argv.extend(["--gid".to_owned(), self.name.clone()]);
        }
        if !self.groups.is_empty() {
            argv.extend(["--groups".to_owned(), self.groups.join(",")]);
        }
        host.command(argv).args(["--", &self.name]).run().map(drop)
    }

    fn modify(&self, state: &UserState, account: &Account, host: &Host) -> Result<(), StepError> {
        let as_is = Self {
            uid: self.uid.filter(|uid| *uid != account.uid),
            group: self.group.clone().filter(|group| *group != state.group),
            home: self.home.clone().filter(|home| *home != account.home),
            shell: self.shell.clone().filter(|shell| *shell != account.shell),
            comment: self.comment.clone().filter(|comment| *comment != account.comment),
            ..self.clone()
        };
        let mut argv = as_is.options();
        let missing: Vec<&str> = self.missing(state).collect();
        if !missing.is_empty() {
            argv.extend(["--append".to_owned(), "--groups".to_owned(), missing.join(",")]);
        }
        if argv.is_empty() {
            return Ok(());
        }
        let changed = host.command(["usermod"]).args(argv).args(["--", &self.name]).run();
        changed.map(drop).map_err(|error| {
            match error.output.iter().any(|line| line.contains("currently used by process")) {
                true => error.hint(format!("stop the processes of `{}` first: `ps -u {}`", self.name, self.name)),
                false => error,
            }
        })
    }

    /// The options that useradd and usermod share.
    fn options(&self) -> Vec<String> {
        let uid = self.uid.map(|uid| uid.to_string());
        [("-u", &uid), ("-g", &self.group), ("-d", &self.home), ("-s", &self.shell), ("-c", &self.comment)]
            .into_iter()
            .filter_map(|(option, value)| value.clone().map(|value| [option.to_owned(), value]))
            .flatten()
            .collect()
    }

    /// Sets the hash through standard input, because arguments can be read by everyone.
    fn set_password(&self, host: &Host) -> Result<(), StepError> {
        let Some(hash) = &self.password_hash else {
            return Ok(());
        };
        host.command(["chpasswd", "--encrypted"]).stdin(format!("{}:{hash}\n", self.name)).run().map(drop)
    }

    fn check_groups_exist(&self, host: &Host) -> Result<(), StepError> {
        let accounts = host.accounts()?;
        let wanted = self.groups.iter().chain(&self.group);
        let missing = wanted.into_iter().find(|group| accounts.gid(group).is_none());
        missing.map_or(Ok(()), |group| {
            let message = format!("the group `{group}` of the user `{}` does not exist", self.name);
            Err(StepError::new(message).hint(format!("add a step `group: {group}` before it")))
        })
    }
}

impl ResourceType for User {
    type State = UserState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let accounts = host.accounts()?;
        let account = accounts.user(&self.name).cloned();
        let group = account.as_ref().map_or_else(String::new, |account| {
            let same = self.group.clone().filter(|group| accounts.gid(group) == Some(account.gid));
            same.unwrap_or_else(|| accounts.group_name(account.gid))
        });
        let is_member = |members: &[String]| members.contains(&self.name);
        let groups = accounts.groups().iter().filter(|group| is_member(&group.members)).map(|group| group.name.clone());
        let has_home = account.as_ref().is_some_and(|account| Path::new(&account.home).is_dir());
        let has_password = match &self.password_hash {
            None => true,
            Some(hash) => {
                let hash = host.reveal(hash)?;
                check_hash(&hash)?;
                let shadow = zeroize::Zeroizing::new(host.read_text(Path::new("/etc/shadow"))?.unwrap_or_default());
                shadow_hash(&shadow, &self.name) == Some(hash.as_str())
            }
        };
        Ok(UserState { groups: groups.collect(), account, group, has_home, has_password })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let Some(account) = &state.account else {
            if self.state == Presence::Absent {
                return Ok(Change::none());
            }
            let mut differ = Differ::default();
            self.compare(state, &mut differ);
            return Ok(differ.create());
        };
        if self.state == Presence::Absent {
            let change = Change::of(ChangeKind::Delete);
            return Ok(if state.has_home { change.note(format!("{} stays", account.home)) } else { change });
        }
        let mut differ = Differ::default();
        self.compare(state, &mut differ);
        differ.field("create_home", None::<&str>, self.missing_home(account));
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if self.state == Presence::Absent {
            let removed = host.command(["userdel", "--", &self.name]).run();
            return removed.map(drop).map_err(|error| error.hint(format!("see `ps -u {}` on the host", self.name)));
        }
        self.check_groups_exist(host)?;
        match &state.account {
            None => self.add(host)?,
            Some(account) => {
                self.modify(state, account, host)?;
                if self.missing_home(account).is_some() {
                    host.command(["mkhomedir_helper", &self.name]).run()?;
                }
            }
        }
        if state.has_password { Ok(()) } else { self.set_password(host) }
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, password_hash: None, ..self.clone() })
    }
}

/// A colon or a line break in the hash would write into other fields and other users' lines.
fn check_hash(hash: &str) -> Result<(), StepError> {
    let locked = hash.chars().all(|mark| matches!(mark, '!' | '*')) && !hash.is_empty();
    let crypted = hash.trim_start_matches('!').starts_with('$') && hash.bytes().all(|byte| byte.is_ascii_graphic());
    if (locked || crypted) && !hash.contains(':') {
        return Ok(());
    }
    let message = "`password_hash` is not a hash of crypt(3), which begins with `$`";
    Err(StepError::new(message).hint("make one with `openssl passwd -6` or `mkpasswd`"))
}

/// The second field of the user's line in `/etc/shadow`.
fn shadow_hash<'a>(shadow: &'a str, name: &str) -> Option<&'a str> {
    shadow.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.split(':').next())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn user(json: &str) -> User {
        serde_json::from_str(json).unwrap()
    }

    fn state(groups: &[&str]) -> UserState {
        let account = Account {
            name: "ann".into(),
            uid: 1001,
            gid: 1001,
            comment: String::new(),
            home: "/".into(),
            shell: "/bin/sh".into(),
        };
        UserState {
            account: Some(account),
            group: "ann".into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            has_home: true,
            has_password: true,
        }
    }

    #[test]
    fn groups_are_only_added() {
        let host = Host::new("/nonexistent");
        let ann = user(r#"{"name": "ann", "groups": ["adm", "sudo"]}"#);
        assert!(ann.diff(&state(&["sudo", "adm", "www-data"]), &host).unwrap().is_none());
        let change = ann.diff(&state(&["sudo", "www-data"]), &host).unwrap();
        let expected = Change::of(ChangeKind::Update).value(
            "groups",
            Some("sudo www-data".into()),
            Some("sudo www-data adm".into()),
        );
        assert_eq!(change, expected);
    }

    #[test]
    fn a_changed_password_is_named_but_not_shown() {
        let host = Host::new("/nonexistent");
        let ann = user(r#"{"name": "ann", "password_hash": "$6$x$y"}"#);
        let change = ann.diff(&UserState { has_password: false, ..state(&[]) }, &host).unwrap();
        assert_eq!(change.details, [Detail::Secret { field: "password_hash".into() }]);
    }

    #[test]
    fn hashes_that_would_break_shadow_are_refused() {
        for good in ["$6$salt$hash", "$y$j9T$abc./", "!", "*", "!!", "!$6$a$b"] {
            assert!(check_hash(good).is_ok(), "{good}");
        }
        for bad in ["", "secret", "$6$a:0:0", "$6$a\nroot:x", "abJnggxhB/yWI"] {
            assert!(check_hash(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_hash_is_found_by_the_whole_name() {
        let shadow = "annabel:$6$other:1:\nann:$6$mine:19000:0:99999:7:::\n";
        assert_eq!(shadow_hash(shadow, "ann"), Some("$6$mine"));
        assert_eq!(shadow_hash(shadow, "bob"), None);
    }

    #[test]
    fn a_home_is_made_only_for_whoever_speaks_of_it() {
        let account = Account { home: "/no/such/home".into(), ..state(&[]).account.unwrap() };
        let missing = |json: &str| user(json).missing_home(&account).map(str::to_owned);
        assert_eq!(missing(r#"{"name": "ann"}"#), None);
        assert_eq!(missing(r#"{"name": "ann", "create_home": true}"#).as_deref(), Some("/no/such/home"));
        assert_eq!(missing(r#"{"name": "ann", "home": "/no/other"}"#).as_deref(), Some("/no/other"));
        assert_eq!(missing(r#"{"name": "ann", "home": "/no/other", "system": true}"#), None);
    }

    #[test]
    fn options_name_only_what_is_managed() {
        let ann = user(r#"{"name": "ann", "uid": 1002, "home": "/srv/ann", "shell": "/bin/bash"}"#);
        assert_eq!(ann.options(), ["-u", "1002", "-d", "/srv/ann", "-s", "/bin/bash"]);
    }
}
