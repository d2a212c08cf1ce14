//! A plan for people: only what changes, equal changes of several hosts once, the summary last.

use std::fmt::Write as _;

use cc_agent::change::{Change, ChangeKind, Detail};
use cc_agent::protocol::StepError;

use super::plan_view::{PENDING, PlanView, StepView};
use super::style::Style;

/// Longest diff that is shown whole, in lines; `-v` shows everything.
const DIFF_LINES: usize = 40;

/// The plan as text.
pub(super) fn render(plan: &PlanView, style: Style, verbose: bool) -> String {
    let mut text = String::new();
    for service in &plan.services {
        let folded = fold(plan, service, verbose);
        if folded.is_empty() {
            continue;
        }
        let hosts = hosts_of(plan, service);
        let _ = writeln!(text, "{} on {}", style.bold(service), hosts.join(", "));
        for (step, on) in &folded {
            let all = hosts.len() == 1 || on.len() == hosts.len() && hosts.len() > 1;
            write_step(&mut text, step, on, all, style, verbose);
        }
        text.push('\n');
    }
    write_orphans(&mut text, plan, style);
    for host in &plan.hosts {
        write_unreachable(&mut text, host.unreachable.as_deref(), host.hint.as_deref(), style);
    }
    text.push_str(&summary(plan, style));
    text
}

/// Steps of a service that are worth a line, equal ones of several hosts together, in the order of their first host.
fn fold<'p>(plan: &'p PlanView, service: &str, verbose: bool) -> Vec<(&'p StepView, Vec<&'p str>)> {
    let mut folded: Vec<(&StepView, Vec<&str>)> = Vec::new();
    let mut index: std::collections::HashMap<&str, Vec<usize>> = std::collections::HashMap::new();
    for host in &plan.hosts {
        for step in host.steps.iter().filter(|step| step.service == service) {
            if step.change.is_none() && step.error.is_none() && !verbose {
                continue;
            }
            let same = index.entry(&step.id).or_default();
            match same.iter().find(|&&at| folded[at].0 == step) {
                Some(&at) => folded[at].1.push(&host.host),
                None => {
                    same.push(folded.len());
                    folded.push((step, vec![&host.host]));
                }
            }
        }
    }
    folded
}

fn hosts_of<'p>(plan: &'p PlanView, service: &str) -> Vec<&'p str> {
    let has = |host: &&super::HostView| host.steps.iter().any(|step| step.service == service);
    plan.hosts.iter().filter(has).map(|host| host.host.as_str()).collect()
}

fn write_step(text: &mut String, step: &StepView, on: &[&str], all: bool, style: Style, verbose: bool) {
    let kind = step.change.kind;
    let line = format!("{} {}", kind.symbol(), step.name());
    let place = match (all, on) {
        (true, [_]) => String::new(),
        (true, _) => format!("  (same on {} hosts)", on.len()),
        (false, hosts) => format!("  ({})", hosts.join(", ")),
    };
    let _ = writeln!(text, "  {}{}", style.change(kind, &line), style.dim(&place));
    write_step_error(text, step.error.as_ref(), style);
    write_details(text, &step.change, style, verbose);
}

/// Why a host says nothing, when it does not.
pub(super) fn write_unreachable(text: &mut String, why: Option<&str>, hint: Option<&str>, style: Style) {
    let Some(why) = why else { return };
    let _ = writeln!(text, "{} {why}", style.bad("unreachable:"));
    if let Some(hint) = hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
}

/// Why a host cannot say what a step would change.
pub(super) fn write_step_error(text: &mut String, error: Option<&StepError>, style: Style) {
    let Some(error) = error else { return };
    let _ = writeln!(text, "      {} {}", style.bad("cannot be observed:"), error.message);
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "      hint: {hint}");
    }
}

/// What differs, a line or a diff each.
pub(super) fn write_details(text: &mut String, change: &Change, style: Style, verbose: bool) {
    for detail in &change.details {
        match detail {
            Detail::Value { field, before, after } => {
                let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                let _ = match (change.kind, before, after) {
                    (ChangeKind::Create, None, Some(after)) => writeln!(text, "      {field}: {after}"),
                    _ => writeln!(text, "      {field}: {} → {}", show(before), show(after)),
                };
            }
            Detail::Text { diff, .. } => write_diff(text, diff, style, verbose),
            Detail::Secret { field } => {
                let _ = writeln!(text, "      {field}: (secret changed)");
            }
            Detail::Note { text: note } => {
                let _ = writeln!(text, "      {}", style.dim(note));
            }
        }
    }
}

