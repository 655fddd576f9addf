//! What the walkthrough is made of: parts, their steps, and what has to be seen in a step.

/// A chapter: some sources, and what is done with them in a folder of their own.
#[derive(Debug)]
pub struct Part {
    /// From 1 on; `--part` names it.
    pub number: u8,
    /// A few words.
    pub title: &'static str,
    /// What it is about, in a few sentences.
    pub about: &'static str,
    /// What lies in the folder at first.
    pub sources: &'static [Source],
    /// The option that the kernel must have been built with, without `CONFIG_`.
    pub needs: Option<&'static str>,
    /// What is done there, in this order.
    pub steps: &'static [Step],
}

/// A source, which is inside this program.
#[derive(Debug)]
pub struct Source {
    /// Where it is in the repository, below `walkthrough/`.
    pub path: &'static str,
    /// All of it.
    pub text: &'static str,
}

impl Source {
    /// Its name, without the folder.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// A source of the walkthrough, by its path there.
#[macro_export]
macro_rules! source {
    ($path:literal) => {
        $crate::model::Source {
            path: $path,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)),
        }
    };
}

/// One command, why it is run, and what has to come of it.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What is done, and why.
    pub why: &'static str,
    /// The command as a person would type it; `$CC`, `$NM` and the like stand for tools.
    pub command: &'static str,
    /// Where it is typed.
    pub place: Place,
    /// What a later step calls its output.
    pub name: Option<&'static str>,
    /// How the command has to end.
    pub exit: i32,
    /// What its output has to be like.
    pub checks: &'static [Check],
    /// What to look at in it.
    pub look: Option<&'static str>,
    /// What it shows; without one, it prepares other steps.
    pub claim: Option<&'static str>,
}

/// Where a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the part's folder.
    Folder,
    /// In a virtual machine that was just started, where the folder's modules lie at hand.
    Guest,
}

impl Place {
    /// What stands before the command.
    pub fn prompt(self) -> &'static str {
        match self {
            Place::Folder => "$ ",
            Place::Guest => "guest# ",
        }
    }
}

/// What has to be seen of a command.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// nm lists a symbol of this name, and only with this letter.
    Letter(&'static str, char),
    /// A line has all these, in this order.
    Line(&'static [&'static str]),
    /// No line has this.
    NoLine(&'static str),
    /// Standard output is this, and nothing else.
    Output(&'static str),
    /// Not a word, neither on standard output nor on standard error.
    Silent,
    /// The linker did not find this symbol.
    Undefined(&'static str),
    /// Standard output is that of an earlier step of the part.
    SameAs(&'static str),
    /// Standard output is not that of an earlier step of the part.
    NotAs(&'static str),
}

/// A step that has to end with 0, and shows nothing yet.
pub const fn step(why: &'static str, command: &'static str) -> Step {
    Step {
        why,
        command,
        place: Place::Folder,
        name: None,
        exit: 0,
        checks: &[],
        look: None,
        claim: None,
    }
}

/// The same in a fresh virtual machine.
pub const fn guest(why: &'static str, command: &'static str) -> Step {
    Step {
        place: Place::Guest,
        ..step(why, command)
    }
}

impl Step {
    /// Later steps of the part compare their output with this one's.
    pub const fn called(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// It has to end with another code than 0.
    pub const fn ends(mut self, exit: i32) -> Self {
        self.exit = exit;
        self
    }

    /// What has to be seen.
    pub const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// What to look at.
    pub const fn look(mut self, look: &'static str) -> Self {
        self.look = Some(look);
        self
    }

    /// The claim that it shows.
    pub const fn shows(mut self, claim: &'static str) -> Self {
        self.claim = Some(claim);
        self
    }
}
