//! CPU, memory, hypervisor, power.

mod cpu;
mod duty;
mod memory;
mod memory_plan;
mod platform;
mod power;
mod raid;
mod smart;
mod steal;
mod temperature;

use cc_agent::probe::Probe;
pub use cpu::Cpu;
pub use memory::Memory;
pub use memory_plan::MemoryPlan;
pub use platform::Virtualization;
pub use power::Power;
pub use raid::Raid;
pub use smart::Smart;
pub use steal::Steal;
pub use temperature::Temperature;

use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Asks machines alone: what runs on a hypervisor does not see their disks and sensors.
fn metal(scene: &Scene<'_>, subject: Subject, probes: impl FnOnce() -> Vec<Probe>) -> Ask {
    let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
    match host.virtualization() {
        Some("vm") => Ask::skip("a virtual machine does not see the hardware of its machine"),
        Some("container") => Ask::skip("a container does not see the hardware of its machine"),
        _ => Ask::of(host, probes()),
    }
}
