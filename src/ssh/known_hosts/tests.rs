#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::certificate::Builder;

use super::*;

fn private() -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
}

fn public() -> PublicKey {
    private().public_key().clone()
}

fn text(key: &PublicKey) -> String {
    key.to_openssh().unwrap()
}

/// What two files say of `web1` at port 22.
fn known(pinned: &str, others: &str) -> KnownHosts {
    known_at(pinned, others, 22)
}

fn known_at(pinned: &str, others: &str, port: u16) -> KnownHosts {
    let folder = tempfile::tempdir().unwrap();
    let (mine, theirs) = (folder.path().join("pinned"), folder.path().join("others"));
    fs::write(&mine, pinned).unwrap();
    fs::write(&theirs, others).unwrap();
    KnownHostsFiles::default()
        .look_up(HostName::new("web1", port), Some(&mine), &[theirs, folder.path().join("missing")])
        .unwrap()
}

#[test]
fn blanks_tabs_comments_and_case() {
    let key = public();
    let (kind, blob) = (key.algorithm().to_string(), text(&key));
    let blob = blob.split(' ').nth(1).unwrap();
    for line in [
        format!("web1 {kind} {blob}"),
        format!("  \tweb1\t{kind}\t{blob}\ta comment # with words"),
        format!("# a comment\n\n   \nWEB1 {kind} {blob}\r"),
        format!("nonsense\nother {kind} not-base64\nweb1 {kind} {blob}"),
    ] {
        assert_eq!(known("", &line).judge(&key), Verdict::Trusted, "{line}");
    }
    assert_eq!(known("", &format!("# web1 {kind} {blob}")).judge(&key), Verdict::Unknown);
}

#[test]
fn several_keys_of_one_type_are_all_good() {
    let (old, new, other) = (public(), public(), public());
    let known = known("", &format!("web1 {}\nweb1 {}\n", text(&old), text(&new)));
    assert_eq!(known.judge(&old), Verdict::Trusted);
    assert_eq!(known.judge(&new), Verdict::Trusted);
    let Verdict::Changed { known, place } = known.judge(&other) else { panic!("not changed") };
    assert_eq!(known, fingerprint(&old));
    assert!(place.ends_with("others:1"), "{place}");
}

#[test]
fn another_type_than_the_known_one_is_a_change() {
    let ecdsa = Algorithm::Ecdsa { curve: russh::keys::EcdsaCurve::NistP256 };
    let ecdsa = PrivateKey::random(&mut rand::rng(), ecdsa).unwrap().public_key().clone();
    assert!(matches!(known("", &format!("web1 {}", text(&ecdsa))).judge(&public()), Verdict::Changed { .. }));
}

#[test]
fn the_environments_file_goes_first() {
    let (pinned, stale) = (public(), public());
    let both = known(&format!("web1 {}", text(&pinned)), &format!("web1 {}", text(&stale)));
    assert_eq!(both.judge(&pinned), Verdict::Trusted);
    assert!(matches!(both.judge(&stale), Verdict::Changed { .. }));
    assert_eq!(known("", &format!("web1 {}", text(&stale))).judge(&stale), Verdict::Trusted);
}

#[test]
fn a_revoked_key_is_refused_wherever_it_stands() {
    let key = public();
    let (pinned, revoked) = (format!("web1 {}", text(&key)), format!("@revoked * {}", text(&key)));
    for (mine, theirs) in
        [(format!("{pinned}\n{revoked}"), String::new()), (pinned, revoked.clone()), (String::new(), revoked)]
    {
        assert!(matches!(known(&mine, &theirs).judge(&key), Verdict::Revoked { .. }), "{mine} {theirs}");
    }
}

#[test]
fn a_key_known_without_the_port_is_good_at_any_port() {
    let (key, other) = (public(), public());
    let portless = format!("web1 {}", text(&key));
    assert_eq!(known_at("", &portless, 2222).judge(&key), Verdict::Trusted);
    assert_eq!(known_at("", &portless, 2222).judge(&other), Verdict::Unknown);
    assert!(!known_at("", &portless, 2222).is_known(), "another host may be behind this port: it has to be looked at");
    let both = format!("{portless}\n[web1]:2222 {}", text(&other));
    assert!(matches!(known_at("", &both, 2222).judge(&key), Verdict::Changed { .. }));
}

#[test]
fn a_broken_line_in_the_environments_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    fs::write(&file, format!("# ours\nweb1 {}\n@trusted web1 x\n", text(&public()))).unwrap();
    let error = KnownHostsFiles::default().look_up(HostName::new("web1", 22), Some(&file), &[]).unwrap_err();
    assert_eq!(error.detail, "line 3: unknown marker `@trusted`");
}

