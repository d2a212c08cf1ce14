//! The local users and groups.

/// `/etc/passwd` and `/etc/group`.
#[derive(Debug, Default)]
pub struct Accounts {
    users: Vec<Account>,
    groups: Vec<AccountGroup>,
}

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// GECOS field.
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountGroup {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Login names of those who have it as a supplementary group.
    pub members: Vec<String>,
}

impl Accounts {
    /// Parses the two files; lines that are no entries (comments, NIS) are skipped as the system skips them.
    pub fn parse(passwd: &str, group: &str) -> Self {
        Self {
            users: passwd.lines().filter_map(user).collect(),
            groups: group.lines().filter_map(self::group).collect(),
        }
    }

    /// A user by name.
    pub fn user(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|user| user.name == name)
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&AccountGroup> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// All users.
    pub fn users(&self) -> &[Account] {
        &self.users
    }

    /// All groups.
    pub fn groups(&self) -> &[AccountGroup] {
        &self.groups
    }

    /// The number of a user given by name or number; `None` for a name that does not exist.
    pub fn uid(&self, owner: &str) -> Option<u32> {
        self.user(owner).map(|user| user.uid).or_else(|| owner.parse().ok())
    }

    /// The number of a group given by name or number; `None` for a name that does not exist.
    pub fn gid(&self, group: &str) -> Option<u32> {
        self.group(group).map(|group| group.gid).or_else(|| group.parse().ok())
    }

    /// The name of a user, or the number when it has none.
    pub fn user_name(&self, uid: u32) -> String {
        self.users.iter().find(|user| user.uid == uid).map_or_else(|| uid.to_string(), |user| user.name.clone())
    }

    /// The name of a group, or the number when it has none.
    pub fn group_name(&self, gid: u32) -> String {
        self.groups.iter().find(|group| group.gid == gid).map_or_else(|| gid.to_string(), |group| group.name.clone())
    }
}

fn user(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?.to_owned();
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    let mut text = || fields.next().unwrap_or_default().to_owned();
    Some(Account { name, uid, gid, comment: text(), home: text(), shell: text() })
}

fn group(line: &str) -> Option<AccountGroup> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?.to_owned();
    let gid = fields.nth(1)?.parse().ok()?;
    let members =
        fields.next().unwrap_or_default().split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(AccountGroup { name, gid, members })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_resolves() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\n# a comment\n+nis\nweb:x:998:997:Web,,:/srv/web:/usr/sbin/nologin\n";
        let accounts = Accounts::parse(passwd, "root:x:0:\nweb:x:997:deploy,www-data\n");
        assert_eq!(accounts.users().len(), 2);
        let web = accounts.user("web").unwrap();
        assert_eq!((web.uid, web.home.as_str(), web.shell.as_str()), (998, "/srv/web", "/usr/sbin/nologin"));
        assert_eq!(accounts.group("web").unwrap().members, ["deploy", "www-data"]);
        assert_eq!((accounts.uid("web"), accounts.uid("1234"), accounts.uid("nobody")), (Some(998), Some(1234), None));
        assert_eq!((accounts.user_name(998), accounts.group_name(5)), ("web".to_owned(), "5".to_owned()));
    }
}
