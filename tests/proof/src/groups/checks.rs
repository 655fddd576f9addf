//! What any module is put through, on one kernel: hello_rust, and those in a folder of the user's.

use anyhow::{anyhow, ensure, Context, Result};

use super::splats;
use crate::harness::test::{CannotRun, Case, Outcome, Test};
use crate::support::context::{must_contain, succeed, tail, TestContext};
use lab::commands::lab::Lab;
use lab::exit::Exit;
use lab::guest::job::{self, Load, Run};
use lab::guest::machine::{Guest, Size};
use lab::judge::ktap::{self, Status};
use lab::kernel::flavour::Flavour;
use lab::kernel::load::Ko;
use lab::kernel::module::{without_kbuild, Module};
use lab::kernel::sources::{Folder, Sources};
use lab::options::Settings;

/// How many times a module is loaded and unloaded.
const LOADS: u32 = 200;

/// How many times as long as other guests that may take.
const LONGER: u32 = 3;

/// The same on each of two CPUs, and before leaks are searched for.
const FEWER_LOADS: u32 = 20;

/// A module to test, on a kernel.
pub struct Bench<'a> {
    pub context: &'a TestContext<'a>,
    pub lab: &'a Lab,
    pub sources: Sources<'a>,
    /// The user's files, script and parameters.
    pub settings: Settings,
}

/// What a module is put through.
pub type Check = fn(&Bench) -> Result<()>;

/// The checks of every module.
pub const CHECKS: &[(&str, Check)] = &[
    ("loaded and unloaded 200 times", loaded_and_unloaded),
    ("two CPUs at once", two_cpus),
];

/// The tests of the module in a folder, on these kernels.
pub fn of_folder(folder: &Folder, settings: &Settings, kernels: &[Flavour]) -> Vec<Test> {
    let script = match (&settings.run, folder.test()) {
        (Some(_), _) => "RUN",
        (None, Some(_)) => "test.sh",
        (None, None) => "loaded and unloaded",
    };
    // The slowest guest that the user allows, on the debug kernel, and a build.
    let minutes = 5 + u64::from(settings.timeout) * u64::from(LONGER) * 5 / 60;
    let mut tests = Vec::new();
    for kernel in kernels {
        let name = |what: &str| format!("{}::{}::{what}", folder.title(), kernel.name());
        let builds: Check = |bench| builds_quietly(bench).map(drop);
        let first = [("builds without a warning", builds), (script, runs)];
        let checks = first.into_iter().chain(CHECKS.iter().copied());
        let debug = kernel
            .debug
            .finds_leaks()
            .then_some(("no memory leak", is_clean as Check));
        let checks = checks.chain(debug).map(|(what, check)| {
            let folder = folder.clone();
            Test::new(name(what), move |context| {
                in_folder(context, &folder, check)
            })
        });
        let folder = folder.clone();
        let suites = Test::of_many(name("KUnit"), move |context| {
            in_folder(context, &folder, suites)
        });
        let all = checks.chain([suites]);
        tests.extend(all.map(|test| test.on(kernel).minutes(minutes)));
    }
    tests
}

fn in_folder<T>(
    context: &TestContext,
    folder: &Folder,
    check: impl Fn(&Bench) -> Result<T>,
) -> Result<T> {
    let mut settings = context.settings().clone();
    let script = folder.test().map(|script| script.display().to_string());
    settings.run = settings.run.or(script);
    check(&Bench {
        context,
        lab: &*context.lab()?,
        sources: folder.sources().fused(settings.fused),
        settings,
    })
}

impl<'a> Bench<'a> {
    /// A module of this project, which needs nothing of the user's.
    pub fn of_ours(context: &'a TestContext, lab: &'a Lab, sources: Sources<'a>) -> Self {
        let settings = Settings {
            run: None,
            files: Vec::new(),
            params: String::new(),
            ..context.settings().clone()
        };
        Bench {
            context,
            lab,
            sources,
            settings,
        }
    }

