//! A secret is planted, everything is run at the highest verbosity, failing steps too, and then both sides are searched: its
//! value, in whatever form, is in the destinations that the plan declares secret, and nowhere else.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use support::{Repository, Run, TestHost};

/// Uses the secrets wherever a role may. `/srv/split` prints the value in two pieces, as a slow program would.
const ROLE: &str = r#"
params:
  password: {type: secret, doc: What must not leak}
  key: {type: secret, doc: Several lines of it}
  colour: {type: string, doc: Something to change}
resources:
  - directory: /srv/leak
    mode: "0755"
  - template: /srv/leak/settings
    source: settings.j2
    notify: handle
  - file: /srv/leak/key.pem
    content: "{{ params.key }}"
  - block: /srv/leak/block
    name: poison
    create: true
    content: "password {{ params.password | quote }}"
  - unit: poison.service
    content: |
      [Service]
      Type=oneshot
      Environment=POISON={{ params.password | b64encode }}
      ExecStart=/bin/true
  - unit: parrot.socket
    content: |
      [Socket]
      ListenStream=127.0.0.1:6399
      Accept=yes
  - unit: parrot@.service
    content: |
      [Service]
      StandardInput=socket
      ExecStart=/bin/sh -c 'echo "-ERR what is this?"; exec cat'
  - service: parrot.socket
    running: true
  - command: take it from standard input
    argv: [sh, -c, "cat >/srv/leak/from-stdin; chmod 600 /srv/leak/from-stdin; cat /proc/[0-9]*/cmdline >/srv/leak/cmdlines"]
    stdin: "{{ params.password }}"
    creates: /srv/leak/from-stdin
  - command: tell
    env: {VALUE: "{{ params.password }}", URL: "{{ params.password | urlencode }}", SUM: "{{ params.password | sha256 }}",
          JSON: "{{ params.password | to_json }}", QUOTED: "{{ params.password | quote }}", KEY: "{{ params.key }}"}
    shell: |
      cat /proc/[0-9]*/cmdline >>/srv/leak/cmdlines
      for stream in 1 2; do
        { echo "clear $VALUE url $URL sum $SUM json $JSON quoted $QUOTED"
          printf %s "$VALUE" | base64 -w0; echo
          printf 'user:%s' "$VALUE" | base64 -w0; echo
          echo "$KEY"
          half=$(printf %.12s "$VALUE"); printf %s "$half"; sleep 0.2; echo "${VALUE#"$half"}"; } >&$stream
      done
      set -x; : "$VALUE"; set +x
      [ -e /srv/go ]
      touch /srv/leak/told
    creates: /srv/leak/told
handlers:
  handle:
    command: handle
    env: {VALUE: "{{ params.password }}"}
    shell: 'echo "handled with $VALUE"; [ -e /srv/go ]'
    changes: always
"#;

/// Answers with what it is asked, as Redis does when it does not understand.
const SICK: &str = "health:\n  - redis_ping: {port: 6399, password: \"{{ params.password }}\"}\n";

const SETTINGS: &str = "\
colour = {{ params.colour }}
password = {{ params.password }}
url = redis://:{{ params.password | urlencode }}@127.0.0.1
basic = {{ params.password | b64encode }}
sum = {{ params.password | sha256 }}
json = {{ params.password | to_json }}
";

/// Where the role says that the secret goes.
const DECLARED: [&str; 5] = [
    "/etc/systemd/system/poison.service",
    "/srv/leak/block",
    "/srv/leak/from-stdin",
    "/srv/leak/key.pem",
    "/srv/leak/settings",
];

/// Values that nothing else on this machine has, with everything that a form of quoting changes.
struct Poison {
    password: String,
    key: String,
}

