//! Long commands: progress that moves, the whole output in a log, the telling lines on failure.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, one line of progress in this time.
const QUIET_INTERVAL: Duration = Duration::from_secs(10);

/// Steps that took longer say so when they end.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// What a line of a command's output says about how far it is.
pub enum Tick {
    /// Nothing.
    None,
    /// One more step was done.
    Step,
    /// So many percent are done.
    Percent(f32),
}

/// A long command, whose progress is shown on stderr.
pub struct Job<'a> {
    /// What is being done, as a user would say it.
    pub what: &'a str,
    /// Where the whole output goes.
    pub log: &'a Path,
    /// About how many [`Tick::Step`]s there will be; 0 if unknown.
    pub steps: u64,
    /// Reads progress from a line of output.
    pub tick: fn(&str) -> Tick,
}

impl Job<'_> {
    /// Runs the command to its end; it does not outlive this call.
    ///
    /// # Errors
    ///
    /// When it cannot be started or fails, and when its log cannot be written, which stops it. The
    /// error shows the telling lines of its output.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let start = Instant::now();
        // A command whose log cannot be made is not started.
        let log = File::create(self.log).map_err(|error| self.no_log(&error, &[]))?;
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .context("cannot make a pipe")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(writer.try_clone().context("cannot share a pipe")?)
            .stderr(writer)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut running = Running(child);
        // The command holds the pipe's other end as well; without it the pipe would never close.
        command.stdout(Stdio::null()).stderr(Stdio::null());

        let tail = self.follow(File::from(reader), log)?;
        if !running.wait()?.success() {
            return Err(self.failure(&tail).into());
        }
        if start.elapsed() >= WORTH_TELLING {
            eprintln!("lab: {}: took {} s", self.what, start.elapsed().as_secs());
        }
        Ok(())
    }

    /// Shows progress until the output ends; returns its last lines.
    fn follow(&self, output: File, mut log: File) -> Result<Vec<String>> {
        let mut display = Display::new(self.what, self.steps);
        let mut tail: Vec<String> = Vec::new();

        for line in BufReader::new(output).split(b'\n') {
            let line = line.with_context(|| format!("{}: cannot read its output", self.what))?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let written = writeln!(log, "{line}");
            display.update((self.tick)(&line), &line);
            if tail.len() == 200 {
                tail.remove(0);
            }
            tail.push(line);
            if let Err(error) = written {
                return Err(self.no_log(&error, &tail).into());
            }
        }
        Ok(tail)
    }

    /// Most often the disk is full. The command may have noticed first, so its errors are shown.
    fn no_log(&self, error: &io::Error, tail: &[String]) -> Diagnostic {
        let what = format!("{}: failed: its log cannot be written", self.what);
        let seen = format!("{}: {error}", self.log.display());
        let error = match errors_in(tail) {
            Some(lines) => Diagnostic::new(what).note(lines),
            None => Diagnostic::new(what),
        };
        let remedy = remedy_for(&seen);
        error
            .note(seen)
            .help(remedy.unwrap_or("set XDG_CACHE_HOME to a writable folder"))
    }

    fn failure(&self, tail: &[String]) -> Diagnostic {
        let error = Diagnostic::new(format!("{}: failed", self.what))
            .note(telling_lines(tail))
            .note(format!("whole output: {}", self.log.display()));
        match remedy_for(&tail.join("\n")) {
            Some(remedy) => error.help(remedy),
            None => error,
        }
    }
}

/// A command that is stopped, unless it has ended, when its output is no longer read. A
/// sandbox takes with it all that it started.
struct Running(Child);

