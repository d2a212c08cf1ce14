//! An extension in a PostgreSQL database.

use serde::{Deserialize, Serialize};

use super::cluster::unanswered;
use super::psql::{Answer, Psql, check_name, identifier, literal};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// An extension in a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresExtension {
    /// Extension name.
    pub name: String,
    /// Database.
    pub database: String,
    /// Version; when absent, the one that the server would install, which is then not changed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
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

/// What a database has of an extension.
#[derive(Deserialize)]
pub struct ExtensionState {
    /// The installed version.
    installed: Option<String>,
    /// The version that the server would install; `None` when it does not have the extension.
    offered: Option<String>,
}

impl PostgresExtension {
    fn psql<'a>(&'a self, host: &'a Host) -> Psql<'a> {
        Psql { host, port: self.port, database: &self.database }
    }
}

impl ResourceType for PostgresExtension {
    type State = Answer<ExtensionState>;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        check_name("postgres_extension", &self.name)?;
        check_name("database", &self.database)?;
        self.version.as_deref().map_or(Ok(()), |version| check_name("version", version))?;
        let name = literal(&self.name);
        self.psql(host).ask(&format!(
            "SELECT json_build_object('installed', (SELECT extversion FROM pg_extension WHERE extname = {name}),
                'offered', (SELECT default_version FROM pg_available_extensions WHERE name = {name}));"
        ))
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let absent = self.state == Presence::Absent;
        let known = if let Answer::Given(known) = state { Some(known) } else { None };
        let mut differ = Differ::default();
        if let Some(installed) = known.and_then(|known| known.installed.as_ref()) {
            differ.field("version", Some(installed), self.version.as_ref());
            return Ok(if absent { Change::of(ChangeKind::Delete) } else { differ.update() });
        }
        differ.field("database", None::<String>, Some(&self.database));
        differ.field(
            "version",
            None::<String>,
            self.version.as_ref().or(known.and_then(|known| known.offered.as_ref())),
        );
        Ok(unanswered(state, self.port, absent, differ.create()))
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let name = identifier(&self.name);
        let installed = matches!(state, Answer::Given(ExtensionState { installed: Some(_), .. }));
        let version = self.version.as_deref().map(identifier);
        let sql = match (self.state, installed, version) {
            (Presence::Absent, _, _) => format!("DROP EXTENSION {name};"),
            (Presence::Present, true, Some(version)) => format!("ALTER EXTENSION {name} UPDATE TO {version};"),
            (Presence::Present, _, Some(version)) => format!("CREATE EXTENSION {name} VERSION {version} CASCADE;"),
            (Presence::Present, _, None) => format!("CREATE EXTENSION {name} CASCADE;"),
        };
        if let (Presence::Present, Answer::Given(ExtensionState { offered: None, .. })) = (self.state, state) {
            let message = format!("the PostgreSQL server does not have the extension `{}`", self.name);
            return Err(
                StepError::new(message).hint("add a step for the package that has it, such as postgresql-15-postgis-3")
            );
        }
        let done = self.psql(host).run(&sql);
        done.map_err(|error| match self.state {
            Presence::Absent => error.hint("something in the database depends on it: drop that first"),
            Presence::Present => error,
        })
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { version: None, state: Presence::Absent, ..self.clone() })
    }

    /// Each database has its own.
    fn qualifier(&self) -> String {
        if self.port == postgres_port() { self.database.clone() } else { format!("{} {}", self.database, self.port) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn extension(json: &str) -> PostgresExtension {
        serde_json::from_str(json).unwrap()
    }

    fn given(installed: Option<&str>) -> Answer<ExtensionState> {
        Answer::Given(ExtensionState { installed: installed.map(str::to_owned), offered: Some("1.6".to_owned()) })
    }

    #[test]
    fn a_version_is_managed_only_when_named() {
        let host = Host::new("/nonexistent");
        let any = extension(r#"{"name": "pg_trgm", "database": "web"}"#);
        assert!(any.diff(&given(Some("1.5")), &host).unwrap().is_none());
        let change = any.diff(&given(None), &host).unwrap();
        let expected = Change::of(ChangeKind::Create).value("database", None, Some("web".into())).value(
            "version",
            None,
            Some("1.6".into()),
        );
        assert_eq!(change, expected);
        let pinned = extension(r#"{"name": "pg_trgm", "database": "web", "version": "1.6"}"#);
        assert_eq!(pinned.diff(&given(Some("1.5")), &host).unwrap().kind, ChangeKind::Update);
    }

    #[test]
    fn a_database_that_is_yet_to_come_is_no_error() {
        let host = Host::new("/nonexistent");
        let any = extension(r#"{"name": "pg_trgm", "database": "web"}"#);
        assert_eq!(any.diff(&Answer::NoDatabase, &host).unwrap().kind, ChangeKind::Create);
        let gone = any.absent().unwrap();
        assert!(gone.diff(&Answer::NoDatabase, &host).unwrap().is_none());
        assert_eq!(gone.diff(&given(Some("1.5")), &host).unwrap().kind, ChangeKind::Delete);
    }
}
