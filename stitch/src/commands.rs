//! The two things that stitch does, from the options to the exit code.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use trouble::Trouble;

use crate::apart::{self, Apart};
use crate::input::modules;
use crate::model::Outcome;
use crate::options::Input;
use crate::picture;
use crate::report::Paper;
use crate::shore;

/// The exit codes of `check`; those of `report` are 0 and [`UNREADABLE`].
const DISAGREES: u8 = 1;
/// A usage that stitch does not know, or a file that it cannot read.
pub const UNREADABLE: u8 = 2;
const CANNOT_TELL: u8 = 3;

/// `stitch report`: where it goes besides standard output.
pub struct Forms<'a> {
    /// JSON instead of text.
    pub json: bool,
    /// The picture.
    pub svg: Option<&'a Path>,
    /// The page.
    pub html: Option<&'a Path>,
}

/// Shows modules.
pub fn report(input: &Input, forms: &Forms<'_>) -> Result<ExitCode> {
    let all = take_apart(input)?;
    if let (Some(file), [_, second, ..]) = (forms.svg.or(forms.html), &all[..]) {
        return Err(
            Trouble::new("a picture shows one module, and here are several")
                .seen(format!("{} for {}", second.report.module, file.display()))
                .mend("give one .ko or .mod of the folder")
                .into(),
        );
    }
    for apart in &all {
        let Apart { report, sealed, .. } = apart;
        if let Some(file) = forms.svg {
            write(file, &picture::svg(report))?;
        }
        if let Some(file) = forms.html {
            write(file, &picture::html(report))?;
        }
        if forms.json {
            say(&(serde_json::to_string(report)? + "\n"))?;
        } else if forms.svg.is_none() && forms.html.is_none() {
            say(&Paper::new(colours()).report(report))?;
        }
        if *sealed {
            eprintln!("stitch: note: {}", SEALED.replace("NAME", &report.module));
        }
        for sentence in &apart.left_out {
            eprintln!("stitch: note: {sentence}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Judges modules, in silence where there is nothing to say.
pub fn check(input: &Input, allow_unknown: bool) -> Result<ExitCode> {
    let mut exit = 0;
    for Apart { report, sealed, .. } in take_apart(input)? {
        let count = |outcome| {
            let stitches = report.stitches.iter();
            stitches.filter(|s| s.verdict.outcome == outcome).count()
        };
        let (wrong, unknown) = (count(Outcome::Disagrees), count(Outcome::CannotTell));
        let worst = match (wrong, unknown, sealed) {
            (1.., ..) => DISAGREES,
            (_, 1.., _) | (.., true) if !allow_unknown => CANNOT_TELL,
            _ => 0,
        };
        // A disagreement in one module counts for more than a doubt in another.
        exit = match (exit, worst) {
            (DISAGREES, _) | (_, DISAGREES) => DISAGREES,
            (one, other) => one.max(other),
        };
        if worst == 0 {
            continue;
        }
        let paper = Paper::new(colours());
        for stitch in &report.stitches {
            let outcome = stitch.verdict.outcome;
            if outcome == Outcome::Disagrees || (outcome == Outcome::CannotTell && !allow_unknown) {
                say(&paper.stitch(stitch))?;
            }
        }
        if sealed && !allow_unknown {
            eprintln!("stitch: {}", SEALED.replace("NAME", &report.module));
        }
        eprintln!(
            "stitch: {}: of {} that cross between Rust and C, {wrong} disagree, {unknown} cannot \
             be told",
            report.module,
            report.stitches.len()
        );
    }
    Ok(ExitCode::from(exit))
}

const SEALED: &str = "NAME.ko has Rust in it, but the objects that it was linked from are not \
                      there, so nobody can tell what crossed between them\n  \
                      mend: give them too: stitch report NAME.ko *.o";

fn take_apart(input: &Input) -> Result<Vec<Apart>> {
    let symvers = match &input.symvers {
        Some(file) => shore::symvers(file)?,
        None => HashMap::new(),
    };
    for (files, mend) in [
        (
            &input.bindings,
            "give bindgen's output or a source with --bindings, or leave it out",
        ),
        (
            &input.ir,
            "give LLVM IR that rustc wrote with --ir, or leave it out",
        ),
    ] {
        if let Some(missing) = files.iter().find(|file| !file.is_file()) {
            let what = format!("{} is no file", missing.display());
            return Err(Trouble::new(what).mend(mend).into());
        }
    }
    modules(&input.paths)?
        .iter()
        .map(|module| apart::take(module, &symvers, &input.bindings, &input.ir))
        .collect()
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Whoever stops listening, as `head` does, has heard enough.
fn say(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// See <https://no-color.org>.
fn colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !unwanted && io::stdout().is_terminal()
}