impl Running {
    fn wait(&mut self) -> Result<ExitStatus> {
        self.0.wait().context("cannot wait for a command")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What was killed does not keep its parent waiting; what has ended is left alone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first of the [`REMEDIES`] that a text calls for.
fn remedy_for(text: &str) -> Option<&'static str> {
    let (_, remedy) = REMEDIES.iter().find(|(sign, _)| text.contains(sign))?;
    Some(remedy)
}

/// What commands say when they fail for want of something, and what a user can do about it.
const REMEDIES: &[(&str, &str)] = &[
    (
        "No space left on device",
        "free some space, or set XDG_CACHE_HOME to a larger disk",
    ),
    (
        "Disk quota exceeded",
        "free some space, or set XDG_CACHE_HOME to a larger disk",
    ),
    (
        "Temporary failure resolving",
        "check the network connection, then run the same command again",
    ),
    (
        "Could not resolve",
        "check the network connection, then run the same command again",
    ),
    (
        "Could not connect",
        "check the network connection, then run the same command again",
    ),
    (
        "Connection failed",
        "check the network connection, then run the same command again",
    ),
    (
        "is not signed",
        "run the same command again; if it fails again, choose another mirror in this host's apt sources",
    ),
    (
        "Unable to fetch",
        "run the same command again: what was fetched is checked, and kept only if whole",
    ),
    (
        "Failed to fetch",
        "run the same command again: what was fetched is checked, and kept only if whole",
    ),
    (
        "Hash Sum mismatch",
        "run the same command again: the archive arrived damaged and was thrown away",
    ),
];

/// The errors in a command's output, or else its last lines.
fn telling_lines(tail: &[String]) -> String {
    errors_in(tail).unwrap_or_else(|| tail[tail.len().saturating_sub(8)..].join("\n"))
}

/// An error in our own format, or the lines that say error.
fn errors_in(tail: &[String]) -> Option<String> {
    let own = tail
        .windows(2)
        .rposition(|pair| pair[0].contains(": error: ") && pair[1].starts_with("  note: "));
    if let Some(from) = own {
        return Some(tail[from..].join("\n"));
    }
    let telling = |line: &&str| {
        let line = line.to_lowercase();
        ["error", "e: ", "cannot", "failed", "no space"]
            .iter()
            .any(|sign| line.contains(sign))
            && !line.starts_with("make")
    };
    let lines = tail.iter().map(String::as_str);
    let lines: Vec<&str> = lines.filter(telling).take(8).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A bar on a terminal, a line now and then elsewhere.
struct Display<'a> {
    what: &'a str,
    bar: ProgressBar,
    terminal: bool,
    next_line: Instant,
}

impl<'a> Display<'a> {
    fn new(what: &'a str, steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let template = match steps {
            0 => "lab: {prefix} {spinner} {elapsed} {wide_msg:.dim}",
            _ => "lab: {prefix} {bar:20} {pos} of about {len} {elapsed} {wide_msg:.dim}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));

        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            eprintln!("lab: {what}");
        }
        Display {
            what,
            bar,
            terminal,
            next_line: Instant::now() + QUIET_INTERVAL,
        }
    }

    fn update(&mut self, tick: Tick, line: &str) {
        match tick {
            Tick::None => {}
            Tick::Step => self.bar.inc(1),
            Tick::Percent(percent) => {
                self.bar.set_length(100);
                self.bar.set_position(percent as u64);
            }
        }
        if self.terminal {
            self.bar.set_message(line.trim().to_owned());
        } else if Instant::now() >= self.next_line {
            eprintln!("lab: {} {}", self.what, self.position());
            self.next_line = Instant::now() + QUIET_INTERVAL;
        }
    }

    fn position(&self) -> String {
        let seconds = self.bar.elapsed().as_secs();
        match self.bar.length() {
            Some(length) if length > 0 => {
                format!("... {} of about {length}, {seconds} s", self.bar.position())
            }
            _ => format!("... {seconds} s"),
        }
    }
}

impl Drop for Display<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling(text: &str) -> String {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        telling_lines(&lines)
    }

    #[test]
    fn what_tells() {
        let own = "rust-metadata: error: no\n  note: here\n  help: so";
        assert_eq!(telling(&format!("a\nerror: b\n{own}\n")), own);
        assert_eq!(telling("a\nE: b\nc\n"), "E: b");
        assert_eq!(telling("a\nb\n"), "a\nb");
    }

    fn job(log: &Path) -> Job<'_> {
        Job {
            what: "a job",
            log,
            steps: 0,
            tick: |_| Tick::None,
        }
    }

    /// The error of a job with this log whose command, a shell, does not end by itself. Fails if
    /// the command outlives the job; one that was never started leaves no process ID.
    fn error_of_endless_job(log: &Path, says: &str) -> Result<(anyhow::Error, Option<String>)> {
        let pid = tempfile::NamedTempFile::new()?;
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > $0; echo \"$1\"; exec sleep 1000"]);
        command.arg(pid.path()).arg(says);
        let error = job(log).run(&mut command).err();
        let pid = std::fs::read_to_string(pid.path())?.trim().to_owned();
        let runs = !pid.is_empty() && Path::new("/proc").join(&pid).exists();
        assert!(!runs, "process {pid} was left behind");
        let pid = (!pid.is_empty()).then_some(pid);
        Ok((error.context("no error")?, pid))
    }

    #[test]
    fn a_full_disk_stops_the_command() -> Result<()> {
        let (error, pid) = error_of_endless_job(Path::new("/dev/full"), "cc: error: no room")?;
        assert!(pid.is_some(), "it was not even started");
        let expected = Diagnostic::new("a job: failed: its log cannot be written")
            .note("cc: error: no room")
            .note("/dev/full: No space left on device (os error 28)")
            .help("free some space, or set XDG_CACHE_HOME to a larger disk");
        assert_eq!(diagnostic::render(&error), expected.to_string());
        let (error, _) = error_of_endless_job(Path::new("/dev/full"), "  CC      x.o")?;
        assert!(!diagnostic::render(&error).contains("x.o"), "{error}");
        Ok(())
    }

    #[test]
    fn without_a_log_nothing_is_started() -> Result<()> {
        let (error, pid) = error_of_endless_job(Path::new("/dev/null/log"), "a line")?;
        assert_eq!(pid, None);
        let expected = Diagnostic::new("a job: failed: its log cannot be written")
            .note("/dev/null/log: Not a directory (os error 20)")
            .help("set XDG_CACHE_HOME to a writable folder");
        assert_eq!(diagnostic::render(&error), expected.to_string());
        Ok(())
    }
}
