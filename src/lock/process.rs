//! Which process holds a lock, so that others on its machine see at once that it has ended.

use std::fs;

/// Names this process: the machine's boot, the namespace of process numbers, the user, the number and the start. `None` where
/// the system does not tell.
pub fn own() -> Option<String> {
    let number = std::process::id();
    Some(format!("{} {number} {}", place()?, Standing::of(number)?.start))
}

/// Whether that process has ended for sure: it was one of this user on this machine, since its last boot, and is not there any
/// more.
pub fn has_ended(process: &str) -> bool {
    let Some(rest) = place().and_then(|place| process.strip_prefix(&place).map(str::to_owned)) else { return false };
    let mut words = rest.split_whitespace();
    let (Some(number), Some(start)) = (words.next().and_then(|word| word.parse().ok()), words.next()) else {
        return false;
    };
    // The number may be another process's by now.
    Standing::of(number).is_none_or(|standing| standing.start != start || standing.has_ended)
}

/// Where a process number means something. Others' processes may be hidden from this user.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {} {}", boot.trim(), namespace.display(), rustix::process::getuid().as_raw()))
}

/// What the kernel says of a process.
struct Standing {
    start: String,
    has_ended: bool,
}

impl Standing {
    fn of(process: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name before may have spaces and brackets in it.
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let has_ended = matches!(fields.next()?, "Z" | "X");
        Some(Self { start: fields.nth(18)?.to_owned(), has_ended })
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_was_waited_for_does_not() {
        let own = own().unwrap();
        assert!(!has_ended(&own));
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let name = format!("{} {} {}", place().unwrap(), child.id(), Standing::of(child.id()).unwrap().start);
        assert!(!has_ended(&name));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_ended(&name));
    }

    #[test]
    fn nothing_is_said_of_other_machines_boots_and_users() {
        let own = own().unwrap();
        let gone = |name: &str| name.rsplitn(3, ' ').nth(2).map(|place| format!("{place} 4000000 1"));
        assert!(has_ended(&gone(&own).unwrap()));
        for (at, other) in [(0, "another-boot"), (1, "pid:[1]"), (2, "4242")] {
            let mut words: Vec<String> = gone(&own).unwrap().split(' ').map(str::to_owned).collect();
            words[at] = other.to_owned();
            assert!(!has_ended(&words.join(" ")), "{words:?}");
        }
        assert!(!has_ended("") && !has_ended("x"));
    }
}
