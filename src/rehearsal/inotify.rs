use std::fs;

use super::RehearsalError;

const LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";

/// Seven were counted on an idle host; services bring more.
const INSTANCES_PER_HOST: usize = 10;

/// What the machine itself is left with.
const RESERVE: usize = 64;

/// Makes room for `hosts` running hosts: systemd of a host that finds no inotify instance left boots half-way.
///
/// Raises the limit of this machine if it must and may. A limit that cannot be read belongs to another machine (Docker
/// Desktop, a remote engine) and is left to it.
///
/// # Errors
/// The limit is too low and this user may not raise it.
pub(super) fn make_room(hosts: usize) -> Result<(), RehearsalError> {
    let Some(limit) = fs::read_to_string(LIMIT).ok().and_then(|text| text.trim().parse().ok()) else {
        return Ok(());
    };
    let needed = hosts * INSTANCES_PER_HOST + RESERVE;
    if needed <= limit || fs::write(LIMIT, needed.max(1024).to_string()).is_ok() {
        return Ok(());
    }
    Err(RehearsalError::Inotify { hosts, needed, limit })
}
