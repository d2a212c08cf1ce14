//! A value on its way in: from a pipe or from the keyboard, never from the command line, which every user of the machine can
//! see.

use std::io::{self, Read};

use cc_agent::secret::Secret;
use zeroize::Zeroizing;

use super::error::Error;
use super::name::Name;
use super::terminal::Terminal;
use super::unlocked::VALUE_LIMIT;

/// Everything that a pipe or file gives. The newline that `echo` and editors put behind a single line is not part of the
/// value; several lines (a private key) are taken as they are.
pub fn read(name: &Name, mut from: impl Read) -> Result<Secret<String>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(VALUE_LIMIT + 2));
    let failed = |source: io::Error| Error::Ask { what: format!("the value of `{name}`"), source };
    from.by_ref().take(VALUE_LIMIT as u64 + 2).read_to_end(&mut bytes).map_err(failed)?;
    let Ok(text) = str::from_utf8(&bytes) else {
        let reason = "is not text in UTF-8: encode binary data in base64";
        return Err(Error::Value { name: name.to_string(), reason });
    };
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let value = line.filter(|line| !line.contains('\n')).unwrap_or(text);
    Ok(Secret::new(value.to_owned()))
}

/// Asks twice, since nothing of it is shown.
pub fn ask(name: &Name, terminal: Terminal) -> Result<Secret<String>, Error> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => Error::Interrupted,
        _ => Error::Ask { what: format!("the value of `{name}`"), source },
    };
    let value = terminal.ask_secret(&format!("Value of {name}, which is not shown: ")).map_err(failed)?;
    let again = terminal.ask_secret("The same again: ").map_err(failed)?;
    if value.expose() != again.expose() {
        let reason = "was not the same twice; nothing was changed";
        return Err(Error::Value { name: name.to_string(), reason });
    }
    Ok(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_behind_one_line_goes() {
        let read = |text: &str| read(&"x".parse().unwrap(), text.as_bytes()).unwrap().expose().clone();
        for (text, value) in
            [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n\n"), ("a\nb\n", "a\nb\n"), ("\n", ""), ("", "")]
        {
            assert_eq!(read(text), value, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_text_or_too_much_is_refused() {
        let name = "x".parse().unwrap();
        assert!(read(&name, &b"\xff\xfe"[..]).is_err());
        // One byte more than allowed is read, so that `set` can refuse it.
        assert!(read(&name, io::repeat(b'x').take(3 << 20)).unwrap().expose().len() > VALUE_LIMIT);
    }
}
