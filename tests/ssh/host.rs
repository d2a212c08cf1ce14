//! A host of the tests: a mount namespace of its own with users, sudo and sshd, on this machine.
//!
//! Nothing outside of the namespace changes: `/etc/passwd`, `/etc/sudoers`, `/etc/ssh`, `/home`, `/var/lib`, `/run`, `/tmp` and
//! `/dev/shm` are its own. sshd is started for each connection, as inetd would, so no port is taken in advance. Needs root.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::lab::{Lab, run};

/// The password of every user who has one.
pub const PASSWORD: &str = "correct horse";

/// Users by what sudo does for them.
const USERS: &[(&str, &str)] = &[
    ("deploy", "deploy ALL=(ALL) NOPASSWD: ALL"),
    ("asked", "asked ALL=(ALL) ALL"),
    ("terminal", "terminal ALL=(ALL) NOPASSWD: ALL\nDefaults:terminal requiretty"),
    ("nobody-special", ""),
];

/// How a host differs from a plain one.
#[derive(Clone, Copy, Default)]
pub struct Setup<'a> {
    /// Its name; `web1` if empty.
    pub name: &'a str,
    /// More lines of sshd_config.
    pub sshd: &'a str,
    /// Shell commands that are run inside as root before anybody connects.
    pub inside: &'a str,
    /// Login shell of `deploy`; `/bin/sh` if empty.
    pub shell: &'a str,
    /// Types of its host keys; ed25519 if empty.
    pub host_keys: &'a [&'a str],
    /// The first connections are closed at once, as sshd does when too many log in.
    pub hang_up_on: usize,
}

pub struct Host {
    name: String,
    port: u16,
    /// Holds the namespace open until its standard input closes.
    keeper: Child,
    folder: PathBuf,
    connections: Arc<AtomicUsize>,
    /// All connections that were served.
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Host {
    pub fn start(lab: &Lab) -> Self {
        Self::with(lab, Setup::default())
    }

    pub fn with(lab: &Lab, setup: Setup) -> Self {
        assert!(
            fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0),
            "these tests start sshd in mount namespaces: run them as root"
        );
        let name = if setup.name.is_empty() { "web1" } else { setup.name };
        let folder = lab.path(&format!("host-{name}"));
        fill(lab, &folder, &setup);
        let script = format!("set -e\n{INSIDE}\n{}\necho ready\ncat >/dev/null", setup.inside);
        let mut keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the namespace of {name} could not be made");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, streams) = (Arc::default(), Arc::default());
        let host = Self { name: name.to_owned(), port, keeper, folder, connections, streams };
        host.serve(listener, setup.hang_up_on);
        host
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Cuts every connection, as a network does that breaks.
    pub fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            // One that has ended by itself is no longer connected.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// What sshd has written.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// The command that talks to sshd over its standard input and output.
    pub fn proxy_command(&self) -> String {
        format!("nsenter -m -t {} /usr/sbin/sshd -i -f /etc/ssh/sshd_config", self.keeper.id())
    }

    /// Runs a shell command inside as root.
    pub fn inside(&self, script: &str) -> String {
        run(Command::new("nsenter").args(["-m", "-t", &self.keeper.id().to_string(), "sh", "-c", script]))
    }

    /// Public part of its host key.
    pub fn public_key(&self, kind: &str) -> String {
        fs::read_to_string(self.folder.join(format!("ssh_host_{kind}_key.pub"))).unwrap()
    }

    fn serve(&self, listener: TcpListener, hang_up_on: usize) {
        let (connections, streams) = (Arc::clone(&self.connections), Arc::clone(&self.streams));
        let pid = self.keeper.id().to_string();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream: TcpStream = stream.unwrap();
                if connections.fetch_add(1, Ordering::SeqCst) < hang_up_on {
                    continue;
                }
                streams.lock().unwrap().push(stream.try_clone().unwrap());
                let sshd = Command::new("nsenter")
                    .args(["-m", "-t", &pid, "/usr/sbin/sshd", "-i", "-e", "-f", "/etc/ssh/sshd_config"])
                    .stdin(OwnedFd::from(stream.try_clone().unwrap()))
                    .stdout(OwnedFd::from(stream))
                    .stderr(log.try_clone().unwrap())
                    .spawn();
                // The host is gone when its test is over.
                let Ok(mut sshd) = sshd else { return };
                std::thread::spawn(move || sshd.wait());
            }
        });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }
}

/// The beginning of every sshd_config. The first line of a keyword counts, so what a test adds goes before it.
const SSHD: &str = "UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /etc/ssh/authorized_keys
PidFile none
";

/// Mounts of the namespace; `$1` is the host's folder.
const INSIDE: &str = r#"
dir=$1
for file in passwd group shadow sudoers; do mount --bind "$dir/$file" "/etc/$file"; done
mount --bind "$dir" /etc/ssh
for place in /home /root /var/lib /run; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
for place in /dev/shm /tmp; do mount -t tmpfs -o mode=1777 tmpfs "$place"; done
mkdir -p /run/sshd /var/lib/sudo/lectured
while IFS=: read -r name _ uid gid _ home _; do
    case $home in /home/*) mkdir -m 755 "$home"; chown "$uid:$gid" "$home";; esac
done </etc/passwd
"#;

/// Writes the files that the namespace will see under `/etc`.
fn fill(lab: &Lab, folder: &std::path::Path, setup: &Setup) {
    fs::create_dir(folder).unwrap();
    let write = |name: &str, mode: u32, content: &str| {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| run(Command::new("openssl").args(["passwd", "-6", PASSWORD])));
    let (mut passwd, mut group, mut shadow, mut sudoers) = (String::new(), String::new(), String::new(), String::new());
    for line in fs::read_to_string("/etc/passwd").unwrap().lines().filter(|line| !line.contains("/home/")) {
        passwd.push_str(&format!("{line}\n"));
    }
    shadow.push_str("root:*:19000:0:99999:7:::\n");
    for (number, (user, rule)) in USERS.iter().enumerate() {
        let uid = 4100 + number;
        let shell = if *user == "deploy" && !setup.shell.is_empty() { setup.shell } else { "/bin/sh" };
        passwd.push_str(&format!("{user}:x:{uid}:{uid}::/home/{user}:{shell}\n"));
        group.push_str(&format!("{user}:x:{uid}:\n"));
        shadow.push_str(&format!("{user}:{}:19000:0:99999:7:::\n", hash.trim()));
        sudoers.push_str(&format!("{rule}\n"));
    }
    let groups = fs::read_to_string("/etc/group").unwrap();
    write("passwd", 0o644, &passwd);
    write("group", 0o644, &format!("{groups}{group}"));
    write("shadow", 0o640, &shadow);
    write(
        "sudoers",
        0o440,
        &format!("Defaults secure_path=\"/usr/sbin:/usr/bin:/sbin:/bin\"\nDefaults use_pty\n{sudoers}"),
    );
    write("authorized_keys", 0o644, &lab.read("id.pub"));
    let kinds = if setup.host_keys.is_empty() { &["ed25519"] } else { setup.host_keys };
    let mut config = String::from(SSHD);
    for kind in kinds {
        let key = folder.join(format!("ssh_host_{kind}_key"));
        run(Command::new("ssh-keygen").args(["-q", "-N", "", "-t", kind, "-f"]).arg(key));
        config.push_str(&format!("HostKey /etc/ssh/ssh_host_{kind}_key\n"));
    }
    write("sshd_config", 0o644, &format!("{}\n{config}", setup.sshd));
}
