//! A folder of the operator's machine as an archive: the same bytes for the same files, whoever makes it and when.

use sha2::{Digest, Sha256};

use super::local_files::{TreeEntry, TreeKind};

/// What is never copied: what tools leave behind, and version control.
const JUNK: &[&str] = &[
    "__pycache__",
    "*.pyc",
    "*.pyo",
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".DS_Store",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "node_modules",
    "*.swp",
    "*~",
];

/// Whether a path in the folder is left out. A pattern without `/` means a name at any depth, one with `/` a path from the
/// folder; `*` and `?` stand for anything but `/`, and what is below a folder that is left out is left out too.
pub(crate) fn excluded(path: &str, patterns: &[String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let matched = |pattern: &str| {
        let pattern = pattern.trim_end_matches('/');
        match pattern.strip_prefix('/') {
            Some(anchored) => matches(anchored, path),
            None if pattern.contains('/') => matches(pattern, path),
            None => matches(pattern, name),
        }
    };
    JUNK.iter().copied().chain(patterns.iter().map(String::as_str)).any(matched)
}

fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match (rest.next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), Some(first)) => {
            matches(rest.as_str(), text) || (first != '/' && matches(pattern, &text[first.len_utf8()..]))
        }
        (Some('*'), None) => matches(rest.as_str(), text),
        (Some('?'), Some(first)) if first != '/' => matches(rest.as_str(), &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) if wanted == first => matches(rest.as_str(), &text[first.len_utf8()..]),
        _ => false,
    }
}

/// A tar archive of the entries in their order. Owner is root, modes are 0755 and 0644.
pub(crate) fn archive(entries: &[TreeEntry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        match &entry.kind {
            TreeKind::Directory => {
                add(&mut tar, &Header { path: &format!("{}/", entry.path), mode: 0o755, kind: b'5', target: "" }, &[]);
            }
            TreeKind::Link { target } => {
                add(&mut tar, &Header { path: &entry.path, mode: 0o777, kind: b'2', target }, &[]);
            }
            TreeKind::File { bytes, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                add(&mut tar, &Header { path: &entry.path, mode, kind: b'0', target: "" }, bytes);
            }
        }
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

struct Header<'a> {
    path: &'a str,
    mode: u32,
    kind: u8,
    target: &'a str,
}

/// Length of the fields for paths in a header; a longer one stands in an entry of its own before (GNU's way).
const NAME: usize = 100;

fn add(tar: &mut Vec<u8>, header: &Header<'_>, content: &[u8]) {
    for (long, kind) in [(header.path, b'L'), (header.target, b'K')] {
        if long.len() > NAME {
            let text = [long.as_bytes(), &[0]].concat();
            block(tar, &Header { path: "././@LongLink", mode: 0o644, kind, target: "" }, &text);
        }
    }
    block(tar, header, content);
}

fn block(tar: &mut Vec<u8>, header: &Header<'_>, content: &[u8]) {
    let mut raw = [0u8; 512];
    let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
    let cut = |text: &'_ str| text.as_bytes()[..text.len().min(NAME)].to_vec();
    put(0, &cut(header.path));
    put(100, format!("{:07o}", header.mode).as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", content.len()).as_bytes());
    put(136, format!("{:011o}", modified(content)).as_bytes());
    put(148, b"        ");
    put(156, &[header.kind]);
    put(157, &cut(header.target));
    put(257, b"ustar  \0");
    put(265, b"root");
    put(297, b"root");
    let sum: u32 = raw.iter().map(|byte| u32::from(*byte)).sum();
    raw[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&raw);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// A time that depends on the content alone. Were it the same for all, Python would keep compiled code, and browsers a cached
/// file, of another version with the same length: both compare time and length only.
fn modified(content: &[u8]) -> u32 {
    const SEPTEMBER_2001: u32 = 1_000_000_000;
    let digest = Sha256::digest(content);
    let bits = digest.iter().take(4).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
    SEPTEMBER_2001 + (bits >> 4)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_names_or_paths() {
        let patterns =
            ["*.sqlite3".to_owned(), "docs/*.md".to_owned(), "/top".to_owned(), "build/".to_owned(), ".*".to_owned()];
        for (path, out) in [
            ("a/__pycache__", true),
            ("a/b.pyc", true),
            ("db.sqlite3", true),
            ("a/db.sqlite3", true),
            ("docs/a.md", true),
            ("a/docs/a.md", false),
            ("docs/a/b.md", false),
            ("top", true),
            ("a/top", false),
            ("a/build", true),
            (".env", true),
            ("a/b.py", false),
        ] {
            assert_eq!(excluded(path, &patterns), out, "{path}");
        }
    }

    #[test]
    fn tar_reads_it() {
        let long = format!("{}/file.txt", "folder".repeat(30));
        let file = |text: &str, executable| TreeKind::File { bytes: text.as_bytes().to_vec(), executable };
        let entries = [
            TreeEntry { path: "a".to_owned(), kind: TreeKind::Directory },
            TreeEntry { path: "a/run".to_owned(), kind: file("#!/bin/sh\n", true) },
            TreeEntry { path: "b".to_owned(), kind: TreeKind::Link { target: "a/run".to_owned() } },
            TreeEntry { path: long.clone(), kind: file("x", false) },
        ];
        let folder = tempfile::tempdir().unwrap();
        let tar = folder.path().join("t.tar");
        std::fs::write(&tar, archive(&entries)).unwrap();
        let status =
            std::process::Command::new("tar").arg("-C").arg(folder.path()).arg("-xf").arg(&tar).status().unwrap();
        assert!(status.success());
        assert_eq!(std::fs::read_to_string(folder.path().join("b")).unwrap(), "#!/bin/sh\n");
        assert_eq!(std::fs::read_to_string(folder.path().join(long)).unwrap(), "x");
        assert_eq!(archive(&entries), archive(&entries));
    }

    #[test]
    fn another_content_has_another_time() {
        assert_ne!(modified(b"DEBUG = 0"), modified(b"DEBUG = 1"));
    }
}
