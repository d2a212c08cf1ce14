//! What moved between two plans, for people: grouped by what it is, equal steps of several hosts once.

use std::fmt::Write as _;

use cc_agent::change::{Change, ChangeKind};

use super::moved::Moved;
use super::plan_text::write_details;
use super::style::Style;

/// Characters of a digest that tell it from another at a glance; `-v` shows all.
const DIGEST: usize = 12;

/// What moved as text; empty when nothing did.
pub(super) fn render(moved: &[Moved], style: Style, verbose: bool) -> String {
    let mut text = String::new();
    let mut heading = "";
    for one in moved.iter().filter(|one| !matches!(one, Moved::Step { .. })) {
        if heading != plural(one) {
            heading = plural(one);
            let _ = writeln!(text, "{}", style.bold(heading));
        }
        let (name, then, now) = line(one, verbose);
        let name = if name.is_empty() { name } else { format!("{name}  ") };
        let _ = match (then.as_str(), now.as_str()) {
            ("", now) => writeln!(text, "  {name}{now}"),
            (then, now) => writeln!(text, "  {name}{then} → {now}"),
        };
    }
    let folded = fold(moved);
    if !folded.is_empty() {
        let _ = writeln!(text, "{}", style.bold("steps"));
    }
    for (step, hosts) in &folded {
        write_step(&mut text, step, hosts, style, verbose);
    }
    text
}

fn plural(moved: &Moved) -> &'static str {
    match moved {
        Moved::Selection { .. } => "what was asked for",
        Moved::Program { .. } => "cc-cloud",
        Moved::Agent { .. } => "agent",
        Moved::File { .. } => "files",
        Moved::Secret { .. } => "secrets",
        Moved::Fact { .. } => "facts",
        Moved::Host { .. } => "hosts",
        Moved::Step { .. } => "steps",
        Moved::Orphan { .. } => "orphans",
        Moved::Order { .. } => "order, rollout or health checks of services",
    }
}

/// Name, then and now; the last alone where a comparison says nothing.
fn line(moved: &Moved, verbose: bool) -> (String, String, String) {
    let short = |digest: &String| if verbose { digest.clone() } else { digest.chars().take(DIGEST).collect() };
    let none = || "(none)".to_owned();
    let digest = |digest: &Option<String>| digest.as_ref().map_or_else(none, short);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(none);
    match moved {
        Moved::Selection { then, now } | Moved::Program { then, now } => (String::new(), then.clone(), now.clone()),
        Moved::Agent { then, now } | Moved::Order { then, now } => (String::new(), short(then), short(now)),
        Moved::File { path, then, now } => (path.clone(), digest(then), digest(now)),
        Moved::Secret { name, then, now } => {
            let word = match (then, now) {
                (Some(_), Some(_)) => "(secret changed)",
                (Some(_), None) => "is not used any more",
                _ => "is new",
            };
            (name.clone(), String::new(), word.to_owned())
        }
        Moved::Fact { host, fact, then, now } => (format!("{host} {fact}"), value(then), value(now)),
        Moved::Host { host, reason } => (host.clone(), String::new(), reason.clone()),
        Moved::Orphan { host, step, then, now } => {
            let run = |run: &Option<String>| run.as_ref().map_or_else(none, |run| format!("of run {run}"));
            (format!("{host} {step}"), run(then), run(now))
        }
        Moved::Step { .. } => (String::new(), String::new(), String::new()),
    }
}

/// The same movement of a step, with its hosts.
fn fold(moved: &[Moved]) -> Vec<(&Moved, Vec<&str>)> {
    let mut folded: Vec<(&Moved, Vec<&str>)> = Vec::new();
    for one in moved {
        let Moved::Step { host, .. } = one else { continue };
        match folded.iter_mut().find(|(other, _)| same_step(other, one)) {
            Some((_, hosts)) => hosts.push(host),
            None => folded.push((one, vec![host])),
        }
    }
    folded
}

/// Whether two movements are the same on two hosts.
fn same_step(one: &Moved, other: &Moved) -> bool {
    match (one, other) {
        (
            Moved::Step { step, desired, then, now, .. },
            Moved::Step { step: step2, desired: desired2, then: then2, now: now2, .. },
        ) => (step, desired, then, now) == (step2, desired2, then2, now2),
        _ => false,
    }
}

fn write_step(text: &mut String, moved: &Moved, hosts: &[&str], style: Style, verbose: bool) {
    let Moved::Step { step, desired, then, now, .. } = moved else { return };
    let name = step.replacen(':', " ", 1);
    let _ = writeln!(text, "  {name}  {}", style.dim(&format!("({})", hosts.join(", "))));
    if then == now {
        let _ = writeln!(text, "    asks for something else; what it would change looks the same");
    } else if *desired && then.is_some() && now.is_some() {
        let _ = writeln!(text, "    asks for something else");
    }
    for (word, change) in [("then:", then), ("now: ", now)] {
        let Some(change) = change else {
            let _ = writeln!(text, "    {word} (no such step)");
            continue;
        };
        let shown = format!("{} {}", change.kind.symbol(), kind(change));
        let _ = writeln!(text, "    {word} {}", style.change(change.kind, shown.trim_start()));
        write_details(text, change, style, verbose);
    }
}

fn kind(change: &Change) -> &'static str {
    match change.kind {
        ChangeKind::None => "nothing to do",
        ChangeKind::Create => "create",
        ChangeKind::Update => "update",
        ChangeKind::Delete => "delete",
        ChangeKind::Run => "run",
        ChangeKind::Unknown => "unknown until apply",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(host: &str, now: Change) -> Moved {
        Moved::Step {
            host: host.to_owned(),
            service: "web".to_owned(),
            step: "web/file:/etc/x".to_owned(),
            desired: false,
            then: Some(Change::none()),
            now: Some(now),
        }
    }

    #[test]
    fn it_is_grouped_and_equal_steps_are_folded() {
        let update = Change::of(ChangeKind::Update).value("mode", Some("0600".into()), Some("0640".into()));
        let digest = |byte: &str| Some(byte.repeat(32));
        let moved = [
            Moved::File { path: "roles/web/role.yml".into(), then: digest("ab"), now: digest("cd") },
            Moved::File { path: "roles/web/files/new".into(), then: None, now: digest("ef") },
            Moved::Secret { name: "pw".into(), then: Some("1".into()), now: Some("2".into()) },
            Moved::Host { host: "web3".into(), reason: "cannot be reached: no route".into() },
            step("web1", update.clone()),
            step("web2", update),
        ];
        let style = Style { color: false, width: 80, progress: false };
        insta::assert_snapshot!(render(&moved, style, false), @r"
        files
          roles/web/role.yml  abababababab → cdcdcdcdcdcd
          roles/web/files/new  (none) → efefefefefef
        secrets
          pw  (secret changed)
        hosts
          web3  cannot be reached: no route
        steps
          web/file /etc/x  (web1, web2)
            then: nothing to do
            now:  ~ update
              mode: 0600 → 0640
        ");
        assert_eq!(render(&[], style, false), "");
    }
}
