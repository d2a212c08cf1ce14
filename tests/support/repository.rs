use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::files::write_files;
use super::{Terminal, TestHost, agent_binary};

/// A repository of a test: files that are written as text, and the command that is run on them as a person would.
pub struct Repository {
    folder: tempfile::TempDir,
    /// Everything that the command printed so far, for searching in it.
    pub printed: std::cell::RefCell<String>,
}

/// What a run of the command printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The NDJSON events of a type on standard output.
    pub fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let events = self.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        events.filter(|event| event["type"] == kind).collect()
    }
}

impl Repository {
    /// A repository with an environment `t` whose hosts are these, each in the group `all_hosts` and in one of its own name.
    pub fn of(hosts: &[&TestHost]) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap(), printed: std::cell::RefCell::default() };
        let mut inventory = String::from("provider: static\nhosts:\n");
        let mut known = String::new();
        for host in hosts {
            inventory.push_str(&format!(
                "  {}: {{address: {}, port: {}, groups: [every, {}_group], identity_file: {}}}\n",
                host.name,
                host.address,
                host.port,
                host.name,
                host.key.path.display()
            ));
            known.push_str(&fs::read_to_string(host.known_hosts()).unwrap());
        }
        inventory.push_str("defaults: {user: root, become: none}\n");
        repository.write("inventories/t.yml", &inventory);
        repository.write("environments/t/known_hosts", &known);
        repository
    }

    /// Writes a file, with its folders.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        write_files(self.root(), &[(path, text)]);
        self
    }

    /// Writes an executable, such as a hook.
    pub fn executable(&self, path: &str, text: &str) -> &Self {
        self.write(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// The environment `t` with these services (the YAML below `services:`, indented by two).
    pub fn environment(&self, services: &str) -> &Self {
        self.write("environments/t/environment.yml", &format!("environment: t\nsize: demo\nservices:\n{services}"))
    }

    /// A role with these resources (the YAML below `resources:` and after).
    pub fn role(&self, name: &str, rest: &str) -> &Self {
        self.write(&format!("roles/{name}/role.yml"), &format!("role: {name}\ndescription: for a test\n{rest}"))
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The command, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cc-cloud"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("CC_AGENT_BINARY", agent_binary()).env("HOME", self.folder.path()).env("NO_COLOR", "1");
        for name in
            ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "CC_AGE_KEY_FILE", "SSH_AUTH_SOCK"]
        {
            command.env_remove(name);
        }
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        self.printed.borrow_mut().push_str(&format!("{}{}", run.stdout, run.stderr));
        run
    }

    /// Starts the command on a terminal of its own.
    pub fn terminal(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(&self.command(arguments))
    }

    /// Starts the command with both outputs piped.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}
