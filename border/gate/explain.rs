// SPDX-License-Identifier: GPL-2.0

//! Runs rustc; where it fails over something of a contract, tells what the header says: rustc
//! knows the generated bindings only.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, ExitCode, Stdio};

use crate::bindings::declarations;
use crate::problem::{read, Layer, Problem};

/// `CONTRACT.rs... -- RUSTC ARGUMENTS...`
pub(crate) fn rustc(words: &[&str]) -> ExitCode {
    let mut parts = words.splitn(2, |word| *word == "--");
    let contracts = parts.next().unwrap_or_default();
    let Some(([rustc, arguments @ ..], contracts)) = parts.next().map(|rest| (rest, contracts))
    else {
        eprint!("{}", Problem::of_use("gate rustc: no compiler after --"));
        return ExitCode::FAILURE;
    };
    match run(rustc, arguments) {
        Ok((true, _)) => ExitCode::SUCCESS,
        Ok((false, said)) => {
            for problem in explanations(contracts, &said) {
                eprint!("{problem}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprint!(
                "{}",
                Problem::new(Layer::Gate, format!("cannot run {rustc}: {error}"))
            );
            ExitCode::FAILURE
        }
    }
}

/// Whether it succeeded, and its messages, which are passed on as they come.
fn run(rustc: &str, arguments: &[&str]) -> std::io::Result<(bool, String)> {
    let mut command = Command::new(rustc);
    command.args(arguments).stderr(Stdio::piped());
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        command.arg("--color=always");
    }
    let mut child = command.spawn()?;
    let mut said = String::new();
    for line in child
        .stderr
        .take()
        .into_iter()
        .flat_map(|pipe| BufReader::new(pipe).split(b'\n'))
    {
        let line = String::from_utf8_lossy(&line?).into_owned();
        eprintln!("{line}");
        said += &line;
        said.push('\n');
    }
    Ok((child.wait()?.success(), said))
}

/// For each name of a contract in rustc's errors: where the header declares it, and how.
fn explanations(contracts: &[&str], said: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for contract in contracts {
        let Ok(source) = read(contract) else { continue };
        for (name, declared) in declarations(&source) {
            if names(said).any(|said| said == name) {
                problems.push(
                    Problem::new(Layer::Rust, format!("{name} is not used as it is declared"))
                        .seen(declared)
                        .mend("make both say the same; rustc says above what Rust has"),
                );
            }
        }
    }
    problems
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}
