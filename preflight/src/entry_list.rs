//! A file that holds one list: people edit and review it, a command adds to it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cc_plan::diagnostic::Diagnostics;
use cc_plan::node::{Kind, Node};
use cc_plan::repository::Repository;
use cc_plan::source::Sources;
use cc_plan::spec::{Invalid, read_beside};
use cc_plan::yaml;
use serde_json::Value;

use crate::fault::Fault;

/// A file that holds one list.
pub(crate) struct EntryList<'r> {
    pub(crate) repository: &'r Repository<'r>,
    pub(crate) path: PathBuf,
    /// The key that the list stands under.
    pub(crate) key: &'static str,
    pub(crate) schema: &'static Value,
    /// What a new file begins with.
    pub(crate) header: &'static str,
}

/// Why an entry was not added. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The entry is wrong.
    #[error("{message}")]
    Refused {
        /// What is wrong with it.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The file has errors, which come first.
    #[error("{} has errors", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The errors with their places.
        invalid: Box<Invalid>,
    },
    /// The file is written in a way that cannot be added to without changing what is there.
    #[error("{} is written in a way to which no entry can be added", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The entry, to add by hand.
        entry: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl From<Fault> for AddError {
    fn from(fault: Fault) -> Self {
        Self::Refused { message: fault.message, hint: fault.hint }
    }
}

impl EntryList<'_> {
    /// The entries, each a mapping; none where there is no file.
    pub(crate) fn read(&self) -> Result<(Vec<Node>, Sources), Box<Invalid>> {
        if !self.path.exists() {
            return Ok((Vec::new(), Sources::default()));
        }
        let (root, sources) = read_beside(self.repository, &self.path, self.schema)?;
        Ok((entries(&root, self.key).to_vec(), sources))
    }

    /// Adds an entry at the end of the list. Everything else stays as it is, byte for byte; whoever reads the file meanwhile,
    /// or after a kill, sees the old one or the new one.
    pub(crate) fn add(&self, fields: &[(&str, String)]) -> Result<(), AddError> {
        let io = |error| AddError::Io { path: self.path.clone(), error };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        // Another command that adds waits, so that neither loses the other's entry. A file system without locks has none.
        let lock = File::open(folder).map_err(io)?;
        let _ = lock.lock();
        self.read().map_err(|invalid| AddError::Invalid { path: self.path.clone(), invalid })?;
        let before = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => format!("{}{}: []\n", self.header, self.key),
            Err(error) => return Err(io(error)),
        };
        match with_entry(&before, self.key, fields) {
            Some(after) => replace(&self.path, &after).map_err(io),
            None => Err(AddError::Form { path: self.path.clone(), entry: entry("", fields) }),
        }
    }
}

fn entries<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).and_then(Node::as_list).unwrap_or_default()
}

/// The text with one entry more; `None` where that would change anything else.
fn with_entry(text: &str, key: &str, fields: &[(&str, String)]) -> Option<String> {
    let root = parse(text)?;
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let (head, indent, tail) = match root.get(key) {
        None => (format!("{}\n{key}:\n", text.trim_end()), "  ", ""),
        Some(list) => match (&list.kind, entries(&root, key)) {
            (Kind::Null, _) => {
                let (head, tail) = text.split_at(line_end(list.span.end));
                (head.to_owned(), "  ", tail)
            }
            // `key: []`
            (_, []) => {
                let end = line_end(list.span.end);
                let head = format!("{}{}", text[..list.span.start].trim_end(), &text[list.span.end..end]);
                (head, "  ", &text[end..])
            }
            (_, [first, .., last]) | (_, [first @ last]) => {
                let line = text[..first.span.start].rfind('\n').map_or(0, |at| at + 1);
                let indent = text[line..first.span.start].split('-').next()?;
                let (head, tail) = text.split_at(line_end(last.span.end));
                (head.to_owned(), indent, tail)
            }
        },
    };
    let newline = if head.ends_with('\n') { "" } else { "\n" };
    let after = format!("{head}{newline}{}{tail}", entry(indent, fields));
    // What was made is read again: the entries from before and the new one, nothing else.
    let new: serde_json::Map<_, _> =
        fields.iter().map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect();
    let json = |root: &Node| entries(root, key).iter().map(Value::from).collect::<Vec<_>>();
    let wanted: Vec<Value> = json(&root).into_iter().chain([Value::Object(new)]).collect();
    (json(&parse(&after)?) == wanted).then_some(after)
}

