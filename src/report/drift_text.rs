//! Drift for people: by who moved, the worst first, equal changes of several hosts once, the summary last.

use std::fmt::Write as _;

use super::drift_view::{Cause, DriftView, Drifted};
use super::plan_text::{write_details, write_step_error, write_unreachable};
use super::style::Style;

/// The drift as text.
pub(super) fn render(drift: &DriftView, style: Style, verbose: bool) -> String {
    let mut text = String::new();
    for cause in Cause::ALL {
        let folded = fold(drift, cause);
        if !folded.is_empty() {
            let _ = writeln!(text, "{}", style.bold(cause.title()));
        }
        for (first, hosts) in &folded {
            write(&mut text, first, hosts, style, verbose);
        }
        if !folded.is_empty() {
            text.push('\n');
        }
    }
    for host in &drift.hosts {
        write_unreachable(&mut text, host.unreachable.as_deref(), host.hint.as_deref(), style);
    }
    text.push_str(&summary(drift, style));
    text
}

/// What has this cause, equal changes of several hosts together, with what each host says of it.
fn fold(drift: &DriftView, cause: Cause) -> Vec<(&Drifted, Vec<(&str, &Drifted)>)> {
    let mut folded: Vec<(&Drifted, Vec<(&str, &Drifted)>)> = Vec::new();
    for host in &drift.hosts {
        for one in host.drifted.iter().filter(|one| one.cause == cause) {
            let same =
                |other: &Drifted| (&other.step, &other.change, &other.error) == (&one.step, &one.change, &one.error);
            match folded.iter_mut().find(|(first, _)| same(first)) {
                Some((_, hosts)) => hosts.push((&host.host, one)),
                None => folded.push((one, vec![(&host.host, one)])),
            }
        }
    }
    folded
}

fn write(text: &mut String, first: &Drifted, hosts: &[(&str, &Drifted)], style: Style, verbose: bool) {
    let kind = first.change.kind;
    let names: Vec<&str> = hosts.iter().map(|(host, _)| *host).collect();
    let line = style.change(kind, &format!("{} {}", kind.symbol(), first.name()));
    let _ = writeln!(text, "  {line}{}", style.dim(&format!("  ({})", names.join(", "))));
    write_step_error(text, first.error.as_ref(), style);
    write_details(text, &first.change, style, verbose);
    let past = first.past();
    if hosts.iter().all(|(_, one)| one.past() == past) {
        if !past.is_empty() {
            let _ = writeln!(text, "      {}", style.dim(&past));
        }
        return;
    }
    for (host, one) in hosts {
        let _ = writeln!(text, "      {}", style.dim(&format!("{host}: {}", one.past())));
    }
}

fn summary(drift: &DriftView, style: Style) -> String {
    let counts = Cause::ALL.into_iter().map(|cause| (drift.count(cause), cause)).filter(|(count, _)| *count > 0);
    let parts: Vec<String> = counts.map(|(count, cause)| format!("{count} {}", cause.label())).collect();
    let hosts = drift.hosts.len() - drift.unreachable();
    let mut line = match (parts.is_empty(), hosts) {
        (true, 0) if drift.unreachable() > 0 => "no host answered".to_owned(),
        (true, _) => "none".to_owned(),
        (false, _) => style.warn(&parts.join(", ")),
    };
    if hosts > 0 || drift.unreachable() == 0 {
        let in_step: usize = drift.hosts.iter().map(|host| host.in_step).sum();
        let _ = write!(line, "; {in_step} as deployed on {hosts} {}", if hosts == 1 { "host" } else { "hosts" });
    }
    if drift.unreachable() > 0 {
        let _ = write!(line, "; {}", style.bad(&format!("{} unreachable", drift.unreachable())));
    }
    format!("{} {line}\n", style.bold("Drift:"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use cc_agent::change::{Change, ChangeKind};
    use cc_agent::protocol::Trace;

    use super::super::HostDrift;
    use super::*;

    fn drifted(step: &str, cause: Cause, change: Change) -> Drifted {
        Drifted {
            step: step.to_owned(),
            cause,
            change,
            error: None,
            run: Some("20261120T080000Z-a1b2c3".to_owned()),
            applied_at: Some("2026-11-20T08:00:00Z".parse().unwrap()),
            trace: None,
        }
    }

    fn host(name: &str, drifted: Vec<Drifted>) -> HostDrift {
        HostDrift { host: name.to_owned(), unreachable: None, hint: None, in_step: 7, drifted }
    }

    /// Two hosts that drifted and one that does not answer.
    pub fn sample() -> DriftView {
        let mode = Change::of(ChangeKind::Update).value("mode", Some("0600".into()), Some("0640".into()));
        let file = |modified: i64| Drifted {
            trace: Some(Trace::File { modified, owner: "root".into() }),
            ..drifted("web/file:/etc/x", Cause::Host, mode.clone())
        };
        let package = Drifted {
            trace: Some(Trace::Package {
                date: "2026-11-21  11:00:00".into(),
                command: Some("apt remove nginx".into()),
                by: Some("ana (1000)".into()),
            }),
            ..drifted("web/package:nginx", Cause::Host, Change::of(ChangeKind::Create))
        };
        let spec = drifted("web/file:/etc/y", Cause::Spec, Change::of(ChangeKind::Update));
        let orphan = drifted("old/file:/etc/<z>", Cause::Orphan, Change::of(ChangeKind::Delete));
        let lost = HostDrift { unreachable: Some("web3: no route".into()), in_step: 0, ..host("web3", Vec::new()) };
        DriftView {
            environment: "prod".into(),
            hosts: vec![
                host("web1", vec![file(1_795_349_730), package, spec.clone(), orphan]),
                host("web2", vec![file(1_795_349_790), spec]),
                lost,
            ],
        }
    }

    #[test]
    fn who_moved_stands_above_and_equal_changes_once() {
        let style = Style { color: false, width: 80, progress: false };
        insta::assert_snapshot!(render(&sample(), style, false), @r"
        the host changed since the last deploy
          ~ web/file /etc/x  (web1, web2)
              mode: 0600 → 0640
              web1: applied 2026-11-20 08:00:00 UTC by run 20261120T080000Z-a1b2c3; modified 2026-11-22 12:15:30 UTC, owner root
              web2: applied 2026-11-20 08:00:00 UTC by run 20261120T080000Z-a1b2c3; modified 2026-11-22 12:16:30 UTC, owner root
          + web/package nginx  (web1)
              applied 2026-11-20 08:00:00 UTC by run 20261120T080000Z-a1b2c3; `apt remove nginx` at 2026-11-21  11:00:00 of the host's time, asked for by ana (1000)

        the spec changed since the last deploy
          ~ web/file /etc/y  (web1, web2)
              applied 2026-11-20 08:00:00 UTC by run 20261120T080000Z-a1b2c3

        it is no longer in the environment; `deploy --prune` removes it where its type can
          - old/file /etc/<z>  (web1)
              applied 2026-11-20 08:00:00 UTC by run 20261120T080000Z-a1b2c3

        unreachable: web3: no route
        Drift: 3 changed on the host, 2 changed in the spec, 1 orphans; 14 as deployed on 2 hosts; 1 unreachable
        ");
    }

    #[test]
    fn no_drift_is_said_in_one_line() {
        let style = Style { color: false, width: 80, progress: false };
        let drift = DriftView { environment: "prod".into(), hosts: vec![host("web1", Vec::new())] };
        assert_eq!(render(&drift, style, false), "Drift: none; 7 as deployed on 1 host\n");
    }
}
