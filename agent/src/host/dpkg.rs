//! The installed packages, from dpkg's own status file: exact, and without a fork a package.

use std::collections::{BTreeMap, BTreeSet};

/// dpkg's status database.
#[derive(Debug, Default)]
pub struct Dpkg {
    packages: BTreeMap<String, Vec<Installed>>,
    provided: BTreeSet<String>,
}

/// A package that dpkg has unpacked at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Architecture, `all` included.
    pub architecture: String,
    /// Version.
    pub version: String,
    /// Whether it is held (`apt-mark hold`).
    pub hold: bool,
    /// Whether it is fully installed; false when a run of dpkg was cut off before it was configured.
    pub configured: bool,
}

impl Dpkg {
    /// Parses `/var/lib/dpkg/status`. Packages of which only configuration files are left are not there.
    pub fn parse(status: &str) -> Self {
        let mut dpkg = Self::default();
        for paragraph in status.split("\n\n") {
            dpkg.add(paragraph);
        }
        dpkg
    }

    /// The package by name, or by `name:architecture`.
    pub fn installed(&self, name: &str) -> Option<&Installed> {
        let (name, architecture) = name.split_once(':').map_or((name, None), |(name, arch)| (name, Some(arch)));
        let found = self.packages.get(name)?;
        match architecture {
            Some(wanted) => found.iter().find(|package| package.architecture == wanted),
            None => found.first(),
        }
    }

    /// Whether an installed package stands in for this name (`Provides`).
    pub fn provided(&self, name: &str) -> bool {
        self.provided.contains(name)
    }

    /// Whether some package was left half-way by a run of dpkg that was cut off.
    pub fn interrupted(&self) -> bool {
        self.packages.values().flatten().any(|package| !package.configured)
    }

    fn add(&mut self, paragraph: &str) {
        let field =
            |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let (Some(name), Some(status)) = (field("Package"), field("Status")) else {
            return;
        };
        let mut words = status.split_whitespace();
        let (selection, state) = (words.next(), words.nth(1));
        let configured = state == Some("installed");
        if !configured && matches!(state, None | Some("not-installed" | "config-files")) {
            return;
        }
        if configured {
            let names = field("Provides").unwrap_or_default().split(',');
            self.provided.extend(names.filter_map(|name| name.split_whitespace().next()).map(str::to_owned));
        }
        self.packages.entry(name.to_owned()).or_default().push(Installed {
            architecture: field("Architecture").unwrap_or_default().to_owned(),
            version: field("Version").unwrap_or_default().to_owned(),
            hold: selection == Some("hold"),
            configured,
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Package: nginx
Status: hold ok installed
Architecture: amd64
Version: 1.22.1-9+deb12u4
Provides: httpd, httpd-cgi (= 1)
Description: small server
 Package: not this

Package: redis
Status: deinstall ok config-files
Architecture: amd64
Version: 7

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36

Package: libc6
Status: install ok half-configured
Architecture: i386
Version: 2.36
";

    #[test]
    fn parses_what_is_installed() {
        let dpkg = Dpkg::parse(STATUS);
        let nginx = dpkg.installed("nginx").unwrap();
        assert_eq!((nginx.version.as_str(), nginx.hold, nginx.configured), ("1.22.1-9+deb12u4", true, true));
        assert!(dpkg.installed("redis").is_none());
        assert_eq!(dpkg.installed("libc6:i386").unwrap().architecture, "i386");
        assert!(dpkg.installed("libc6:arm64").is_none());
        assert!(dpkg.provided("httpd-cgi") && !dpkg.provided("nginx"));
        assert!(dpkg.interrupted());
    }
}
