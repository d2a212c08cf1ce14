use std::env;
use std::error::Error;
use std::io::{self, ErrorKind};

use bollard::Docker;
use bollard::models::SystemInfo;

use super::RehearsalError;

/// The first API with a choice of the cgroup namespace: Docker 20.10.
const NEEDED: (&str, (u32, u32)) = ("1.41", (1, 41));

/// Docker, known to answer and to be recent enough.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    pub(super) docker: Docker,
    pub(super) info: SystemInfo,
}

impl Engine {
    /// Connects to DOCKER_HOST, or to Docker's socket on this machine.
    ///
    /// # Errors
    /// Docker is not there, does not let this user in, or is too old.
    pub(super) async fn connect() -> Result<Self, RehearsalError> {
        let at = env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let unreachable = |error: bollard::errors::Error| classify(&at, &error);
        let docker = Docker::connect_with_host(&at).map_err(unreachable)?;
        let version = docker.version().await.map_err(unreachable)?;
        let api = version.api_version.unwrap_or_default();
        if number(&api).is_none_or(|api| api < NEEDED.1) {
            return Err(RehearsalError::TooOld {
                at,
                version: version.version.unwrap_or_else(|| "of an unknown version".to_owned()),
                api,
                needed: NEEDED.0,
            });
        }
        let info = docker.info().await.map_err(unreachable)?;
        Ok(Self { docker, info })
    }
}

fn classify(at: &str, error: &bollard::errors::Error) -> RehearsalError {
    match io_cause(error) {
        Some(cause) if cause.kind() == ErrorKind::PermissionDenied => {
            RehearsalError::NotPermitted { at: at.to_owned() }
        }
        Some(cause) => RehearsalError::NoDocker { at: at.to_owned(), reason: cause.to_string() },
        None => RehearsalError::NoDocker { at: at.to_owned(), reason: error.to_string() },
    }
}

/// The system's own error below the layers of HTTP: only it tells "not there" from "not allowed".
fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut layer = Some(error);
    while let Some(error) = layer {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        layer = error.source();
    }
    None
}

fn number(api: &str) -> Option<(u32, u32)> {
    let (major, minor) = api.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(number("1.5") < number("1.41"));
        assert!(number("1.41") >= Some(NEEDED.1));
        assert_eq!(number("new"), None);
    }
}
