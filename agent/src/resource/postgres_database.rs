//! A PostgreSQL database.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cluster::{Cluster, Database, unanswered};
use super::psql::{Answer, Psql, check_name, identifier, literal};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// A PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresDatabase {
    /// Database name.
    pub name: String,
    /// Owning role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Encoding.
    #[serde(default = "utf8")]
    pub encoding: String,
    /// Port of the server.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Whether it should be there; absent drops it with its data.
    #[serde(default)]
    pub state: Presence,
}

fn postgres_port() -> u16 {
    5432
}

fn utf8() -> String {
    "UTF8".to_owned()
}

impl PostgresDatabase {
    fn check(&self) -> Result<(), StepError> {
        check_name("postgres_database", &self.name)?;
        self.owner.as_deref().map_or(Ok(()), |owner| check_name("owner", owner))?;
        if matches!(self.name.as_str(), "postgres" | "template0" | "template1") && self.state == Presence::Absent {
            return Err(StepError::new(format!("the database `{}` belongs to the server itself and stays", self.name)));
        }
        if self.encoding.is_empty()
            || !self.encoding.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(StepError::new(format!(
                "`{}` is not an encoding such as UTF8",
                self.encoding.escape_default()
            )));
        }
        Ok(())
    }

    fn found<'a>(&self, state: &'a Answer<Cluster>) -> Option<&'a Database> {
        match state {
            Answer::Given(cluster) => cluster.database(&self.name),
            _ => None,
        }
    }

    fn psql<'a>(&self, host: &'a Host) -> Psql<'a> {
        Psql { host, port: self.port, database: "postgres" }
    }

    /// Drops it unless somebody works with it.
    fn remove(&self, host: &Host) -> Result<(), StepError> {
        let name = literal(&self.name);
        let question = format!(
            "SELECT coalesce(json_agg(DISTINCT concat_ws(' ', usename, nullif(application_name, ''), client_addr)), '[]')
             FROM pg_stat_activity WHERE datname = {name};"
        );
        if let Answer::Given(sessions) = self.psql(host).ask::<Vec<String>>(&question)?
            && !sessions.is_empty()
        {
            let message =
                format!("the database `{}` is in use by {}: it was not dropped", self.name, sessions.join(", "));
            return Err(StepError::new(message).hint("stop the services that use it, then deploy again"));
        }
        self.psql(host).run(&format!("DROP DATABASE {};", identifier(&self.name)))
    }
}

/// Encodings are written in many ways: `UTF8`, `utf-8`.
fn same_encoding(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_uppercase();
    plain(one) == plain(other)
}

impl ResourceType for PostgresDatabase {
    type State = Arc<Answer<Cluster>>;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        host.clusters().get(host, self.port)
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let absent = self.state == Presence::Absent;
        let mut differ = Differ::default();
        let Some(database) = self.found(state) else {
            differ.field("owner", None::<String>, self.owner.as_ref());
            differ.field("encoding", None::<String>, Some(&self.encoding));
            return Ok(unanswered(state, self.port, absent, differ.create()));
        };
        if absent {
            return Ok(Change::of(ChangeKind::Delete).note("with all of its data"));
        }
        if !same_encoding(&database.encoding, &self.encoding) {
            let (is, wanted) = (&database.encoding, &self.encoding);
            let message =
                format!("the database `{}` has the encoding {is}, and cannot be changed to {wanted}", self.name);
            return Err(StepError::new(message).hint("dump it, drop it, let a deploy create it, and restore the dump"));
        }
        differ.field("owner", Some(&database.owner), self.owner.as_ref());
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if self.state == Presence::Absent {
            return self.remove(host);
        }
        let name = identifier(&self.name);
        let owner = self.owner.as_deref().map(identifier);
        if self.found(state).is_some() {
            return owner
                .map_or(Ok(()), |owner| self.psql(host).run(&format!("ALTER DATABASE {name} OWNER TO {owner};")));
        }
        // template0 goes with any encoding, template1 only with its own.
        let mut sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING {}", literal(&self.encoding));
        if let Some(owner) = owner {
            sql.push_str(&format!(" OWNER {owner}"));
        }
        self.psql(host).run(&(sql + ";"))
    }

    /// Data is not lost because a line left a file: that takes `state: absent`.
    fn absent(&self) -> Option<Self> {
        None
    }

    fn qualifier(&self) -> String {
        if self.port == postgres_port() { String::new() } else { self.port.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn database(json: &str) -> PostgresDatabase {
        serde_json::from_str(json).unwrap()
    }

    fn cluster(encoding: &str) -> Arc<Answer<Cluster>> {
        let json = format!(
            r#"{{"roles": [], "databases": [{{"name": "web", "owner": "postgres", "encoding": "{encoding}"}}]}}"#
        );
        Arc::new(Answer::Given(serde_json::from_str(&json).unwrap()))
    }

    #[test]
    fn owner_is_managed_only_when_named() {
        let host = Host::new("/nonexistent");
        let web = database(r#"{"name": "web", "encoding": "utf-8"}"#);
        assert!(web.diff(&cluster("UTF8"), &host).unwrap().is_none());
        let owned = database(r#"{"name": "web", "owner": "ann"}"#);
        let expected = Change::of(ChangeKind::Update).value("owner", Some("postgres".into()), Some("ann".into()));
        assert_eq!(owned.diff(&cluster("UTF8"), &host).unwrap(), expected);
    }

    #[test]
    fn another_encoding_is_an_error_because_nothing_can_change_it() {
        let host = Host::new("/nonexistent");
        let error = database(r#"{"name": "web"}"#).diff(&cluster("SQL_ASCII"), &host).unwrap_err();
        assert!(error.message.contains("SQL_ASCII") && error.hint.unwrap().contains("dump"));
    }

    #[test]
    fn a_database_goes_only_when_somebody_says_so() {
        let host = Host::new("/nonexistent");
        assert_eq!(database(r#"{"name": "web"}"#).absent(), None);
        let gone = database(r#"{"name": "web", "state": "absent"}"#);
        assert_eq!(gone.diff(&cluster("UTF8"), &host).unwrap().kind, ChangeKind::Delete);
        assert!(database(r#"{"name": "template1", "state": "absent"}"#).check().is_err());
        assert!(database(r#"{"name": "x", "encoding": "UTF8'; DROP"}"#).check().is_err());
    }
}
