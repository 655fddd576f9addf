//! The guest of a storm.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, Result};

use super::parameters::Parameter;
use super::steps::{file_of, List, Target};
use super::Storm;
use crate::commands::lab::Lab;
use crate::guest::initramfs::Initramfs;
use crate::guest::job::{self, params_of, Load};
use crate::guest::machine::Guest;
use crate::kernel::flavour::Checks;
use crate::kernel::load::Ko;
use crate::kernel::module::for_guest;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// For the guest's kernel: only what is wrong gets to the console, and each step that storm.c announces. The
/// first splat is the end: after it, tasks may wait for each other forever.
pub const APPEND: &str = "loglevel=5 printk.devkmsg=on \
                      oops=panic panic_on_warn=1 hung_task_panic=1";

/// The modules that the storms are about, and where they are loaded.
pub struct Scene<'a> {
    pub(super) lab: &'a Lab,
    pub(super) sources: Sources<'a>,
    pub(super) settings: Settings,
    targets: Vec<Target>,
    /// Modules of the kernel's own that they depend on.
    others: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl<'a> Scene<'a> {
    /// Builds the modules.
    pub fn new(lab: &'a Lab, settings: Settings, sources: Sources<'a>) -> Result<Self> {
        let (built, modules) = lab.modules(&sources)?;
        Scene::of(lab, settings, sources, built.dir(), &modules)
    }

    /// With modules that have been built already, in this folder, and those that they depend on.
    pub fn of(
        lab: &'a Lab,
        settings: Settings,
        sources: Sources<'a>,
        built: &Path,
        modules: &[Ko],
    ) -> Result<Self> {
        let names: Vec<&str> = modules.iter().map(|ko| ko.name.as_str()).collect();
        let params = params_of(&settings.params, &names);
        let (mut targets, mut others, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for (ko, params) in modules.iter().zip(params) {
            files.push((ko.file(), for_guest(&lab.toolchain, &ko.path)?));
            if ko.path.starts_with(built) {
                let mut parameters = Parameter::all_of(&fs::read(&ko.path)?)?;
                parameters.retain(|parameter| !parameter.is_in(&params));
                targets.push(Target {
                    name: ko.name.clone(),
                    parameters,
                    params,
                });
            } else {
                others.push(ko.file());
            }
        }
        Ok(Scene {
            lab,
            sources,
            settings,
            targets,
            others,
            files,
        })
    }

    /// What is loaded, for people.
    pub fn title(&self) -> String {
        let names = self.targets.iter().map(|target| target.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The modules that the storms are about, in the order in which they are loaded.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Loads the modules that they depend on.
    pub fn others(&self) -> Vec<Load<'_>> {
        let others = self.others.iter().map(|file| Load {
            file,
            params: String::new(),
        });
        others.collect()
    }

    /// A guest that takes these steps for as many seconds, and then looks for leaks.
    ///
    /// # Errors
    ///
    /// When storm.c itself fails, besides those of any guest.
    pub fn run(&self, storm: &Storm, lists: &[List], seconds: u32) -> Result<Guest> {
        let others = self.others();
        let names: Vec<&str> = self.targets.iter().map(|it| it.name.as_str()).collect();
        let files: Vec<String> = (0..lists.len()).map(|nth| format!("steps.{nth}")).collect();
        let command = format!("storm {seconds} {} {}", storm.rounds, files.join(" "));
        let job = job::storm(&others, &names, &command, storm.kernel.finds_leaks());

        let mut initramfs = Initramfs::new(&self.lab.programs, &job)?;
        for (name, content) in &self.files {
            initramfs.file(name, 0o644, content)?;
        }
        for (name, list) in files.iter().zip(lists) {
            initramfs.file(name, 0o644, &file_of(list))?;
        }
        let mut machine = self.lab.machine(&self.settings);
        machine.size.cpus = storm.cpus;
        // A debug kernel is slow, and looking for leaks takes a while.
        machine.size.limit = machine.size.limit * 5 + Duration::from_secs(seconds.into());
        // A module's suites run while it is loaded, which takes time.
        let suites = storm.kernel == Checks::Kcsan;
        let guest = machine.run(
            initramfs,
            &format!("kunit.enable={} {APPEND}", u8::from(suites)),
        )?;
        let mut lines = guest.output.lines();
        match lines.find(|line| line.starts_with("storm: cannot ")) {
            Some(line) => bail!("the storm did not begin: {line}"),
            None => Ok(guest),
        }
    }
}
