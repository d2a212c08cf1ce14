//! When a cron job runs.

/// The shorthands of `crontab(5)`.
const NAMED: [&str; 8] = ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of month", first: 1, last: 31, names: &[] },
    Field { name: "month", first: 1, last: 12, names: &MONTHS },
    Field { name: "day of week", first: 0, last: 7, names: &DAYS },
];

/// Checks what cron would otherwise reject in its log alone: the whole file, without a word to anybody.
///
/// # Errors
/// A sentence for a person.
pub(super) fn check_schedule(schedule: &str) -> Result<(), String> {
    if schedule.starts_with('@') {
        let known = NAMED.contains(&schedule);
        return if known { Ok(()) } else { Err(format!("`{schedule}` is none of {}", NAMED.join(", "))) };
    }
    let given: Vec<&str> = schedule.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    if given.len() != FIELDS.len() || schedule.contains(['\n', '\r']) {
        return Err(format!(
            "`{}` has {} fields; a schedule has five: minute, hour, day of month, month, day of week",
            schedule.escape_default(),
            given.len()
        ));
    }
    FIELDS.iter().zip(given).try_for_each(|(field, text)| {
        text.split(',')
            .try_for_each(|part| field.check(part))
            .map_err(|why| format!("{} `{text}` of the schedule `{schedule}`: {why}", field.name))
    })
}

impl Field {
    fn check(&self, part: &str) -> Result<(), String> {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step {
            let valid = step.parse::<u8>().is_ok_and(|step| (1..=self.last).contains(&step));
            if !valid || !(range == "*" || range.contains('-')) {
                return Err(format!("`/{step}` must follow `*` or a range, with a number from 1 to {}", self.last));
            }
        }
        if range == "*" {
            return Ok(());
        }
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if self.value(first)? > self.value(last)? {
            return Err(format!("the range `{range}` ends before it begins"));
        }
        Ok(())
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(position) => u8::try_from(position).ok().map(|position| position + self.first),
            None => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
        };
        value
            .filter(|value| (self.first..=self.last).contains(value))
            .ok_or_else(|| format!("`{text}` is not between {} and {}", self.first, self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn schedules_of_crontab_5_pass() {
        for schedule in [
            "*/5 * * * *",
            "0 4 1,15 * mon-fri",
            "30 2-6/2 * Jan 7",
            "@daily",
            "@reboot",
            "0\t0  * * Sun",
            "1-59/2 * * * *",
        ] {
            assert_eq!(check_schedule(schedule), Ok(()), "{schedule}");
        }
    }

    #[test]
    fn others_do_not() {
        for schedule in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5/2 * * * *",
            "5-2 * * * *",
            "a * * * *",
            "1,, * * * *",
            "@often",
            "* * * * *\n* * * * * root evil",
            "+1 * * * *",
        ] {
            assert!(check_schedule(schedule).is_err(), "{schedule:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_in_range_passes(minute in 0..60, hour in 0..24, day in 1..32, month in 1..13, weekday in 0..8) {
            prop_assert_eq!(check_schedule(&format!("{minute} {hour} {day} {month} {weekday}")), Ok(()));
        }

        #[test]
        fn checking_never_panics(text in "\\PC{0,20}") {
            let _ = check_schedule(&text);
        }
    }
}
