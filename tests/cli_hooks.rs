//! Hooks, as a person writes them: where no host answers, what comes before the hosts can still be seen. The examples that ship
//! are run against servers on this machine.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/files.rs"]
mod files;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use files::write_files;
use tempfile::TempDir;

/// An agent for hosts that are never reached.
const NEVER_SENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/never-sent.elf");

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hooks");

/// A repository with the environments `shop` and `shed`, whose only host refuses connections.
fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let environment =
        |name: &str| format!("environment: {name}\nsize: demo\nservices:\n  page: {{role: page, on: web}}\n");
    let inventory = "provider: static\nhosts:\n  web1: {address: 127.0.0.1, port: 1, groups: [web]}\n";
    let files = [
        ("environments/shop/environment.yml", environment("shop")),
        ("environments/shed/environment.yml", environment("shed")),
        ("inventories/shop.yml", inventory.to_owned()),
        ("inventories/shed.yml", inventory.to_owned()),
        (
            "roles/page/role.yml",
            "role: page\ndescription: A page\nresources:\n  - file: /srv/page\n    content: x\n".to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    write_files(folder.path(), &files);
    folder
}

/// Writes an executable. Another process does so: one that this process has open for writing could not be run while another
/// test of it is starting a program.
fn script(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"]).arg(&path).stdin(Stdio::piped());
    let mut child = writer.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn cc_cloud(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cc-cloud"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("HOME", folder).env("NO_COLOR", "1");
    command.env("CC_AGENT_BINARY", NEVER_SENT).env("CC_MESSAGE", "of another command").env("USER", "anna");
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "CC_AGE_KEY_FILE", "CC_REPOSITORY", "SSH_AUTH_SOCK", "SUDO_USER"]
    {
        command.env_remove(name);
    }
    command
}

/// Plans, and gives what was said.
#[track_caller]
fn plan(folder: &Path, arguments: &[&str], code: i32) -> String {
    let arguments: Vec<&str> = ["shop", "plan"].iter().chain(arguments).copied().collect();
    said(&cc_cloud(folder, &arguments).output().unwrap(), code)
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let text = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn hooks_run_in_order_and_know_what_they_are_about() {
    let shop = shop();
    let append = "#!/bin/sh\ncat >>told\necho >>told\necho \"$CC_HOOK $CC_ENVIRONMENT $CC_COMMAND $CC_WHO|$CC_MESSAGE\" >>seen\npwd >>seen\n";
    for path in ["hooks/before-plan", "hooks/before-plan.10-more", "hooks/shop/before-plan", "hooks/shed/before-plan"] {
        script(shop.path(), path, &format!("{append}echo {path} >>order\n"));
    }
    script(shop.path(), "hooks/after-plan", "#!/bin/sh\nexit 9\n");
    script(shop.path(), "hooks/before-deploy", "#!/bin/sh\ntouch deployed\n");
    let text = plan(shop.path(), &[], 4);
    assert!(text.contains("warning: the hook hooks/after-plan ended with exit code 9"), "{text}");
    let read = |name: &str| std::fs::read_to_string(shop.path().join(name)).unwrap();
    assert_eq!(read("order"), "hooks/before-plan\nhooks/before-plan.10-more\nhooks/shop/before-plan\n");
    let seen = read("seen");
    let mut lines = seen.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("before-plan shop plan anna@") && first.ends_with('|'), "{first}");
    assert_eq!(lines.next().unwrap(), shop.path().canonicalize().unwrap().to_str().unwrap());
    let told: serde_json::Value = serde_json::from_str(read("told").lines().next().unwrap()).unwrap();
    assert_eq!(
        (&told["version"], &told["point"], &told["command"]),
        (&1.into(), &"before-plan".into(), &"plan".into())
    );
    assert!(told["text"].as_str().unwrap().starts_with("plan of shop by anna@"), "{told}");

    std::fs::remove_file(shop.path().join("order")).unwrap();
    plan(shop.path(), &["--no-hooks"], 4);
    assert!(!shop.path().join("order").exists());
    assert!(!shop.path().join("deployed").exists());
    said(&cc_cloud(shop.path(), &["shop", "deploy", "--yes"]).output().unwrap(), 4);
    assert!(shop.path().join("deployed").exists() && !shop.path().join("order").exists());
}

#[test]
fn a_hook_that_refuses_stops_the_command_with_its_words() {
    let shop = shop();
    script(shop.path(), "hooks/before-plan.a", "#!/bin/sh\necho out\necho 'not on Fridays' >&2\nexit 3\n");
    script(shop.path(), "hooks/before-plan.b", "#!/bin/sh\ntouch reached\n");
    let text = plan(shop.path(), &[], 1);
    assert!(
        text.starts_with(
            "hooks/before-plan.a: out\nhooks/before-plan.a: not on Fridays\n\
             error: the hook hooks/before-plan.a ended with exit code 3; plan stops here\n"
        ),
        "{text}"
    );
    assert!(!shop.path().join("reached").exists());

    script(shop.path(), "hooks/before-plan.a", "#!/nonexistent/shell\n");
    let text = plan(shop.path(), &[], 1);
    assert!(text.contains("the hook hooks/before-plan.a cannot be run: ") && text.contains("#!/bin/sh"), "{text}");
}

#[test]
fn a_hook_that_hangs_is_ended_with_everything_that_it_started() {
    let shop = shop();
    let hang = "#!/bin/sh\necho begun\nsh -c 'echo $$ >child; exec sleep 600' &\nwait\n";
    script(shop.path(), "hooks/before-plan", hang);
    let text = plan(shop.path(), &["--hook-timeout", "1"], 1);
    assert!(text.contains("hooks/before-plan: begun"), "{text}");
    assert!(text.contains("was ended after 1 s, which is its time limit"), "{text}");
    let child = std::fs::read_to_string(shop.path().join("child")).unwrap();
    let gone = || !Path::new("/proc").join(child.trim()).join("exe").exists();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() {
        assert!(Instant::now() < deadline, "process {child} is still there");
        std::thread::yield_now();
    }
}

#[test]
fn what_a_hook_leaves_in_the_background_is_not_waited_for() {
    let shop = shop();
    script(shop.path(), "hooks/before-plan", "#!/bin/sh\nsleep 600 &\necho $! >child\necho said\n");
    let text = plan(shop.path(), &[], 4);
    assert!(text.contains("hooks/before-plan: said"), "{text}");
    let child = std::fs::read_to_string(shop.path().join("child")).unwrap();
    assert!(Command::new("kill").arg(child.trim()).status().unwrap().success(), "it was ended");
}

#[test]
fn one_that_prints_without_end_and_reads_nothing_does_no_harm() {
    let shop = shop();
    script(shop.path(), "hooks/before-plan", "#!/bin/sh\nyes | head -c 3000000\nexit 5\n");
    let text = plan(shop.path(), &[], 1);
    assert!(text.contains("exit code 5") && text.len() < 3_000_000, "{} bytes", text.len());
}

#[test]
fn ctrl_c_ends_the_hook_and_the_command() {
    let shop = shop();
    script(shop.path(), "hooks/before-plan", "#!/bin/sh\necho $$ >group\necho >fifo-is-open\nexec sleep 600\n");
    let fifo = shop.path().join("fifo-is-open");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let child = cc_cloud(shop.path(), &["shop", "plan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opens when the hook writes to it: then it is at work.
    std::fs::read(&fifo).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let text = said(&child.wait_with_output().unwrap(), 130);
    assert!(text.contains("interrupted"), "{text}");
    let group = std::fs::read_to_string(shop.path().join("group")).unwrap();
    assert!(!Command::new("kill").args(["-0", group.trim()]).stderr(Stdio::null()).status().unwrap().success());
}

#[test]
fn what_looks_like_a_hook_and_is_none_is_named() {
    let shop = shop();
    script(shop.path(), "hooks/before-paln.check", "#!/bin/sh\n");
    script(shop.path(), "hooks/whatever", "#!/bin/sh\n");
    script(shop.path(), "hooks/shpo/before-plan", "#!/bin/sh\n");
    write_files(shop.path(), &[("hooks/before-plan", "#!/bin/sh\n"), ("hooks/README.md", ""), ("hooks/_lib/x", "")]);
    let text = plan(shop.path(), &[], 4);
    for part in [
        "warning: hooks/before-paln.check does not run: there is no hook `before-paln`\n  hint: did you mean `before-plan`?",
        "warning: hooks/before-plan is no executable file and does not run\n  hint: `chmod +x hooks/before-plan`",
        "warning: nothing in hooks/shpo runs: there is no environment `shpo`\n  hint: did you mean `hooks/shop`?",
        "hooks/whatever does not run: there is no hook `whatever`\n  hint: hooks are named before-plan, after-plan,",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert_eq!(text.matches("warning: ").count(), 4, "{text}");
}

/// An example that ships, as after a deploy, with what it is told on its standard input.
fn example(name: &str, variables: &[(&str, String)]) -> Output {
    let mut hook = Command::new(PathBuf::from(EXAMPLES).join(name));
    hook.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::piped());
    for (name, value) in [
        ("CC_HOOK", "after-deploy"),
        ("CC_ENVIRONMENT", "shop"),
        ("CC_RUN", "20261122T121530Z-1f2e3d"),
        ("CC_EXIT_CODE", "0"),
        ("CC_COMMIT", ""),
        ("CC_TEXT", "deploy of shop by anna@laptop is done (more\nspace)"),
    ] {
        hook.env(name, value);
    }
    hook.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = hook.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may be over before it has read.
    let _ = child.stdin.take().unwrap().write_all(br#"{"version":1,"text":"it is done"}"#);
    child.wait_with_output().unwrap()
}

/// Answers one connection, and gives what came.
fn server(answer: fn(TcpStream) -> String) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, spawn(move || answer(listener.accept().unwrap().0)))
}

fn http(status: &'static str, stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the request ends in its head: {head}");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(reader.into_inner(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    head + &String::from_utf8(body).unwrap()
}

#[test]
fn the_webhook_that_ships_sends_what_it_is_told() {
    let (port, server) = server(|stream| http("204 No Content", stream));
    let url = ("CC_WEBHOOK_URL", format!("http://127.0.0.1:{port}/deploys?room=\u{e9}"));
    said(&example("after-deploy.webhook", &[url, ("CC_WEBHOOK_TOKEN", "t0ken".to_owned())]), 0);
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /deploys?room="), "{request}");
    assert!(request.contains("Authorization: Bearer t0ken\r\n") && request.contains("application/json"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"version\":1,\"text\":\"it is done\"}"), "{request}");
}

#[test]
fn the_webhook_that_ships_fails_when_nobody_was_told() {
    let (port, server) = server(|stream| http("403 Forbidden", stream));
    let refused = example("after-deploy.webhook", &[("CC_WEBHOOK_URL", format!("http://127.0.0.1:{port}/"))]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("403"), "{refused:?}");
    server.join().unwrap();
    assert!(said(&example("after-deploy.webhook", &[]), 1).contains("CC_WEBHOOK_URL is not set"));
}

/// Takes one letter, and gives everything that the client said.
fn smtp(stream: TcpStream) -> String {
    let mut writer = stream.try_clone().unwrap();
    let mut say = |line: &str| writer.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    say("220 test");
    let (mut heard, mut letter) = (String::new(), false);
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        heard += &format!("{line}\n");
        match line.as_str() {
            "." => {
                letter = false;
                say("250 taken");
            }
            _ if letter => {}
            "DATA" => {
                letter = true;
                say("354 go on");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => say("250 ok"),
        }
    }
    heard
}

#[test]
fn the_mail_that_ships_reaches_everyone_who_is_named() {
    let (port, server) = server(smtp);
    let variables = [
        ("CC_MAIL_SMTP", format!("smtp://127.0.0.1:{port}")),
        ("CC_MAIL_FROM", "cc-cloud@example.org".to_owned()),
        ("CC_MAIL_TO", "ops@example.org boss@example.org".to_owned()),
    ];
    said(&example("after-deploy.mail", &variables), 0);
    let heard = server.join().unwrap();
    for part in [
        "MAIL FROM:<cc-cloud@example.org>",
        "RCPT TO:<ops@example.org>\n",
        "RCPT TO:<boss@example.org>\n",
        "\nTo: ops@example.org, boss@example.org\n",
        "\nSubject: [cc-cloud] shop: after-deploy\n",
        "\n\ndeploy of shop by anna@laptop is done (more space)\n",
        "cc-cloud shop show 20261122T121530Z-1f2e3d",
    ] {
        assert!(heard.contains(part), "no {part:?} in\n{heard}");
    }
}

#[test]
fn the_mail_that_ships_uses_sendmail_where_no_server_is_named() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "sendmail", "#!/bin/sh\necho \"$*\" >\"$CC_TEST_LETTER\"\ncat >>\"$CC_TEST_LETTER\"\n");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let letter = folder.path().join("letter");
    let variables = [
        ("CC_MAIL_FROM", "a@example.org".to_owned()),
        ("CC_MAIL_TO", "b@example.org".to_owned()),
        ("CC_TEST_LETTER", letter.display().to_string()),
        ("PATH", path),
    ];
    said(&example("after-deploy.mail", &variables), 0);
    let letter = std::fs::read_to_string(letter).unwrap();
    assert!(letter.starts_with("-t\nFrom: a@example.org\nTo: b@example.org\n") && !letter.contains('\r'), "{letter}");
    assert!(said(&example("after-deploy.mail", &[]), 1).contains("CC_MAIL_TO is not set"));
}
