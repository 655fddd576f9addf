//! The shortest list of steps that still fails.

use anyhow::Result;

/// A short list of these steps that still fails, in their order. All of them together have failed, and the
/// last one of them is where it was seen. Tries at most `tries` lists.
///
/// First a short end of the list, then without this or that part of it: delta debugging, as Andreas Zeller
/// describes it in "Why Programs Fail".
pub fn shortest<T: Clone>(
    steps: &[T],
    tries: usize,
    mut fails: impl FnMut(&[T]) -> Result<bool>,
) -> Result<Vec<T>> {
    let mut left = tries;
    let mut fails = |steps: &[T]| -> Result<bool> {
        left = left.saturating_sub(1);
        Ok(left > 0 && fails(steps)?)
    };
    let mut length = 1;
    while length < steps.len() && !fails(&steps[steps.len() - length..])? {
        length *= 2;
    }
    let mut short = steps[steps.len().saturating_sub(length)..].to_vec();
    let mut part = short.len() / 2;
    while part > 0 {
        let mut start = 0;
        while start < short.len() {
            let end = short.len().min(start + part);
            let without = [&short[..start], &short[end..]].concat();
            if !without.is_empty() && fails(&without)? {
                short = without;
            } else {
                start = end;
            }
        }
        part /= 2;
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest of 1 to 1,000 that has all of these, and how many lists were tried.
    fn found(needed: &[u32], tries: usize) -> Result<(Vec<u32>, usize)> {
        let steps: Vec<u32> = (1..=1000).collect();
        let mut tried = 0;
        let short = shortest(&steps, tries, |steps| {
            tried += 1;
            Ok(needed.iter().all(|step| steps.contains(step)))
        })?;
        Ok((short, tried))
    }

    #[test]
    fn only_what_is_needed_is_left() -> Result<()> {
        for needed in [&[1000][..], &[990, 1000], &[3, 500, 1000], &[1]] {
            assert_eq!(found(needed, 1000)?.0, needed);
        }
        Ok(())
    }

    #[test]
    fn it_gives_up() -> Result<()> {
        let (short, tried) = found(&[3, 500, 1000], 20)?;
        assert!(tried <= 20, "{tried}");
        assert!([3, 500, 1000].iter().all(|step| short.contains(step)));
        Ok(())
    }
}
