//! Ordered maps and sets from their items.

/// As `collect`, one item after the other: `collect` sorts all of them first, and the sort of each type is 2 kB of the agent on
/// the wire.
pub(crate) fn ordered<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}
