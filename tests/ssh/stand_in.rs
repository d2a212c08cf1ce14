//! A stand-in for the agent: says hello, then behaves, well or badly, as `exec` asks for. Built by the tests with rustc alone.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;

const HELLO: &str = env!("STAND_IN_HELLO");

fn frame(input: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 5];
    input.read_exact(&mut header).ok()?;
    let [kind, length @ ..] = header;
    let mut payload = vec![0; u32::from_be_bytes(length) as usize];
    input.read_exact(&mut payload).ok()?;
    Some((kind, payload))
}

fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).unwrap();
    out.flush().unwrap();
}

fn say(json: &str) {
    let mut bytes = vec![b'J'];
    bytes.extend(u32::try_from(json.len()).unwrap().to_be_bytes());
    bytes.extend(json.as_bytes());
    raw(&bytes);
}

fn exited(status: usize) {
    say(&format!(r#"{{"reply":"exited","status":{status}}}"#));
}

fn main() {
    let mut input = std::io::stdin().lock();
    let mut secrets = 0;
    while let Some((kind, payload)) = frame(&mut input) {
        if kind == b'S' {
            secrets = payload.len();
            continue;
        }
        let text = String::from_utf8(payload).unwrap();
        let asks = |word: &str| text.contains(&format!("[\"{word}\"]"));
        if text.contains(r#""request":"hello""#) {
            let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
            say(&HELLO.replace(r#""root":true"#, &format!(r#""root":{root}"#)));
        } else if text.contains(r#""request":"blob""#) {
            let announced: usize = text.rsplit(':').next().unwrap().trim_end_matches('}').parse().unwrap();
            let mut seen = 0;
            while seen < announced {
                let (kind, piece) = frame(&mut input).unwrap();
                assert_eq!(kind, b'D');
                seen += piece.len();
            }
            say(r#"{"reply":"done"}"#);
        } else if text.contains(r#""request":"bye""#) {
            if text.contains(r#""leave_nothing":true"#) {
                std::fs::remove_file("/proc/self/exe".parse::<std::path::PathBuf>().unwrap().read_link().unwrap()).unwrap();
            }
            say(r#"{"reply":"done"}"#);
            return;
        } else if asks("secrets") {
            exited(secrets);
        } else if asks("events") {
            for word in ["one", "two"] {
                say(&format!(r#"{{"reply":"event","event":"output","stderr":false,"text":"{word}"}}"#));
            }
            exited(0);
        } else if asks("wait for stop") {
            let (_, stop) = frame(&mut input).unwrap();
            exited(if stop.windows(6).any(|word| word == b"\"stop\"") { 130 } else { 1 });
        } else if asks("fail") {
            say(r#"{"reply":"failed","message":"disk on fire","hint":"call somebody"}"#);
        } else if asks("hang") {
        } else if asks("die") {
            eprintln!("out of cheese\nredo from start");
            std::process::exit(7);
        } else if asks("half a frame") {
            raw(b"J\0\0\0\x64half");
            return;
        } else if asks("oversized") {
            raw(b"J\xff\xff\xff\xff");
        } else if asks("garbage") {
            raw(b"Last login: never\n");
        } else if asks("not a reply") {
            say("[1, 2]");
        } else {
            exited(0);
        }
    }
}
