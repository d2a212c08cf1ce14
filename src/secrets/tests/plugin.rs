//! Recipients and identities of plugins, with a plugin in a few lines of shell.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Speaks the plugin protocol of age. "Wraps" a file key by leaving it as it is. Asks for a touch when it unwraps.
const PLUGIN: &str = r#"#!/bin/sh
echo "$1" >> "$0.log"
n=0; stanzas=0; key=; touch=$(printf 'touch it' | base64 | tr -d =)
while read -r arrow command one two three; do
    # A body ends with its first line of less than 64 characters.
    read -r body; line=$body
    while [ ${#line} -eq 64 ]; do read -r line; done
    case $command in
        add-recipient) n=$((n + 1)) ;;
        wrap-file-key) key=$body ;;
        recipient-stanza) [ "$two" = faketag ] && key=$body && stanzas=$((stanzas + 1)) ;;
        done) break ;;
    esac
done
say() { printf -- '-> %s\n%s\n' "$1" "$2"; }
reply() { read -r _; read -r _; }
if [ -e "$0.broken" ]; then
    say 'error internal' "$(printf 'no token found' | base64 | tr -d =)"; reply
elif [ "$1" = --age-plugin=recipient-v1 ]; then
    while [ $n -gt 0 ]; do say 'recipient-stanza 0 faketag' "$key"; reply; n=$((n - 1)); done
elif [ $stanzas -gt 0 ]; then
    say msg "$touch"; reply
    say 'file-key 0' "$key"; reply
fi
printf -- '-> done\n\n'
"#;

/// Not a test by itself: has the plugin on its PATH.
#[test]
fn child_with_a_plugin() {
    let Some(folder) = child_folder() else { return };
    let (alice, place) = (Person::new("alice"), Place::new(&[&Person::new("nobody")]));
    fs::remove_file(place.path()).unwrap();
    let token = Recipient::new("token", plugin_recipient("fake").parse().unwrap()).unwrap();
    let token_keys = folder.join("token-keys");
    fs::write(&token_keys, format!("{}\n", age::plugin::Identity::default_for_plugin("fake"))).unwrap();
    let token_identities = || Identities::load(&KeyPlace::Variable(token_keys.clone()), Terminal::silent()).unwrap();

    let recipients = vec![alice.recipient(), token];
    let mut unlocked = Store::create(&place.path(), "prod", recipients, Terminal::silent()).unwrap();
    set(&mut unlocked, "redis_password", "hunter2");
    unlocked.save().unwrap();
    let open = || Store::open(&place.path(), "prod").unwrap();
    assert_eq!(get(&open().unlock(&token_identities()).unwrap(), "redis_password"), "hunter2");
    assert_eq!(get(&place.unlock(&alice), "redis_password"), "hunter2");

    // The key in a file comes first: no touch is asked for when it fits.
    let both = folder.join("both-keys");
    let text = fs::read_to_string(&token_keys).unwrap() + &fs::read_to_string(alice.place().path()).unwrap();
    fs::write(&both, text).unwrap();
    let log = || fs::read_to_string(folder.join("age-plugin-fake.log")).unwrap().lines().count();
    let before = log();
    open().unlock(&Identities::load(&KeyPlace::Variable(both), Terminal::silent()).unwrap()).unwrap();
    assert_eq!(log(), before, "the plugin was not asked");

    // With the token alone: a rekey keeps it in, and does not lock it out.
    let mut unlocked = open().unlock(&token_identities()).unwrap();
    let out = Rekey { remove: vec!["token".into()], ..Rekey::default() };
    assert!(rekey(&mut unlocked, &out).unwrap_err().to_string().contains("would not open it any more"));
    rekey(&mut unlocked, &Rekey { rotate: true, ..Rekey::default() }).unwrap();
    unlocked.save().unwrap();
    assert_eq!(get(&open().unlock(&token_identities()).unwrap(), "redis_password"), "hunter2");

    fs::write(folder.join("age-plugin-fake.broken"), "").unwrap();
    let error = open().unlock(&token_identities()).err().unwrap().to_string();
    assert!(error.contains("no token found"), "{error}");
    let error = rekey(&mut unlocked, &Rekey { rotate: true, ..Rekey::default() }).unwrap_err().to_string();
    assert!(error.contains("no token found"), "{error}");
    println!("all of it");
}

#[test]
fn a_plugin_seals_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("age-plugin-fake");
    fs::write(&plugin, PLUGIN).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = child("exec \"$@\"", "plugin::child_with_a_plugin", folder.path()).env("PATH", path).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stdout.contains("all of it"), "{stdout}\n{stderr}");
    assert!(stderr.contains("touch it"), "what the plugin says is shown: {stderr}");
}

#[test]
fn a_missing_plugin_is_named() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice]);
    let keys = bob.folder.path().join("keys");
    let text = fs::read_to_string(&keys).unwrap() + &age::plugin::Identity::default_for_plugin("nosuch").to_string();
    fs::write(&keys, text).unwrap();
    let error = Store::open(&place.path(), "prod").unwrap().unlock(&bob.identities()).err().unwrap().to_string();
    assert!(
        error.contains("alice (age1") && error.contains("2 keys found") && error.contains("age-plugin-nosuch"),
        "{error}"
    );
}
