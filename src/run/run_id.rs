//! The name of a run.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Names a run: time first, so that names sort, then chance, so that two operators never share one.
pub fn run_id() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    format!("{}-{:06x}", utc(seconds), rand::random::<u32>() & 0x00ff_ffff)
}

/// When a run began, by the clock of the operator's machine; `None` for a name that was not given here.
pub fn begun_at(run: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", run.get(..16)?).ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// `20261122T121530Z`.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to civil date, Howard Hinnant's algorithm, for days since 1970-03-01 shifted to era 0000-03-01.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest % 3600 / 60, rest % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn run_names_carry_the_date() {
        assert_eq!(super::utc(0), "19700101T000000Z");
        assert_eq!(super::utc(1_795_349_730), "20261122T121530Z");
        assert_eq!(super::utc(1_709_164_799), "20240228T235959Z");
    }

    #[test]
    fn a_run_tells_when_it_began() {
        let run = format!("{}-a1b2c3", super::utc(1_795_349_730));
        assert_eq!(super::begun_at(&run).map(jiff::Timestamp::as_second), Some(1_795_349_730));
        for other in ["", "r1", "20269999T999999Z-a1b2c3", "ééééééééé"] {
            assert_eq!(super::begun_at(other), None);
        }
    }
}
