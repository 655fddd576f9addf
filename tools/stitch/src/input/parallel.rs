//! Work on objects in parallel.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::object::ObjectFile;

/// With fewer bytes a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 4 << 20;

/// Maps each object, in parallel if they are large; keeps the order.
pub fn each<'o, 'd, R: Send>(
    objects: &'o [ObjectFile<'d>],
    map: impl Fn(&'o ObjectFile<'d>) -> R + Sync,
) -> Vec<R> {
    let bytes: usize = objects.iter().map(|object| object.data.len()).sum();
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    if bytes < WORTH_A_THREAD || cpus == 1 || objects.len() < 2 {
        return objects.iter().map(map).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mapped = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match objects.get(index) {
                Some(object) => mapped.push((index, map(object))),
                None => break mapped,
            }
        }
    };
    let mut mapped: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cpus.min(objects.len()))
            .map(|_| scope.spawn(work))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(mapped) => mapped,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    mapped.sort_by_key(|(index, _)| *index);
    mapped.into_iter().map(|(_, mapped)| mapped).collect()
}
