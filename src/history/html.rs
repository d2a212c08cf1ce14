//! A run of the past for an archive.

use std::fmt::Write as _;

use cc_preflight::report::page::{Page, block, line};

use super::ended::{Ended, HostResult, StepResult};
use super::past_run::PastRun;
use super::text::facts;
use crate::report::run_text::duration;

/// One file that needs nothing else, in the style of the preflight report.
pub fn html(environment: &str, run: &PastRun) -> String {
    let mut page = Page::new(&format!("Run {} of {environment}", run.run));
    let class = if run.ended.as_ref().is_some_and(|ended| ended.exit_code == 0) { "open" } else { "blocked" };
    let _ = writeln!(
        page,
        "<header>\n<p class=\"kind\">Run of {}</p>\n<h1>{}</h1>\n<p class=\"outcome {class}\">{}</p>",
        line(environment),
        line(&run.run),
        line(&run.result)
    );
    let facts = facts(run);
    let facts: Vec<(&str, &str)> = facts.iter().map(|(term, value)| (*term, value.as_str())).collect();
    page.facts(&facts);
    page.add("</header>\n<main>\n");
    if let Some(ended) = &run.ended {
        write_troubles(&mut page, ended);
        write_hosts(&mut page, ended);
    }
    write_plan(&mut page, run);
    if let Some(ended) = &run.ended {
        write_steps(&mut page, ended);
    }
    page.finish(env!("CARGO_PKG_VERSION"))
}

fn write_troubles(page: &mut Page, ended: &Ended) {
    if ended.exit_code == 0 {
        return;
    }
    page.add("<section id=\"troubles\"><h2>What went wrong</h2>\n");
    for host in &ended.hosts {
        for step in host.steps.iter().filter(|step| step.error.is_some()) {
            write_failure(page, host, step);
        }
        for finding in &host.checks {
            let log = if finding.log.is_empty() { String::new() } else { finding.log.join("\n") };
            let title = format!("{} {}", finding.service, finding.check);
            write_trouble(page, &host.summary.host, &title, &[("Observed", &finding.observed)], &log);
        }
        if let Some(why) = &host.unreachable {
            write_trouble(page, &host.summary.host, "unreachable", &[("Reason", why)], "");
        }
    }
    for blocked in &ended.blocked {
        write_trouble(page, &blocked.hosts.join(", "), &blocked.service, &[("Not begun", &blocked.reason)], "");
    }
    for error in &ended.errors {
        write_trouble(page, "", "", &[("Said", error)], "");
    }
    page.add("</section>\n");
}

fn write_failure(page: &mut Page, host: &HostResult, step: &StepResult) {
    let Some(error) = &step.error else { return };
    let mut rows = vec![("Reason", error.message.as_str())];
    rows.extend(error.command.as_deref().map(|command| ("Command", command)));
    rows.extend(error.hint.as_deref().map(|hint| ("Fix", hint)));
    write_trouble(page, &host.summary.host, &step.step, &rows, &error.output.join("\n"));
}

/// One thing that failed, with the last lines of its output.
fn write_trouble(page: &mut Page, host: &str, title: &str, rows: &[(&str, &str)], output: &str) {
    let _ = writeln!(
        page,
        "<article class=\"fail\"><p class=\"mark\"><span aria-hidden=\"true\">✗</span> failed</p>\n\
         <div><h4><b>{}</b> <code>{}</code></h4>\n<dl>",
        line(host),
        line(title)
    );
    for (term, value) in rows {
        let _ = writeln!(page, "<dt>{term}</dt><dd>{}</dd>", line(value));
    }
    page.add("</dl>\n");
    if !output.is_empty() {
        let _ = writeln!(page, "<pre>{}</pre>", block(output));
    }
    page.add("</div></article>\n");
}

fn write_hosts(page: &mut Page, ended: &Ended) {
    let row = |host: &HostResult| {
        let summary = &host.summary;
        let counts =
            [summary.changed, summary.unchanged, summary.failed, summary.skipped].map(|count| count.to_string());
        let name = [summary.host.clone(), summary.state.name().to_owned()];
        name.into_iter().chain(counts).chain([duration(summary.millis)]).collect()
    };
    let rows: Vec<Vec<String>> = ended.hosts.iter().map(row).collect();
    page.add("<section id=\"hosts\"><h2>Hosts</h2>\n");
    page.table(&["Host", "Result", "Changed", "Unchanged", "Failed", "Skipped", "Time"], &rows);
    page.add("</section>\n");
}

fn write_plan(page: &mut Page, run: &PastRun) {
    let Some(began) = run.began.as_ref().filter(|began| !began.plan.steps.is_empty()) else { return };
    let steps = began.plan.steps.iter();
    let rows = steps.map(|step| vec![step.kind.symbol().to_string(), step.step.clone(), step.hosts.join(", ")]);
    page.add("<section id=\"plan\"><h2>What was planned</h2>\n");
    page.table(&["Change", "Step", "Hosts"], &rows.collect::<Vec<_>>());
    write_unlisted(page, began.plan.unlisted);
}

fn write_unlisted(page: &mut Page, unlisted: usize) {
    if unlisted > 0 {
        let _ = writeln!(page, "<p>{unlisted} more steps are not listed in the record.</p>");
    }
    page.add("</section>\n");
}

fn write_steps(page: &mut Page, ended: &Ended) {
    let row = |host: &HostResult, step: &StepResult| {
        let result = if step.error.is_some() { "failed" } else { "done" };
        let mark = step.kind.symbol().to_string();
        vec![host.summary.host.clone(), mark, step.step.clone(), result.to_owned(), duration(step.millis)]
    };
    let rows = ended.hosts.iter().flat_map(|host| host.steps.iter().map(|step| row(host, step)));
    page.add("<section id=\"steps\"><h2>What was done</h2>\n");
    page.table(&["Host", "Change", "Step", "Result", "Time"], &rows.collect::<Vec<_>>());
    write_unlisted(page, ended.unlisted);
}
