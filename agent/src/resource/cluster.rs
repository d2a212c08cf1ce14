//! The roles and databases of a PostgreSQL server, all in one question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::psql::{Answer, Psql};
use crate::change::Change;
use crate::host::Host;
use crate::step_error::StepError;

const QUESTION: &str = "SELECT json_build_object(
    'roles', (SELECT json_agg(json_build_object('name', rolname, 'login', rolcanlogin, 'superuser', rolsuper,
        'createdb', rolcreatedb, 'replication', rolreplication, 'verifier', rolpassword)) FROM pg_authid),
    'databases', (SELECT json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba),
        'encoding', pg_encoding_to_char(encoding))) FROM pg_database));";

/// What a server has.
#[derive(Deserialize)]
pub struct Cluster {
    roles: Vec<Role>,
    databases: Vec<Database>,
}

/// A line of `pg_authid`.
#[derive(Deserialize)]
pub(crate) struct Role {
    name: String,
    pub(crate) login: bool,
    pub(crate) superuser: bool,
    pub(crate) createdb: bool,
    pub(crate) replication: bool,
    /// What proves the password.
    pub(crate) verifier: Option<String>,
}

/// A line of `pg_database`.
#[derive(Deserialize)]
pub(crate) struct Database {
    name: String,
    pub(crate) owner: String,
    pub(crate) encoding: String,
}

impl Cluster {
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    pub(crate) fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.name == name)
    }
}

/// The servers that were asked since the last change, by port.
#[derive(Default)]
pub(crate) struct Clusters(Mutex<BTreeMap<u16, Arc<Answer<Cluster>>>>);

impl Clusters {
    /// What the server on this port has.
    pub(crate) fn get(&self, host: &Host, port: u16) -> Result<Arc<Answer<Cluster>>, StepError> {
        // Held while asking, so that threads which come at the same time ask once.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&port) {
            return Ok(Arc::clone(answer));
        }
        let answer = Arc::new(Psql { host, port, database: "postgres" }.ask(QUESTION)?);
        known.insert(port, Arc::clone(&answer));
        Ok(answer)
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What is known of a resource on a server that gave this answer instead of one: that it is yet to come, or nothing at all.
/// `created` is the change that makes it.
pub(crate) fn unanswered<T>(answer: &Answer<T>, port: u16, absent: bool, created: Change) -> Change {
    match answer {
        Answer::Silent(why) => Change::unknown(format!("PostgreSQL does not answer on port {port}: {why}")),
        _ if absent => Change::none(),
        Answer::NotInstalled => created.note("PostgreSQL is not installed yet"),
        Answer::NoDatabase => created.note("the database does not exist yet"),
        Answer::Given(_) => created,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::ChangeKind;

    #[test]
    fn the_answer_is_read_by_name() {
        let json = r#"{"roles": [{"name": "web", "login": true, "superuser": false, "createdb": false, "replication": true,
            "verifier": null}], "databases": [{"name": "web", "owner": "ann", "encoding": "UTF8"}]}"#;
        let cluster: Cluster = serde_json::from_str(json).unwrap();
        assert!(cluster.role("web").unwrap().replication && cluster.role("Web").is_none());
        assert_eq!(cluster.database("web").unwrap().owner, "ann");
    }

    #[test]
    fn without_a_server_a_resource_is_yet_to_come_or_unknown() {
        let created = || Change::of(ChangeKind::Create);
        let kind = |answer: Answer<()>, absent| unanswered(&answer, 5432, absent, created()).kind;
        assert_eq!(kind(Answer::NotInstalled, false), ChangeKind::Create);
        assert_eq!(kind(Answer::NotInstalled, true), ChangeKind::None);
        assert_eq!(kind(Answer::NoDatabase, true), ChangeKind::None);
        assert_eq!(kind(Answer::Silent("down".into()), false), ChangeKind::Unknown);
        assert_eq!(kind(Answer::Silent("down".into()), true), ChangeKind::Unknown);
    }
}