impl Poison {
    fn new(round: u32) -> Self {
        let own = format!("{}x{round}", std::process::id());
        let line = |name: &str| format!("{name}0Iih7vM2dJ4kQz9{own}AbCdEfGhIjKlMn");
        Self {
            password: format!("P0is0n/{own}+\"q'v%=&$7 end"),
            key: format!("-----BEGIN KEY-----\n{}\n{}\n-----END KEY-----\n", line("first"), line("second")),
        }
    }

    /// What to search for: the values, what filters make of them, and what is left of them inside of a longer base64 text.
    fn needles(&self) -> Vec<String> {
        let json = serde_json::to_string(&self.password).unwrap();
        let mut needles = vec![
            self.password.clone(),
            json[1..json.len() - 1].to_owned(),
            self.password.replace('\'', r"'\''"),
            Sha256::digest(&self.password).iter().map(|byte| format!("{byte:02x}")).collect(),
            self.password.bytes().map(percent_encoded).collect(),
            // What a diff of a line, or a half of a split text, still gives away.
            self.password[..12].to_owned(),
        ];
        needles.extend(self.key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
        for before in ["", "r", "r:"] {
            let text = BASE64_STANDARD.encode(format!("{before}{}", self.password));
            needles.push(text[4..text.len() - 8].to_owned());
        }
        needles
    }
}

fn percent_encoded(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// Everything that the commands of this test printed and wrote, and what they are run on.
struct Scene {
    host: TestHost,
    repository: Repository,
    poison: Vec<Poison>,
    sick: bool,
    runs: usize,
}

impl Scene {
    fn new() -> Self {
        let host = TestHost::start();
        host.sh("systemctl is-system-running --wait");
        let repository = Repository::of(&[&host]);
        let mut scene = Self { host, repository, poison: Vec::new(), sick: true, runs: 0 };
        fs::create_dir(scene.repository.path("tmp")).unwrap();
        scene.repository.write("roles/leak/templates/settings.j2", SETTINGS);
        scene.repository.executable("hooks/on-failure", "#!/bin/sh\n{ cat; env; } >>told\n");
        scene.describe("green");
        scene.ordinary(&["secrets", "keygen"], "", 0);
        scene.new_values();
        scene
    }

    fn describe(&self, colour: &str) {
        self.repository.environment(&format!(
            "  leak: {{on: every, colour: {colour}, password: {{secret: poison}}, key: {{secret: poison_key}}}}\n"
        ));
        self.repository.role("leak", &format!("{ROLE}{}", if self.sick { SICK } else { "" }));
    }

    fn new_values(&mut self) {
        let poison = Poison::new(u32::try_from(self.poison.len()).unwrap());
        for (name, value) in [("poison", &poison.password), ("poison_key", &poison.key)] {
            self.ordinary(&["secrets", "set", name], value, 0);
        }
        self.poison.push(poison);
    }

    /// Runs a command of the environment as text, as NDJSON and into a file, each at the highest verbosity.
    #[track_caller]
    fn everywhere(&mut self, arguments: &[&str], code: i32) {
        self.ordinary(arguments, "", code);
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        self.ordinary(&arguments, "", code);
    }

    #[track_caller]
    fn ordinary(&mut self, arguments: &[&str], input: &str, code: i32) -> Run {
        self.runs += 1;
        let into = format!("events-{}.ndjson", self.runs);
        let all: Vec<&str> = ["t", "-vv", "--json-into", &into].iter().chain(arguments).copied().collect();
        let mut command = self.repository.command(&all);
        command.env("CC_AGE_KEY_FILE", self.repository.path("age-key.txt")).env("TMPDIR", self.repository.path("tmp"));
        command.env("RUST_BACKTRACE", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that asks for nothing may have closed its input already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            fs::write(self.repository.path(&format!("{stream}-{}", self.runs)), bytes).unwrap();
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        run.expect(code)
    }

    fn needles(&self) -> Vec<String> {
        self.poison.iter().flat_map(Poison::needles).collect()
    }

    /// Files of the repository, which has the outputs, the home folder and the temporary files in it, and of the memory file
    /// system, that hold a form of the secret.
    fn found_here(&self) -> Vec<String> {
        let needles = self.needles();
        let mut found = Vec::new();
        for root in [self.repository.root(), Path::new("/dev/shm")] {
            for file in files_below(root) {
                let bytes = fs::read(&file).unwrap_or_default();
                found.extend(hits(&bytes, &needles).iter().map(|needle| format!("{}: {needle}", file.display())));
            }
        }
        found
    }

    /// Paths on the host that hold a form of the secret. The journal counts as one, and is read through its own program,
    /// because it compresses long messages.
    fn found_there(&self) -> BTreeSet<String> {
        self.host.put("/dev/shm/needles", "0600", (self.needles().join("\n") + "\n").as_bytes());
        let found = self.host.sh("cd /dev/shm
            find / \\( -path /proc -o -path /sys -o -path '*/log/journal' -o -path /dev/shm/needles \\) -prune -o -type f -print0 \
                | xargs -0 grep -alFf needles 2>/dev/null || [ $? -le 123 ]
            journalctl --all --output=export --no-pager | grep -aqFf needles && echo journal
            rm needles");
        found.lines().map(str::to_owned).collect()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

fn hits<'n>(haystack: &[u8], needles: &'n [String]) -> Vec<&'n String> {
    let haystack = String::from_utf8_lossy(haystack);
    needles.iter().filter(|needle| haystack.contains(needle.as_str())).collect()
}

/// Looks at the command lines of all processes of this machine until it is told to stop, and returns those with a needle.
fn watch_processes(stop: &AtomicBool, needles: &[String]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    loop {
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if !hits(&line, needles).is_empty() {
                seen.insert(String::from_utf8_lossy(&line).into_owned());
            }
        }
        if stop.load(Ordering::Relaxed) {
            return seen;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Runs `work` and returns the command lines with a needle that were seen meanwhile.
fn while_watching(needles: &[String], work: impl FnOnce()) -> BTreeSet<String> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_processes(&stop, needles));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        let seen = watcher.join().unwrap();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        seen
    })
}

fn declared() -> BTreeSet<String> {
    DECLARED.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn a_secret_is_only_where_the_plan_declares_it() {
    let mut scene = Scene::new();
    let needles = [Poison::new(0), Poison::new(1)].iter().flat_map(Poison::needles).collect::<Vec<_>>();
    let seen = while_watching(&needles, || run_everything(&mut scene));
    assert_eq!(seen, BTreeSet::new(), "a command line of this machine has it");
    assert_eq!(scene.found_here(), Vec::<String>::new());
    assert_eq!(scene.found_there(), declared());
    prove_that_the_search_finds(&mut scene, &needles);
}

/// Each command, with what fails before what succeeds.
fn run_everything(scene: &mut Scene) {
    scene.everywhere(&["validate"], 0);
    scene.everywhere(&["plan"], 0);
    // The step that prints everything fails, and says so with the end of its output.
    let failed = scene.ordinary(&["deploy", "--yes"], "", 1);
    assert!(failed.stderr.contains("clear (secret)"), "the output of the step is not shown:\n{}", failed.stderr);
    scene.ordinary(&["--json", "deploy", "--yes"], "", 1);
    // The step succeeds; the health check fails with what the service answered.
    scene.host.sh("touch /srv/go");
    scene.ordinary(&["deploy", "--yes", "--health-deadline", "1"], "", 1);
    scene.everywhere(&["verify"], 3);
    scene.sick = false;
    scene.describe("green");
    scene.ordinary(&["deploy", "--yes"], "", 0);
    scene.everywhere(&["verify"], 0);
    for arguments in [&["status"][..], &["hosts"], &["facts"], &["exec", "every", "--", "id"], &["secrets", "list"]] {
        scene.everywhere(arguments, 0);
    }
    scene.everywhere(&["secrets", "check"], 0);
    let shown = scene.ordinary(&["exec", "every", "--", "cat", "/srv/leak/settings", "/srv/leak/key.pem"], "", 0);
    assert!(shown.stdout.contains("password = (secret)"), "{}", shown.stdout);
    scene.everywhere(&["exec", "every", "--", "sh", "-c", "cat /srv/leak/* >&2"], 0);

    // A diff of what somebody changed on the host, of lines beside the secret and of the secret's own.
    scene.host.sh("sed -i -e s/green/red/ -e 's/^password = .*/&, edited/' /srv/leak/settings");
    scene.everywhere(&["plan"], 0);
    scene.describe("blue");
    scene.everywhere(&["plan"], 0);
    scene.ordinary(&["--json", "deploy", "--yes"], "", 0);

    // The plan knows the new values and meets the old ones.
    scene.new_values();
    scene.everywhere(&["plan"], 0);
    scene.host.sh("rm /srv/leak/told /srv/leak/from-stdin /srv/go");
    scene.ordinary(&["deploy", "--yes"], "", 1);
    scene.host.sh("touch /srv/go");
    scene.ordinary(&["deploy", "--yes"], "", 0);
    scene.everywhere(&["plan", "--detailed-exitcode"], 0);
    look_back(scene);
}

/// What is remembered of all this, and what hooks were told: both are in the folder that is searched.
fn look_back(scene: &mut Scene) {
    scene.everywhere(&["history"], 0);
    scene.everywhere(&["history", "verify"], 0);
    let runs = scene.ordinary(&["--json", "history", "--limit-runs", "100"], "", 0).events("history");
    let runs = runs[0]["runs"].as_array().unwrap().clone();
    assert!(runs.len() > 5, "{} runs", runs.len());
    for (number, run) in runs.iter().enumerate() {
        let name = run["run"].as_str().unwrap();
        scene.everywhere(&["show", name], 0);
        scene.ordinary(&["show", name, "--html", &format!("run-{number}.html")], "", 0);
    }
    let masked = runs.iter().any(|run| run["ended"].to_string().contains("clear (secret)"));
    assert!(masked, "the output of the step that failed is not in the history");
    let told = fs::read_to_string(scene.repository.path("told")).unwrap();
    assert!(told.contains("clear (secret)"), "the hook was not told of the step that failed: {told}");
}

/// A search that finds nothing because it does not work would be the worst of tests.
fn prove_that_the_search_finds(scene: &mut Scene, needles: &[String]) {
    for (number, needle) in needles.iter().enumerate() {
        let planted = scene.repository.path(&format!("tmp/planted-{number}"));
        fs::write(&planted, format!("x{needle}y")).unwrap();
        assert!(scene.found_here().iter().any(|hit| hit.ends_with(needle.as_str())), "{needle} is not found here");
        fs::remove_file(planted).unwrap();
    }
    for (number, needle) in needles.iter().enumerate() {
        scene.host.put(&format!("/var/tmp/planted-{number}"), "0600", format!("x{needle}y").as_bytes());
    }
    let more = (0..needles.len()).map(|number| format!("/var/tmp/planted-{number}"));
    assert_eq!(scene.found_there(), declared().into_iter().chain(more).collect());
    scene.host.sh("rm /var/tmp/planted-*");
    scene.host.put("/dev/shm/say", "0600", scene.poison[0].password.as_bytes());
    scene.host.sh("systemd-cat cat /dev/shm/say; rm /dev/shm/say; journalctl --sync");
    assert_eq!(scene.found_there(), declared().into_iter().chain(["journal".to_owned()]).collect());

    // A process that has it as an argument is seen, even by a single look.
    let word = &scene.poison[0].password;
    let mut waiting = std::process::Command::new("sh");
    waiting.args(["-c", "echo; read _", word]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = waiting.spawn().unwrap();
    // Only when it has begun does the kernel show what it was begun with.
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let seen = watch_processes(&AtomicBool::new(true), needles);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
}
