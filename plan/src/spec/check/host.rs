//! Hosts: names, addresses, groups, jumps.

use std::collections::BTreeMap;

use super::Read;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::Inventory;
use crate::spec::inventory::{Host, Provider};

pub(super) fn check(inventory: &Read<Inventory>, found: &mut Diagnostics) {
    let hosts = &inventory.value.hosts;
    let by_name: BTreeMap<&str, (usize, &Host)> =
        hosts.iter().enumerate().map(|(index, host)| (host.name.value.as_str(), (index, host))).collect();
    let mut addresses: BTreeMap<(&str, Option<u16>, &[String]), Span> = BTreeMap::new();
    for host in hosts {
        match &host.address {
            Some(address) => {
                // Behind different jump hosts, the same address is another machine.
                let key = (address.as_str(), host.login.port, host.login.jump.as_slice());
                if let Some(first) = addresses.insert(key, address.span) {
                    let message = format!("host `{}` has the same address and port as another host", host.name.value);
                    found.push(Diagnostic::error(address.span, message).related(first, "the other host's address"));
                }
            }
            None if inventory.value.provider == Provider::Static && !found.has_error_within(host.span) => {
                let hint = "write `address:` with an IP address or a name, or name a provider that gives addresses";
                found.push(
                    Diagnostic::error(host.name.span, format!("host `{}` has no address", host.name.value)).hint(hint),
                );
            }
            None => {}
        }
        for group in &host.groups {
            if let Some((_, named)) = by_name.get(group.value.as_str()) {
                let message = format!("`{}` is both a group and a host", group.value);
                found.push(Diagnostic::error(group.span, message).related(named.name.span, "the host"));
            }
        }
    }
    for host in hosts {
        if let Some(circle) = circle(host, &by_name) {
            let message = format!("jump hosts go in a circle: {}", circle.join(" → "));
            let error = Diagnostic::error(host.name.span, message);
            found.push(error.hint("a jump host must be reachable without the hosts behind it"));
        }
    }
}

/// The way over jump hosts from a host back to itself. Reported once, at the first host of the circle.
fn circle<'h>(start: &'h Host, by_name: &BTreeMap<&str, (usize, &'h Host)>) -> Option<Vec<&'h str>> {
    let first = by_name.get(start.name.value.as_str())?.0;
    let (mut stack, mut seen) = (vec![vec![start]], vec![start.name.value.as_str()]);
    while let Some(way) = stack.pop() {
        let last = way.last()?;
        for jump in &last.login.jump {
            let Some((index, next)) = by_name.get(jump.as_str()) else { continue };
            if *index == first {
                return Some(
                    way.iter().map(|host| host.name.value.as_str()).chain([start.name.value.as_str()]).collect(),
                );
            }
            if *index > first && !seen.contains(&jump.as_str()) {
                seen.push(jump);
                stack.push(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}
