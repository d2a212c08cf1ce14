//! `cc-cloud <env> freeze` and `unfreeze`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::context::Context;
use crate::error::CliError;
use crate::keeper::Keepers;
use crate::lock::{Freeze, LockError};
use crate::operator::Operator;
use crate::report::Event;
use crate::run::{Fleet, Interrupt, Selection, keeper_hosts};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct FreezeArgs {
    /// When it ends by itself: a day (2026-12-31, to its end), a time (2026-12-31T18:00, in UTC) or a duration from now (3h, 2d)
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Timestamp,
    /// Why; whoever wants to deploy reads it
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: String,
}

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct UnfreezeArgs {}

/// Refuses every deploy until a time.
pub async fn begin(context: &Context, environment: &str, args: &FreezeArgs) -> Result<(), CliError> {
    let now = Timestamp::now();
    if args.until <= now {
        return Err(CliError::usage(format!("{:.0} is in the past: it is {now:.0}", args.until))
            .hint("give a later time, or a duration such as `3h`"));
    }
    let (mut keepers, fleet) = keepers(context, environment).await?;
    let freeze = Freeze::begin(&mut keepers, args.until, &args.why, &Operator::here(), now).await;
    let freeze = freeze.map_err(|error| error.in_environment(environment))?;
    tell(context, &format!("{environment} is frozen {}", freeze.describe()));
    fleet.leave(false, &context.report).await;
    Ok(())
}

/// Ends a freeze before its time.
pub async fn end(context: &Context, environment: &str, _: &UnfreezeArgs) -> Result<(), CliError> {
    let (mut keepers, fleet) = keepers(context, environment).await?;
    let freeze = Freeze::end(&mut keepers, &Operator::here(), Timestamp::now()).await;
    match freeze.map_err(|error: LockError| error.in_environment(environment))? {
        Some(freeze) => tell(context, &format!("{environment} is not frozen any more; it was {}", freeze.describe())),
        None => tell(context, &format!("{environment} is not frozen")),
    }
    fleet.leave(false, &context.report).await;
    Ok(())
}

/// The keepers, with the connections to their hosts.
async fn keepers(context: &Context, environment: &str) -> Result<(Keepers, Fleet), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let interrupt = Interrupt::listen(context.report.clone());
    let (fleet, _) = context.connect(&spec, &Selection::hosts(&keeper_hosts(&spec)), &interrupt).await?;
    Ok((fleet.keepers(&spec).await, fleet))
}

fn tell(context: &Context, message: &str) {
    context.report.emit(&Event::Note { message });
}

/// A moment as people write it; days end at midnight, times are UTC, as everything that is written down.
fn until(text: &str) -> Result<Timestamp, String> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let end = |day: Date| day.tomorrow().map(|next| next.to_datetime(Time::midnight())).and_then(utc);
    let from_now = |span: Span| Timestamp::now().to_zoned(TimeZone::UTC).checked_add(span).map(|end| end.timestamp());
    // What is written as a day would be read as its first moment.
    let day = text.parse::<Date>().ok().filter(|_| !text.contains(':'));
    let moment = match day {
        Some(day) => end(day),
        None => {
            let moment = text.parse::<Timestamp>().or_else(|_| text.parse::<DateTime>().and_then(utc));
            moment.or_else(|_| text.parse::<Span>().and_then(from_now))
        }
    };
    moment.map_err(|_| "write a day as 2026-12-31, a time as 2026-12-31T18:00, a duration as 3h or 2d".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_durations() {
        let at = |text: &str| until(text).unwrap().to_string();
        assert_eq!(at("2026-12-31"), "2027-01-01T00:00:00Z");
        assert_eq!(at("2026-12-31T18:00"), "2026-12-31T18:00:00Z");
        assert_eq!(at("2026-12-31T18:00:00+02:00"), "2026-12-31T16:00:00Z");
        let hours = until("3h").unwrap().duration_since(Timestamp::now()).as_secs();
        let days = until("2d").unwrap().duration_since(Timestamp::now()).as_secs();
        assert!((10_700..=10_800).contains(&hours) && (172_700..=172_800).contains(&days), "{hours} {days}");
        for bad in ["", "tomorrow", "2026-13-01", "18:00", "12"] {
            assert!(until(bad).is_err(), "{bad}");
        }
    }
}
