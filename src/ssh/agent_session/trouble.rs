//! What a host says when the agent cannot start, as a reason.

use super::super::{AgentBinary, Reason};

/// The script's `fail` line.
pub(super) fn trouble(why: &str, agent: &AgentBinary, user: &str) -> Reason {
    let (kind, rest) = why.split_once(' ').unwrap_or((why, ""));
    let (place, detail) = rest.split_once(' ').unwrap_or((rest, ""));
    match kind {
        "sudo" => Reason::SudoMissing { user: user.to_owned() },
        "system" => Reason::Architecture { found: rest.to_owned(), wanted: agent.system().to_owned() },
        "tool" => Reason::ToolMissing { tool: rest.to_owned() },
        "place" => Reason::NoPlace { places: rest.split("; ").map(str::to_owned).collect() },
        "write" => Reason::AgentWrite { place: place.to_owned(), detail: detail.to_owned() },
        "digest" => {
            let detail = "what arrived is not what was sent; the digest differs".to_owned();
            Reason::AgentWrite { place: place.to_owned(), detail }
        }
        _ => Reason::Protocol { detail: format!("`{why}` while the agent starts") },
    }
}

/// What sudo's words on standard error mean; `None` when they are not sudo's.
pub(super) fn sudo_trouble(words: &[String], user: &str, asked: bool) -> Option<Reason> {
    let user = user.to_owned();
    let says = |phrases: &[&str]| words.iter().find(|line| phrases.iter().any(|phrase| line.contains(phrase)));
    if says(&["must have a tty"]).is_some() {
        return Some(Reason::SudoNeedsTty { user });
    }
    if let Some(line) = says(&["is not in the sudoers file", "is not allowed to", "may not run sudo"]) {
        return Some(Reason::SudoDenied { user, detail: line.clone() });
    }
    if says(&["incorrect password attempt", "Sorry, try again"]).is_some()
        || (asked && says(&["no password was provided"]).is_some())
    {
        return Some(Reason::SudoWrongPassword { user });
    }
    if says(&["a password is required", "a terminal is required"]).is_some() {
        return Some(Reason::SudoNeedsPassword { user });
    }
    let line = says(&["sudo: "])?;
    Some(Reason::SudoDenied { user, detail: line.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> String {
        let reason = sudo_trouble(&["a banner".to_owned(), line.to_owned()], "deploy", false);
        reason.map_or_else(
            || "none".to_owned(),
            |reason| format!("{reason:?}").split([' ', '{']).next().unwrap_or("").to_owned(),
        )
    }

    #[test]
    fn knows_sudos_words() {
        assert_eq!(kind("sudo: a password is required"), "SudoNeedsPassword");
        assert_eq!(kind("sudo: sorry, you must have a tty to run sudo"), "SudoNeedsTty");
        assert_eq!(kind("deploy is not in the sudoers file."), "SudoDenied");
        assert_eq!(kind("sudo: 1 incorrect password attempt"), "SudoWrongPassword");
        assert_eq!(kind("sudo: /etc/sudo.conf is owned by uid 1, should be 0"), "SudoDenied");
        assert_eq!(kind("bash: warning: setlocale"), "none");
    }
}
