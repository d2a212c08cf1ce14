//! What to do about what commands are known to say.

/// What a failed command says, and what to do about it; the first that fits counts.
const KNOWN: &[(&str, &str)] = &[
    ("No space left on device", "free some space there: see `df -h` and `df -i`"),
    (
        "Read-only file system",
        "a file system is mounted read-only: see `findmnt`, and `dmesg` for the error that may have caused it",
    ),
    ("Could not get lock", "another package manager was at work for minutes: see `ps ax | grep -e apt -e dpkg`"),
    (
        "Temporary failure resolving",
        "the host cannot resolve names: check /etc/resolv.conf and the way to the name server",
    ),
    ("Could not resolve host", "the host cannot resolve names: check /etc/resolv.conf and the way to the name server"),
    (
        "Name or service not known",
        "the host cannot resolve names: check /etc/resolv.conf and the way to the name server",
    ),
    ("NO_PUBKEY", "the repository is signed by a key that its `apt_repository` does not have"),
    ("is not signed", "give the `apt_repository` the key that signs it"),
    ("Unable to locate package", "no repository of this host has a package of that name"),
    (
        "has no installation candidate",
        "no repository of this host has that package: is its `apt_repository` a step before it?",
    ),
    ("was not found", "no repository of this host has that version: see `apt-cache madison PACKAGE`"),
    ("have unmet dependencies", "two repositories or a held package contradict each other: see `apt-mark showhold`"),
    (
        "System has not been booted with systemd",
        "this host does not run systemd as its init process, which services need",
    ),
    ("Failed to connect to bus", "systemd does not answer on this host: is it its init process?"),
    ("Unit not found", "no installed package and no step before it has that unit"),
    ("control process exited with error code", "see `journalctl -u UNIT -n 50` on the host"),
    ("Permission denied (publickey", "the host's user has no key that the other side accepts"),
    ("Host key verification failed", "the other side's key is not in the known_hosts of the user who runs this"),
    (
        "Child returned status 127",
        "the program for this kind of archive is missing: add a step for `xz-utils`, `bzip2` or `zstd` before it",
    ),
    ("detected dubious ownership", "the repository belongs to another user than the one who asks for it"),
    ("command not found", "add a step for the package that has the command"),
    ("Connection refused", "the service that it speaks to is not running or listens elsewhere"),
];

/// What to do about this output, when that is known.
pub(super) fn hint(output: &[String]) -> Option<String> {
    let known = |(text, _): &&(&str, &str)| output.iter().any(|line| line.contains(text));
    KNOWN.iter().find(known).map(|(_, hint)| (*hint).to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_apt_says() {
        let output = ["E: Unable to locate package redis-sever".to_owned()];
        assert!(hint(&output).unwrap().contains("no repository"));
        assert!(hint(&[]).is_none());
    }
}
