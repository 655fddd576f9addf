//! Turns the paths of the lab's copy, in what compilers print, into those of the user's files.

use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Where a message begins, or points to: `a.c:1:2`, `--> a.rs:1:2`, `::: a.rs:1:2`. From Linux 6.13 on, the
/// compilers run in the module's folder, and name its files without it.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^(?<before>\s*(?:(?:-->|:::) |In file included from |from )?)(?<file>[^\s:]+):",
    )
    .ok()
});

/// Replaces the paths of files that exist in the user's folder, `home`, too.
pub fn in_home(printed: &str, copy: &Path, home: &Path) -> String {
    let Some(place) = &*PLACE else {
        return printed.to_owned();
    };
    let own = |found: &Captures| {
        let file = Path::new(&found["file"]);
        let below = file.strip_prefix(copy).unwrap_or(file);
        let own = home.join(below);
        if below.is_relative() && own.is_file() {
            format!("{}{}:", &found["before"], own.display())
        } else {
            found[0].to_owned()
        }
    };
    place.replace_all(printed, own).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_users_files_are_replaced() -> anyhow::Result<()> {
        let home = tempfile::tempdir()?;
        for name in ["a.rs", "b.c"] {
            std::fs::write(home.path().join(name), "")?;
        }
        let printed =
            "warning: x\n  --> a.rs:1:2\n  ::: /copy/a.rs:3:4\n/copy/b.c:5:6: error: a.rs\n\
                       \x20 --> a_h.rs:1:2\nIn file included from b.c:7:\n";
        let here = home.path().display();
        let wanted = format!(
            "warning: x\n  --> {here}/a.rs:1:2\n  ::: {here}/a.rs:3:4\n{here}/b.c:5:6: error: a.rs\n\
             \x20 --> a_h.rs:1:2\nIn file included from {here}/b.c:7:\n"
        );
        assert_eq!(in_home(printed, Path::new("/copy"), home.path()), wanted);
        Ok(())
    }
}
