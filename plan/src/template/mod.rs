//! MiniJinja with strict undefined, typed values and secrets that print as tokens.
