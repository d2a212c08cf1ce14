//! The templates and files of a role.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Context, file};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Spanned};
use crate::spec::role::RoleFile;

/// Bytes that one file of a role may have.
const FILE_LIMIT: u64 = 256 << 20;
/// Levels of folders below `templates/` and `files/`; a link that leads back to its parent ends here.
const FOLDER_LIMIT: usize = 16;

/// What stands beside a `role.yml`.
#[derive(Default)]
pub(super) struct RoleFiles {
    pub(super) templates: BTreeMap<String, FileId>,
    pub(super) files: BTreeMap<String, RoleFile>,
    /// One of them could not be read, which has been reported.
    pub(super) failed: bool,
}

impl RoleFiles {
    /// Reads them all; what cannot be read is reported at the place that names the role.
    pub(super) fn read(context: &mut Context<'_>, role: &Spanned<String>, shipped: bool) -> Self {
        let mut read = Self::default();
        if shipped {
            let roles = context.repository.shipped;
            let prefix = format!("{}/", role.value);
            for path in roles.files(role) {
                if let (Some(bytes), Some(name)) = (roles.read(path), path.strip_prefix(&prefix)) {
                    read.add(context, role, name, bytes.to_vec(), " (shipped)");
                }
            }
            return read;
        }
        let folder = context.repository.role_folder(role);
        for kind in ["templates", "files"] {
            let mut paths = Vec::new();
            if let Err((path, error)) = walk(&folder.join(kind), FOLDER_LIMIT, &mut paths) {
                read.fail(context, role, &path, &error);
            }
            paths.sort();
            for path in paths {
                let Some(name) = path.strip_prefix(&folder).ok().and_then(Path::to_str) else {
                    read.fail(context, role, &path, &std::io::Error::other("its name is not UTF-8"));
                    continue;
                };
                match file::read(&path, FILE_LIMIT) {
                    Ok(bytes) => read.add(context, role, name, bytes, ""),
                    Err(error) => read.fail(context, role, &path, &error),
                }
            }
        }
        read
    }

    fn add(&mut self, context: &mut Context<'_>, role: &str, name: &str, bytes: Vec<u8>, note: &str) {
        if let Some(name) = name.strip_prefix("templates/") {
            let shown = PathBuf::from(format!("roles/{role}/templates/{name}{note}"));
            match context.add_text(&shown, &bytes) {
                Some(id) => drop(self.templates.insert(name.to_owned(), id)),
                None => self.failed = true,
            }
        } else if let Some(name) = name.strip_prefix("files/") {
            self.files.insert(name.to_owned(), RoleFile { bytes: Arc::from(bytes) });
        }
    }

    fn fail(&mut self, context: &mut Context<'_>, role: &Spanned<String>, path: &Path, error: &std::io::Error) {
        self.failed = true;
        let shown = context.repository.display(path).display().to_string();
        context.report(Diagnostic::error(role.span, format!("cannot read {shown} of role `{}`: {error}", role.value)));
    }
}

/// All files below a folder, links followed; none when there is no such folder.
fn walk(folder: &Path, levels: usize, found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, std::io::Error)> {
    let fail = |error| (folder.to_path_buf(), error);
    if levels == 0 {
        return Err(fail(std::io::Error::other("too many levels of folders; does a link lead back?")));
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() { walk(&path, levels - 1, found)? } else { found.push(path) }
    }
    Ok(())
}
