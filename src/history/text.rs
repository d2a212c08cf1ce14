//! Runs of the past for a person at a terminal.

use std::fmt::Write as _;

use super::began::Began;
use super::ended::{Ended, HostResult};
use super::past_run::PastRun;
use crate::report::{Style, run_text, table};

/// One row a run.
pub fn list(runs: &[PastRun], style: Style) -> String {
    if runs.is_empty() {
        return "nothing has been run yet\n".to_owned();
    }
    let rows: Vec<Vec<String>> = runs.iter().map(|run| row(run, style)).collect();
    table(&["RUN", "WHEN", "WHO", "WHAT", "RESULT", "MESSAGE"], &rows, style)
}

fn row(run: &PastRun, style: Style) -> Vec<String> {
    let began = run.began.as_ref();
    let text = |text: Option<&String>| text.map_or_else(String::new, |text| one_line(text));
    vec![
        run.run.clone(),
        text(run.began_at.as_ref()),
        text(began.map(|began| &began.author.who)),
        run.what(),
        result(run, style),
        text(began.and_then(|began| began.message.as_ref())),
    ]
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn result(run: &PastRun, style: Style) -> String {
    match &run.ended {
        Some(ended) if ended.exit_code == 0 => style.good(&run.result),
        Some(_) => style.bad(&run.result),
        None => style.warn(&run.result),
    }
}

/// Everything that is known of a run.
pub fn show(run: &PastRun, style: Style) -> String {
    let mut text = format!("{} {}: {}\n", style.bold("run"), run.run, result(run, style));
    for (term, value) in facts(run) {
        let _ = writeln!(text, "  {term:<10}{}", one_line(&value));
    }
    if let Some(began) = &run.began {
        write_plan(&mut text, began, style);
    }
    if let Some(ended) = &run.ended {
        write_results(&mut text, ended, style);
    }
    text
}

/// Term and value of what there is to say of a run as a whole.
pub(super) fn facts(run: &PastRun) -> Vec<(&'static str, String)> {
    let mut facts = vec![("began", run.began_at.clone().unwrap_or_else(|| "not in the history".to_owned()))];
    facts.push(match (&run.ended_at, &run.ended) {
        (Some(at), Some(ended)) => {
            ("ended", format!("{at}, after {}, exit code {}", run_text::duration(ended.millis), ended.exit_code))
        }
        _ => ("ended", "no end was written: it is still at work, or its controller died".to_owned()),
    });
    if let Some(began) = &run.began {
        facts.extend(written(began));
    }
    let numbers: Vec<String> = run.records.iter().map(u64::to_string).collect();
    facts.push(("records", numbers.join(", ")));
    facts
}

fn written(began: &Began) -> Vec<(&'static str, String)> {
    let commit = began.commit.as_ref().map_or_else(|| "the files were not in git".to_owned(), ToString::to_string);
    let mut facts = vec![("who", began.author.who.clone()), ("from", began.author.place())];
    facts.extend(began.message.clone().map(|message| ("why", message)));
    facts.extend([
        ("command", began.command_line.join(" ")),
        ("commit", commit),
        ("version", format!("cc-cloud {}", began.cc_cloud)),
        ("plan", began.plan.summary()),
    ]);
    match &began.preflight.skipped {
        Some(reason) => facts.push(("preflight", format!("skipped: {reason}"))),
        None => facts.push(("preflight", "let it through".to_owned())),
    }
    for finding in &began.preflight.findings {
        let on = if finding.subject.is_empty() { String::new() } else { format!(" on {}", finding.subject) };
        let waived = finding.waiver.as_ref();
        let waived = waived.map(|w| format!("; accepted by {} until {}: {}", w.owner, w.until, w.reason));
        let text = format!(
            "{} {}{on}: {}{}",
            finding.verdict.name(),
            finding.id,
            finding.observed,
            waived.unwrap_or_default()
        );
        facts.push(("", text));
    }
    facts
}

fn write_plan(text: &mut String, began: &Began, style: Style) {
    if began.plan.steps.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", style.bold("planned"));
    for step in &began.plan.steps {
        let mark = style.change(step.kind, &step.kind.symbol().to_string());
        let _ = writeln!(text, "  {mark} {} {}", step.step, style.dim(&format!("({})", step.hosts.join(", "))));
    }
    write_unlisted(text, began.plan.unlisted, style);
}

fn write_unlisted(text: &mut String, unlisted: usize, style: Style) {
    if unlisted > 0 {
        let _ = writeln!(text, "  {}", style.dim(&format!("… {unlisted} more steps, which the record does not list")));
    }
}

fn write_results(text: &mut String, ended: &Ended, style: Style) {
    let _ = writeln!(text, "\n{}", style.bold("done"));
    ended.hosts.iter().for_each(|host| write_host(text, host, style));
    write_unlisted(text, ended.unlisted, style);
    for blocked in &ended.blocked {
        let line = format!("not begun: {} on {}: {}", blocked.service, blocked.hosts.join(", "), blocked.reason);
        let _ = writeln!(text, "{}", style.warn(&line));
    }
    for error in &ended.errors {
        let _ = writeln!(text, "{} {error}", style.bad("error:"));
    }
    let summaries: Vec<_> = ended.hosts.iter().map(|host| host.summary.clone()).collect();
    if !summaries.is_empty() {
        let _ = write!(text, "\n{}", run_text::summary(&summaries, style));
    }
}

fn write_host(text: &mut String, result: &HostResult, style: Style) {
    let host = &result.summary.host;
    for step in &result.steps {
        match &step.error {
            Some(error) => text.push_str(&run_text::step_error(style, host, &step.step, error)),
            None => {
                let _ = writeln!(text, "{}", run_text::step_done(style, host, &step.step, step.kind, step.millis));
            }
        }
    }
    for finding in &result.checks {
        text.push_str(&run_text::check(style, host, finding));
    }
    if let Some(why) = &result.unreachable {
        let _ = writeln!(text, "{} {why}", style.bad("unreachable:"));
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::protocol::StepError;
    use insta::assert_snapshot;

    use super::super::{Blocked, Entry, Record, html, sample};
    use super::*;

    const PLAIN: Style = Style { color: false, width: 120, progress: false };

    /// A run that failed.
    fn failed() -> PastRun {
        let error = StepError { output: vec!["no <space>".to_owned()], ..StepError::new("exit code 1") };
        let blocked =
            Blocked { service: "web".to_owned(), hosts: vec!["web1".to_owned()], reason: "site failed".to_owned() };
        let mut ended = sample::ended();
        ended.exit_code = 1;
        ended.hosts.push(sample::failed(error.hint("make room")));
        ended.blocked.push(blocked);
        ended.errors.push("the run failed; see above".to_owned());
        let record = |number, entry| Record {
            number,
            previous: String::new(),
            run: "20261122T121530Z-1f2e3d".to_owned(),
            at: format!("2026-11-22T12:15:3{number}Z"),
            entry,
        };
        let records = [record(1, Entry::Began(Box::new(sample::began()))), record(2, Entry::Ended(Box::new(ended)))];
        PastRun::all(&records).remove(0)
    }

    #[test]
    fn a_list_is_one_row_a_run() {
        assert_snapshot!(list(&[failed()], PLAIN), @r#"
         RUN                      WHEN                  WHO          WHAT                     RESULT  MESSAGE
         20261122T121530Z-1f2e3d  2026-11-22T12:15:31Z  anna@laptop  deploy: no changes on 0  failed  more "space" für web1
                                                                     hosts
        "#);
        assert_eq!(list(&[], PLAIN), "nothing has been run yet\n");
    }

    #[test]
    fn a_run_is_told_with_what_failed() {
        assert_snapshot!(show(&failed(), PLAIN), @r#"
        run 20261122T121530Z-1f2e3d: failed
          began     2026-11-22T12:15:31Z
          ended     2026-11-22T12:15:32Z, after 1.2 s, exit code 1
          who       anna@laptop
          from      /srv/site
          why       more "space" für web1
          command   cc-cloud t deploy
          commit    the files were not in git
          version   cc-cloud 0.1.0
          plan      no changes on 0 hosts
          preflight let it through
          records   1, 2

        done
        failed web1: service site, step command:finish: exit code 1
          | no <space>
          hint: make room
        not begun: web on web1: site failed
        error: the run failed; see above

         HOST  RESULT  CHANGED  UNCHANGED  FAILED  SKIPPED  TIME
         web1  failed  1        2          1       0        1 m 1 s
        "#);
    }

    #[test]
    fn a_page_holds_no_markup_of_hosts_and_fetches_nothing() {
        let page = html("t", &failed());
        assert!(
            page.contains("<pre>no &lt;space&gt;</pre>") && page.contains("more &quot;space&quot; für web1"),
            "{page}"
        );
        let begun = PastRun { ended: None, ended_at: None, result: "no end".to_owned(), ..failed() };
        for page in [page, html("t", &begun)] {
            assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
            for fetched in ["src=", "href=", "url(", "@import", "<script"] {
                assert!(!page.contains(fetched), "{fetched}");
            }
        }
    }
}
