/// What a command on a host did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub code: i64,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub(super) fn new(code: i64, stdout: &[u8], stderr: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code, stdout: text(stdout), stderr: text(stderr) }
    }
}
