/// What a rehearsal host is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSpec {
    /// The host's name in the inventory: also its host name, and its name in the network's DNS.
    pub name: String,
    /// Upper bound of its memory in bytes; without one it may use all of the machine's.
    pub memory: Option<u64>,
    /// Upper bound of its processors, fractions allowed (`1.5`); without one it may use all of the machine's.
    pub cpus: Option<f64>,
}

impl HostSpec {
    /// A host without limits.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), memory: None, cpus: None }
    }
}
