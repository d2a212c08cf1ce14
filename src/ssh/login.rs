//! Proving to a server who we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodSet, Signer};
use tokio::net::UnixStream;

use super::host_key_check::{Connection, RSA_HASH};
use super::key_ring::{KeyProblem, KeyRing, certificate_beside, public_beside};
use super::route::Hop;
use super::{Reason, SshError};

/// Something to show to the server.
enum Credential {
    /// A key or certificate that the agent lists.
    Agent(AgentIdentity),
    /// A certificate from a file whose key the agent has.
    AgentSigned(Certificate, PublicKey),
    /// A key file, with its certificates.
    File(PathBuf),
}

/// A login in progress.
pub(super) struct Login<'a> {
    hop: &'a Hop,
    connection: &'a mut Connection,
    keys: &'a KeyRing,
    agent: Option<AgentClient<UnixStream>>,
    rsa_hash: Option<Option<HashAlg>>,
    tried: Vec<String>,
    methods: MethodSet,
}

impl<'a> Login<'a> {
    pub fn new(hop: &'a Hop, connection: &'a mut Connection, keys: &'a KeyRing) -> Self {
        let methods = MethodSet::empty();
        Self { hop, connection, keys, agent: None, rsa_hash: None, tried: Vec::new(), methods }
    }

