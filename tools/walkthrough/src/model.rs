//! The walkthrough's data: parts, their steps, the commands of a step, and the checks on each.

/// A chapter: its sources, and the steps that run in a folder of its own.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// From 1 on; `--part` selects by it.
    pub number: u8,
    /// A few words.
    pub title: &'static str,
    /// What the reader will see break.
    pub breaks: &'static str,
    /// The topic, in a few sentences.
    pub about: &'static str,
    /// The files in the folder at the start.
    pub sources: &'static [Source],
    /// The kernel option it requires, without `CONFIG_`.
    pub requires: Option<&'static str>,
    /// In this order.
    pub steps: &'static [Step],
    /// What to remember, in one line.
    pub closing: &'static str,
}

impl Part {
    /// The claims, each with its number, such as `1.2`.
    pub fn claims(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        let claims = self.steps.iter().filter_map(|step| step.claim);
        claims
            .zip(1..)
            .map(|(claim, n)| (format!("{}.{n}", self.number), claim))
    }
}

/// A source file, embedded in this program.
#[derive(Debug)]
pub struct Source {
    /// Its path below `tools/walkthrough/`.
    pub path: &'static str,
    /// Its contents.
    pub text: &'static str,
}

impl Source {
    /// Its name, without the folder.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// Embeds a source of the walkthrough, by its path.
#[macro_export]
macro_rules! source {
    ($path:literal) => {
        $crate::model::Source {
            path: $path,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)),
        }
    };
}

/// Some commands, and the claim that they show.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What is done, and why.
    pub intro: &'static str,
    /// Run in this order, up to the first that fails.
    pub commands: &'static [Command],
    /// What to notice in the output.
    pub look: Option<&'static str>,
    /// What it shows; a step without a claim prepares other steps.
    pub claim: Option<&'static str>,
}

/// A command line and what is expected of it.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// As typed by a user; `$CC`, `$NM` and the like stand for tools.
    pub line: &'static str,
    /// Where it runs.
    pub place: Place,
    /// The expected exit status.
    pub exit: i32,
    /// The checks on its output; a command without checks prepares others.
    pub checks: &'static [Check],
    /// The name by which later commands of the part refer to its output.
    pub name: Option<&'static str>,
    /// Expected instead of checks: the output and status of the command before it, often C's.
    pub same: bool,
}

/// Where a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the part's folder.
    Folder,
    /// In a freshly booted virtual machine that has the folder's modules.
    Guest,
}

impl Place {
    /// The shell's prompt there.
    pub fn prompt(self) -> &'static str {
        match self {
            Place::Folder => "$ ",
            Place::Guest => "guest# ",
        }
    }
}

/// An expectation on a command's output.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// nm lists a symbol of this name, and only with this letter.
    Letter(&'static str, char),
    /// A line has all these, in this order.
    Line(&'static [&'static str]),
    /// No line has this.
    NoLine(&'static str),
    /// Standard output is exactly this.
    Output(&'static str),
    /// No output at all.
    Silent,
    /// The linker reports this symbol as undefined.
    Undefined(&'static str),
    /// Standard output equals that of an earlier command of the part.
    SameAs(&'static str),
    /// Standard output differs from that of an earlier command of the part.
    NotAs(&'static str),
}

/// A command in the part's folder.
pub const fn run(line: &'static str) -> Command {
    Command {
        line,
        place: Place::Folder,
        exit: 0,
        checks: &[],
        name: None,
        same: false,
    }
}

/// A command in a fresh virtual machine.
pub const fn guest(line: &'static str) -> Command {
    let place = Place::Guest;
    Command { place, ..run(line) }
}

/// A command with the same output and status as the one before it.
pub const fn same(line: &'static str) -> Command {
    let same = true;
    Command { same, ..run(line) }
}

impl Command {
    /// Sets the expected exit status.
    pub const fn exits(mut self, exit: i32) -> Self {
        self.exit = exit;
        self
    }

    /// Sets the checks.
    pub const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// Names the output for later commands.
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }
}

/// A step without a claim, which prepares others.
pub const fn step(intro: &'static str) -> Step {
    Step {
        intro,
        commands: &[],
        look: None,
        claim: None,
    }
}

/// A step that shows a claim.
pub const fn claim(claim: &'static str) -> Step {
    let claim = Some(claim);
    Step { claim, ..step("") }
}

impl Step {
    /// What is done, and why.
    pub const fn intro(mut self, intro: &'static str) -> Self {
        self.intro = intro;
        self
    }

    /// The commands.
    pub const fn commands(mut self, commands: &'static [Command]) -> Self {
        self.commands = commands;
        self
    }

    /// What to notice in the output.
    pub const fn look(mut self, look: &'static str) -> Self {
        self.look = Some(look);
        self
    }
}
