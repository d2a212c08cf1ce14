//! Reads one file into the sources and parses it.

use std::io::Read as _;
use std::path::Path;

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::yaml::{self, Document, SIZE_LIMIT};

impl Context<'_> {
    /// Reads a YAML file; a problem has been reported when it is `None`.
    pub(super) fn read_yaml(&mut self, path: &Path) -> Option<Document> {
        let shown = self.repository.display(path).to_path_buf();
        match read(path, SIZE_LIMIT as u64) {
            Ok(bytes) => self.parse_yaml(&shown, &bytes),
            Err(error) => {
                self.report(Diagnostic::missing_file(format!("cannot read {}: {error}", shown.display())));
                None
            }
        }
    }

    /// Parses the bytes of a YAML file.
    pub(super) fn parse_yaml(&mut self, shown: &Path, bytes: &[u8]) -> Option<Document> {
        let file = self.add_text(shown, bytes)?;
        yaml::parse(&self.sources, file, &mut self.diagnostics)
    }

    /// Adds a text file; a problem has been reported when it is `None`.
    pub(super) fn add_text(&mut self, shown: &Path, bytes: &[u8]) -> Option<FileId> {
        let problem = match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => return Some(self.sources.add(shown, text)),
            Ok(_) => format!("{} is not a text file: it holds a zero byte", shown.display()),
            Err(error) => format!("{} is not UTF-8 text: byte {} is wrong", shown.display(), error.valid_up_to() + 1),
        };
        let file = self.sources.add(shown, "");
        self.report(Diagnostic::error(Span { file, start: 0, end: 0 }, problem).hint("save it as UTF-8"));
        None
    }
}

/// The bytes of a file, at most `limit`.
pub(super) fn read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    if metadata.len() > limit || file.take(limit + 1).read_to_end(&mut bytes)? as u64 > limit {
        let size = metadata.len().max(limit) >> 10;
        return Err(std::io::Error::other(format!("it is {size} KiB long, and at most {} KiB are read", limit >> 10)));
    }
    Ok(bytes)
}
