//! Which hooks there are.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cc_plan::suggest::closest;

use super::hook::Hook;
use super::point::Point;

/// The folder of hooks in a repository.
const FOLDER: &str = "hooks";

/// What the folder of hooks holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those of an environment, in the order in which they run.
    pub hooks: Vec<Hook>,
    /// What looks like a hook and is none.
    pub odd: Vec<Odd>,
}

/// Something that looks like a hook and is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Odd {
    /// What it is.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Found {
    /// Looks for `hooks/POINT` and `hooks/POINT.NAME`, then for the same in `hooks/ENVIRONMENT`; each in the order of their names.
    pub fn look(repository: &Path, environment: &str, environments: &[String]) -> Self {
        let mut found = Self::default();
        for (name, path) in entries(&repository.join(FOLDER)) {
            let file = format!("{FOLDER}/{name}");
            match path.is_dir() {
                true if !environments.contains(&name) => found.no_environment(&file, &name, environments),
                true => {}
                false => found.add(&file, &name, &path),
            }
        }
        for (name, path) in entries(&repository.join(FOLDER).join(environment)) {
            found.add(&format!("{FOLDER}/{environment}/{name}"), &name, &path);
        }
        found
    }

    fn add(&mut self, file: &str, name: &str, path: &Path) {
        let written = name.split('.').next().unwrap_or(name);
        let executable =
            fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
        match Point::named(written) {
            None => self.no_point(file, written),
            Some(_) if !executable => self.odd.push(Odd {
                message: format!("{file} is no executable file and does not run"),
                hint: format!("`chmod +x {file}`; or give it a name that begins with `_` if it is not to run"),
            }),
            Some(point) => self.hooks.push(Hook { point, file: file.to_owned(), path: path.to_owned() }),
        }
    }

    fn no_point(&mut self, file: &str, written: &str) {
        let names = Point::ALL.map(Point::name);
        let hint = match closest(written, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("hooks are named {}; what begins with `_` or `.` is not looked at", names.join(", ")),
        };
        self.odd.push(Odd { message: format!("{file} does not run: there is no hook `{written}`"), hint });
    }

    fn no_environment(&mut self, file: &str, name: &str, environments: &[String]) {
        let near = closest(name, environments.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{FOLDER}/{near}`?"),
            None => {
                "a folder there is named like an environment; what begins with `_` or `.` is not looked at".to_owned()
            }
        };
        self.odd.push(Odd { message: format!("nothing in {file} runs: there is no environment `{name}`"), hint });
    }
}

/// Names and paths of a folder by name, without what is there for people, editors and git.
fn entries(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let aside = |name: &str| name.starts_with(['.', '_']) || name.starts_with("README") || name.ends_with('~');
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let mut entries: Vec<_> = named.filter(|(name, _)| !aside(name)).collect();
    entries.sort();
    entries
}
