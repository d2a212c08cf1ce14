//! What the command says where no host is needed: the cases are the sessions in `tests/cli/*.trycmd`, run in the folder of
//! the same name. `TRYCMD=overwrite cargo test --test cli` writes what is said now; read the difference before it is kept.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/files.rs"]
mod files;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use files::write_files;
use tempfile::TempDir;

/// The beginning of a static Linux program, in the place of an agent for hosts that are never reached.
const NEVER_SENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/never-sent.elf");

#[test]
fn sessions() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/cli/*.trycmd").timeout(Duration::from_secs(60));
    cases.env("NO_COLOR", "1").env("HOME", "/dev/null").env("XDG_CONFIG_HOME", "/nonexistent/config");
    cases.env("XDG_STATE_HOME", "/nonexistent/state");
    cases.env("CC_AGE_KEY_FILE", "/nonexistent/age-keys.txt").env("SSH_AUTH_SOCK", "/nonexistent/agent");
    cases.env("CC_AGENT_BINARY", NEVER_SENT);
}

/// A repository with the environment `shop`, whose only host is at this port of this machine.
fn shop(port: u16) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let environment = "environment: shop\nsize: demo\nservices:\n  page: {role: page, on: web}\n";
    let host = format!("  web1: {{address: 127.0.0.1, port: {port}, groups: [web]}}\n");
    let inventory = format!("provider: static\nhosts:\n{host}");
    let role = "role: page\ndescription: A page\nresources:\n  - file: /srv/page\n    content: x\n";
    let files = [
        ("environments/shop/environment.yml", environment),
        ("inventories/shop.yml", &inventory),
        ("roles/page/role.yml", role),
    ];
    write_files(folder.path(), &files);
    folder
}

fn cc_cloud(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cc-cloud"));
    command.args(arguments).current_dir(folder).env("HOME", folder).env("NO_COLOR", "1").stdin(Stdio::null());
    for name in ["XDG_CONFIG_HOME", "CC_AGE_KEY_FILE", "CC_REPOSITORY", "CC_AGENT_BINARY", "SSH_AUTH_SOCK", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> (String, String) {
    ended(&cc_cloud(folder, arguments).output().unwrap(), code)
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (stdout, stderr)
}

/// The words below `Commands:` of a help text.
fn commands_in(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let words = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    words.filter_map(|line| line.split_whitespace().next()).filter(|word| *word != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_help_with_examples() {
    let shop = shop(1);
    let (top, _) = run(shop.path(), &["--help"], 0);
    let verbs = commands_in(&run(shop.path(), &["shop", "--help"], 0).0);
    assert!(verbs.len() > 10, "{verbs:?}");
    let global = commands_in(&top).into_iter().filter(|name| name != "shop").map(|name| vec![name]);
    let of_environment = verbs.into_iter().map(|verb| vec!["shop".to_owned(), verb]);
    for words in global.chain(of_environment) {
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let (help, _) = run(shop.path(), &arguments, 0);
        assert!(help.contains("Examples:\n  cc-cloud "), "no example in the help of {words:?}:\n{help}");
    }
}

/// clap counts an option that the environment sets as a word, and would complain instead of helping.
#[test]
fn nothing_to_do_is_answered_with_help() {
    let shop = shop(1);
    for (arguments, expected) in [(&[][..], "Start here:"), (&["shop"], "  validate ")] {
        for agent in [None, Some("/nonexistent")] {
            let mut command = cc_cloud(shop.path(), arguments);
            command.envs(agent.map(|path| ("CC_AGENT_BINARY", path)));
            let (stdout, stderr) = ended(&command.output().unwrap(), 64);
            assert!(stdout.is_empty() && stderr.contains(expected), "{arguments:?}, {agent:?}: {stdout}{stderr}");
        }
    }
}

#[test]
fn results_go_to_standard_output_and_complaints_to_standard_error() {
    let shop = shop(1);
    for arguments in [&["shop", "hosts"][..], &["shop", "graph"], &["schema", "role"], &["completions", "bash"]] {
        let (stdout, stderr) = run(shop.path(), arguments, 0);
        assert!(!stdout.is_empty() && stderr.is_empty(), "{arguments:?}: {stderr}");
    }
    let (stdout, stderr) = run(shop.path(), &["shop", "plan", "--limit", "nobody"], 64);
    assert!(stdout.is_empty() && stderr.starts_with("error: "), "{stdout}{stderr}");
    for name in ["environment", "inventory", "role"] {
        let schema: serde_json::Value = serde_json::from_str(&run(shop.path(), &["schema", name], 0).0).unwrap();
        assert!(schema["properties"].is_object(), "{name}");
    }
    run(shop.path(), &["man", "pages"], 0);
    let page = fs::read_to_string(shop.path().join("pages/cc-cloud.1")).unwrap();
    assert!(page.contains(".TH cc-cloud 1"), "{page}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let shop = shop(1);
    for arguments in [&["shop", "hosts"][..], &["--json", "shop", "validate"], &["schema", "role"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = cc_cloud(shop.path(), arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let (_, stderr) = ended(&output, 0);
        assert!(stderr.is_empty(), "{arguments:?}: {stderr}");
    }
}

#[test]
fn files_that_are_no_yaml_are_refused() {
    let shop = shop(1);
    let file = shop.path().join("environments/shop/environment.yml");
    let long = "a: b\n".repeat(2 << 20);
    let nested = "[".repeat(1 << 20);
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    for content in [&binary[..], b"\0\0\0\0", b"\xff\xfe", long.as_bytes(), nested.as_bytes()] {
        fs::write(&file, content).unwrap();
        let (stdout, stderr) = run(shop.path(), &["shop", "validate"], 1);
        assert!(stdout.is_empty() && stderr.contains("environments/shop/environment.yml"), "{stdout}{stderr}");
        assert!(stderr.len() < 4096, "{} bytes of message", stderr.len());
    }
}

#[test]
fn init_makes_an_environment_that_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "pilot"], 0);
    let text = fs::read_to_string(folder.path().join("environments/pilot/environment.yml")).unwrap();
    assert!(text.contains("yaml-language-server"), "{text}");
    run(folder.path(), &["pilot", "hosts"], 0);
    let (_, stderr) = run(folder.path(), &["init", "pilot"], 1);
    assert!(stderr.contains("pilot"), "{stderr}");
    run(folder.path(), &["init", "schema"], 64);
}

#[test]
fn without_a_home_folder_what_needs_none_works() {
    let shop = shop(1);
    let mut command = cc_cloud(shop.path(), &["shop", "validate"]);
    ended(&command.env_remove("HOME").output().unwrap(), 0);
    let mut command = cc_cloud(shop.path(), &["shop", "secrets", "keygen"]);
    let (_, stderr) = ended(&command.env_remove("HOME").output().unwrap(), 1);
    assert!(stderr.contains("CC_AGE_KEY_FILE"), "{stderr}");
}

#[test]
fn a_host_that_accepts_and_says_nothing_is_given_up() {
    // The kernel opens every connection; nobody ever answers on one.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let shop = shop(listener.local_addr().unwrap().port());
    let mut command = cc_cloud(shop.path(), &["shop", "plan", "--timeout", "2"]);
    let (stdout, stderr) = ended(&command.env("CC_AGENT_BINARY", NEVER_SENT).output().unwrap(), 4);
    let said = stdout + &stderr;
    assert!(said.contains("unreachable: web1: no answer within 2 s") && said.contains("hint: "), "{said}");
    drop(listener);
}