    /// Shows one key after the other until the server takes one: those of the inventory, then the agent's, then the
    /// user's key files.
    ///
    /// # Errors
    /// [`Reason::LoginRefused`] with everything that was tried, or [`Reason::Lost`].
    pub async fn run(mut self) -> Result<(), SshError> {
        let mut shown = 0_usize;
        for credential in self.credentials().await {
            match self.attempt(credential).await? {
                Some(AuthResult::Success) => return Ok(()),
                Some(AuthResult::Failure { remaining_methods, partial_success }) => {
                    shown += 1;
                    self.methods = remaining_methods;
                    if partial_success {
                        self.tried.push("a second factor, which is not supported".to_owned());
                        break;
                    }
                    if self.connection.is_closed() {
                        self.tried.push(format!("then the server hung up after {shown} keys (its MaxAuthTries)"));
                        break;
                    }
                }
                None => {}
            }
        }
        if shown == 0 {
            // Nothing was shown, so the server has not yet said what it would take; it may even take nothing.
            match self.connection.authenticate_none(&self.hop.user).await.map_err(|error| self.lost(&error))? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { remaining_methods, .. } => self.methods = remaining_methods,
            }
        }
        let methods = self.methods.iter().map(String::from).collect();
        Err(self.error(Reason::LoginRefused { user: self.hop.user.clone(), tried: self.tried.clone(), methods }))
    }

    /// What there is to show, in order, each key once.
    async fn credentials(&mut self) -> Vec<Credential> {
        let listed = self.agent_identities().await;
        let holds = |file: &Path| {
            let public = public_beside(file)?;
            listed.iter().find(|identity| identity.public_key().key_data() == public.key_data())
        };
        let mut order = Vec::new();
        let mut taken: Vec<&AgentIdentity> = Vec::new();
        let files = |first: bool| if first { &self.hop.first_keys } else { &self.hop.identity_files };
        let mut add_held = |order: &mut Vec<Credential>, file: &Path| {
            let Some(identity) = holds(file) else { return false };
            if !taken.iter().any(|other| std::ptr::eq(*other, identity)) {
                taken.push(identity);
                let certificates = self.certificates(file, &identity.public_key());
                let key = identity.public_key().into_owned();
                order.extend(certificates.into_iter().map(|found| Credential::AgentSigned(found, key.clone())));
                order.push(Credential::Agent(identity.clone()));
            }
            true
        };
        for file in files(true) {
            if !add_held(&mut order, file) {
                order.push(Credential::File(file.clone()));
            }
        }
        let unheld: Vec<_> = files(false).iter().filter(|file| !add_held(&mut order, file)).collect();
        if !self.hop.identities_only {
            let others = listed.iter().filter(|identity| !taken.iter().any(|other| std::ptr::eq(*other, *identity)));
            order.extend(others.cloned().map(Credential::Agent));
        }
        let unheld = unheld.into_iter().filter(|file| !self.hop.first_keys.contains(file));
        order.extend(unheld.cloned().map(Credential::File));
        order
    }

    async fn agent_identities(&mut self) -> Vec<AgentIdentity> {
        let Some(socket) = &self.hop.agent_socket else { return Vec::new() };
        let listed = async {
            let mut agent = AgentClient::connect_uds(socket).await?;
            if let Some(binding) = self.connection.agent_session_binding() {
                // Lets the agent enforce keys that are meant for certain hosts only. Agents without that say no, and
                // then have no such keys.
                let _ = agent.bind_session(binding, false).await;
            }
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        };
        match listed.await {
            Ok((agent, identities)) => {
                self.agent = Some(agent);
                identities
            }
            Err(error) => {
                self.tried.push(format!("ssh-agent at {} ({error})", socket.display()));
                Vec::new()
            }
        }
    }

    /// Certificates from files that belong to this key.
    fn certificates(&self, file: &Path, key: &PublicKey) -> Vec<Certificate> {
        let named = self.hop.certificate_files.iter();
        let named = named.filter_map(|file| russh::keys::load_openssh_certificate(file).ok());
        let found = certificate_beside(file).into_iter().chain(named);
        found.filter(|certificate| certificate.public_key() == key.key_data()).collect()
    }

    /// Shows one credential; `None` when there was nothing to show after all.
    async fn attempt(&mut self, credential: Credential) -> Result<Option<AuthResult>, SshError> {
        match credential {
            Credential::Agent(identity) => {
                let label =
                    format!("agent key {} {}", identity.public_key().fingerprint(HashAlg::Sha256), identity.comment());
                self.tried.push(label.trim_end().to_owned());
                let key = identity.public_key().into_owned();
                let certificate = match identity {
                    AgentIdentity::Certificate { certificate, .. } => Some(certificate),
                    AgentIdentity::PublicKey { .. } => None,
                };
                self.agent_signs(key, certificate, None).await
            }
            Credential::AgentSigned(certificate, key) => {
                self.tried.push(format!("certificate `{}`", certificate.key_id()));
                self.agent_signs(key.clone(), Some(certificate), Some(key)).await
            }
            Credential::File(file) => self.file_signs(&file).await,
        }
    }

    /// `with`: the plain key to sign with, when the agent has it without the certificate.
    async fn agent_signs(
        &mut self,
        key: PublicKey,
        certificate: Option<Certificate>,
        with: Option<PublicKey>,
    ) -> Result<Option<AuthResult>, SshError> {
        let hash = self.hash_for(&key.algorithm()).await?;
        let Some(agent) = self.agent.as_mut() else { return Ok(None) };
        let mut signer = AgentSigner { agent, with };
        let user = &self.hop.user;
        let result = match certificate {
            Some(certificate) => {
                self.connection.authenticate_certificate_with(user, certificate, hash, &mut signer).await
            }
            None => self.connection.authenticate_publickey_with(user, key, hash, &mut signer).await,
        };
        match result {
            Ok(result) => Ok(Some(result)),
            Err(SignError::Agent(error)) => {
                // An agent that declines (a key to confirm, a token that was pulled) does not end the login.
                if let Some(last) = self.tried.last_mut() {
                    last.push_str(&format!(" (the agent did not sign: {error})"));
                }
                Ok(None)
            }
            Err(SignError::Lost) => Err(self.lost(&russh::Error::SendError)),
        }
    }

    async fn file_signs(&mut self, file: &Path) -> Result<Option<AuthResult>, SshError> {
        let key = match self.keys.load(file).await {
            Ok(key) => key,
            // ssh's default files need not be there; one that the inventory names must.
            Err(KeyProblem::Missing) if !self.hop.first_keys.iter().any(|named| named == file) => return Ok(None),
            Err(problem) => {
                self.tried.push(format!("{} ({problem})", file.display()));
                return Ok(None);
            }
        };
        let hash = self.hash_for(&key.algorithm()).await?;
        for certificate in self.certificates(file, key.public_key()) {
            self.tried.push(format!("{} with certificate `{}`", file.display(), certificate.key_id()));
            let mut signer = FileSigner(Arc::clone(&key));
            let user = &self.hop.user;
            match self.connection.authenticate_certificate_with(user, certificate, hash, &mut signer).await {
                Ok(AuthResult::Success) => return Ok(Some(AuthResult::Success)),
                Ok(AuthResult::Failure { .. }) => {}
                Err(SignError::Agent(error)) => self.tried.push(format!("{} ({error})", file.display())),
                Err(SignError::Lost) => return Err(self.lost(&russh::Error::SendError)),
            }
        }
        self.tried.push(file.display().to_string());
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let result = self.connection.authenticate_publickey(&self.hop.user, key).await;
        result.map(Some).map_err(|error| self.lost(&error))
    }

    /// The hash to sign with: a question to the server, for RSA keys only.
    async fn hash_for(&mut self, algorithm: &Algorithm) -> Result<Option<HashAlg>, SshError> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        if let Some(hash) = self.rsa_hash {
            return Ok(hash);
        }
        let offered = self.connection.best_supported_rsa_hash().await.map_err(|error| self.lost(&error))?;
        let hash = offered.unwrap_or(Some(RSA_HASH));
        self.rsa_hash = Some(hash);
        Ok(hash)
    }

    fn lost(&self, error: &russh::Error) -> SshError {
        let during = format!("logging in as `{}`", self.hop.user);
        self.error(Reason::Lost { during, detail: error.to_string() })
    }

    fn error(&self, reason: Reason) -> SshError {
        SshError::new(&self.hop.label, reason)
    }
}

/// Why a signature was not made.
#[derive(Debug)]
enum SignError {
    Agent(russh::keys::Error),
    Lost,
}

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self::Lost
    }
}

/// Signs with the agent.
struct AgentSigner<'a> {
    agent: &'a mut AgentClient<UnixStream>,
    with: Option<PublicKey>,
}

impl Signer for AgentSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        identity: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let plain = self.with.clone().map(AgentIdentity::from);
        self.agent.sign_request(plain.as_ref().unwrap_or(identity), hash, data).await.map_err(SignError::Agent)
    }
}

/// Signs with a key from a file, for certificates.
struct FileSigner(Arc<PrivateKey>);

impl Signer for FileSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let broken = |error: russh::keys::ssh_key::Error| SignError::Agent(error.into());
        let signed = match self.0.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&data),
            pair => pair.try_sign(&data),
        };
        let signature = signed.map_err(|error| broken(error.into()))?;
        let signature = Vec::<u8>::try_from(signature).map_err(broken)?;
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(&signature);
        Ok(data)
    }
}
