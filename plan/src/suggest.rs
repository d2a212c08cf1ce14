//! "Did you mean …?"

/// The known name that is most like what was written, when it is like enough to be meant.
pub fn closest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |name: &str| strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["webworkers", "db", "proxy"];
        assert_eq!(closest("webworker", known), Some("webworkers"));
        assert_eq!(closest("prxoy", known), Some("proxy"));
        assert_eq!(closest("elasticsearch", known), None);
    }
}
