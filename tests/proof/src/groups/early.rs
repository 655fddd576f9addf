//! The guest boots while its module is built: what each of the two can do to the other.
//!
//! The builds here wait for a pipe, so that the guest can be looked at meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use crate::harness::test::Test;
use crate::support::context::{main_flavour, must_contain, succeed, TestContext};
use crate::support::processes::{says, wait_for, Started};
use lab::exit::Exit;
use lab::guest::initramfs::Archive;
use lab::guest::machine::Outcome;

/// A module whose object needs what the pipe says.
const KBUILD: &str = "obj-m := early.o\n\
    $(obj)/early.o: $(obj)/said.h\n\
    $(obj)/said.h: FORCE\n\
    \t@cat PIPE > $@\n";

const MODULE: &str = "#include <linux/module.h>\n\
    #include \"said.h\"\n\
    static int __init e_init(void) { pr_info(\"early: %s\\n\", SAID); return 0; }\n\
    static void __exit e_exit(void) { }\n\
    module_init(e_init);\n\
    module_exit(e_exit);\n\
    MODULE_DESCRIPTION(\"Prints a text\");\n\
    MODULE_LICENSE(\"GPL\");\n";

/// What the pipe says for a module that builds.
const GOOD: &str = "#define SAID \"well\"\n";

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, run: fn(&TestContext) -> Result<()>| {
        Test::new(format!("early::{what}"), run).on(&main_flavour())
    };
    vec![
        test("the guest is up before the build ends", up_before_the_end),
        test("the build fails", build_fails),
        test("Ctrl-C during the build", interrupted),
        test("QEMU is killed during the build", loses_qemu),
        test("the guest cannot boot", cannot_boot),
        test("one CPU", one_cpu),
    ]
}

/// A `make run` whose build waits.
struct Run {
    started: Started,
    place: tempfile::TempDir,
}

impl Run {
    /// The lab, after the words of a command that runs it.
    fn start(context: &TestContext, before: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        // The sandbox sees only the cache.
        let place = tempfile::tempdir_in(context.lab()?.cache.dir())?;
        let (folder, pipe) = (place.path().join("early"), place.path().join("pipe"));
        succeed(Command::new("mkfifo").arg(&pipe))?;
        fs::create_dir(&folder)?;
        let kbuild = KBUILD.replace("PIPE", &pipe.to_string_lossy());
        fs::write(folder.join("Kbuild"), kbuild)?;
        fs::write(folder.join("early.c"), MODULE)?;

        let lab = context.lab_command(&["run"], &[])?;
        let words = before.iter().map(|&word| word.as_ref());
        let words = words.chain([lab.get_program()]).chain(lab.get_args());
        let words: Vec<_> = words.collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env("LAB_M", &folder)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(fs::File::create(place.path().join("stdout"))?)
            .stderr(fs::File::create(place.path().join("stderr"))?);
        let started = Started::printing(&mut command)?;
        Ok(Run { started, place })
    }

    /// Waits until init asks for the job, which the guest's log has as its last line; QEMU's process.
    fn wait_for_guest(&mut self) -> Result<Pid> {
        let qemu = self.started.wait_for_process("qemu-system-x86")?;
        let log = console_of(qemu)?;
        wait_for("the guest's init", || says(&log, "Run /init", 1))?;
        Ok(qemu)
    }

    /// Lets the build go on.
    fn say(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.place.path().join("pipe"), text)?)
    }

    fn text(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.place.path().join(file))?)
    }

    /// Waits for its end; nothing is left.
    fn end(&mut self) -> Result<ExitStatus> {
        let status = self.started.child.wait()?;
        self.started.wait_until_gone()?;
        Ok(status)
    }

    fn must_exit(&mut self, exit: Exit, says: &str) -> Result<()> {
        let status = self.end()?;
        let text = self.text("stderr")?;
        ensure!(status.code() == Some(exit as i32), "{status}:\n{text}");
        must_contain(&text, says)
    }
}

