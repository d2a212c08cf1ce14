//! `lsblk -J -b -p -o NAME,TYPE,ROTA,TRAN,MODEL,SIZE,FSTYPE,MOUNTPOINTS`, of all devices or of one.

use serde::Deserialize;

/// How to ask.
pub const LSBLK: [&str; 6] = ["lsblk", "-J", "-b", "-p", "-o", "NAME,TYPE,ROTA,TRAN,MODEL,SIZE,FSTYPE,MOUNTPOINTS"];

/// A block device, with what is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Device {
    /// `/dev/sda`.
    pub name: String,
    /// `disk`, `part`, `lvm`, `crypt`, `raid1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the kernel takes it for a rotating disk.
    pub rota: bool,
    /// `sata`, `nvme`.
    #[serde(default)]
    pub tran: Option<String>,
    /// What its maker calls it.
    #[serde(default)]
    pub model: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What it is formatted with.
    #[serde(default)]
    pub fstype: Option<String>,
    mountpoints: Vec<Option<String>>,
    /// What is made of it: partitions, volumes.
    #[serde(default)]
    pub children: Vec<Device>,
}

/// All block devices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Devices {
    blockdevices: Vec<Device>,
}

impl Device {
    /// Where it is mounted.
    pub fn mountpoints(&self) -> impl Iterator<Item = &str> {
        self.mountpoints.iter().flatten().map(String::as_str)
    }

    /// What is mounted of it and of all that is made of it.
    pub fn all_mountpoints(&self) -> Vec<&str> {
        let below = self.children.iter().flat_map(Self::all_mountpoints);
        self.mountpoints().chain(below).collect()
    }

    fn ways<'d>(&'d self, target: &str, way: &mut Vec<&'d Self>, found: &mut Vec<Vec<&'d Self>>) {
        way.push(self);
        if self.mountpoints().any(|mounted| mounted == target) {
            found.push(way.clone());
        }
        for child in &self.children {
            child.ways(target, way, found);
        }
        way.pop();
    }
}

impl Devices {
    /// Reads the tree; none where that is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let all: Self = serde_json::from_str(text).ok()?;
        all.blockdevices.iter().all(|device| device.name.starts_with("/dev/")).then_some(all)
    }

    /// The devices at the top.
    pub fn top(&self) -> &[Device] {
        &self.blockdevices
    }

    /// From each disk down to what is mounted at a target; several where it is spread over disks, none where it is on none.
    pub fn ways(&self, target: &str) -> Vec<Vec<&Device>> {
        let mut found = Vec::new();
        for device in &self.blockdevices {
            device.ways(target, &mut Vec::new(), &mut found);
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTAINER: &str = include_str!("../../tests/fixtures/lsblk/debian-12-container.txt");
    const SERVER: &str = include_str!("../../tests/fixtures/lsblk/server.txt");

    #[test]
    fn follows_a_mount_down_to_its_disks() {
        let server = Devices::parse(SERVER).unwrap();
        let kinds = |target| {
            let ways = server.ways(target).into_iter();
            ways.map(|way| way.iter().map(|device| device.kind.as_str()).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds("/opt/data"), ["disk crypt lvm", "disk crypt lvm"]);
        assert_eq!(kinds("/"), ["disk part"]);
        assert!(kinds("/nowhere").is_empty());
        assert_eq!(server.top()[0].all_mountpoints(), ["/boot/efi", "/"]);
        assert_eq!(Devices::parse(CONTAINER).unwrap().top().len(), 2);
    }

    #[test]
    fn what_is_no_tree_is_none() {
        for text in ["", "{}", "[]", r#"{"blockdevices": [{"name": "sda"}]}"#, "NAME TYPE\nsda disk"] {
            assert_eq!(Devices::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[CONTAINER, SERVER])) {
            if let Some(all) = Devices::parse(&text) {
                prop_assert!(all.ways("/nowhere").is_empty());
            }
        }
    }
}
