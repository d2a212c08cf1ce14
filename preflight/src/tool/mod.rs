//! What the tools that probes run say, parsed: a file for each tool. A parser takes any text and never panics; what it does not
//! understand is `None` or an error, never a guess.

pub mod ahosts;
pub mod apt;
pub mod apt_config;
pub mod certificate;
pub mod chrony;
pub mod cpu_times;
pub mod detect_virt;
pub mod df;
pub mod disk_load;
pub mod findmnt;
pub mod fwupd;
pub mod getent;
pub mod ip;
pub mod livepatch;
pub mod lsblk;
pub mod lscpu;
pub mod mdstat;
pub mod meminfo;
pub mod name_server;
pub mod os_release;
pub mod pro;
pub mod public_key;
pub mod sensors;
pub mod smartctl;
pub mod ss;
pub mod ssh_add;
pub mod sshd_settings;
pub mod swaps;
pub mod timedatectl;
pub mod tune2fs;
pub mod ups;
pub mod vgs;
pub mod wipefs;
