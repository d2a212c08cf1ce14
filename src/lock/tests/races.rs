//! Races for the lock on real keepers, in real time.

use std::sync::Arc;

use super::super::driver::Driver;
use super::super::message::{News, Refusal};
use super::super::{Claim, Terms};
use crate::keeper::{FolderKeeper, Keeper, Keepers};
use crate::operator::Operator;

const RACES: usize = 50;
const RUNNERS: usize = 4;

fn keepers(folders: &[tempfile::TempDir]) -> Keepers {
    let keeper = |folder: &tempfile::TempDir| Box::new(FolderKeeper::new(folder.path())) as Box<dyn Keeper>;
    Keepers::new(folders.iter().map(keeper).collect(), Vec::new())
}

fn claim(runner: usize) -> Claim {
    let operator = Operator { user: format!("runner{runner}"), machine: "track".to_owned() };
    Claim { operator, run: format!("run{runner}"), command: "deploy".to_owned(), reason: None }
}

/// All begin at the same moment; the winner holds on until the others have heard of it.
async fn race(count: usize) {
    let folders: Arc<Vec<_>> = Arc::new((0..count).map(|_| tempfile::tempdir().unwrap()).collect());
    let (gun, finish) = (tokio::sync::Barrier::new(RUNNERS), tokio::sync::Barrier::new(RUNNERS));
    let marks = Arc::new((gun, finish));
    let run = |runner| {
        let (folders, marks) = (Arc::clone(&folders), Arc::clone(&marks));
        tokio::spawn(async move {
            marks.0.wait().await;
            let mut driver = Driver::start(keepers(&folders), &claim(runner), Terms::default());
            let news = driver.news().await;
            marks.1.wait().await;
            news
        })
    };
    let runners: Vec<_> = (0..RUNNERS).map(run).collect();
    let mut winners = Vec::new();
    let mut named = Vec::new();
    for (runner, result) in runners.into_iter().enumerate() {
        match result.await.unwrap() {
            News::Taken { token, .. } => winners.push((format!("run{runner}"), token)),
            News::Refused(Refusal::Held(by)) => named.push(by.run),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(winners[0].1 >= 1);
    assert!(named.iter().all(|run| *run == winners[0].0), "{named:?} of {winners:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_race_on_one_keeper_has_one_winner_whom_the_others_name() {
    for _ in 0..RACES {
        race(1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_race_on_three_keepers_has_one_winner() {
    for _ in 0..RACES {
        race(3).await;
    }
}
