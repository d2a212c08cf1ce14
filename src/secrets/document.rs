//! The text of a secrets file, read and written. The format is described in `docs/decisions/0004-secrets-format.md`.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, Spanned};

use super::name::Name;
use super::problem::Problem;
use super::recipient::{Recipient, RecipientKey};
use super::sealed::Sealed;

/// The version of the format that this program reads and writes.
const VERSION: u32 = 1;
/// Bytes of the largest file.
pub(super) const LIMIT: usize = 4 << 20;

/// Everything above the values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The environment that the values belong to.
    pub environment: String,
    /// Who can read them, in the order of the file.
    pub recipients: Vec<Recipient>,
    /// The data key, encrypted with age for all recipients, armored, with a newline at its end.
    pub data_key: String,
    /// HMAC of the three above under the data key.
    pub signature: [u8; 32],
}

/// A secrets file.
#[derive(Clone)]
pub(super) struct Document {
    /// Everything above the values.
    pub header: Header,
    /// Sealed values by name.
    pub values: BTreeMap<Name, Sealed>,
    /// The line of each name in the text that was read, from 1.
    pub lines: BTreeMap<Name, usize>,
    /// The lines of the data key and of the signature.
    pub header_lines: (usize, usize),
}

#[derive(Deserialize)]
struct Versioned {
    version: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    #[expect(dead_code, reason = "read before, as `Versioned`; here so that it is no unknown field")]
    version: u32,
    environment: Spanned<String>,
    recipients: Spanned<Vec<RawRecipient>>,
    data_key: Spanned<String>,
    signature: Spanned<String>,
    values: Pairs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecipient {
    name: Spanned<String>,
    key: Spanned<String>,
}

/// The entries of a mapping as they stand there, duplicates included: a merge can leave a name twice.
pub(super) struct Pairs(pub Vec<(String, Spanned<String>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of names to values")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Pairs, E> {
                Ok(Pairs(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

/// How both the sealed file and the edited one are read.
pub(super) fn yaml_options() -> Options {
    let mut options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        // A password that begins with `&` or `!` must not lose its first word without anybody seeing it.
        budget: serde_saphyr::budget! { max_anchors: 0 },
        reject_unsupported_tags: true,
    };
    // A snippet would print a line of the file.
    options.with_snippet = false;
    options
}

/// The line of a place.
pub(super) fn line<T>(spanned: &Spanned<T>) -> usize {
    usize::try_from(spanned.referenced.line()).unwrap_or(usize::MAX)
}

impl Document {
    /// Reads the text of the secrets file of an environment; everything that is wrong with it otherwise.
    pub(super) fn parse(text: &str, environment: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > LIMIT {
            return Err(vec![Problem::error(
                None,
                format!("larger than {} MiB: this is no secrets file", LIMIT >> 20),
            )]);
        }
        if text.trim().is_empty() {
            return Err(vec![
                Problem::error(None, "the file is empty").hint("restore it from git, or remove it to begin anew"),
            ]);
        }
        if let Some(problem) = conflict(text) {
            return Err(vec![problem]);
        }
        let version: Versioned =
            serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|e| vec![yaml(&e)])?;
        if version.version.value != VERSION {
            let message =
                format!("version {} of the format; this cc-cloud knows version {VERSION}", version.version.value);
            return Err(vec![Problem::error(line(&version.version), message).hint("use a newer cc-cloud")]);
        }
        let raw: RawDocument = serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|e| vec![yaml(&e)])?;
        raw.check(environment)
    }
}

impl RawDocument {
    fn check(self, environment: &str) -> Result<Document, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.environment.value != environment {
            let message = format!("this file belongs to environment `{}`, not `{environment}`", self.environment.value);
            problems.push(
                Problem::error(line(&self.environment), message)
                    .hint("values open only in their own environment: use `secrets set` to enter them here"),
            );
        }
        let recipients = recipients(&self.recipients, &mut problems);
        let signature = STANDARD.decode(&self.signature.value).ok().and_then(|bytes| bytes.try_into().ok());
        if signature.is_none() {
            problems.push(
                Problem::error(line(&self.signature), "`signature` is not 32 bytes in base64").hint(RESTORE_HEADER),
            );
        }
        let (values, lines) = values(&self.values, &mut problems);
        match signature {
            Some(signature) if problems.is_empty() => Ok(Document {
                header: Header {
                    environment: self.environment.value,
                    recipients,
                    data_key: self.data_key.value.clone(),
                    signature,
                },
                values,
                lines,
                header_lines: (line(&self.data_key), line(&self.signature)),
            }),
            _ => Err(problems),
        }
    }
}

/// What to do about a damaged line.
pub(super) const RESTORE: &str = "restore the line from git, or enter the value again with `secrets set`";

/// What to do about everything above the values.
pub(super) const RESTORE_HEADER: &str =
    "restore everything above `values:` from git, and change recipients with `secrets rekey` only";

fn recipients(raw: &Spanned<Vec<RawRecipient>>, problems: &mut Vec<Problem>) -> Vec<Recipient> {
    let mut found: Vec<(Recipient, usize)> = Vec::new();
    for entry in &raw.value {
        let at = line(&entry.name);
        let key = match entry.key.value.parse::<RecipientKey>() {
            Ok(key) => key,
            Err(error) => {
                problems.push(Problem::error(line(&entry.key), error.to_string()));
                continue;
            }
        };
        match Recipient::new(&entry.name.value, key) {
            Ok(recipient) => {
                for (other, first) in &found {
                    if other.name() == recipient.name() || other.key() == recipient.key() {
                        let what = if other.name() == recipient.name() { "name" } else { "key" };
                        let message =
                            format!("the {what} of recipient `{}` is in line {first} already", recipient.name());
                        problems.push(Problem::error(at, message).hint(RESTORE_HEADER));
                    }
                }
                found.push((recipient, at));
            }
            Err(error) => problems.push(Problem::error(at, error.to_string())),
        }
    }
    if raw.value.is_empty() {
        problems.push(Problem::error(line(raw), "there are no recipients: nobody could read this file"));
    }
    found.into_iter().map(|(recipient, _)| recipient).collect()
}

type Values = (BTreeMap<Name, Sealed>, BTreeMap<Name, usize>);

fn values(raw: &Pairs, problems: &mut Vec<Problem>) -> Values {
    let (mut values, mut lines) = Values::default();
    for (key, value) in &raw.0 {
        let at = line(value);
        let name = match key.parse::<Name>() {
            Ok(name) => name,
            Err(error) => {
                let problem = Problem::error(at, error.to_string());
                problems.push(Problem { hint: error.hint(), ..problem });
                continue;
            }
        };
        if let Some(first) = lines.insert(name.clone(), at) {
            problems.push(
                Problem::error(at, format!("`{name}` is in line {first} already"))
                    .hint("two branches changed it: delete the line that is not wanted"),
            );
        }
        match value.value.parse::<Sealed>() {
            Ok(sealed) => {
                values.insert(name, sealed);
            }
            Err(reason) => {
                problems.push(Problem::error(at, format!("the sealed value of `{name}` {reason}")).hint(RESTORE));
            }
        }
    }
    (values, lines)
}

/// The first line that git left because it could not merge.
fn conflict(text: &str) -> Option<Problem> {
    let marker =
        |line: &str| ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|m| line.starts_with(m)) || line == "=======";
    let at = text.lines().position(marker)?;
    let values = text.lines().position(|line| line.starts_with("values:")).unwrap_or(usize::MAX);
    let hint = if at > values {
        "keep the lines of both sides, and of a name that both have one line; delete the markers"
    } else {
        "keep everything above `values:` from one side as a whole, then repeat the other side's `secrets rekey`"
    };
    Some(Problem::error(at + 1, "git could not merge this file: a conflict marker").hint(hint))
}

