//! The lab's command line; each option is also a variable of the Makefile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use diagnostic::Diagnostic;
use host::arch::Arch;

use crate::commands::coverage;
use crate::commands::fuzz;
use crate::commands::new::Kind;
use crate::commands::storm::Wishes;
use crate::guest::job::Run;
use crate::guest::machine::{Accelerator, Size};
use crate::kernel::flavour::{arch_of, is_stock, Checks, Compiler, Flavour};
use crate::kernel::sources::Folder;

/// Provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko and judges the log.
#[derive(Parser)]
#[command(name = "lab", version)]
pub struct Options {
    /// The settings.
    #[command(flatten)]
    pub settings: Settings,

    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What the lab can do.
#[derive(Subcommand)]
pub enum Action {
    /// Build the module, load and unload it in the guest, print dmesg.
    Run,
    /// A shell in the guest, with the module at hand.
    Shell,
    /// Do what `run` does, again whenever a source changes.
    Watch,
    /// gdb, with the guest that would run.
    Gdb {
        /// More words for gdb.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// A table of what was checked, what was found, what is wrong, and how to fix it.
    Doctor {
        /// A kernel tree to check as well.
        #[arg(long)]
        kdir: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// How long a change takes to reach dmesg, and where the time goes.
    Bench {
        /// How many times to measure.
        #[arg(long, env = "LAB_RUNS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        runs: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// What a call between Rust and C costs, counted in instructions.
    BenchCrossing {
        /// With both C compilers.
        #[arg(long)]
        both: bool,
        /// How many times to count; all must say the same.
        #[arg(long, env = "LAB_RUNS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
        runs: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// How long stitch takes, and how much memory, beside other programs on the same objects.
    BenchStitch {
        /// How many times to measure.
        #[arg(long, env = "LAB_RUNS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        runs: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Build the module, and report what crosses between its objects.
    Stitch {
        /// More arguments for stitch.
        #[arg(last = true)]
        words: Vec<String>,
    },
    /// Object files and libraries, step by step, with the toolchain's compilers and in the kernel.
    Walkthrough {
        /// Only this part; may be given more than once.
        #[arg(long = "part", value_name = "N")]
        parts: Vec<String>,
        /// As Markdown, for docs/.
        #[arg(long)]
        markdown: bool,
    },
    /// What a module meets in years: loads with parameters at random, races, allocations that fail.
    Storm(Wishes),
    /// Which lines of the module's Rust and C have run, and which have not.
    Coverage(coverage::Wishes),
    /// The programs of this project, on input that nobody would write.
    Fuzz(fuzz::Wishes),
    /// Provide the kernel's source only, and print its folder.
    Source,
    /// Provide the kernel only, and print its build folder.
    Kernel,
    /// Build the module, and say in which folder.
    Module,
    /// Remove what was built of another module, for all kernels.
    Clean,
    /// Make a folder with a module of the user's own.
    New {
        /// The module's name.
        #[arg(long, env = "LAB_NAME")]
        name: Option<String>,
        /// The folder to make; by default, one of that name beside this project.
        #[arg(long, env = "LAB_DIR", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        dir: Option<String>,
        /// What it does.
        #[arg(long, env = "LAB_KIND", default_value = "misc")]
        kind: Kind,
    },
    /// Write rust-project.json into the module's folder, for rust-analyzer.
    RustAnalyzer,
    /// Write compile_commands.json into the module's folder, for clangd.
    CompileCommands,
    /// The lints of clippy for the module's Rust half.
    Clippy,
    /// The documentation of the module's Rust half.
    Doc,
    /// Format the module's Rust files.
    Fmt {
        /// Only name those that would change.
        #[arg(long, env = "LAB_CHECK", value_parser = FalseyValueParser::new())]
        check: bool,
    },
}

/// Which kernel boots, with which module, in which machine. The Makefile passes the variables of its
/// command line as `LAB_…`, since CI systems use names such as `TIMEOUT` in the environment.
#[derive(Args, Clone)]
pub struct Settings {
    /// The kernel series in Debian's archive, such as 7.3; `stock` for Debian's newest kernel,
    /// unmodified; or the release of a stock kernel, such as 7.3.4+deb13-amd64.
    #[arg(long, env = "LAB_KERNEL", default_value = "7.3", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub kernel: String,

    /// The C compiler of the kernel and the module: gcc or clang.
    #[arg(long, env = "LAB_CC", default_value = "clang", global = true)]
    pub cc: Compiler,

    /// The architecture of the kernel and the module: by default this host's, or that of the stock
    /// kernel whose release is given.
    #[arg(long, env = "LAB_ARCH", global = true, value_parser = Arch::named)]
    pub arch: Option<Arch>,

    /// A kernel source of your own, instead of Debian's.
    #[arg(long, env = "LAB_KSRC", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub ksrc: Option<String>,

    /// The kernel with KASAN, lockdep and other checks that are too slow for everyday use; or, with `kcsan`, the
    /// one with KCSAN, which looks for data races.
    #[arg(long, env = "LAB_DEBUG", global = true, num_args = 0..=1, require_equals = true, default_missing_value = "1",
        default_value = "0", value_parser = Checks::named)]
    pub debug: Checks,

    /// Join the module's Rust and C as bitcode, so that functions of one are inlined into the other.
    #[arg(long, env = "LAB_FUSED", global = true, value_parser = FalseyValueParser::new())]
    pub fused: bool,

    /// Parameters of the module, as insmod takes them.
    #[arg(long, env = "LAB_PARAMS", default_value = "", global = true)]
    pub params: String,

    /// The folder of another module, instead of hello_rust.
    #[arg(long = "module", env = "LAB_M", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub folder: Option<String>,

    /// What the guest runs while the modules are loaded: a script, or a command line.
    #[arg(long, env = "LAB_RUN", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub run: Option<String>,

    /// Files and folders for the guest's root folder, with blanks between them.
    #[arg(
        long,
        env = "LAB_FILES",
        default_value = "",
        global = true,
        value_delimiter = ' '
    )]
    pub files: Vec<String>,

    /// A file with kernel options, besides the lab's own.
    #[arg(long, env = "LAB_CONFIG", global = true)]
    pub config: Option<PathBuf>,

    /// Memory of the guest, in megabytes.
    #[arg(long, env = "LAB_MEM", default_value_t = 256, global = true, value_parser = clap::value_parser!(u32).range(64..))]
    pub mem: u32,

    /// CPUs of the guest.
    #[arg(long, env = "LAB_CPUS", default_value_t = 1, global = true, value_parser = clap::value_parser!(u32).range(1..=2))]
    pub cpus: u32,

    /// How many seconds the guest may take.
    #[arg(long, env = "LAB_TIMEOUT", default_value_t = 60, global = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout: u32,

    /// What executes the guest, instead of what the probe finds.
    #[arg(long, env = "LAB_ACCEL", global = true)]
    pub accel: Option<Accelerator>,
}

impl Settings {
    /// The requested kernel.
    pub fn flavour(&self) -> Flavour {
        let series = match self.foreign_source() {
            Some(dir) => dir.display().to_string(),
            None => self.kernel.clone(),
        };
        Flavour {
            arch: self.arch.or(arch_of(&series)).unwrap_or(Arch::NATIVE),
            // Debian's own kernels are built by gcc.
            compiler: if is_stock(&series) {
                Compiler::Gcc
            } else {
                self.cc
            },
            series,
            debug: self.debug,
        }
    }