/// The file with a guest's log: in the folder of its initramfs.
fn console_of(qemu: Pid) -> Result<PathBuf> {
    let words = fs::read(format!("/proc/{}/cmdline", qemu.as_raw_nonzero()))?;
    let words = String::from_utf8_lossy(&words).into_owned();
    let mut words = words.split('\0').skip_while(|word| *word != "-initrd");
    let initramfs = words.nth(1).context("QEMU has no initramfs")?;
    Ok(Path::new(initramfs).with_file_name("console"))
}

/// The time that it waits does not count: here, it is longer than the guest's limit.
fn up_before_the_end(context: &TestContext) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(5);
    let limit = LIMIT.as_secs().to_string();
    let mut run = Run::start(context, &[], &[("LAB_TIMEOUT", &limit)])?;
    run.wait_for_guest()?;
    let up = Instant::now();
    wait_for("the limit to pass", || (up.elapsed() > LIMIT).then_some(()))?;
    run.say(GOOD)?;
    let status = run.end()?;
    ensure!(status.success(), "{status}:\n{}", run.text("stderr")?);
    must_contain(&run.text("stdout")?, "] early: well\n")
}

/// The compiler's message is the end of what is printed, and QEMU ends with the lab.
fn build_fails(context: &TestContext) -> Result<()> {
    let mut run = Run::start(context, &[], &[])?;
    run.wait_for_guest()?;
    run.say("#define SAID nothing\n")?;
    run.must_exit(Exit::Failed, "use of undeclared identifier 'nothing'")?;
    ensure!(
        run.text("stdout")?.is_empty(),
        "it prints {}",
        run.text("stdout")?
    );
    let text = run.text("stderr")?;
    let last = text.lines().last().unwrap_or_default();
    ensure!(last.starts_with("  note: whole output: "), "{text}");
    ensure!(
        text.starts_with("lab: error: the module does not build\n"),
        "{text}"
    );
    Ok(())
}

fn interrupted(context: &TestContext) -> Result<()> {
    let mut run = Run::start(context, &["env", "--default-signal=INT"], &[])?;
    run.wait_for_guest()?;
    kill_process_group(run.started.group, Signal::INT)?;
    let status = run.end()?;
    ensure!(!status.success(), "it says that all is well");
    Ok(())
}

fn loses_qemu(context: &TestContext) -> Result<()> {
    let mut run = Run::start(context, &[], &[])?;
    let qemu = run.wait_for_guest()?;
    kill_process(qemu, Signal::KILL)?;
    run.say(GOOD)?;
    run.must_exit(Exit::Qemu, "lab: error: QEMU died\n")
}

/// One without an init panics before it asks for its job.
fn cannot_boot(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let booting = context.machine(&lab).boot(Archive::default(), "")?;
    let guest = booting.run(Archive::job("true\n")?)?;
    ensure!(guest.outcome == Outcome::Silent, "{:?}", guest.outcome);
    let error = lab.judge(&guest).err().context("it was not noticed")?;
    let exit = diagnostic::exit_of(&error);
    ensure!(exit == Exit::Splat as u8, "the lab exits with {exit}");
    must_contain(&diagnostic::render(&error), "Kernel panic - not syncing")
}

/// There, the guest starts after the build.
fn one_cpu(context: &TestContext) -> Result<()> {
    let mut run = Run::start(context, &["taskset", "--cpu-list", &a_cpu()?], &[])?;
    run.started.wait_for_process("cat")?;
    let qemu = run.started.find_process("qemu-system-x86");
    ensure!(qemu.is_none(), "QEMU runs beside the build");
    run.say(GOOD)?;
    let status = run.end()?;
    ensure!(status.success(), "{status}:\n{}", run.text("stderr")?);
    must_contain(&run.text("stdout")?, "] early: well\n")
}

/// One of the CPUs that this process may use.
fn a_cpu() -> Result<String> {
    let all = rustix::thread::sched_getaffinity(None)?;
    let cpu = (0..rustix::thread::CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu));
    Ok(cpu.context("no CPU")?.to_string())
}
