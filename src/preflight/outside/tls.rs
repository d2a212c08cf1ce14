//! What certificates a server shows.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_platform_verifier::Verifier;
use serde::Serialize;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::preflight::relay::Stream;

/// The certificates that a server shows, and whether this machine trusts them for the name.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Certificates {
    /// Whether this machine trusts them.
    pub trusted: bool,
    /// Why not.
    pub why: Option<String>,
    /// Base64 of each certificate's DER, the server's own first.
    pub chain: Vec<String>,
}

/// The certificates of whoever is at the other end.
pub(super) async fn certificates(stream: Box<dyn Stream>, name: &str) -> Result<Certificates, String> {
    Ok(shake_hands(stream, name).await?.1)
}

/// A TLS session with whoever is at the other end, trusted or not, and what it showed. Nothing secret goes over it.
pub(super) async fn shake_hands(
    stream: Box<dyn Stream>,
    name: &str,
) -> Result<(TlsStream<Box<dyn Stream>>, Certificates), String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots =
        Verifier::new(Arc::clone(&provider)).map_err(|error| format!("this machine's root certificates: {error}"))?;
    shake_hands_with(stream, name, provider, Arc::new(roots)).await
}

async fn shake_hands_with(
    stream: Box<dyn Stream>,
    name: &str,
    provider: Arc<CryptoProvider>,
    roots: Arc<dyn ServerCertVerifier>,
) -> Result<(TlsStream<Box<dyn Stream>>, Certificates), String> {
    let recorder = Arc::new(Recorder { roots, shown: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as _)
        .with_no_client_auth();
    let server = ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is no name of a server"))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
    let stream = stream.map_err(|error| format!("TLS handshake: {error}"))?;
    let shown = recorder.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((stream, shown))
}

/// Takes any certificate, and keeps it with what the machine's own verifier says of it.
#[derive(Debug)]
struct Recorder {
    roots: Arc<dyn ServerCertVerifier>,
    shown: Mutex<Certificates>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trust = self.roots.verify_server_cert(own, others, name, ocsp, now);
        let chain = std::iter::once(own).chain(others).map(|certificate| BASE64_STANDARD.encode(certificate));
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Certificates {
            trusted: trust.is_ok(),
            why: trust.err().map(|error| error.to_string()),
            chain: chain.collect(),
        };
        Ok(ServerCertVerified::assertion())
    }

    // That the server has the key of its certificate is not waived.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.roots.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.roots.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.supported_verify_schemes()
    }
}
