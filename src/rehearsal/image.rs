use std::io::Write;
use std::process::Stdio;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::RehearsalError;

const SCRIPT: &str = include_str!("image.sh");

/// The image that rehearsal hosts are made from.
///
/// It is made on this machine by a script that ships in the binary, and carries the script's digest, so that a new version of
/// the script makes a new image.
#[derive(Debug, Clone, Copy)]
pub struct HostImage;

/// Whether the image can be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageState {
    /// It was made by this version of the script.
    Current,
    /// It was made by another version.
    Stale,
    /// There is none.
    Missing,
}

impl HostImage {
    /// Name and tag of the image.
    pub const NAME: &str = "cc-cloud-host:debian-12";

    /// The label that holds the digest of the script.
    const LABEL: &str = "cc-cloud.image-script";

    /// Looks for the image.
    ///
    /// # Errors
    /// Docker refuses to say.
    pub async fn state(docker: &Docker) -> Result<ImageState, RehearsalError> {
        let image = match docker.inspect_image(Self::NAME).await {
            Ok(image) => image,
            Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => return Ok(ImageState::Missing),
            Err(source) => return Err(RehearsalError::docker(format!("inspect image {}", Self::NAME))(source)),
        };
        let made_by = image.config.and_then(|config| config.labels?.remove(Self::LABEL));
        Ok(if made_by == Some(digest()) { ImageState::Current } else { ImageState::Stale })
    }

    /// Makes the image; takes about a minute, needs root (or sudo) and debootstrap.
    ///
    /// # Errors
    /// The script fails: the error has its last lines, which say what is missing.
    pub async fn build() -> Result<(), RehearsalError> {
        let failed = |output: String| RehearsalError::Image { image: Self::NAME, output };
        let script = script_file().map_err(|error| failed(format!("its script could not be written: {error}")))?;
        let output = Command::new("bash")
            .arg(script.path())
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| failed(format!("bash could not be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let printed = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = printed.lines().collect();
        Err(failed(lines[lines.len().saturating_sub(20)..].join("\n")))
    }
}

fn script_file() -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("cc-cloud-image-").suffix(".sh").tempfile()?;
    file.write_all(SCRIPT.as_bytes())?;
    Ok(file)
}

fn digest() -> String {
    Sha256::digest(SCRIPT).iter().map(|byte| format!("{byte:02x}")).collect()
}