fn yaml(error: &serde_saphyr::Error) -> Problem {
    let at = error.location().map(|location| usize::try_from(location.line()).unwrap_or(usize::MAX));
    let text = error.without_snippet().to_string();
    // The place stands before the message already.
    let reason = text.split(" at line ").next().unwrap_or(&text);
    Problem::error(at.filter(|line| *line > 0), format!("not a secrets file: {reason}"))
        .hint("restore the file from git; values are entered with `secrets set` or `secrets edit`")
}

/// The text of the file. One line for each value, so that git merges them one by one.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { environment, recipients, data_key, signature } = &self.header;
        writeln!(f, "# Sealed by cc-cloud. To change a value: cc-cloud {environment} secrets edit")?;
        writeln!(f, "version: {VERSION}\nenvironment: {environment}\nrecipients:")?;
        for recipient in recipients {
            writeln!(f, "  - {{name: {}, key: {}}}", recipient.name(), recipient.key())?;
        }
        writeln!(f, "data_key: |")?;
        for line in data_key.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "signature: {}", STANDARD.encode(signature))?;
        if self.values.is_empty() {
            return writeln!(f, "values: {{}}");
        }
        writeln!(f, "values:")?;
        self.values.iter().try_for_each(|(name, sealed)| writeln!(f, "  {name}: {sealed}"))
    }
}
