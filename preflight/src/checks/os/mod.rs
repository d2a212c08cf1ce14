//! The operating system and its patches.

mod antivirus;
mod arch;
mod autoupdate;
mod clean;
mod entropy;
mod eol;
mod firmware;
#[cfg(test)]
mod garbage;
mod ids;
mod livepatch;
mod locale;
mod pro;
mod reboot;
mod release;
mod swap;
mod sysctl;
mod time;
mod timezone;
mod units;
mod upgrades;

pub use antivirus::Antivirus;
pub use arch::Arch;
pub use autoupdate::AutomaticUpdates;
pub use clean::Clean;
pub use entropy::Entropy;
pub use eol::Eol;
pub use firmware::Firmware;
pub use ids::Ids;
pub use livepatch::Livepatch;
pub use locale::Locale;
pub use pro::Subscription;
pub use reboot::Reboot;
pub use release::Release;
pub use swap::SwapSpace;
pub use sysctl::KernelParameters;
pub use time::Time;
pub use timezone::Timezone;
pub use units::Units;
pub use upgrades::PendingUpgrades;
