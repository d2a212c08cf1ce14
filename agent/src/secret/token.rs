//! The text that stands for a secret wherever a plan would hold its value.

/// Opens a token: a private-use character, which no configuration file, password or command line contains.
pub(super) const OPEN: char = '\u{E000}';
/// Closes a token.
pub(super) const CLOSE: char = '\u{E001}';

/// What is done to a secret's value before it takes its token's place. The list is closed because the agent, not the
/// template engine, applies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// Percent-encoding of everything but unreserved characters (RFC 3986).
    UrlEncode,
    /// Base64 with padding.
    Base64,
    /// SHA-256 as lower-case hex.
    Sha256,
    /// Quoting for a POSIX shell.
    Quote,
    /// A JSON string in its quotes, which YAML, TOML, JavaScript and Python read too.
    Json,
}

impl Transform {
    /// Every transform with its name in tokens, which is the name of the template filter too.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::UrlEncode, "urlencode"),
        (Self::Base64, "b64encode"),
        (Self::Sha256, "sha256"),
        (Self::Quote, "quote"),
        (Self::Json, "to_json"),
    ];

    /// The name in tokens and templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlEncode => "urlencode",
            Self::Base64 => "b64encode",
            Self::Sha256 => "sha256",
            Self::Quote => "quote",
            Self::Json => "to_json",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(transform, _)| transform)
    }
}

/// The token of a secret: `U+E000 name|transform|… U+E001`.
pub fn token(name: &str, transforms: &[Transform]) -> String {
    let mut text = String::from(OPEN);
    text.push_str(name);
    for transform in transforms {
        text.push('|');
        text.push_str(transform.name());
    }
    text.push(CLOSE);
    text
}

/// Whether the text holds a token or a part of one.
pub fn contains_token(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// A piece of text: as it is, or a secret's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Plain text.
    Text(&'a str),
    /// A secret by name, with what is done to its value.
    Secret(&'a str, Vec<Transform>),
    /// An opening without an end, a stray end, or an unknown transform.
    Broken(&'a str),
}

impl<'a> Token<'a> {
    /// Splits text at its tokens.
    pub fn split(text: &'a str) -> Vec<Token<'a>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find([OPEN, CLOSE]) {
            if start > 0 {
                pieces.push(Token::Text(&rest[..start]));
            }
            let tail = &rest[start..];
            let end = tail.find(CLOSE).map(|at| at + CLOSE.len_utf8());
            let (piece, after) = tail.split_at(end.unwrap_or(tail.len()));
            pieces.push(Self::parse(piece));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Token::Text(rest));
        }
        pieces
    }

    fn parse(piece: &'a str) -> Token<'a> {
        let Some(inner) = piece.strip_prefix(OPEN).and_then(|p| p.strip_suffix(CLOSE)) else {
            return Token::Broken(piece);
        };
        let mut parts = inner.split('|');
        let name = parts.next().unwrap_or_default();
        match parts.map(Transform::parse).collect::<Option<Vec<_>>>() {
            Some(transforms) if !name.is_empty() && !inner.contains(OPEN) => Token::Secret(name, transforms),
            _ => Token::Broken(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_round_trip() {
        let text = format!("redis://:{}@db1", token("redis_password", &[Transform::UrlEncode]));
        assert_eq!(
            Token::split(&text),
            [
                Token::Text("redis://:"),
                Token::Secret("redis_password", vec![Transform::UrlEncode]),
                Token::Text("@db1")
            ]
        );
    }

    #[test]
    fn damage_is_seen() {
        for text in ["\u{E000}abc", "abc\u{E001}", "\u{E000}a|rot13\u{E001}", "\u{E000}\u{E001}"] {
            assert!(Token::split(text).iter().any(|p| matches!(p, Token::Broken(_))), "{text:?}");
        }
    }
}
