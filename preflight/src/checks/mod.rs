//! The checks: a folder for each part of the catalogue, a file for each check.

pub mod access;
pub mod disk;
pub mod external;
pub mod hardware;
pub mod network;
pub mod os;
pub mod spec;
