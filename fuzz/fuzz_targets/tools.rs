//! Every parser of what tools on hosts print, on any text: none may panic, hang or overflow its stack.
//!
//! All of them read each input. That is slower than one target for each, but a text of one tool is a fair trial for the parsers of
//! all others, and the fixtures of the tests are seeds as they are.
#![no_main]

use std::hint::black_box;

use cc_preflight::tool::{
    ahosts, apt, apt_config, certificate, chrony, cpu_times, detect_virt, df, disk_load, findmnt, fwupd, getent, ip,
    livepatch, lsblk, lscpu, mdstat, meminfo, name_server, os_release, pro, public_key, sensors, smartctl, ss, ssh_add,
    sshd_settings, swaps, timedatectl, tune2fs, ups, vgs, wipefs,
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    system(text);
    disks(text);
    network(text);
    access(text);
});

fn system(text: &str) {
    black_box(apt::Upgrades::parse(text));
    black_box(apt_config::AptConfig::parse(text));
    black_box(chrony::Tracking::parse(text));
    black_box(cpu_times::steal_percent(text));
    for status in [0, 1] {
        black_box(detect_virt::Platform::parse(status, text));
    }
    black_box(fwupd::pending(text));
    black_box(livepatch::Livepatch::parse(text, Timestamp::UNIX_EPOCH));
    black_box(lscpu::Lscpu::parse(text));
    black_box(meminfo::total(text));
    black_box(os_release::OsRelease::parse(text).map(|release| release.name()));
    black_box(pro::Pro::parse(text));
    black_box(sensors::temperatures(text));
    black_box(swaps::Swap::parse(text));
    black_box(timedatectl::Timedatectl::parse(text));
    black_box(ups::nut(text));
    black_box(ups::apcupsd(text));
}

fn disks(text: &str) {
    if let Some(all) = df::FileSystems::parse(text) {
        black_box(all.of("/var/lib").map(df::FileSystem::free_percent));
    }
    black_box(disk_load::DiskLoad::parse(text));
    if let Some(mounts) = findmnt::Mounts::parse(text) {
        black_box(mounts.of("/var/lib"));
    }
    if let Some(devices) = lsblk::Devices::parse(text) {
        black_box(devices.ways("/"));
    }
    black_box(mdstat::arrays(text));
    black_box(smartctl::healths(text));
    black_box(tune2fs::file_systems(text));
    black_box(vgs::groups(text));
    black_box(wipefs::signatures(text));
}

fn network(text: &str) {
    black_box(ahosts::addresses(text));
    black_box(ip::Interface::parse(text));
    black_box(name_server::Records::parse(text).map(|records| records.addresses().count()));
    black_box(name_server::Records::parse_all(text));
    for listener in ss::Listener::parse(text).unwrap_or_default() {
        black_box((listener.is_local(), listener.describe()));
    }
    if let Some(chain) = certificate::Shown::parse(text).and_then(|shown| shown.certificates()) {
        black_box(chain.iter().filter(|one| one.is_for("hq.example.test") || one.is_self_signed()).count());
    }
}

fn access(text: &str) {
    black_box(getent::Entry::parse(text));
    black_box(ssh_add::keys(text));
    black_box(sshd_settings::SshdSettings::parse(text));
    for line in text.lines() {
        black_box(public_key::PublicKey::parse(line).is_ok());
    }
}
