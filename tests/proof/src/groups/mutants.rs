//! The promise of the border, measured: the catalogue with one disagreement at a time. Each mutant
//! is built for real; what does not build did not reach insmod.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use comfy_table::{presets, ContentArrangement, Table};
use serde_json::Value;

use super::guest::CATALOGUE;
use super::mutations::{Caught, Edit, Mutant, MUTANTS};
use super::stitch::report;
use crate::harness::test::{Case, Outcome, Test};
use crate::support::context::{flavours, foreign_flavour, printed, succeed, tail, TestContext};
use lab::commands::lab::Lab;
use lab::kernel::flavour::{Compiler, Flavour};
use lab::kernel::module::Module;
use lab::kernel::sources::Sources;

/// The same sources, in a folder of their own.
const SOURCES: Sources = Sources {
    name: "mutants",
    ..CATALOGUE
};

/// One kernel for each compiler; and one of another architecture.
const KERNELS: [&str; 2] = ["7.3-clang", "7.3-gcc"];

/// The tests.
pub fn tests() -> Vec<Test> {
    flavours()
        .into_iter()
        .filter(|flavour| KERNELS.contains(&flavour.name().as_str()))
        .chain([foreign_flavour()])
        .map(|flavour| {
            Test::of_many(format!("mutants::{}", flavour.name()), |context| {
                all(context, &*context.lab()?)
            })
            .on(&flavour)
            .minutes(20)
        })
        .collect()
}

/// All of them on one kernel; on the others, those that its compiler or its architecture has a say in.
fn worth_building(flavour: &Flavour) -> impl Iterator<Item = &'static Mutant> {
    let (arch, compiler) = (flavour.arch, flavour.compiler);
    MUTANTS.iter().filter(move |mutant| {
        if arch.is_foreign() {
            mutant.caught.is_up_to_objects()
        } else {
            compiler == Compiler::Clang || mutant.caught.is_up_to_c()
        }
    })
}

/// How a mutant's build ended.
struct Verdict {
    /// Each layer that complained, by the border's own word for it; or stitch.
    layers: Vec<&'static str>,
    message: String,
}

/// What looks at the objects of a mutant that was built.
const STITCH: &str = "stitch";

fn all(_world: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    let module = Module::stage(&lab.cache, &lab.kernel, &SOURCES)?;
    let sound = Snapshot::take(&module, lab)?;
    let usual = reasons(module.dir())?;
    let mut rows = Vec::new();
    let mut cases = Vec::new();
    for mutant in worth_building(&lab.kernel.flavour) {
        sound.restore()?;
        let outcome = match build(&module, lab, mutant, &usual) {
            Ok(verdict) => {
                let outcome = judge(mutant, &verdict);
                rows.push((mutant, verdict));
                outcome
            }
            Err(error) => Outcome::of(&error),
        };
        let name = format!("{}: {}", mutant.class, mutant.what);
        cases.push(Case::of_many(name, outcome));
    }
    // All that was seen came of the mutants: what they were made from still builds.
    sound.restore()?;
    module.build(&lab.toolchain, &[])?;
    print(lab, &rows);
    Ok(cases)
}

fn build(module: &Module, lab: &Lab, mutant: &Mutant, usual: &BTreeSet<String>) -> Result<Verdict> {
    for edit in mutant.edits {
        apply(module.dir(), edit).with_context(|| format!("mutant {:?}", mutant.what))?;
    }
    let output = module.make(&lab.toolchain).output()?;
    let text = printed(&output);
    if output.status.success() {
        let seen: Vec<String> = reasons(module.dir())?.difference(usual).cloned().collect();
        let layers = if seen.is_empty() {
            vec![]
        } else {
            vec![STITCH]
        };
        let message = seen.join("; ");
        return Ok(Verdict { layers, message });
    }
    let layers: Vec<_> = Caught::LAYERS
        .into_iter()
        .filter(|layer| text.contains(&format!("{layer}: error: ")))
        .collect();
    let message = match layers.first() {
        Some(layer) => first_message(&text, layer),
        None => tail(&text),
    };
    Ok(Verdict { layers, message })
}

