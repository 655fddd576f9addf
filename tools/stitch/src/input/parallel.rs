//! The same for each object, by several threads where there is much to read.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::object::ObjectFile;

/// Below this a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 4 << 20;

/// What is made of each object, in their order.
pub fn each<'o, 'd, R: Send>(
    objects: &'o [ObjectFile<'d>],
    make: impl Fn(&'o ObjectFile<'d>) -> R + Sync,
) -> Vec<R> {
    let bytes: usize = objects.iter().map(|loaded| loaded.data.len()).sum();
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    if bytes < WORTH_A_THREAD || cpus == 1 || objects.len() < 2 {
        return objects.iter().map(make).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match objects.get(index) {
                Some(object) => made.push((index, make(object))),
                None => break made,
            }
        }
    };
    let mut made: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cpus.min(objects.len()))
            .map(|_| scope.spawn(work))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(made) => made,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, made)| made).collect()
}