fn entry(indent: &str, fields: &[(&str, String)]) -> String {
    let line = |(at, (key, value)): (usize, &(&str, String))| {
        let bullet = if at == 0 { "- " } else { "  " };
        format!("{indent}{bullet}{key}: {}\n", scalar(value))
    };
    fields.iter().enumerate().map(line).collect()
}

/// A value as YAML: as it is where that is surely the same text, else in quotes.
fn scalar(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-/_".contains(c);
    let bare = value.contains(['.', '-', '/']) && value.chars().all(plain) && !value.starts_with(['-', '.']);
    let reads_as =
        |text: &str| parse(&format!("a: {text}\n")).and_then(|root| root.get("a")?.as_str().map(str::to_owned));
    if bare && reads_as(value).as_deref() == Some(value) {
        return value.to_owned();
    }
    // JSON's quotes are YAML's.
    Value::from(value).to_string()
}

fn parse(text: &str) -> Option<Node> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add("entries.yml", text);
    let document = yaml::parse(&sources, file, &mut diagnostics)?;
    (document.complete && !diagnostics.has_errors()).then_some(document.root)
}

/// Writes under a temporary name in the same folder, syncs, renames. Mode and symbolic link stay.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = if path.exists() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".cc-cloud-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(match fs::metadata(&path) {
        Ok(metadata) => metadata.permissions(),
        Err(_) => std::os::unix::fs::PermissionsExt::from_mode(0o644),
    })?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn added(text: &str) -> Option<String> {
        with_entry(text, "waivers", &[("check", "os.release".to_owned()), ("reason", "it is \"old\": #1".to_owned())])
    }

    const NEW: &str = "- check: os.release\n    reason: \"it is \\\"old\\\": #1\"\n";

    #[test]
    fn comments_and_what_is_there_stay() {
        let text =
            "# why\nwaivers:\n  # the first\n  - check: a.b # x\n    reason: >\n      long\n      text\n  # the end\n";
        let expected = format!(
            "# why\nwaivers:\n  # the first\n  - check: a.b # x\n    reason: >\n      long\n      text\n  {NEW}  # the end\n"
        );
        assert_eq!(added(text).unwrap(), expected);
    }

    #[test]
    fn a_list_may_be_empty_or_absent_or_not_indented() {
        assert_eq!(added("waivers:\n# x\n").unwrap(), format!("waivers:\n  {NEW}# x\n"));
        assert_eq!(added("waivers: [] # none\n").unwrap(), format!("waivers: # none\n  {NEW}"));
        assert_eq!(added("waivers: []").unwrap(), format!("waivers:\n  {NEW}"));
        assert_eq!(
            added("waivers:\n- check: a\n").unwrap(),
            format!("waivers:\n- check: a\n{}", NEW.replace("    ", "  "))
        );
        assert_eq!(added("waivers:\n  - {check: a}").unwrap(), format!("waivers:\n  - {{check: a}}\n  {NEW}"));
        assert!(added("other: 1").unwrap().ends_with(&format!("waivers:\n  {NEW}")));
    }

    #[test]
    fn a_form_that_cannot_be_added_to_is_refused() {
        for text in
            ["waivers: [{check: a}]\n", "{waivers: [{check: a}]}\n", "waivers:\n  -\n    check: a\n", "waivers: [\n"]
        {
            assert_eq!(added(text), None, "{text}");
        }
    }

    #[test]
    fn values_are_read_as_they_were_given() {
        for value in
            ["os.release", "2026-12-31", "no", "0640", "1.5", "a: b", "- x", "é\n\"", "", "http://x/y#z", "12:30"]
        {
            let text = format!("a: {}\n", scalar(value));
            assert_eq!(parse(&text).unwrap().get("a").unwrap().as_str(), Some(value), "{text}");
        }
        assert_eq!(scalar("os.release"), "os.release");
        assert_eq!(scalar("2026-12-31"), "2026-12-31");
    }

    #[test]
    fn mode_and_link_stay_and_nothing_is_left_over() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
