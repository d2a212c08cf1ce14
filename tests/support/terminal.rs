use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A command on a terminal of its own, and somebody who answers its questions.
pub struct Terminal {
    child: Child,
    output: ChildStdout,
    seen: String,
}

impl Terminal {
    /// Starts the command in its folder and environment, through script(1).
    pub fn start(command: &Command) -> Self {
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"));
        let words: Vec<String> = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
        let mut script = Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]).env("TERM", "xterm");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.current_dir(command.get_current_dir().unwrap()).env("SHELL", "/bin/sh");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { output: child.stdout.take().unwrap(), child, seen: String::new() }
    }

    /// Waits until the text is shown, then types.
    pub fn answer(&mut self, shown: &str, keys: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(shown) {
            let length = self.output.read(&mut buffer).unwrap();
            assert!(length > 0, "ended without {shown:?}: {}", self.seen);
            self.seen += &String::from_utf8_lossy(&buffer[..length]);
        }
        // What was waited for must come anew the next time.
        self.seen = self.seen.replace(shown, "");
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code and everything else that was shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), self.seen + &String::from_utf8_lossy(&rest))
    }
}