fn write_diff(text: &mut String, diff: &str, style: Style, verbose: bool) {
    let lines: Vec<&str> = diff.lines().collect();
    let shown = if verbose { lines.len() } else { lines.len().min(DIFF_LINES) };
    for line in &lines[..shown] {
        let painted = match line.as_bytes().first() {
            Some(b'+') => style.good(line),
            Some(b'-') => style.bad(line),
            Some(b'@') => style.dim(line),
            _ => (*line).to_owned(),
        };
        let _ = writeln!(text, "      {painted}");
    }
    if shown < lines.len() {
        let _ = writeln!(text, "      {}", style.dim(&format!("… {} more lines, shown by -v", lines.len() - shown)));
    }
}

fn write_orphans(text: &mut String, plan: &PlanView, style: Style) {
    if plan.orphans() == 0 {
        return;
    }
    let _ = writeln!(text, "{} (no longer in the environment; `--prune` removes them)", style.bold("orphans"));
    for host in &plan.hosts {
        for orphan in &host.orphans {
            let name = orphan.id.replacen(':', " ", 1);
            let how = if orphan.removable { "" } else { "  (cannot be removed by its type: remove it by hand)" };
            let _ =
                writeln!(text, "  {}  {}{}", style.change(ChangeKind::Delete, &format!("- {name}")), host.host, how);
        }
    }
    text.push('\n');
}

fn summary(plan: &PlanView, style: Style) -> String {
    let parts: Vec<String> = PENDING
        .into_iter()
        .map(|(kind, label)| (plan.count(kind), kind, label))
        .filter(|(count, ..)| *count > 0)
        .map(|(count, kind, label)| style.change(kind, &format!("{count} {label}")))
        .collect();
    // Of a host that did not answer nothing is known, which is not the same as no changes.
    let hosts = plan.hosts.len() - plan.unreachable();
    let mut line = if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") };
    if hosts == 0 && plan.unreachable() > 0 {
        line = "no host answered".to_owned();
    } else {
        let unchanged = plan.count(ChangeKind::None);
        let _ = write!(line, "; {unchanged} unchanged on {hosts} {}", if hosts == 1 { "host" } else { "hosts" });
    }
    for (count, label) in [(plan.orphans(), "orphans"), (plan.unreachable(), "unreachable"), (plan.errors(), "errors")]
    {
        if count > 0 {
            let _ = write!(line, "; {}", style.bad(&format!("{count} {label}")));
        }
    }
    format!("{} {line}\n", style.bold("Plan:"))
}

#[cfg(test)]
mod tests {
    use super::super::HostView;
    use super::*;

    fn step(id: &str, change: Change) -> StepView {
        StepView {
            id: id.to_owned(),
            service: id.split('/').next().unwrap_or_default().to_owned(),
            change,
            error: None,
        }
    }

    #[test]
    fn equal_changes_are_folded_and_unchanged_steps_are_counted_only() {
        let host = |name: &str, extra: Option<StepView>| HostView {
            host: name.to_owned(),
            unreachable: None,
            hint: None,
            steps: [
                Some(step(
                    "web/package:nginx",
                    Change::of(ChangeKind::Create).value("version", None, Some("1.22".into())),
                )),
                Some(step("web/file:/etc/x", Change::none())),
                extra,
            ]
            .into_iter()
            .flatten()
            .collect(),
            orphans: Vec::new(),
        };
        let only = step(
            "web/template:/etc/y",
            Change {
                kind: ChangeKind::Update,
                details: vec![Detail::Text { field: "content".into(), diff: "@@ -1 +1 @@\n-a\n+b\n".into() }],
            },
        );
        let plan = PlanView {
            environment: "local".into(),
            services: vec!["web".into()],
            hosts: vec![host("web1", None), host("web2", Some(only))],
        };
        let style = Style { color: false, width: 80, progress: false };
        insta::assert_snapshot!(render(&plan, style, false), @r"
        web on web1, web2
          + package nginx  (same on 2 hosts)
              version: 1.22
          ~ template /etc/y  (web2)
              @@ -1 +1 @@
              -a
              +b

        Plan: 2 to create, 1 to update; 2 unchanged on 2 hosts
        ");
    }
}
