//! Probes on this machine.

use super::*;

fn readings(probes: &[Probe], listeners: &mut Listeners) -> Vec<Outcome> {
    let host = Host::new("/nonexistent");
    take(&host, probes, listeners, &|| false).into_iter().map(|reading| reading.outcome).collect()
}

fn reading(probe: Probe) -> Outcome {
    readings(&[probe], &mut Listeners::default()).remove(0)
}

fn command(words: &[&str], seconds: u32) -> Probe {
    Probe::Command { argv: words.iter().map(|word| (*word).to_owned()).collect(), seconds }
}

#[test]
fn streams_and_status_of_a_program_are_kept_apart() {
    assert_eq!(
        reading(command(&["sh", "-c", "echo out; echo err >&2; exit 3"], 10)),
        Outcome::Ended { status: 3, stdout: "out\n".to_owned(), stderr: "err\n".to_owned(), cut: false }
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    assert_eq!(reading(command(&["no-such-program"], 10)), Outcome::Absent);
    assert_eq!(reading(command(&["/no/such/program"], 10)), Outcome::Absent);
    assert_eq!(reading(command(&["sleep", "600"], 1)), Outcome::Late { seconds: 1 });
    assert_eq!(reading(Probe::File { path: "/no/such/file".to_owned() }), Outcome::Absent);
    assert!(matches!(reading(Probe::File { path: "/".to_owned() }), Outcome::Failed { .. }));
    assert_eq!(reading(Probe::Folder { path: "/etc/passwd".to_owned() }), Outcome::Absent);
}

#[test]
fn long_output_is_cut_and_says_so() {
    let Outcome::Ended { stdout, cut, .. } = reading(command(&["head", "-c", "300000", "/dev/zero"], 10)) else {
        panic!("head ends");
    };
    assert_eq!((stdout.len(), cut), (MOST, true));
}

#[test]
fn readings_come_in_the_order_of_their_probes() {
    let probes: Vec<Probe> = (0..40).map(|number| command(&["echo", &number.to_string()], 10)).collect();
    let outcomes = readings(&probes, &mut Listeners::default());
    for (number, outcome) in outcomes.iter().enumerate() {
        assert!(matches!(outcome, Outcome::Ended { stdout, .. } if *stdout == format!("{number}\n")), "{outcome:?}");
    }
}

#[test]
fn a_listener_answers_until_it_is_closed() {
    let mut listeners = Listeners::default();
    let Outcome::Listening { port } = readings(&[Probe::Listen { port: 0 }], &mut listeners).remove(0) else {
        panic!("there is a free port");
    };
    let address = || "127.0.0.1".to_owned();
    let outcomes = readings(
        &[
            Probe::Connect { address: address(), port, times: 3 },
            Probe::Echo { address: address(), port, times: 20, bytes: 1472 },
            Probe::Throughput { address: address(), port, seconds: 1, times: 2 },
            Probe::Listen { port },
        ],
        &mut listeners,
    );
    assert!(
        matches!(&outcomes[0], Outcome::Times { micros, .. } if micros.iter().flatten().count() == 3),
        "{outcomes:?}"
    );
    assert!(
        matches!(&outcomes[1], Outcome::Times { micros, .. } if micros.iter().flatten().count() == 20),
        "{outcomes:?}"
    );
    assert!(
        matches!(&outcomes[2], Outcome::Sent { runs } if runs.len() == 2 && runs.iter().all(|run| run.bytes > 0)),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[3], Outcome::Busy);
    listeners.close();
    let refused = reading(Probe::Connect { address: address(), port, times: 3 });
    let Outcome::Times { micros, why } = refused else { panic!("{refused:?}") };
    assert_eq!((micros, why.as_deref()), (vec![None, None], Some("connection refused")));
}

#[test]
fn a_stop_ends_it_early() {
    let host = Host::new("/nonexistent");
    let readings = take(&host, &[command(&["sleep", "600"], 600)], &mut Listeners::default(), &|| true);
    assert!(matches!(readings[0].outcome, Outcome::Failed { .. }));
}
