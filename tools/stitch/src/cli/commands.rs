//! The two things that stitch does, from the options to the exit code.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use super::options::Input;
use crate::analysis::{self, Analysis};
use crate::contents::imports;
use crate::input::modules::modules;
use crate::model::{Crossing, Outcome};
use crate::picture;
use crate::probes::compile::Compilers;
use crate::report::text::TextRenderer;
use crate::verdict::causes;

/// The exit codes of `check`; those of `report` are 0 and [`UNREADABLE`].
const DIFFERS: u8 = 1;
/// A usage that stitch does not know, or a file that it cannot read.
pub const UNREADABLE: u8 = 2;
const UNKNOWN: u8 = 3;

/// `stitch report`: where it goes besides standard output.
pub struct Outputs<'a> {
    /// JSON instead of text.
    pub json: bool,
    /// The picture.
    pub svg: Option<&'a Path>,
    /// The page.
    pub html: Option<&'a Path>,
}

/// Shows modules.
pub fn report(input: &Input, forms: &Outputs<'_>) -> Result<ExitCode> {
    let all = analyse(input)?;
    if let (Some(file), [_, second, ..]) = (forms.svg.or(forms.html), &all[..]) {
        return Err(
            Diagnostic::new("a picture shows one module, and here are several")
                .note(format!("{} for {}", second.report.module, file.display()))
                .help("give one .ko or .mod of the folder")
                .into(),
        );
    }
    for apart in &all {
        let Analysis { report, unseen, .. } = apart;
        if let Some(file) = forms.svg {
            let svg = picture::svg(report).ok_or_else(|| too_much(report.crossings.len()))?;
            write(file, &svg)?;
        }
        if let Some(file) = forms.html {
            write(file, &picture::html(report))?;
        }
        if forms.json {
            say(&(serde_json::to_string(report)? + "\n"))?;
        } else if forms.svg.is_none() && forms.html.is_none() {
            say(&TextRenderer::new(colours()).report(report))?;
        }
        for sentence in unseen.iter().chain(&apart.left_out) {
            eprintln!("stitch: note: {sentence}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn too_much(crossings: usize) -> Diagnostic {
    let most = picture::MOST_CROSSINGS;
    Diagnostic::new(format!("{crossings} crossings are no picture any more"))
        .note(format!("a picture shows {most} at most"))
        .help("--html FILE, which has all of them in tables")
}

/// What `check` accepts.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// What is unknown.
    pub unknown: bool,
    /// What differs in the language only.
    pub language: bool,
}

/// Judges modules, in silence where there is nothing to say.
pub fn check(input: &Input, accepts: Tolerance) -> Result<ExitCode> {
    let mut exit = 0;
    for Analysis { report, unseen, .. } in analyse(input)? {
        let refused = |outcome| match outcome {
            Outcome::Same => false,
            Outcome::Language => !accepts.language,
            Outcome::Unknown => !accepts.unknown,
            Outcome::Differs => true,
        };
        let count = |outcome| {
            let crossings = report.crossings.iter().chain(&report.kernel);
            crossings.filter(|s| s.verdict.outcome == outcome).count()
        };
        let outcomes = [Outcome::Differs, Outcome::Language, Outcome::Unknown];
        let [differ, language, unknown] = outcomes.map(count);
        let worst = match (differ, language, unknown, !unseen.is_empty()) {
            (1.., ..) => DIFFERS,
            (_, 1.., ..) if !accepts.language => DIFFERS,
            (_, _, 1.., _) | (.., true) if !accepts.unknown => UNKNOWN,
            _ => 0,
        };
        // A difference in one module counts for more than a doubt in another.
        exit = match (exit, worst) {
            (DIFFERS, _) | (_, DIFFERS) => DIFFERS,
            (one, other) => one.max(other),
        };
        if worst == 0 {
            continue;
        }
        let renderer = TextRenderer::new(colours());
        let crossings = report.crossings.iter().chain(&report.kernel);
        let told: Vec<&Crossing> = crossings.filter(|s| refused(s.verdict.outcome)).collect();
        say(&renderer.alike(told.iter().copied()))?;
        // Of one, its reasons are the causes.
        if told.len() > 1 {
            say(&renderer.causes(&causes::of(told.into_iter())))?;
        }
        for sentence in unseen.iter().filter(|_| !accepts.unknown) {
            eprintln!("stitch: {sentence}");
        }
        eprintln!(
            "stitch: {}: crossings: {}; differ: {differ}; differ in the language only: {language}; \
             unknown: {unknown}",
            report.module,
            report.crossings.len() + report.kernel.len()
        );
    }
    Ok(ExitCode::from(exit))
}

fn analyse(input: &Input) -> Result<Vec<Analysis>> {
    let symvers = match &input.symvers {
        Some(file) => imports::symvers(file)?,
        None => HashMap::new(),
    };
    let compilers = input.probe.then(|| Compilers {
        rustc: input.rustc.clone(),
        cc: input.cc.clone(),
    });
    modules(&input.paths)?
        .iter()
        .map(|module| {
            analysis::analyse(
                module,
                &symvers,
                compilers.as_ref(),
                input.kernel.as_deref(),
            )
        })
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
