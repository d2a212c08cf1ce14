//! The roles that ship in the binary.

use cc_plan::repository::ShippedRoles;
use include_dir::{Dir, include_dir};

static ROLES: Dir = include_dir!("$CARGO_MANIFEST_DIR/roles");

/// The `roles/` folder as it was when the binary was built.
pub struct EmbeddedRoles;

impl ShippedRoles for EmbeddedRoles {
    fn read(&self, path: &str) -> Option<&[u8]> {
        ROLES.get_file(path).map(include_dir::File::contents)
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = ROLES.dirs().filter_map(|dir| dir.path().to_str()).collect();
        names.sort_unstable();
        names
    }

    fn files(&self, role: &str) -> Vec<&str> {
        let mut folders: Vec<&Dir> = ROLES.get_dir(role).into_iter().collect();
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            files.extend(folder.files().filter_map(|file| file.path().to_str()));
        }
        files.sort_unstable();
        files
    }
}