    /// # Errors
    ///
    /// When two of the settings contradict each other.
    pub fn must_fit(&self) -> Result<()> {
        let arch = self.flavour().arch;
        if arch.is_foreign() && self.accel == Some(Accelerator::Kvm) {
            return Err(
                Diagnostic::new("KVM runs no guests of another architecture")
                    .note(format!("ACCEL=kvm, for {}", arch.words().kernel))
                    .help("leave ACCEL out")
                    .into(),
            );
        }
        Ok(())
    }

    /// The user's own kernel source, if any.
    pub fn foreign_source(&self) -> Option<PathBuf> {
        let dir = self.ksrc.as_ref()?;
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.into());
        // Without a slash at the end.
        Some(dir.components().collect())
    }

    /// The module's folder, if it is not hello_rust.
    ///
    /// # Errors
    ///
    /// When it is not a module's folder.
    pub fn module_folder(&self) -> Result<Option<Folder>> {
        let path = self.folder.as_deref().map(Path::new);
        path.map(Folder::new).transpose()
    }

    /// The files for the guest.
    pub fn guest_files(&self) -> Vec<PathBuf> {
        let files = self.files.iter().filter(|file| !file.is_empty());
        files.map(PathBuf::from).collect()
    }

    /// What the guest runs while the modules are loaded: the content of a file, or a command line.
    ///
    /// # Errors
    ///
    /// When it looks like the path of a file, and cannot be read.
    pub fn guest_run(&self) -> Result<Option<Run>> {
        let Some(run) = &self.run else {
            return Ok(None);
        };
        let is_path = !run.contains(char::is_whitespace) && run.ends_with(".sh");
        match std::fs::read(run) {
            Ok(content) => Ok(Some(Run(content))),
            Err(error) if is_path && !run.starts_with('/') => {
                Err(Diagnostic::new("cannot read the script")
                    .note(format!("RUN={run}: {error}"))
                    .help(
                        "name a script on this host, or a command of the guest: RUN='sh /NAME.sh'",
                    )
                    .into())
            }
            Err(_) => Ok(Some(Run(format!("{run}\n").into_bytes()))),
        }
    }

    /// The kernel options that the user or the module's folder asks for.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn kernel_options(&self) -> Result<String> {
        let own = self.module_folder()?.and_then(|folder| folder.config());
        let Some(file) = self.config.clone().or(own) else {
            return Ok(String::new());
        };
        std::fs::read_to_string(&file).map_err(|error| {
            Diagnostic::new("cannot read the kernel options")
                .note(format!("CONFIG={}: {error}", file.display()))
                .help("name a file with lines such as CONFIG_KPROBES=y")
                .into()
        })
    }

    /// The guest's size and limits.
    pub fn size(&self) -> Size {
        Size {
            memory: self.mem,
            cpus: self.cpus,
            limit: Duration::from_secs(self.timeout.into()),
        }
    }
}
