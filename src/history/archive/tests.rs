use std::path::Path;

use super::super::{Chain, PastRun, sample};
use super::*;
use crate::keeper::{FolderKeeper, KeeperError};

fn folder(root: &Path, name: &str) -> Box<dyn Keeper> {
    Box::new(FolderKeeper::new(root.join(name)))
}

/// At these keepers, with a copy in `here`.
fn archive(root: &Path, keepers: &[&str]) -> Archive {
    let keepers = keepers.iter().map(|name| folder(root, name)).collect();
    Archive::new(keepers, Vec::new(), Some(folder(root, "here")))
}

fn began() -> Entry {
    Entry::Began(Box::new(sample::began()))
}

fn ended() -> Entry {
    Entry::Ended(Box::new(sample::ended()))
}

fn silent(name: &str) -> KeeperError {
    KeeperError::Silent { keeper: name.to_owned(), reason: "no answer within 15 s".to_owned(), hint: None }
}

fn file(root: &Path, keeper: &str, number: u64) -> std::path::PathBuf {
    root.join(format!("{keeper}/kept/history/{number:08}"))
}

async fn faults(archive: &mut Archive) -> Vec<String> {
    Chain::of(&archive.copies().await.0).faults.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn records_follow_each_other_in_every_place() {
    let root = tempfile::tempdir().unwrap();
    let mut archive = archive(root.path(), &["a", "b", "c"]);
    for (run, entry) in [("one", began()), ("one", ended()), ("two", began())] {
        assert_eq!(archive.append(run, &entry).await.unwrap().troubles, Vec::<String>::new());
    }
    let (copies, _) = archive.copies().await;
    assert_eq!(copies.iter().map(|copy| copy.records.len()).collect::<Vec<_>>(), [3; 4]);
    assert_eq!(Chain::of(&copies).faults, Vec::new());
    let (records, troubles) = archive.newest(|records| records.len() == 2).await;
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(troubles, Vec::<String>::new());
}

#[tokio::test]
async fn what_one_wrote_the_other_reads_and_then_keeps() {
    let root = tempfile::tempdir().unwrap();
    archive(root.path(), &["a"]).append("one", &began()).await.unwrap();
    let mut colleague = Archive::new(vec![folder(root.path(), "a")], Vec::new(), Some(folder(root.path(), "there")));
    colleague.append("one", &ended()).await.unwrap();
    let (records, _) = colleague.newest(|_| false).await;
    assert_eq!(PastRun::all(&records)[0].result, "ok");
    assert!(file(root.path(), "there", 1).exists(), "read once, kept for reading without hosts");
}

#[tokio::test]
async fn a_keeper_that_was_away_gets_what_it_lacks() {
    let root = tempfile::tempdir().unwrap();
    let two = vec![folder(root.path(), "a"), folder(root.path(), "b")];
    let mut without = Archive::new(two, vec![silent("host c")], None);
    let appended = without.append("one", &began()).await.unwrap();
    assert_eq!(appended.troubles, ["host c does not answer: no answer within 15 s"]);
    let mut all = archive(root.path(), &["a", "b", "c"]);
    let troubles = all.append("one", &ended()).await.unwrap().troubles;
    assert!(troubles.len() == 1 && troubles[0].ends_with("c lacked a part of the history; records copied there: 1"));
    assert_eq!(faults(&mut all).await, Vec::<String>::new());
}

#[tokio::test]
async fn too_few_keepers_leave_no_record() {
    let root = tempfile::tempdir().unwrap();
    let one = vec![folder(root.path(), "a")];
    let mut alone = Archive::new(one, vec![silent("host b"), silent("host c")], None);
    let error = alone.append("one", &began()).await.err().unwrap().to_string();
    assert!(error.starts_with("the history can be written in 1 of 3 places only: host b does not answer"), "{error}");
    // Two that are there and cannot write: what the first has taken is taken back.
    let root = tempfile::tempdir().unwrap();
    for name in ["b", "c"] {
        std::fs::create_dir_all(root.path().join(name).join("kept/history/00000001")).unwrap();
    }
    let mut broken = archive(root.path(), &["a", "b", "c"]);
    assert!(matches!(broken.append("one", &began()).await, Err(ArchiveError::TooFew { able: 1, of: 3, .. })));
    assert!(!file(root.path(), "a", 1).exists());
    assert!(matches!(
        Archive::new(Vec::new(), Vec::new(), None).append("one", &began()).await,
        Err(ArchiveError::NoPlace)
    ));
}

#[tokio::test]
async fn a_damaged_newest_record_stops_nobody_and_stays_named() {
    let root = tempfile::tempdir().unwrap();
    let mut only = archive(root.path(), &[]);
    only.append("one", &began()).await.unwrap();
    let path = file(root.path(), "here", 1);
    std::fs::write(&path, "{}").unwrap();
    only.append("one", &ended()).await.unwrap();
    let named = faults(&mut only).await;
    assert_eq!(named, ["record 1 was changed on this machine: it has no number"]);
    let (records, troubles) = only.newest(|_| false).await;
    assert_eq!((records.len(), troubles.len()), (1, 1), "{troubles:?}");
}

#[tokio::test]
async fn hosts_that_were_made_anew_get_the_history_back_from_this_machine() {
    let root = tempfile::tempdir().unwrap();
    archive(root.path(), &["a"]).append("one", &began()).await.unwrap();
    std::fs::remove_dir_all(root.path().join("a")).unwrap();
    let mut again = archive(root.path(), &["a"]);
    again.append("one", &ended()).await.unwrap();
    assert_eq!(faults(&mut again).await, Vec::<String>::new());
    assert!(file(root.path(), "a", 1).exists());
}

#[tokio::test]
async fn two_who_write_at_the_same_time_both_get_a_place() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().to_owned();
    let writers = (0..4).map(|number| {
        let path = path.clone();
        tokio::spawn(async move {
            let mut own =
                Archive::new(vec![folder(&path, "a"), folder(&path, "b"), folder(&path, "c")], Vec::new(), None);
            own.append(&format!("run {number}"), &began()).await.unwrap().sealed.number
        })
    });
    let mut numbers: Vec<u64> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(faults(&mut archive(&path, &["a", "b", "c"])).await, Vec::<String>::new());
}
