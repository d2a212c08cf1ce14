//! Fields that end up where everyone on the host can read them.

use crate::secret::contains_token;
use crate::step_error::StepError;

/// Refuses a secret in a field that ends up in an argument, a name or a file that everyone can read.
pub(super) fn plain(field: &str, value: &str) -> Result<(), StepError> {
    if contains_token(value) {
        let message = format!("`{field}` cannot hold a secret: everyone on the host could read it");
        return Err(
            StepError::new(message).hint(format!("write `{field}` as plain text, and keep the secret in a file"))
        );
    }
    if value.contains(['\n', '\r', '\0']) {
        return Err(StepError::new(format!("`{field}` must be one line: `{}`", value.escape_default())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::token;

    #[test]
    fn secrets_and_line_breaks_are_refused() {
        assert!(plain("value", "a b").is_ok());
        assert!(plain("value", &token("x", &[])).is_err());
        assert!(plain("value", "a\nb").is_err());
    }
}
