//! What is mounted now, from `/proc/self/mountinfo`.

use super::fstab::unescape;

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mounted {
    pub(super) source: String,
    pub(super) fstype: String,
}

/// What is mounted at a path: the last one, which hides those below.
pub(super) fn mounted_at(mountinfo: &str, path: &str) -> Option<Mounted> {
    mountinfo.lines().rev().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        if unescape(left.split(' ').nth(4)?) != path {
            return None;
        }
        let mut fields = right.split(' ');
        let fstype = fields.next()?.to_owned();
        Some(Mounted { source: unescape(fields.next()?).into_owned(), fstype })
    })
}

/// Whether a file is in use as swap, from the text of `/proc/swaps`.
pub(super) fn is_swap(swaps: &str, path: &str) -> bool {
    swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next()).any(|name| unescape(name) == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
        30 22 0:26 / /srv/my\\040data rw - tmpfs tmpfs rw,size=1k\n\
        31 22 254:2 / /srv rw,noatime master:3 propagate_from:2 - xfs /dev/old rw\n\
        32 31 254:3 / /srv rw,noatime - ext4 /dev/new rw\n";

    #[test]
    fn the_uppermost_mount_counts() {
        let srv = mounted_at(INFO, "/srv");
        assert_eq!(srv, Some(Mounted { source: "/dev/new".into(), fstype: "ext4".into() }));
        assert_eq!(mounted_at(INFO, "/srv/my data").map(|mounted| mounted.fstype).as_deref(), Some("tmpfs"));
        assert_eq!(mounted_at(INFO, "/srv/"), None);
        assert_eq!(mounted_at("", "/"), None);
    }

    #[test]
    fn swaps_are_found_by_their_whole_name() {
        let swaps = "Filename\tType\tSize\tUsed\tPriority\n/swap\\040file  file\t\t1048572\t0\t-2\n";
        assert!(is_swap(swaps, "/swap file"));
        assert!(!is_swap(swaps, "/swap"));
        assert!(!is_swap(swaps, "Filename"));
    }
}
