//! `cc-cloud <env> secrets …` as people use it: pipes, a terminal, an editor.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "support/files.rs"]
mod files;
#[path = "support/terminal.rs"]
mod terminal;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use files::write_files;
use tempfile::TempDir;
use terminal::Terminal;

const BOB: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// A repository with an environment that needs one secret, and a home folder.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = "environment: prod\ndescription: Test\nsize: demo\nservices:\n  broker: {role: redis, on: db, password: {secret: redis_password}}\n";
        let inventory = "provider: static\nhosts:\n  db1: {address: 127.0.0.1, groups: [db]}\n";
        let files = [("environments/prod/environment.yml", environment), ("inventories/prod.yml", inventory)];
        write_files(folder.path(), &files);
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    /// The same with a key and a value.
    fn with_value(value: &str) -> Self {
        let place = Self::new();
        assert!(place.run(&["keygen"]).status.success());
        assert!(place.pipe(&["set", "redis_password"], value).status.success());
        place
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let home = self.folder.path().join("home");
        command.current_dir(self.folder.path()).env("HOME", home).env("USER", "alice").env("TERM", "xterm");
        for name in ["XDG_CONFIG_HOME", "CC_AGE_KEY_FILE", "CC_REPOSITORY", "VISUAL", "EDITOR"] {
            command.env_remove(name);
        }
        command
    }

    fn secrets(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_cc-cloud"));
        command.args(["prod", "secrets"]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.pipe(args, "")
    }

    fn pipe(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.secrets(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The command on a terminal of its own.
    fn terminal(&self, args: &[&str], editor: &str) -> Terminal {
        Terminal::start(self.secrets(args).env("EDITOR", editor))
    }

    fn value(&self) -> String {
        text(&self.run(&["get", "redis_password"]).stdout)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.folder.path().join("secrets/prod.yml")).unwrap()
    }

    /// A shell script as the editor. It notes where the plaintext was.
    fn editor(&self, script: &str) -> String {
        let path = self.folder.path().join("editor.sh");
        fs::write(&path, format!("#!/bin/sh\necho \"$1\" > \"$HOME/where\"\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn assert_no_plaintext_left(&self) {
        let file = PathBuf::from(fs::read_to_string(self.folder.path().join("home/where")).unwrap().trim());
        assert!(file.is_absolute() && !file.parent().unwrap().exists(), "{} is left", file.display());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn from_a_key_to_a_value_to_a_colleague() {
    let place = Place::new();
    let without_key = place.pipe(&["set", "redis_password"], "x");
    assert_eq!(without_key.status.code(), Some(1));
    assert!(text(&without_key.stderr).contains("`cc-cloud prod secrets keygen`"), "{}", text(&without_key.stderr));
    let key = place.run(&["keygen"]);
    let recipient = text(&key.stdout);
    assert!(
        recipient.starts_with("age1") && recipient.lines().count() == 1,
        "only the recipient on stdout: {recipient}"
    );
    assert!(!text(&key.stderr).contains("AGE-SECRET-KEY"));
    assert_eq!(place.run(&["keygen"]).status.code(), Some(1), "a key is never overwritten");

    let set = place.pipe(&["set", "redis_password"], "planted-s3cret\n");
    assert!(set.status.success(), "{}", text(&set.stderr));
    assert_eq!(place.value(), "planted-s3cret");
    let rekey = place.run(&["rekey", "--add", &format!("bob={BOB}"), "--rotate"]);
    assert!(text(&rekey.stderr).contains("readable for alice, bob"), "{}", text(&rekey.stderr));
    assert_eq!(place.value(), "planted-s3cret");
    let list = place.run(&["list"]);
    assert!(text(&list.stdout).contains("redis_password"), "{}", text(&list.stdout));
    let check = place.run(&["check"]);
    assert!(check.status.success() && text(&check.stdout).contains(BOB), "{}", text(&check.stderr));
    for output in [&set, &rekey, &list, &check] {
        assert!(!(text(&output.stdout) + &text(&output.stderr)).contains("planted-s3cret"));
    }
    assert!(!place.file().contains("planted-s3cret"));
    let remove = place.run(&["rekey", "--remove", "bob"]);
    assert!(text(&remove.stderr).contains("change the one value"), "{}", text(&remove.stderr));
}

#[test]
fn a_value_goes_into_no_event() {
    let place = Place::with_value("planted-s3cret");
    let events = place.folder.path().join("events");
    let events = events.to_str().unwrap();
    let output = place.run(&["get", "redis_password", "--json-into", events, "-vv"]);
    assert_eq!(text(&output.stdout), "planted-s3cret");
    let log = fs::read_to_string(events).unwrap();
    assert!(log.contains("version") && !log.contains("planted-s3cret"), "{log}");
}

#[test]
fn random_values_replace_nothing_unasked() {
    let place = Place::with_value("first value");
    let refused = place.run(&["set", "redis_password", "--random"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(place.value(), "first value");
    assert!(place.run(&["set", "redis_password", "--random", "40", "--replace"]).status.success());
    assert_eq!(place.value().len(), 40);
}

#[test]
fn wrong_input_ends_well() {
    let place = Place::with_value("first value");
    for (args, input, code, message) in [
        (&["set", "Redis-Password"][..], "x", 64, "did you mean `redis_password`?"),
        (&["set", "redis_password"], "", 1, "is empty"),
        (&["set", "redis_password"], "a\0b", 1, "NUL character"),
        (&["set", "redis_password", "value"], "", 64, "unexpected argument"),
        (&["set", "redis_password", "--random", "3"], "", 64, "3 is not in 16..=1024"),
        (&["get", "redis_pasword"], "", 1, "did you mean `redis_password`?"),
        (&["rekey", "--remove", "alcie"], "", 1, "did you mean `alice`?"),
        (&["rekey", "--remove", "alice"], "", 1, "nobody could read the file"),
        (&["rekey", "--add", BOB], "", 64, "has no name"),
        (&["rekey", "--add", "bob=AGE-SECRET-KEY-1QQ"], "", 64, "private key"),
    ] {
        let output = place.pipe(args, input);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(message), "{args:?}: {said}");
    }
    assert_eq!(place.value(), "first value");
}

#[test]
fn check_fails_with_3_and_shows_the_line() {
    let place = Place::with_value("first value");
    let file = place.folder.path().join("secrets/prod.yml");
    fs::write(&file, place.file().replace("  redis_password", "  other")).unwrap();
    let output = place.run(&["check"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in
        ["`other` does not open", "--> secrets/prod.yml:", "refers to `redis_password`, which is not in the file"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn check_does_not_pass_an_environment_that_has_errors() {
    let place = Place::with_value("first value");
    write_files(place.folder.path(), &[("environments/prod/environment.yml", "environment: prod\nsevices: {}\n")]);
    let output = place.run(&["check"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("`prod` has errors") && said.contains("`cc-cloud prod validate`"), "{said}");
}

#[test]
fn a_key_file_that_is_not_there_is_explained() {
    let place = Place::with_value("first value");
    for args in [&["prod", "secrets", "get", "redis_password"][..], &["prod", "secrets", "check"]] {
        let mut command = place.command(env!("CARGO_BIN_EXE_cc-cloud"));
        let output = command.args(args).env("CC_AGE_KEY_FILE", "/nonexistent/keys").output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for part in ["/nonexistent/keys", "set CC_AGE_KEY_FILE", "`cc-cloud prod secrets keygen`"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_typed_value_is_not_shown() {
    let place = Place::with_value("first value");
    let mut terminal = place.terminal(&["set", "redis_password"], "");
    terminal.answer("which is not shown: ", "typed-s3cret\r");
    terminal.answer("The same again: ", "typed-s3cret\r");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && !shown.contains("s3cret"), "{code:?}: {shown}");
    assert_eq!(place.value(), "typed-s3cret");

    let mut terminal = place.terminal(&["set", "redis_password"], "");
    terminal.answer("which is not shown: ", "one\r");
    terminal.answer("The same again: ", "two\r");
    assert_eq!(terminal.end().0, Some(1));
    let mut terminal = place.terminal(&["set", "redis_password"], "");
    terminal.answer("which is not shown: ", "half\x03");
    assert_eq!(terminal.end().0, Some(130));
    assert_eq!(place.value(), "typed-s3cret");
}

#[test]
fn a_key_file_can_have_a_passphrase() {
    let place = Place::with_value("first value");
    let file = place.folder.path().join("home/.config/cc-cloud/age-keys.txt");
    let mut locked = age::scrypt::Recipient::new("open sesame".to_owned().into());
    // Quick to open; what age chooses by itself takes a second.
    locked.set_work_factor(2);
    fs::write(&file, age::encrypt_and_armor(&locked, &fs::read(&file).unwrap()).unwrap()).unwrap();
    for (passphrase, code, expected) in
        [("open sesame\r", 0, "first value"), ("open seasam\r", 1, "passphrase is wrong")]
    {
        let mut terminal = place.terminal(&["get", "redis_password"], "");
        terminal.answer("Passphrase of ", passphrase);
        let (status, shown) = terminal.end();
        assert!(status == Some(code) && shown.contains(expected) && !shown.contains("sesame"), "{status:?}: {shown}");
    }
    let unattended = place.run(&["get", "redis_password", "--no-input"]);
    assert!(text(&unattended.stderr).contains("encrypted with a passphrase"), "{}", text(&unattended.stderr));
}

#[test]
fn a_key_can_come_through_a_pipe() {
    let place = Place::with_value("first value");
    let file = place.folder.path().join("home/.config/cc-cloud/age-keys.txt");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let line = format!("{} prod secrets get redis_password", env!("CARGO_BIN_EXE_cc-cloud"));
    let mut bash = place.command("bash");
    bash.arg("-c").arg(format!("CC_AGE_KEY_FILE=<(printenv AGE_KEY) {line}")).env("AGE_KEY", key);
    assert_eq!(text(&bash.output().unwrap().stdout), "first value");
}

#[test]
fn a_mistake_in_the_editor_can_be_mended() {
    let place = Place::with_value("first value");
    // The first time it leaves something that is no YAML, the second time it mends that.
    let editor = place.editor(
        "if grep -q broken \"$1\"; then sed -i 's/broken: \\[x/added: \"y\"/' \"$1\"; else echo 'broken: [x' >> \"$1\"; fi",
    );
    let mut terminal = place.terminal(&["edit"], &editor);
    terminal.answer("Edit again? [Y/n] ", "y\n");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && shown.contains("added added"), "{code:?}: {shown}");
    assert!(!shown.contains("first value"), "{shown}");
    place.assert_no_plaintext_left();

    let before = place.file();
    let editor = place.editor("echo 'broken: [x' >> \"$1\"");
    for (keys, expected) in [("n\n", 1), ("\x03", 130)] {
        let mut terminal = place.terminal(&["edit"], &editor);
        terminal.answer("Edit again? [Y/n] ", keys);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(expected), "{shown}");
        assert!(shown.contains("secrets stay as they were"), "{shown}");
        assert_eq!(place.file(), before);
        place.assert_no_plaintext_left();
    }
}

/// vim keeps undo files, swap files and a history of what was copied, all on the disk.
#[test]
fn vim_leaves_nothing_in_the_home_folder() {
    if !Command::new("vim").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: vim is not installed");
        return;
    }
    let place = Place::with_value("planted-s3cret");
    let home = place.folder.path().join("home");
    fs::create_dir(home.join("undo")).unwrap();
    let vimrc = "set undofile backup undodir=~/undo backupdir=~/undo directory=~/undo viminfo='100,<50\n";
    fs::write(home.join(".vimrc"), vimrc).unwrap();
    let mut terminal = place.terminal(&["edit"], "vim");
    terminal.answer("planted-s3cret", ":%s/planted-s3cret/another-s3cret/\r:%y a\r:wq\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(place.value(), "another-s3cret");
    let mut left = Vec::new();
    find(&home, &mut left);
    for file in left {
        assert!(!text(&fs::read(&file).unwrap()).contains("-s3cret"), "{}", file.display());
    }
    // vim's undo files hold text in a form that grep may not find.
    assert_eq!(fs::read_dir(home.join("undo")).unwrap().count(), 0);
    assert!(!home.join(".viminfo").exists());
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { find(&path, files) } else { files.push(path) }
    }
}
