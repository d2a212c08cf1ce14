//! Drift for CI systems, as JUnit's XML: one suite a host, one failed case for each thing that drifted.

use std::fmt::Write as _;

use cc_preflight::report::{escape, one_line};

use super::drift_view::{Cause, DriftView, Drifted, HostDrift};

impl DriftView {
    /// As JUnit's XML. A host that does not answer, and a step that cannot be observed, is an error; drift is a failure; all that
    /// is as it should be is one case that passes.
    pub fn junit(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
        for host in &self.hosts {
            write_suite(&mut text, &self.environment, host);
        }
        text.push_str("</testsuites>\n");
        text
    }
}

fn write_suite(text: &mut String, environment: &str, host: &HostDrift) {
    let unobserved = host.drifted.iter().filter(|one| one.cause == Cause::Unobserved).count();
    let _ = writeln!(
        text,
        "  <testsuite name=\"{}\" hostname=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        attribute(&format!("drift of {environment}: {}", host.host)),
        attribute(&host.host),
        host.drifted.len() + 1,
        host.drifted.len() - unobserved,
        unobserved + usize::from(host.unreachable.is_some()),
    );
    let _ = write!(text, "    <testcase classname=\"drift\" name=\"{} steps as deployed\"", host.in_step);
    match &host.unreachable {
        None => text.push_str("/>\n"),
        Some(why) => write_inside(text, "error", why, host.hint.as_deref().unwrap_or_default()),
    }
    for one in &host.drifted {
        write_case(text, one);
    }
    text.push_str("  </testsuite>\n");
}

fn write_case(text: &mut String, one: &Drifted) {
    let service = one.step.split('/').next().unwrap_or_default();
    let _ = write!(text, "    <testcase classname=\"{}\" name=\"{}\"", attribute(service), attribute(&one.name()));
    match &one.error {
        Some(error) => write_inside(text, "error", &error.message, error.hint.as_deref().unwrap_or_default()),
        None => write_inside(text, "failure", one.cause.title(), &one.past()),
    }
}

fn write_inside(text: &mut String, element: &str, message: &str, content: &str) {
    let (message, content) = (attribute(message), escape(content));
    let _ = writeln!(text, ">\n      <{element} message=\"{message}\">{content}</{element}>\n    </testcase>");
}

fn attribute(text: &str) -> String {
    escape(&one_line(text))
}

#[cfg(test)]
mod tests {
    use super::super::drift_text::tests::sample;

    #[test]
    fn each_thing_that_drifted_is_a_case() {
        let text = sample().junit();
        assert_eq!(text.matches("<testsuite ").count(), 3);
        assert!(text.contains("hostname=\"web1\" tests=\"5\" failures=\"4\" errors=\"0\""), "{text}");
        assert!(text.contains("hostname=\"web3\" tests=\"1\" failures=\"0\" errors=\"1\""), "{text}");
        assert!(text.contains("<testcase classname=\"old\" name=\"old/file /etc/&lt;z&gt;\">"), "{text}");
        assert!(
            text.contains("<failure message=\"the host changed since the last deploy\">applied 2026-11-20"),
            "{text}"
        );
        assert!(text.contains("<error message=\"web3: no route\">"), "{text}");
    }
}
