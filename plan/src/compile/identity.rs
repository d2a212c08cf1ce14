//! What tells a resource from every other one on its host.

use cc_agent::resource::Resource;

/// What tells a resource from others of its type on the same host. Mostly its identity; several lines or blocks can share a
/// file, several extensions a name.
pub(crate) fn distinct(resource: &Resource) -> String {
    match resource {
        Resource::Line(line) => {
            format!("{}\0{}", line.path, line.starts_with.as_ref().unwrap_or(&line.text))
        }
        Resource::Block(block) => format!("{}\0{}", block.path, block.name),
        Resource::AuthorizedKeys(keys) if !keys.exclusive => format!("{}\0{}", keys.user, keys.keys.join("\0")),
        Resource::Command(command) => {
            format!("{}\0{}\0{}", command.name, command.argv.join("\0"), command.shell.as_deref().unwrap_or_default())
        }
        Resource::PostgresRole(role) => format!("{}\0{}", role.port, role.name),
        Resource::PostgresDatabase(database) => format!("{}\0{}", database.port, database.name),
        Resource::PostgresExtension(extension) => {
            format!("{}\0{}\0{}", extension.port, extension.database, extension.name)
        }
        other => other.identity().to_owned(),
    }
}