    /// The modules, built. Only the check for it says that they do not build.
    fn modules(&self) -> Result<(Module<'_>, Vec<Ko>)> {
        if let Err(error) = self.lab.module(&self.sources) {
            let failed = diagnostic::exit_of(&error) == Exit::Failed as u8;
            let why = || CannotRun("it does not build".to_owned()).into();
            return Err(if failed { why() } else { error });
        }
        self.lab.modules(&self.sources)
    }

    /// Boots with the modules, and runs what `script` makes of the kernel's own modules among them, and
    /// of the others.
    fn boot(
        &self,
        script: impl Fn(&[Load], &[Load], Option<&Run>) -> String,
        more: &[(&str, &[u8])],
        size: impl Fn(&mut Size),
        append: &str,
    ) -> Result<Guest> {
        let (built, modules) = self.modules()?;
        let names: Vec<&str> = modules.iter().map(|ko| ko.name.as_str()).collect();
        let files: Vec<String> = modules.iter().map(Ko::file).collect();
        let params = job::params_of(&self.settings.params, &names);
        let (mut in_tree, mut own) = (Vec::new(), Vec::new());
        for ((ko, file), params) in modules.iter().zip(&files).zip(params) {
            let is_own = ko.path.starts_with(built.dir());
            let loads = if is_own { &mut own } else { &mut in_tree };
            loads.push(Load { file, params });
        }
        let run = self.settings.guest_run()?;
        let job = script(&in_tree, &own, run.as_ref());
        let settings = &self.settings;
        let mut initramfs = self
            .lab
            .initramfs(settings, &built, &modules, run.as_ref(), &job)?;
        drop(built);
        for (name, content) in more {
            initramfs.file(name, 0o644, content)?;
        }
        let mut machine = self.context.machine(self.lab);
        size(&mut machine.size);
        machine.run(initramfs, append)
    }

    /// An error with what the guest printed, unless all is well.
    fn judge(&self, guest: &Guest) -> Result<()> {
        self.lab
            .judge_module(guest, &self.sources)
            .map_err(|error| {
                let printed = tail(&guest.output);
                anyhow!("{}\n{printed}", diagnostic::render(&error))
            })
    }
}

/// rustc, clippy, the C compiler at W=1, bindgen without rustfmt, objtool and modpost have nothing to
/// say. Others look at the module while this builds it again and again: it wants a folder of its own.
/// Returns Kbuild's output.
pub fn builds_quietly(bench: &Bench) -> Result<String> {
    let Bench { context, lab, .. } = bench;
    let name = format!("{}-quiet", bench.sources.name);
    let sources = Sources {
        name: &name,
        ..bench.sources
    };
    let module = Module::stage(&context.cache()?, &lab.kernel, &sources)?;
    succeed(module.make(&lab.toolchain).arg("clean"))?;
    let quietly = |words: &[&str]| {
        let printed = module.build(&lab.toolchain, words)?;
        let said = without_kbuild(&printed);
        let complains = ["warning", "error:", "failed"];
        let complains = complains
            .iter()
            .any(|word| said.to_lowercase().contains(word));
        ensure!(!complains, "make {} says:\n{said}", words[0]);
        Ok(printed)
    };
    let mut printed = quietly(&["W=1", "RUSTFMT=/no/rustfmt"])?;
    // Clippy has nothing to do without a Rust half.
    if printed.contains("RUSTC") {
        printed += &quietly(&["CLIPPY=1"])?;
    }
    Ok(printed)
}

fn loaded_and_unloaded(bench: &Bench) -> Result<()> {
    let script =
        |in_tree: &[Load], own: &[Load], _: Option<&Run>| job::repeated(in_tree, own, LOADS);
    let longer = |size: &mut Size| size.limit *= LONGER;
    let guest = bench.boot(script, &[], longer, "kunit.enable=0")?;
    bench.judge(&guest)?;
    can_be_unloaded(&guest)?;
    must_contain(&guest.output, &format!("{}{LOADS}\n", job::REPEATED))
}

