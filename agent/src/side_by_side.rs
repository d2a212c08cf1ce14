//! The same work in several threads.

use std::thread;

/// Does the work in this many threads, of which this is one; back when all have ended. Where a thread cannot be had, the others
/// do its share: the work takes what there is to do from a common list until that is empty.
pub(crate) fn side_by_side(threads: usize, work: &(dyn Fn() + Sync)) {
    thread::scope(|scope| {
        for _ in 1..threads {
            // In a box as every thread of the agent: what starts a thread is compiled once for all of them.
            let work: Box<dyn FnOnce() + Send> = Box::new(work);
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}
