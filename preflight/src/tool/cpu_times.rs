//! The first line of `/proc/stat`, twice.

/// How to ask: twice with 30 seconds between.
pub const CPU_TIMES: [&str; 4] = ["sh", "-c", "head -n 1 /proc/stat && sleep 30 && head -n 1 /proc/stat", "/proc/stat"];

/// Time that processors have spent, in ticks of the kernel: user, nice, system, idle, iowait, irq, softirq, steal.
type Times = [u64; 8];

/// The share of time between the two lines in which the hypervisor ran somebody else, in percent. None where the text is
/// something else, where no time has passed, or where a counter has run backwards. Only idle and iowait may do that (proc(5));
/// they count as no time then.
pub fn steal_percent(text: &str) -> Option<f64> {
    let [first, second]: [Times; 2] = text.lines().map(times).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    let mut all: u64 = 0;
    for (field, (before, after)) in first.iter().zip(second).enumerate() {
        let spent = if matches!(field, 3 | 4) { after.saturating_sub(*before) } else { after.checked_sub(*before)? };
        all = all.checked_add(spent)?;
    }
    let steal = second[7] - first[7];
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    (all > 0).then(|| steal as f64 * 100.0 / all as f64)
}

/// `cpu user nice system idle iowait irq softirq steal guest guest_nice`: guests are counted within user and nice.
fn times(line: &str) -> Option<Times> {
    let fields: Vec<u64> =
        line.strip_prefix("cpu ")?.split_whitespace().map(|field| field.parse().ok()).collect::<Option<_>>()?;
    fields.get(..8)?.try_into().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STOLEN: &str = include_str!("../../tests/fixtures/stat/vm.txt");

    /// Found by the property below: the steal of a machine whose other times ran backwards came out above 100 %.
    #[test]
    fn a_time_that_runs_backwards_measures_nothing() {
        let one_backwards =
            "cpu  350111 447635 145554 117240 4518 0 2116 9347\ncpu  350481 448165 145667 117240 4518 0 667 117240\n";
        assert_eq!(steal_percent(one_backwards), None);
        let iowait_backwards = "cpu  100 0 0 100 7 0 0 0\ncpu  150 0 0 140 6 0 0 10\n";
        assert_eq!(steal_percent(iowait_backwards), Some(10.0));
    }

    #[test]
    fn the_share_is_that_of_the_time_between() {
        let made = "cpu  100 0 0 100 0 0 0 0 0 0\ncpu  150 0 0 140 0 0 0 10 0 0\n";
        assert_eq!(steal_percent(made), Some(10.0));
        assert!(steal_percent(STOLEN).unwrap() < 100.0);
        let backwards = "cpu  100 0 0 100 0 0 0 5 0 0\ncpu  150 0 0 140 0 0 0 1 0 0\n";
        let same = "cpu  1 0 0 1 0 0 0 0\ncpu  1 0 0 1 0 0 0 0\n";
        for text in ["", "cpu  1 2 3\n", backwards, same, "cpu0 1 1 1 1 1 1 1 1\ncpu0 2 2 2 2 2 2 2 2\n"] {
            assert_eq!(steal_percent(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[STOLEN])) {
            prop_assert!(steal_percent(&text).is_none_or(|share| (0.0..=100.0).contains(&share)));
        }
    }
}
