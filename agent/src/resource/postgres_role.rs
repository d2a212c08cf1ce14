//! A PostgreSQL role.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cluster::{Cluster, Role, unanswered};
use super::psql::{Answer, Psql, check_name, identifier, literal};
use super::scram::{ScramVerifier, is_plain_password};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// A PostgreSQL role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresRole {
    /// Role name.
    pub name: String,
    /// Password, mostly a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// May log in.
    #[serde(default = "yes")]
    pub login: bool,
    /// Superuser.
    #[serde(default)]
    pub superuser: bool,
    /// May create databases.
    #[serde(default)]
    pub createdb: bool,
    /// May replicate.
    #[serde(default)]
    pub replication: bool,
    /// Port of the server.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn postgres_port() -> u16 {
    5432
}

fn yes() -> bool {
    true
}

/// What the server has of a role.
pub struct RoleState {
    answer: Arc<Answer<Cluster>>,
    /// Whether the server's verifier was made of the desired password; true when none is desired.
    has_password: bool,
}

impl RoleState {
    fn role(&self, name: &str) -> Option<&Role> {
        match &*self.answer {
            Answer::Given(cluster) => cluster.role(name),
            _ => None,
        }
    }
}

impl PostgresRole {
    /// Each attribute with its name in SQL, what the server has and what is wanted.
    fn attributes(&self, role: Option<&Role>) -> [(&'static str, &'static str, Option<bool>, bool); 4] {
        [
            ("login", "LOGIN", role.map(|role| role.login), self.login),
            ("superuser", "SUPERUSER", role.map(|role| role.superuser), self.superuser),
            ("createdb", "CREATEDB", role.map(|role| role.createdb), self.createdb),
            ("replication", "REPLICATION", role.map(|role| role.replication), self.replication),
        ]
    }

    fn compare(&self, state: &RoleState) -> Differ {
        let mut differ = Differ::default();
        for (field, _, is, wanted) in self.attributes(state.role(&self.name)) {
            // A new role lacks what is not named.
            if is.is_some() || wanted {
                differ.field(field, is, Some(wanted));
            }
        }
        if !state.has_password {
            differ.push(Detail::Secret { field: "password".to_owned() });
        }
        differ
    }

    /// The statement that makes the role, or changes what differs. The password goes to the server as its verifier, so that it
    /// stands in no log of statements.
    fn statement(&self, state: &RoleState, host: &Host) -> Result<String, StepError> {
        let role = state.role(&self.name);
        let verb = if role.is_some() { "ALTER" } else { "CREATE" };
        let mut sql = format!("{verb} ROLE {}", identifier(&self.name));
        for (_, keyword, is, wanted) in self.attributes(role) {
            if is != Some(wanted) {
                sql.push_str(if wanted { " " } else { " NO" });
                sql.push_str(keyword);
            }
        }
        if let (false, Some(password)) = (state.has_password, &self.password) {
            let verifier = ScramVerifier::generate(&host.reveal(password)?)
                .map_err(|error| StepError::new(format!("cannot read random numbers: {error}")))?;
            sql.push_str(&format!(" PASSWORD {}", literal(&verifier.render())));
        }
        Ok(sql + ";")
    }

    fn check_password(&self, password: &str) -> Result<(), StepError> {
        if is_plain_password(password) {
            return Ok(());
        }
        let message = format!(
            "the password of the PostgreSQL role `{}` is empty or has characters beside printable ASCII",
            self.name
        );
        Err(StepError::new(message).hint("clients do not agree on how to write others: use letters, digits and signs"))
    }
}

impl ResourceType for PostgresRole {
    type State = RoleState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        check_name("postgres_role", &self.name)?;
        let mut state = RoleState { answer: host.clusters().get(host, self.port)?, has_password: true };
        if let (Some(password), Presence::Present) = (&self.password, self.state) {
            let password = host.reveal(password)?;
            self.check_password(&password)?;
            let verifier =
                state.role(&self.name).and_then(|role| role.verifier.as_deref()).and_then(ScramVerifier::parse);
            state.has_password = verifier.is_some_and(|verifier| verifier.accepts(&password));
        }
        Ok(state)
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let absent = self.state == Presence::Absent;
        let differ = self.compare(state);
        Ok(match (&*state.answer, state.role(&self.name), absent) {
            (Answer::Given(_), Some(_), true) => Change::of(ChangeKind::Delete),
            (Answer::Given(_), Some(_), false) => differ.update(),
            (answer, _, _) if !absent || !matches!(answer, Answer::Given(_)) => {
                unanswered(answer, self.port, absent, differ.create())
            }
            _ => Change::none(),
        })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let psql = Psql { host, port: self.port, database: "postgres" };
        if self.state == Presence::Present {
            return psql.run(&self.statement(state, host)?);
        }
        psql.run(&format!("DROP ROLE {};", identifier(&self.name))).map_err(|error| {
            let what = "in each database: REASSIGN OWNED BY it TO another role, then DROP OWNED BY it";
            error.hint(format!("a role that owns something or holds grants cannot be dropped; {what}"))
        })
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { password: None, state: Presence::Absent, ..self.clone() })
    }

    fn qualifier(&self) -> String {
        if self.port == postgres_port() { String::new() } else { self.port.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secret::token;

    fn host() -> Host {
        Host::knowing("hunter22")
    }

    fn web() -> PostgresRole {
        let mut role: PostgresRole = serde_json::from_str(r#"{"name": "web", "createdb": true}"#).unwrap();
        role.password = Some(token("pw", &[]));
        role
    }

    fn state(roles: &str, has_password: bool) -> RoleState {
        let cluster = serde_json::from_str(&format!("{{\"roles\": [{roles}], \"databases\": []}}")).unwrap();
        RoleState { answer: Arc::new(Answer::Given(cluster)), has_password }
    }

    const WEB: &str = r#"{"name": "web", "login": true, "superuser": true, "createdb": true, "replication": false}"#;

    #[test]
    fn a_new_role_shows_what_it_may_and_no_password() {
        let change = web().diff(&state("", false), &host()).unwrap();
        let mut expected = Change::of(ChangeKind::Create).value("login", None, Some("true".into())).value(
            "createdb",
            None,
            Some("true".into()),
        );
        expected.details.push(Detail::Secret { field: "password".into() });
        assert_eq!(change, expected);
    }

    #[test]
    fn the_statement_holds_a_verifier_and_only_what_differs() {
        let host = host();
        let create = web().statement(&state("", false), &host).unwrap();
        let (before, verifier) = create.split_once(" PASSWORD E'").unwrap();
        assert_eq!(before, "CREATE ROLE \"web\" LOGIN NOSUPERUSER CREATEDB NOREPLICATION");
        assert!(ScramVerifier::parse(verifier.strip_suffix("';").unwrap()).unwrap().accepts("hunter22"));
        assert_eq!(web().statement(&state(WEB, true), &host).unwrap(), "ALTER ROLE \"web\" NOSUPERUSER;");
    }

    #[test]
    fn absent_drops_only_what_is_there() {
        let gone = web().absent().unwrap();
        assert_eq!(gone.diff(&state(WEB, true), &host()).unwrap().kind, ChangeKind::Delete);
        assert!(gone.diff(&state("", true), &host()).unwrap().is_none());
    }

    #[test]
    fn a_password_that_clients_would_spell_differently_is_refused() {
        assert!(web().check_password("pässword").is_err());
        assert!(web().check_password("p4ss w'rd\"\\").is_ok());
    }
}
