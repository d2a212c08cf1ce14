//! `smartctl -H -A -j`, of several disks: one JSON object after the other.

use serde::Deserialize;

/// How to ask for every disk. The exit status of smartctl has a bit for each trouble; what it prints says it all.
pub const SMARTCTL: [&str; 4] = [
    "sh",
    "-c",
    "command -v smartctl >/dev/null || { echo 'smartctl is not installed' >&2; exit 127; }; disks=$(lsblk -dnpro NAME,TYPE) || exit 1; \
     echo \"$disks\" | while read -r disk type; do [ \"$type\" = disk ] || continue; \
     case $disk in /dev/zram*|/dev/nbd*|/dev/ram*) ;; *) smartctl -H -A -j \"$disk\" ;; esac; done; true",
    "smartctl",
];

#[derive(Deserialize)]
struct Output {
    device: Option<Device>,
    smart_status: Option<Status>,
    ata_smart_attributes: Option<Attributes>,
    nvme_smart_health_information_log: Option<Nvme>,
    smartctl: Run,
}

#[derive(Deserialize)]
struct Device {
    name: String,
}

#[derive(Deserialize)]
struct Status {
    passed: bool,
}

#[derive(Deserialize)]
struct Attributes {
    table: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    id: u32,
    name: String,
    raw: Raw,
}

#[derive(Deserialize)]
struct Raw {
    value: u64,
}

#[derive(Deserialize)]
struct Nvme {
    #[serde(default)]
    media_errors: u64,
    #[serde(default)]
    percentage_used: u64,
}

#[derive(Deserialize)]
struct Run {
    argv: Vec<String>,
}

/// What a disk says of its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `/dev/sda`.
    pub disk: String,
    /// Its own verdict; none where it gives none.
    pub passed: Option<bool>,
    /// What has begun to go wrong: `Reallocated_Sector_Ct 8`.
    pub signs: Vec<String>,
}

/// Attributes that are above zero on disks that begin to fail: reallocated, pending and uncorrectable sectors.
const SIGNS: [u32; 3] = [5, 197, 198];

/// Wear of a solid-state disk from which on it is a sign, in percent of what its maker promises.
const WORN: u64 = 90;

/// All disks; none where the text is something else.
pub fn healths(text: &str) -> Option<Vec<Health>> {
    serde_json::Deserializer::from_str(text).into_iter::<Output>().map(|output| health(output.ok()?)).collect()
}

fn health(output: Output) -> Option<Health> {
    let disk = output.device.map(|device| device.name).or_else(|| output.smartctl.argv.last().cloned())?;
    let table = output.ata_smart_attributes.map(|attributes| attributes.table).unwrap_or_default();
    let signs = table.into_iter().filter(|attribute| SIGNS.contains(&attribute.id) && attribute.raw.value > 0);
    let mut signs: Vec<String> = signs.map(|attribute| format!("{} {}", attribute.name, attribute.raw.value)).collect();
    if let Some(nvme) = output.nvme_smart_health_information_log {
        if nvme.media_errors > 0 {
            signs.push(format!("media errors {}", nvme.media_errors));
        }
        if nvme.percentage_used >= WORN {
            signs.push(format!("{}% of its life used", nvme.percentage_used));
        }
    }
    Some(Health { disk, passed: output.smart_status.map(|status| status.passed), signs })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNKNOWN: &str = include_str!("../../tests/fixtures/smartctl/virtual.txt");
    const DISKS: &str = include_str!("../../tests/fixtures/smartctl/disks.txt");

    #[test]
    fn reads_one_disk_after_the_other() {
        let disks = healths(DISKS).unwrap();
        assert_eq!(disks[0], Health { disk: "/dev/sda".to_owned(), passed: Some(true), signs: vec![] });
        assert_eq!(disks[1].signs, ["Reallocated_Sector_Ct 8"]);
        assert_eq!(
            (disks[2].passed, disks[2].signs.as_slice()),
            (Some(false), ["media errors 3".to_owned()].as_slice())
        );
        let unknown = healths(UNKNOWN).unwrap();
        assert_eq!((unknown[0].disk.as_str(), unknown[0].passed), ("/dev/vda", None));
        assert_eq!(healths(""), Some(vec![]));
        assert_eq!(healths("{}"), None);
        assert_eq!(healths("smartctl 7.3"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[UNKNOWN, DISKS])) {
            prop_assert!(healths(&text).is_none_or(|all| all.is_empty() || text.contains("smartctl")));
        }
    }
}