fn can_be_unloaded(guest: &Guest) -> Result<()> {
    let stays = guest
        .output
        .lines()
        .find_map(|line| line.strip_prefix(job::STAYS));
    stays.map_or(Ok(()), |name| {
        Err(CannotRun(format!(
            "{name} has no exit function, so it cannot be unloaded"
        ))
        .into())
    })
}

fn two_cpus(bench: &Bench) -> Result<()> {
    let script = |in_tree: &[Load], own: &[Load], _: Option<&Run>| {
        job::on_two_cpus(in_tree, own, FEWER_LOADS)
    };
    let guest = bench.boot(script, &[], |size| size.cpus = 2, "kunit.enable=0")?;
    bench.judge(&guest)?;
    let cpus = guest.output.trim_end().ends_with('2');
    ensure!(cpus, "not two CPUs: {}", guest.output);
    Ok(())
}

/// As `make run` does.
fn runs(bench: &Bench) -> Result<()> {
    let script = |in_tree: &[Load], own: &[Load], run: Option<&Run>| {
        job::script(&[in_tree, own].concat(), run)
    };
    let guest = bench.boot(script, &[], |_| (), "kunit.enable=0")?;
    bench.judge(&guest)
}

/// No leak in many loads, and while the user's script runs. Leaks of our own come last: when kmemleak
/// knows of those, it knows what the module would have lost before.
pub fn is_clean(bench: &Bench) -> Result<()> {
    let script = |in_tree: &[Load], own: &[Load], run: Option<&Run>| {
        format!(
            "( {} ) || exit 1\n( {} ) || exit 1\n{}",
            job::repeated(in_tree, own, FEWER_LOADS),
            job::script(own, run),
            splats::LEAK
        )
    };
    let more: &[(&str, &[u8])] = &[("fault.ko", &splats::fault_ko(bench.lab)?)];
    let guest = bench.boot(script, more, |_| (), "kunit.enable=0")?;
    splats::must_be_the_leak(bench.lab, &guest)?;
    can_be_unloaded(&guest)?;
    must_contain(&guest.output, &format!("{}{FEWER_LOADS}\n", job::REPEATED))
}

/// The KUnit suites in the modules run, and their cases are the cases of the test.
pub fn suites(bench: &Bench) -> Result<Vec<Case>> {
    if !has_suites(bench)? {
        let why = "as built for this kernel, the modules have no KUnit suite";
        return Err(CannotRun(why.to_owned()).into());
    }
    // The kernel's own suites have run already.
    let script = |in_tree: &[Load], own: &[Load], _: Option<&Run>| {
        let all = [in_tree, own].concat();
        format!("dmesg -c >/dev/null\n{}", job::script(&all, None))
    };
    let guest = bench.boot(script, &[], |_| (), "")?;
    bench.judge(&guest)?;
    let cases = ktap::parse(&guest.output)?.into_iter().map(|case| {
        let outcome = match case.status {
            Status::Pass => Outcome::Passed,
            Status::Fail => Outcome::Failed(case.diagnostics.join("\n")),
            Status::Skip(why) => Outcome::Skipped(why),
        };
        Case::of_many(case.name, outcome)
    });
    Ok(cases.collect())
}

/// Where KUnit finds the suites of a module: include/linux/module.h calls it `kunit_suites`.
fn has_suites(bench: &Bench) -> Result<bool> {
    let (built, modules) = bench.modules()?;
    for ko in modules.iter().filter(|ko| ko.path.starts_with(built.dir())) {
        let mut readelf = bench.lab.toolchain.command("llvm-readelf");
        let sections = succeed(readelf.arg("--sections").arg("--wide").arg(&ko.path));
        let sections = sections.with_context(|| format!("cannot read {}", ko.path.display()))?;
        if sections.contains(".kunit_test_suites") {
            return Ok(true);
        }
    }
    Ok(false)
}
