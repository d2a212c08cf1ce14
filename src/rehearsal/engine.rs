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
        Self::connect_to(env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned())).await
    }

    async fn connect_to(at: String) -> Result<Self, RehearsalError> {
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
fn io_cause(error: &bollard::errors::Error) -> Option<&io::Error> {
    // This variant passes its error's source on and not the error itself.
    if let bollard::errors::Error::IOError { err } = error {
        return Some(err);
    }
    let mut layer: Option<&(dyn Error + 'static)> = Some(error);
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
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(number("1.5") < number("1.41"));
        assert!(number("1.41") >= Some(NEEDED.1));
        assert_eq!(number("new"), None);
    }

    #[test]
    fn a_refusal_is_told_from_an_absence() {
        let error = |kind| bollard::errors::Error::IOError { err: io::Error::from(kind) };
        let refused = classify("unix:///s", &error(ErrorKind::PermissionDenied));
        assert!(matches!(refused, RehearsalError::NotPermitted { .. }), "{refused}");
        let absent = classify("unix:///s", &error(ErrorKind::NotFound));
        assert!(matches!(absent, RehearsalError::NoDocker { .. }), "{absent}");
    }

    #[tokio::test]
    async fn a_socket_that_is_not_there_is_named() {
        let error = Engine::connect_to("unix:///nowhere/docker.sock".to_owned()).await.unwrap_err().to_string();
        assert!(error.contains("/nowhere/docker.sock"), "{error}");
        assert!(error.contains("DOCKER_HOST"), "{error}");
    }

    #[tokio::test]
    async fn an_old_engine_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            let body = r#"{"Version":"19.03.5","ApiVersion":"1.40"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
            stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        });
        let error = Engine::connect_to(format!("unix://{}", socket.display())).await.unwrap_err().to_string();
        server.await.unwrap();
        assert!(error.contains("Docker 19.03.5") && error.contains("1.40"), "{error}");
    }
}
