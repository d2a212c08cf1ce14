//! The hosts of an environment that keep its lock.

use std::collections::BTreeMap;

use cc_agent::fence::Fence;
use cc_agent::protocol::Request;
use cc_plan::spec::Spec;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::fleet::{Fleet, Lost};
use super::member::{Member, is_refusal};
use crate::keeper::{Keeper, KeeperError, Keepers};
use crate::ssh::SshError;

/// How many hosts keep the records of an environment that has that many.
const KEEPERS: usize = 3;

/// The hosts that keep the records of an environment: the first three of its inventory, or the first where there are fewer.
pub fn keeper_hosts(spec: &Spec) -> Vec<String> {
    let hosts = &spec.inventory.hosts;
    let count = if hosts.len() < KEEPERS { 1 } else { KEEPERS };
    hosts.iter().take(count).map(|host| host.name.value.clone()).collect()
}

impl Fleet {
    /// Opens a way to each keeper, beside the one on which work goes on there.
    pub async fn keepers(&self, spec: &Spec) -> Keepers {
        let hosts = keeper_hosts(spec);
        let ways = join_all(hosts.iter().map(async |host| match self.find(host) {
            Some(Ok(member)) => member.keeper().await.map_err(|error| silent(host, &Lost::from(&error))),
            Some(Err(lost)) => Err(silent(host, lost)),
            None => Err(silent(host, &Lost::unknown(host))),
        }));
        let (mut answering, mut mute) = (Vec::new(), Vec::new());
        for way in ways.await {
            match way {
                Ok(keeper) => answering.push(Box::new(keeper) as Box<dyn Keeper>),
                Err(error) => mute.push(error),
            }
        }
        Keepers::new(answering, mute)
    }

    fn find(&self, host: &str) -> Option<Result<&Member, &Lost>> {
        let worked_on = self.members.get(host).map(Ok).or_else(|| self.lost.get(host).map(Err));
        worked_on.or_else(|| self.beside.get(host).map(Result::as_ref))
    }

    /// Shows every host the lock of a run: from now on they refuse changes of those who held it before. A host that is lost
    /// meanwhile leaves the fleet.
    ///
    /// # Errors
    /// A host has seen a later holder.
    pub async fn show(&mut self, fence: &Fence, parallel: usize) -> Result<(), SshError> {
        let request = Request::Fence { fence: fence.clone() };
        let jobs = self.members.values_mut().map(async |member| (member.host.clone(), member.ask(&request).await));
        let answers: BTreeMap<String, _> = stream::iter(jobs).buffer_unordered(parallel).collect().await;
        for (host, answer) in answers {
            match answer {
                Ok(_) => {}
                Err(refusal) if is_refusal(&refusal) => return Err(refusal),
                Err(trouble) => self.lose(&host, &trouble),
            }
        }
        Ok(())
    }
}

/// The host's name stands before the reason once.
fn silent(host: &str, lost: &Lost) -> KeeperError {
    let reason = lost.message.strip_prefix(&format!("{host}: ")).unwrap_or(&lost.message).to_owned();
    KeeperError::Silent { keeper: format!("host {host}"), reason, hint: lost.hint.clone() }
}
