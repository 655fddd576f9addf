//! The subcommands, from options to exit status.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
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

/// Exit statuses of `check`; `report` exits with 0 or [`UNREADABLE`].
const DIFFERS: u8 = 1;
/// Invalid options, or a file that cannot be read.
pub const UNREADABLE: u8 = 2;
const UNKNOWN: u8 = 3;

/// What `stitch report` writes.
pub struct Outputs<'a> {
    pub json: bool,
    pub svg: Option<&'a Path>,
    pub html: Option<&'a Path>,
}

/// Reports on modules.
pub fn report(input: &Input, forms: &Outputs<'_>) -> Result<ExitCode> {
    let all = analyse(input)?;
    if let (Some(file), [first, second, ..]) = (forms.svg.or(forms.html), &all[..]) {
        return Err(
            Diagnostic::new("a picture shows one module, but several were given")
                .note(format!(
                    "{} and {} for {}",
                    first.report.module,
                    second.report.module,
                    file.display()
                ))
                .help("pass one .ko or .mod of the directory")
                .into(),
        );
    }
    for analysis in &all {
        let Analysis { report, unseen, .. } = analysis;
        if let Some(file) = forms.svg {
            let svg = picture::svg(report).ok_or_else(|| too_many(report.crossings.len()))?;
            write(file, &svg)?;
        }
        if let Some(file) = forms.html {
            write(file, &picture::html(report))?;
        }
        if forms.json {
            print(&(serde_json::to_string(report)? + "\n"))?;
        } else if forms.svg.is_none() && forms.html.is_none() {
            print(&TextRenderer::new(colours()).report(report))?;
        }
        for sentence in unseen.iter().chain(&analysis.ignored) {
            eprintln!("stitch: note: {sentence}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A report in all its forms: see [`crate::all_forms`].
pub fn all_forms(
    paths: &[PathBuf],
    symvers: Option<&Path>,
    kernel: Option<&Path>,
) -> Result<Vec<String>> {
    let symvers = symvers.map(imports::symvers).transpose()?;
    let symvers = symvers.unwrap_or_default();
    let mut forms = Vec::new();
    for module in modules(paths)? {
        let Analysis { report, unseen, .. } = analysis::analyse(&module, &symvers, None, kernel)?;
        forms.push(TextRenderer::new(false).report(&report));
        forms.push(serde_json::to_string(&report)?);
        forms.push(picture::html(&report));
        forms.extend(picture::svg(&report));
        forms.extend(unseen);
    }
    Ok(forms)
}

fn too_many(crossings: usize) -> Diagnostic {
    let most = picture::MOST_CROSSINGS;
    Diagnostic::new(format!("too many crossings for a picture: {crossings}"))
        .note(format!("a picture shows at most {most}"))
        .help("use --html FILE, which lists all of them in tables")
}

/// Which outcomes `check` accepts.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// [`Outcome::Unknown`]
    pub unknown: bool,
    /// [`Outcome::Language`]
    pub language: bool,
}

/// Checks modules; prints only what it rejects.
pub fn check(input: &Input, accepts: Tolerance) -> Result<ExitCode> {
    let mut exit = 0;
    for Analysis { report, unseen, .. } in analyse(input)? {
        let rejected = |outcome| match outcome {
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
        // A difference in one module outweighs an unknown in another.
        exit = match (exit, worst) {
            (DIFFERS, _) | (_, DIFFERS) => DIFFERS,
            (one, other) => one.max(other),
        };
        if worst == 0 {
            continue;
        }
        let renderer = TextRenderer::new(colours());
        let crossings = report.crossings.iter().chain(&report.kernel);
        let shown: Vec<&Crossing> = crossings.filter(|s| rejected(s.verdict.outcome)).collect();
        print(&renderer.alike(shown.iter().copied()))?;
        // The causes of a single crossing are its reasons.
        if shown.len() > 1 {
            print(&renderer.causes(&causes::of(shown.into_iter())))?;
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

/// A closed pipe, as by `head`, is no error.
fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// See <https://no-color.org>.
fn colours() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_color && io::stdout().is_terminal()
}
