//! `secrets edit`: what changes, and that no plaintext is left on any way out.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::secrets::{Edited, Editor, Error};

/// Runs a shell script as the editor: the file is `$1`, where it was is written to `where` in the folder of the secrets.
async fn edit(place: &Place, person: &Person, script: &str) -> Result<Edited, Error> {
    let mut unlocked = place.unlock(person);
    let edited = editor(place.folder.path(), script).edit(&mut unlocked, Terminal::silent()).await?;
    unlocked.save()?;
    Ok(edited)
}

fn editor(folder: &Path, script: &str) -> Editor {
    let path = folder.join("editor.sh");
    let record = "echo \"$1\" > \"${0%/*}/where\"; stat -c %a \"$1\" \"${1%/*}\" >> \"${0%/*}/where\"\n";
    fs::write(&path, format!("{record}{script}\n")).unwrap();
    Editor::new(format!("sh {}", path.display()))
}

/// The plaintext was in a private file in memory, and is not there any more.
fn assert_gone(folder: &Path) {
    let text = fs::read_to_string(folder.join("where")).unwrap();
    let [file, mode, folder_mode] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!((mode, folder_mode), ("600", "700"));
    let folder = Path::new(file).parent().unwrap();
    assert!(!folder.exists(), "{} is left", folder.display());
    if Path::new("/dev/shm").is_dir() {
        assert!(file.starts_with("/dev/shm/"), "{file}");
    }
}

#[tokio::test]
async fn only_what_was_changed_is_sealed_again() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let mut unlocked = place.unlock(&alice);
    set(&mut unlocked, "gone", "to be removed");
    unlocked.save().unwrap();
    let before = place.text();
    let script = "sed -i -e 's/hunter2/hunter3/' -e '/^gone:/d' \"$1\"; echo 'added: new one' >> \"$1\"";
    let edited = edit(&place, &alice, script).await.unwrap();
    assert_eq!(edited.added, ["added"]);
    assert_eq!(edited.changed, ["redis_password"]);
    assert_eq!(edited.removed, ["gone"]);
    assert!(edited.warnings.is_empty());
    assert_gone(place.folder.path());
    let unlocked = place.unlock(&alice);
    assert_eq!((get(&unlocked, "redis_password"), get(&unlocked, "added")), ("hunter3".into(), "new one".into()));
    assert_eq!(get(&unlocked, "django_secret_key"), "line one\nline two\n");
    let line = |text: &str| text.lines().find(|line| line.contains("django_secret_key")).unwrap().to_owned();
    assert_eq!(line(&place.text()), line(&before));
}

#[tokio::test]
async fn closing_without_a_change_changes_nothing() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let before = place.text();
    // An editor that writes all of it anew, as most do.
    let edited = edit(&place, &alice, "cp \"$1\" \"$1.new\"; mv \"$1.new\" \"$1\"; cp \"$1\" \"$1~\"").await.unwrap();
    assert!(edited.is_empty());
    assert_eq!(place.text(), before);
    assert_gone(place.folder.path());
}

#[tokio::test]
async fn whatever_goes_wrong_the_secrets_stay_and_the_plaintext_goes() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let before = place.text();
    for (script, expected) in [
        ("echo 'new: [hunter4]' >> \"$1\"", "line 10: a value is not text"),
        ("echo 'New: hunter4' > \"$1\"", "line 1: what stands before the colon"),
        ("head -c 20000000 /dev/zero > \"$1\"", "larger than 16 MiB"),
        ("printf '\\377\\n' > \"$1\"", "not text in UTF-8"),
        ("rm \"$1\"", "the file cannot be read"),
        ("exit 3", "ended with code 3"),
        ("exec nosuchprogram", "code 127 (not found)"),
        ("kill -TERM $$", "ended with "),
        ("kill -INT $$", "interrupted"),
    ] {
        let error = edit(&place, &alice, script).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(expected) && said.contains("secrets stay as they were"), "{script}: {said}");
        assert!(!said.contains("hunter") && !error.hints().join("").contains("hunter"), "{script}: {said}");
        assert_eq!(place.text(), before, "{script}");
        assert_gone(place.folder.path());
    }
}

/// Not a test by itself: edits until a signal comes.
#[tokio::test]
async fn child_that_edits() {
    let Some(folder) = child_folder() else { return };
    let identities = Identities::load(&KeyPlace::Variable(folder.join("keys")), Terminal::silent()).unwrap();
    let mut unlocked = Store::open(&folder.join("prod.yml"), "prod").unwrap().unlock(&identities).unwrap();
    // Waits for a line that never comes.
    let editor = editor(&folder, "echo EDITING $PPID; read line; cat \"$1\"");
    match editor.edit(&mut unlocked, Terminal::silent()).await {
        Err(Error::Interrupted) => println!("INTERRUPTED"),
        other => println!("{other:?}"),
    }
}

#[test]
fn signals_leave_no_plaintext() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    fs::copy(alice.place().path(), place.folder.path().join("keys")).unwrap();
    for (signal, expected) in [(Signal::TERM, "INTERRUPTED"), (Signal::HUP, "INTERRUPTED"), (Signal::INT, "Ok(Edited")]
    {
        let mut process = child("exec \"$@\"", "edit::child_that_edits", place.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("EDITING")));
        kill_process(Pid::from_child(&process), signal).unwrap();
        if signal == Signal::INT {
            // Only an editor that ends because of it ends the edit: this one goes on.
            writeln!(process.stdin.as_mut().unwrap(), "go on").unwrap();
        }
        let rest: Vec<String> = lines.collect();
        assert!(rest.iter().any(|line| line.contains(expected)), "{signal:?}: {rest:?}");
        process.wait().unwrap();
        assert_gone(place.folder.path());
    }
}

/// Nothing can be done when the process is killed; the next edit cleans up.
#[tokio::test]
async fn what_a_kill_leaves_the_next_edit_removes() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    fs::copy(alice.place().path(), place.folder.path().join("keys")).unwrap();
    let mut process = child("exec \"$@\"", "edit::child_that_edits", place.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("EDITING")));
    process.kill().unwrap();
    process.wait().unwrap();
    let where_it_was = fs::read_to_string(place.folder.path().join("where")).unwrap();
    let left = Path::new(where_it_was.lines().next().unwrap()).parent().unwrap();
    assert!(left.exists());
    edit(&place, &alice, "true").await.unwrap();
    assert!(!left.exists());
}
