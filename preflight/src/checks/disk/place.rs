//! Where data lies on a host.

use crate::judgement::Unmeasured;
use crate::scene::HostScene;

/// Where the services of a role keep their data, as their packages have it.
const FOLDERS: [(&str, &str); 2] = [("postgresql", "/var/lib/postgresql"), ("redis", "/var/lib/redis")];

/// A folder that holds data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Absolute.
    pub path: String,
    /// Whose: a service, or the host param that declares it.
    pub of: String,
}

/// The folders of a host that hold data: the host param `data_path`, then what its services keep.
///
/// # Errors
/// When the host param is no absolute path.
pub(super) fn places(host: &HostScene<'_>) -> Result<Vec<Place>, Unmeasured> {
    let declared = path_param(host, "data_path")?.map(|path| Place { path, of: "data_path".to_owned() });
    let kept = host.services.iter().filter_map(|service| {
        Some(Place { path: folder(&service.role.value)?.to_owned(), of: service.name.value.clone() })
    });
    let mut all: Vec<Place> = Vec::new();
    for place in declared.into_iter().chain(kept) {
        if !all.iter().any(|known| known.path == place.path) {
            all.push(place);
        }
    }
    Ok(all)
}

/// Where a role keeps its data; none for those that keep nothing that they could not get again.
pub(super) fn folder(role: &str) -> Option<&'static str> {
    FOLDERS.iter().find(|(known, _)| *known == role).map(|(_, folder)| *folder)
}

/// A host param that is an absolute path.
///
/// # Errors
/// When it is something else.
pub(super) fn path_param(host: &HostScene<'_>, name: &str) -> Result<Option<String>, Unmeasured> {
    let Some(node) = host.param(name) else { return Ok(None) };
    match node.as_str().map(|path| path.trim_end_matches('/')) {
        Some(path) if path.len() > 1 && path.starts_with('/') => Ok(Some(path.to_owned())),
        _ => Err(Unmeasured::new(format!("host param `{name}` is {}, no absolute path", node.describe()))
            .fix(format!("write it as `params: {{{name}: /absolute/path}}` in the inventory"))),
    }
}
