//! Permission bits of a file.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Permission bits, written as an octal string: `"0640"`. A bare number is refused, because YAML 1.1 and 1.2 disagree on
/// what `0640` is and a silent 640 (decimal) would be mode 1200.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// From bits.
    pub fn new(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Parses three or four octal digits.
    ///
    /// # Errors
    /// A sentence for a person that says what is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let octal = (3..=4).contains(&text.len()).then(|| u32::from_str_radix(text, 8).ok()).flatten();
        octal
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a file mode: write octal digits in quotes, such as \"0644\""))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mode({self})")
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Mode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "x-format": "mode", "pattern": "^[0-7]{3,4}$", "description": "Octal file mode in quotes, such as \"0644\""})
    }
}