#[test]
fn pins_once_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("environments/local/known_hosts");
    let name = HostName::new("10.0.0.1", 2222);
    let key = UnknownKey { host: "web1".to_owned(), name: name.clone(), key: public() };
    KnownHosts::pin(&file, std::slice::from_ref(&key)).unwrap();
    KnownHosts::pin(&file, std::slice::from_ref(&key)).unwrap();
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, format!("[10.0.0.1]:2222 {} web1\n", text(&key.key)));
    assert_eq!(KnownHostsFiles::default().look_up(name, Some(&file), &[]).unwrap().judge(&key.key), Verdict::Trusted);

    fs::write(&file, "# by hand, without a newline").unwrap();
    KnownHosts::pin(&file, &[key]).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("# by hand, without a newline\n{written}"));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn pins_of_many_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::thread::scope(|scope| {
        for host in 0..8 {
            let file = &file;
            let key = UnknownKey {
                host: format!("web{host}"),
                name: HostName::new(&format!("10.0.0.{host}"), 22),
                key: public(),
            };
            scope.spawn(move || KnownHosts::pin(file, &[key]).unwrap());
        }
    });
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 8);
}

fn certificate(authority: &PrivateKey, kind: CertType, principal: &str) -> Certificate {
    let mut builder = Builder::new_with_random_nonce(&mut rand::rng(), public(), 1_000, 2_000).unwrap();
    builder.cert_type(kind).unwrap().valid_principal(principal).unwrap();
    builder.sign(authority).unwrap()
}

#[test]
fn host_certificates_of_a_known_authority() {
    let authority = private();
    let known = known("", &format!("@cert-authority web* {}", text(authority.public_key())));
    assert!(known.has_authority() && known.is_known());
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let good = certificate(&authority, CertType::Host, "web1");
    assert_eq!(known.judge_certificate(&good, at(1_500)), Verdict::Trusted);

    let invalid = |certificate: &Certificate, seconds| match known.judge_certificate(certificate, at(seconds)) {
        Verdict::Invalid { detail } => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(invalid(&good, 2_000), "it has expired");
    assert!(invalid(&good, 999).starts_with("it is not valid yet"));
    let other = certificate(&authority, CertType::Host, "db1");
    assert_eq!(invalid(&other, 1_500), "it is for db1");
    let user = certificate(&authority, CertType::User, "web1");
    assert_eq!(invalid(&user, 1_500), "it is a user's certificate");

    let stranger = certificate(&private(), CertType::Host, "web1");
    assert_eq!(known.judge_certificate(&stranger, at(1_500)), Verdict::Unknown);
    assert_eq!(known.judge(&public()), Verdict::Unknown, "a plain key needs its own line");
}

#[test]
fn a_revoked_authority_signs_nothing() {
    let authority = private();
    let line = text(authority.public_key());
    let known = known(&format!("@cert-authority web1 {line}\n@revoked * {line}"), "");
    let signed = certificate(&authority, CertType::Host, "web1");
    let now = UNIX_EPOCH + Duration::from_secs(1_500);
    assert!(matches!(known.judge_certificate(&signed, now), Verdict::Revoked { .. }));
}

#[test]
fn a_file_that_has_changed_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    let (files, name, key) = (KnownHostsFiles::default(), HostName::new("web1", 22), public());
    let judge = || files.look_up(name.clone(), Some(&path), &[]).unwrap().judge(&key);
    assert_eq!(judge(), Verdict::Unknown);
    KnownHosts::pin(&path, &[UnknownKey { host: "web1".to_owned(), name: name.clone(), key: key.clone() }]).unwrap();
    assert_eq!(judge(), Verdict::Trusted);
    fs::write(&path, format!("web1 {}\n@revoked * {}\n", text(&key), text(&key))).unwrap();
    assert!(matches!(judge(), Verdict::Revoked { .. }));
    fs::remove_file(&path).unwrap();
    assert_eq!(judge(), Verdict::Unknown);
}

proptest! {
    #[test]
    fn the_lines_of_a_host_are_those_that_fit_it(
        lines in prop::collection::vec("!?[abAB*?]{1,2}(,!?[abAB*?]{1,2}){0,2}", 0..12),
        host in "[ab]{1,2}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        let key = text(&public());
        let written: String = lines.iter().map(|hosts| format!("{hosts} {key}\n")).collect();
        fs::write(&path, written).unwrap();
        let name = HostName::new(&host, 22);
        let fitting = lines.iter().enumerate().filter(|(_, hosts)| name.fits(&hosts.parse().unwrap()));
        let expected: Vec<_> = fitting.map(|(index, _)| format!("{}:{}", path.display(), index + 1)).collect();
        let found = KnownHostsFiles::default().look_up(name.clone(), Some(&path), &[]).unwrap();
        prop_assert_eq!(found.entries.iter().map(Entry::place).collect::<Vec<_>>(), expected);
    }
}
