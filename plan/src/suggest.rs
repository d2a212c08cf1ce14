//! "Did you mean …?"

/// The known name that was most probably meant. A third of the letters may be wrong, missing, or too many, two that changed
/// places counting as one; or the name was not written to its end, and no other begins like that.
pub fn closest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written = written.to_lowercase();
    let known: Vec<(String, &str)> = known.into_iter().map(|name| (name.to_lowercase(), name)).collect();
    let near = known.iter().filter_map(|(lower, name)| {
        let distance = strsim::osa_distance(&written, lower);
        let likeness = strsim::jaro_winkler(&written, lower);
        (distance <= tolerance(&written, lower)).then_some((distance, likeness, *name))
    });
    let nearest = near.min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    nearest.map(|(_, _, name)| name).or_else(|| only_one_that_begins_with(&written, &known))
}

/// Mistakes that one name may have and still mean the other.
fn tolerance(written: &str, known: &str) -> usize {
    let mut letters = written.chars().collect::<Vec<_>>();
    let mut known_letters = known.chars().collect::<Vec<_>>();
    let longer = letters.len().max(known_letters.len());
    letters.sort_unstable();
    known_letters.sort_unstable();
    // Of two letters one wrong is half of the name: `db` is meant by `bd` only.
    if letters == known_letters { (longer / 3).max(1) } else { longer / 3 }
}

fn only_one_that_begins_with<'n>(written: &str, known: &[(String, &'n str)]) -> Option<&'n str> {
    const ENOUGH: usize = 2;
    let mut longer = known.iter().filter(|(lower, _)| written.chars().count() >= ENOUGH && lower.starts_with(written));
    match (longer.next(), longer.next()) {
        (Some((_, name)), None) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 8] = ["webworkers", "db", "proxy", "web", "web1", "shared_buffers", "redis_password", "db1"];

    #[test]
    fn a_typo_finds_its_name() {
        for (written, meant) in [
            ("webworker", "webworkers"),
            ("prxoy", "proxy"),
            ("Proxy", "proxy"),
            ("redis_pasword", "redis_password"),
            ("wbe", "web"),
            ("ewb", "web"),
            ("we", "web"),
            ("wen", "web"),
            ("webs", "web"),
            ("wbe1", "web1"),
            ("bd", "db"),
        ] {
            assert_eq!(closest(written, KNOWN), Some(meant), "{written}");
        }
    }

    #[test]
    fn a_name_that_was_not_written_to_its_end_is_found_when_there_is_one() {
        assert_eq!(closest("shared", KNOWN), Some("shared_buffers"));
        assert_eq!(closest("redis", KNOWN), Some("redis_password"));
        assert_eq!(closest("redis", ["redis_password", "redis_port_number"]), None);
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        for written in ["elasticsearch", "smtp", "dc", "ab", "x", "", "mail", "bed", "websites1", "password"] {
            assert_eq!(closest(written, KNOWN), None, "{written}");
        }
    }
}