/// What stitch must report: what differs, or is unknown.
fn reasons(dir: &Path) -> Result<BTreeSet<String>> {
    let mut reasons = BTreeSet::new();
    let report = report(dir)?;
    for crossing in report["stitches"].as_array().into_iter().flatten() {
        let symbol = crossing["symbol"].as_str().unwrap_or_default();
        let all = crossing["verdict"]["reasons"].as_array().into_iter();
        let all = all.flatten().filter_map(Value::as_str);
        reasons.extend(all.map(|reason| format!("{symbol}: {reason}")));
    }
    Ok(reasons)
}

/// What the layer printed, and what it saw, in one line.
fn first_message(text: &str, layer: &str) -> String {
    let mut lines = text.lines();
    let start = format!("{layer}: error: ");
    let found = lines
        .find_map(|line| line.split_once(&start))
        .map_or("", |(_, what)| what);
    let notes = lines.map_while(|line| line.strip_prefix("  note: "));
    std::iter::once(found)
        .chain(notes)
        .collect::<Vec<_>>()
        .join("; ")
}

fn judge(mutant: &Mutant, verdict: &Verdict) -> Outcome {
    let fine = match mutant.caught {
        Caught::By(layer) => verdict.layers.contains(&layer),
        Caught::Stitch(word) => verdict.layers == [STITCH] && verdict.message.contains(word),
        Caught::Not(_) => verdict.layers.is_empty() && verdict.message.is_empty(),
    };
    if fine {
        Outcome::Passed
    } else {
        Outcome::Failed(format!(
            "expected {:?}, but {:?} complained:\n{}",
            mutant.caught, verdict.layers, verdict.message
        ))
    }
}

fn print(lab: &Lab, rows: &[(&Mutant, Verdict)]) {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(150)
        .set_header(["class", "mutant", "ABI", "caught by", "message"]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (mutant, verdict) in rows {
        let layers: Vec<&str> = verdict.layers.iter().map(|layer| short(layer)).collect();
        let (by, message) = match (layers.is_empty(), mutant.caught) {
            (true, Caught::Not(why)) => ("nothing".to_owned(), why.to_owned()),
            _ => (layers.join(", "), verdict.message.clone()),
        };
        *counts
            .entry(layers.first().copied().unwrap_or("nothing"))
            .or_default() += 1;
        let abi = if mutant.same_abi { "same" } else { "broken" };
        table.add_row([mutant.class, mutant.what, abi, &by, &message]);
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(by, count)| format!("{count} by {by}"))
        .collect();
    println!(
        "{} mutants on {}; caught first: {}\n{table}",
        rows.len(),
        lab.kernel.flavour.name(),
        counts.join(", ")
    );
}

/// `C against the contract` of `border: C against the contract`
fn short(layer: &str) -> &str {
    let layer = layer.trim_start_matches("border: ");
    layer.trim_end_matches(" against the contract")
}

/// Replaces the one place where `from` stands; a file that does not exist yet is written.
fn apply(dir: &Path, edit: &Edit) -> Result<()> {
    let path = dir.join(edit.file);
    let text = match edit.from {
        "" => edit.to.to_owned(),
        from => {
            let text = fs::read_to_string(&path)?;
            let count = text.matches(from).count();
            ensure!(count == 1, "{from:?} stands {count} times in {}", edit.file);
            text.replace(from, edit.to)
        }
    };
    fs::create_dir_all(path.parent().unwrap_or(dir))?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A built module, to start each mutant from: nothing but the mutation is built again.
struct Snapshot {
    dir: PathBuf,
    copy: tempfile::TempDir,
}

impl Snapshot {
    fn take(module: &Module, lab: &Lab) -> Result<Self> {
        module.build(&lab.toolchain, &[])?;
        let snapshot = Snapshot {
            dir: module.dir().to_owned(),
            copy: tempfile::tempdir_in(module.dir().with_file_name(""))?,
        };
        copy_all(&snapshot.dir, snapshot.copy.path())?;
        Ok(snapshot)
    }

    fn restore(&self) -> Result<()> {
        fs::remove_dir_all(&self.dir)?;
        fs::create_dir(&self.dir)?;
        copy_all(self.copy.path(), &self.dir)
    }
}

/// With the times, by which make knows what is done.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let mut contents = from.as_os_str().to_owned();
    contents.push("/.");
    succeed(
        Command::new("cp")
            .args(["--archive", "--"])
            .arg(contents)
            .arg(to),
    )
    .map(drop)
}
