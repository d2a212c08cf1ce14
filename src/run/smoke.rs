//! The smoke test.

/// Counts.
#[derive(Default)]
pub struct Smoke {
    /// Steps.
    pub passed: usize,
    /// Steps.
    pub failed: usize,
}

/// Runs it.
pub async fn smoke(
    _: &cc_plan::spec::Spec,
    _: &cc_plan::plan::Plan,
    _: &crate::report::Report,
) -> Result<Smoke, crate::error::CliError> {
    Ok(Smoke::default())
}
