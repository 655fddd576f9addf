//! What a run found: steps, commands, and whether their claims hold.

use crate::check::Evidence;
use crate::model::Step;
use crate::shell::Output;

/// A step that was run.
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// The number of its claim, such as `1.2`; empty without one.
    pub number: String,
    /// Its commands, up to the first that failed.
    pub commands: Vec<CommandReport>,
    /// Whether all succeeded.
    pub outcome: Outcome,
}

/// A command that was run.
pub struct CommandReport {
    /// The command line, with the tools' names.
    pub line: String,
    /// The shell's prompt.
    pub prompt: &'static str,
    /// Its output.
    pub output: Output,
    /// The lines that prove its checks.
    pub evidence: Vec<Evidence>,
    /// It printed the same as the command before it, as expected.
    pub same: bool,
}

/// Whether a claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Shown,
    /// It does not: why, in sentences without a full stop.
    NotShown(Vec<String>),
    /// Unknown: this program or library is missing.
    Missing(String),
}

/// A claim of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its number, such as `1.2`.
    pub number: String,
    /// What is claimed.
    pub text: &'static str,
    /// Whether it holds.
    pub outcome: Outcome,
}
