use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// A boot takes a minute on two idle processors; they are emulated, and others may use them too.
const BOOT: Duration = Duration::from_secs(900);
/// Bytes of a blank disk.
const BLANK: u64 = 64 << 20;

/// QEMU with a host of its own kernel. It needs no KVM, and writes nothing to the disk that it boots from.
pub(super) struct VirtualMachine {
    process: Child,
    /// What systemd says of itself at the end of each boot.
    boots: Receiver<String>,
    console: PathBuf,
    /// The port of the loopback address behind which its sshd is.
    pub(super) port: u16,
}

impl VirtualMachine {
    /// The folder with the disk, kernel and keys, which `make test-vm` makes and names in CC_VM_IMAGE.
    pub(super) fn image() -> PathBuf {
        let folder = std::env::var_os("CC_VM_IMAGE").map(PathBuf::from).expect(
            "CC_VM_IMAGE is not set: run `make test-vm`, or `tests/vm/image.sh` and name the folder that it makes",
        );
        assert!(folder.join("disk.img").is_file(), "CC_VM_IMAGE={} has no disk: run `make test-vm`", folder.display());
        folder
    }

    /// Boots a machine with blank disks, `/dev/disk/by-id/virtio-NAME`. What it needs on this machine is put into `folder`.
    pub(super) fn start(disks: &[&str], folder: &Path) -> Self {
        let image = Self::image();
        // Between here and QEMU nobody else is likely to be given the same port.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let console = folder.join("console.log");
        // A killed test takes its machine with it.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"]);
        qemu.args([
            "-smp",
            "2",
            "-m",
            "1024",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-monitor",
            "none",
        ]);
        qemu.arg("-kernel").arg(image.join("vmlinuz")).arg("-initrd").arg(image.join("initrd.img"));
        qemu.args(["-append", "root=/dev/vda rw console=ttyS0 mitigations=off"]);
        qemu.arg("-drive").arg(format!("{},snapshot=on", drive("root", &image.join("disk.img"))));
        qemu.args(["-device", "virtio-blk-pci,drive=root"]);
        for name in disks {
            let path = folder.join(name);
            File::create_new(&path).unwrap().set_len(BLANK).unwrap();
            qemu.arg("-drive").arg(drive(name, &path));
            qemu.args(["-device", &format!("virtio-blk-pci,drive={name},serial={name}")]);
        }
        qemu.args(["-netdev", &format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22")]);
        qemu.args(["-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"]);
        qemu.arg("-serial").arg(format!("file:{}", console.display())).args(["-serial", "stdio"]);
        let mut process =
            qemu.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("QEMU; `make test-vm` installs it");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, boots) = channel();
        thread::spawn(move || lines.map_while(Result::ok).all(|line| sender.send(line.trim().to_owned()).is_ok()));
        Self { process, boots, console, port }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        let killed = Command::new("kill").args(["-KILL", &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success(), "QEMU cannot be killed");
    }

    /// Waits for the end of a boot; panics with the end of the console's text if it is none or a bad one.
    pub(super) fn booted(&self) {
        let reason = match self.boots.recv_timeout(BOOT) {
            Ok(state) if state == "running" => return,
            Ok(state) => format!("the virtual machine has booted and is {state}"),
            Err(RecvTimeoutError::Timeout) => format!("the virtual machine has not booted within {} s", BOOT.as_secs()),
            Err(RecvTimeoutError::Disconnected) => "QEMU has ended".to_owned(),
        };
        let text = fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        panic!("{reason}; its console:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
    }
}

/// The value of `-drive` for a raw image. Nothing of it must outlive the machine, so that syncs are left out.
fn drive(id: &str, path: &Path) -> String {
    format!("if=none,id={id},format=raw,cache=unsafe,file={}", path.display())
}

impl Drop for VirtualMachine {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}
