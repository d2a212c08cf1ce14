//! A generated locale.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ResourceType;
use super::locale_archive::{names_at, normalise};
use crate::change::{Change, Differ};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// A generated locale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Locale {
    /// `en_US.UTF-8`.
    pub name: String,
    /// Make it the default (`LANG`).
    #[serde(default)]
    pub default: bool,
}

/// Which locales `locale-gen` makes.
const WANTED: &str = "/etc/locale.gen";
/// Every locale that it could make, with its character set.
const SUPPORTED: &str = "/usr/share/i18n/SUPPORTED";
/// The folder of made locales, and the archive in it.
const MADE: &str = "/usr/lib/locale";
const DEFAULT: &str = "/etc/default/locale";

/// What the host has of a locale.
pub struct LocaleState {
    generated: bool,
    /// Value of `LANG` in the default environment.
    lang: Option<String>,
}

impl Locale {
    fn check(&self) -> Result<(), StepError> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte);
        if self.name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) && self.name.bytes().all(valid) {
            return Ok(());
        }
        let error = StepError::new(format!("`{}` is not a locale", self.name.escape_default()));
        Err(error.hint("write a name such as en_US.UTF-8"))
    }

    /// Adds the locale to those that are made, and makes them.
    fn generate(&self, host: &Host) -> Result<(), StepError> {
        let Some(supported) = host.read_text(Path::new(SUPPORTED))? else {
            let error = StepError::new(format!("cannot make the locale {}: {SUPPORTED} does not exist", self.name));
            return Err(error.hint("add a step `package: locales` before it"));
        };
        let Some(line) = supported.lines().find(|line| is_line_of(line, &self.name)) else {
            return Err(
                StepError::new(format!("there is no locale `{}`", self.name)).hint(format!("{SUPPORTED} lists them"))
            );
        };
        let text = host.read_text(Path::new(WANTED))?.unwrap_or_default();
        if let Some(text) = wanting(&text, line) {
            host.write(Path::new(WANTED), text.as_bytes(), Attributes::default())?;
        }
        host.command(["locale-gen", "--keep-existing"]).run().map(drop)
    }
}

/// Whether a line of `/usr/share/i18n/SUPPORTED` is the locale's: its name with or without the character set.
fn is_line_of(line: &str, name: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(locale), Some(codeset)) = (words.next(), words.next()) else {
        return false;
    };
    normalise(locale) == normalise(name)
        || (!locale.contains('.') && normalise(&format!("{locale}.{codeset}")) == normalise(name))
}

/// The text of `/etc/locale.gen` with the line in effect; `None` when it is already.
fn wanting(text: &str, line: &str) -> Option<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let line_words = words(line);
    if text.lines().any(|known| words(known) == line_words) {
        return None;
    }
    let is_comment = |known: &str| known.trim_start().strip_prefix('#').is_some_and(|rest| words(rest) == line_words);
    let mut placed = false;
    let mut result = String::with_capacity(text.len() + line.len() + 1);
    for known in text.lines() {
        let ours = !placed && is_comment(known);
        placed |= ours;
        result.push_str(if ours { line.trim() } else { known });
        result.push('\n');
    }
    if !placed {
        result.push_str(line.trim());
        result.push('\n');
    }
    Some(result)
}

/// The value of `LANG` in a file of assignments.
fn lang(text: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| line.trim().strip_prefix("LANG="))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// The text with `LANG` set, other lines as they are.
fn with_lang(text: &str, name: &str) -> String {
    let others = text.lines().filter(|line| !line.trim_start().starts_with("LANG="));
    others.map(|line| format!("{line}\n")).chain([format!("LANG={name}\n")]).collect()
}

impl ResourceType for Locale {
    type State = LocaleState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let spelled = normalise(&self.name);
        let folder = Path::new(MADE);
        let generated = folder.join(&spelled).is_dir()
            || folder.join(&self.name).is_dir()
            || names_at(&folder.join("locale-archive")).contains(&spelled);
        Ok(LocaleState { generated, lang: host.read_text(Path::new(DEFAULT))?.as_deref().and_then(lang) })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        differ.field("generated", Some(state.generated), Some(true));
        differ.field("LANG", state.lang.as_ref(), self.default.then_some(&self.name));
        Ok(if state.generated { differ.update() } else { differ.create() })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if !state.generated {
            self.generate(host)?;
        }
        if self.default && state.lang.as_ref() != Some(&self.name) {
            let path = Path::new(DEFAULT);
            let text = host.read_text(path)?.unwrap_or_default();
            let attributes = Attributes::of_mode(0o644);
            host.write(path, with_lang(&text, &self.name).as_bytes(), attributes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_becomes_the_line_and_a_missing_one_is_added() {
        let text = "# made by hand\n# de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8  \nfr_FR.UTF-8 UTF-8\n";
        assert_eq!(
            wanting(text, "en_US.UTF-8 UTF-8").as_deref(),
            Some("# made by hand\n# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\nfr_FR.UTF-8 UTF-8\n")
        );
        assert_eq!(wanting(text, "fr_FR.UTF-8  UTF-8"), None);
        assert_eq!(wanting("", "en_US ISO-8859-1").as_deref(), Some("en_US ISO-8859-1\n"));
    }

    #[test]
    fn lines_of_supported_match_by_name_or_by_name_and_character_set() {
        assert!(is_line_of("en_US.UTF-8 UTF-8", "en_US.UTF-8"));
        assert!(is_line_of("en_US.UTF-8 UTF-8", "en_US.utf8"));
        assert!(is_line_of("en_US ISO-8859-1", "en_US"));
        assert!(is_line_of("en_US ISO-8859-1", "en_US.ISO-8859-1"));
        assert!(!is_line_of("en_US ISO-8859-1", "en_US.UTF-8"));
    }

    #[test]
    fn lang_is_the_last_assignment() {
        assert_eq!(lang("#LANG=x\nLANG=C\n LANG=\"de_DE.UTF-8\"\n").as_deref(), Some("de_DE.UTF-8"));
        assert_eq!(with_lang("LC_ALL=C\nLANG=C\n", "en_US.UTF-8"), "LC_ALL=C\nLANG=en_US.UTF-8\n");
    }
}
