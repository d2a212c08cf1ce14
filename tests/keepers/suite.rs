//! What every keeper must do, whatever it keeps its records in.

use std::sync::Arc;

use cc_cloud::keeper::{Keeper, LARGEST, Put, Removed, Version};
use tokio::sync::Barrier;

pub type Ways = Vec<Box<dyn Keeper>>;

/// Runs the suite over several ways to the same keeper, which has no records yet.
pub async fn conforms(mut ways: Ways, races: usize) {
    let keeper = ways[0].as_mut();
    writes_need_the_current_version(keeper).await;
    any_bytes_come_back(keeper).await;
    keys_are_listed(keeper).await;
    what_is_no_key_is_refused(keeper).await;
    let ways = each_race_has_one_winner(ways, races).await;
    no_change_is_lost(ways, 20).await;
}

async fn put(keeper: &mut dyn Keeper, key: &str, content: &[u8], seen: Option<&Version>) -> Version {
    match keeper.put(key, content, seen).await.unwrap() {
        Put::Done(version) => version,
        Put::Moved(current) => panic!("{key} was not written over {seen:?}: there is {current:?}"),
    }
}

async fn writes_need_the_current_version(keeper: &mut dyn Keeper) {
    assert_eq!(keeper.get("lock").await.unwrap(), None);
    let first = put(keeper, "lock", b"one", None).await;
    let one = keeper.get("lock").await.unwrap().unwrap();
    assert_eq!((one.content.as_slice(), &one.version), (b"one".as_slice(), &first));
    assert_eq!(keeper.put("lock", b"two", None).await.unwrap(), Put::Moved(Some(one)));
    let second = put(keeper, "lock", b"two", Some(&first)).await;
    assert_ne!(first, second);
    let two = keeper.get("lock").await.unwrap();
    assert_eq!(keeper.put("lock", b"one", Some(&first)).await.unwrap(), Put::Moved(two.clone()));
    assert_eq!(keeper.put("other", b"x", Some(&first)).await.unwrap(), Put::Moved(None));
    assert_eq!(keeper.remove("lock", &first).await.unwrap(), Removed::Moved(two));
    assert_eq!(keeper.remove("lock", &second).await.unwrap(), Removed::Done);
    assert_eq!(keeper.remove("lock", &second).await.unwrap(), Removed::Moved(None));
    assert_eq!(keeper.get("lock").await.unwrap(), None);
}

async fn any_bytes_come_back(keeper: &mut dyn Keeper) {
    let every: Vec<u8> = (0..=255).collect();
    for (key, content) in [("bytes/empty", Vec::new()), ("bytes/every", every), ("bytes/large", vec![7; LARGEST])] {
        put(keeper, key, &content, None).await;
        assert!(keeper.get(key).await.unwrap().unwrap().content == content, "{key} comes back as it was written");
    }
    let current = keeper.get("bytes/every").await.unwrap().unwrap();
    let error = keeper.put("bytes/every", &vec![7; LARGEST + 1], Some(&current.version)).await.unwrap_err();
    assert!(error.to_string().contains(keeper.name()), "{error}");
    assert_eq!(keeper.get("bytes/every").await.unwrap(), Some(current));
}

async fn keys_are_listed(keeper: &mut dyn Keeper) {
    assert!(keeper.list("history").await.unwrap().is_empty());
    for key in ["history/00000002-b", "history/00000010-20261122T121530Z-0a", "history/00000001-a"] {
        put(keeper, key, b"x", None).await;
    }
    let keys = ["history/00000001-a", "history/00000002-b", "history/00000010-20261122T121530Z-0a"];
    assert_eq!(keeper.list("history").await.unwrap(), keys);
}

async fn what_is_no_key_is_refused(keeper: &mut dyn Keeper) {
    for key in ["", "/", "../lock", "a//b", ".lock", "a.b", "a b"] {
        assert!(keeper.get(key).await.is_err(), "{key}");
        assert!(keeper.put(key, b"x", None).await.is_err(), "{key}");
    }
}

/// Everyone writes the same new record at the same moment.
async fn each_race_has_one_winner(ways: Ways, races: usize) -> Ways {
    let (start, count) = (Arc::new(Barrier::new(ways.len())), ways.len());
    let runners = ways.into_iter().enumerate().map(|(runner, mut keeper)| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            let mut winners = Vec::new();
            for race in 0..races {
                let key = format!("race/{race}");
                start.wait().await;
                winners.push(match keeper.put(&key, &[u8::try_from(runner).unwrap()], None).await.unwrap() {
                    Put::Done(_) => runner,
                    Put::Moved(current) => usize::from(current.unwrap().content[0]),
                });
            }
            (keeper, winners)
        })
    });
    let (mut ways, mut results) = (Vec::new(), Vec::new());
    for runner in runners.collect::<Vec<_>>() {
        let (keeper, winners) = runner.await.unwrap();
        ways.push(keeper);
        results.push(winners);
    }
    for race in 0..races {
        let named: Vec<usize> = results.iter().map(|winners| winners[race]).collect();
        assert!(named.iter().all(|winner| *winner == named[0]), "race {race}: {named:?}");
    }
    // That everyone names the same is not enough: who did not win must not believe so.
    let won = (0..count).map(|runner| results[runner].iter().filter(|winner| **winner == runner).count());
    assert_eq!(won.sum::<usize>(), races);
    ways
}

/// Everyone counts the same number up, with what they have seen.
async fn no_change_is_lost(ways: Ways, times: u64) {
    let total = times * ways.len() as u64;
    let counters = ways.into_iter().map(|mut keeper| {
        tokio::spawn(async move {
            for _ in 0..times {
                let mut current = keeper.get("count").await.unwrap();
                loop {
                    let number =
                        current.as_ref().map_or(0, |kept| u64::from_be_bytes(kept.content[..].try_into().unwrap()));
                    let seen = current.as_ref().map(|kept| &kept.version);
                    match keeper.put("count", &(number + 1).to_be_bytes(), seen).await.unwrap() {
                        Put::Done(_) => break,
                        Put::Moved(newer) => current = newer,
                    }
                }
            }
            keeper
        })
    });
    let mut last = None;
    for counter in counters.collect::<Vec<_>>() {
        last = Some(counter.await.unwrap());
    }
    let kept = last.unwrap().get("count").await.unwrap().unwrap();
    assert_eq!(u64::from_be_bytes(kept.content[..].try_into().unwrap()), total);
}
