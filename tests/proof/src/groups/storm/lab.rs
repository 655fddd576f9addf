//! Storms of the lab itself: it is killed at any moment, as a power loss would do, and files of its cache
//! are cut short. The next run is well, or says what to delete.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use fastrand::Rng;

use super::SEED;
use crate::harness::test::Test;
use crate::support::context::{
    main_flavour, must_contain, on_host, printed, programs, succeed, TestContext,
};
use crate::support::processes::Started;
use crate::support::scratch::Scratch;

/// How often `make test-all` does it.
const FEW: u32 = 10;

/// The tests; those of many kills run only if they are asked for.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, times: u32, run: fn(&TestContext, u32) -> Result<()>| {
        let name = format!("storm::lab::{what} {times} times");
        Test::new(name, move |context| run(context, times)).on(&main_flavour())
    };
    vec![
        test("killed", FEW, killed),
        test("files cut short", FEW, cut_short),
        test("killed", 100, killed).only_if_asked().minutes(30),
        test("files cut short", 100, cut_short)
            .only_if_asked()
            .minutes(30),
    ]
}

/// Kills a run at a random moment, again and again; every time, nothing is left, and the next run is well.
fn killed(context: &TestContext, times: u32) -> Result<()> {
    let cache = Copy::of(context)?;
    // What one takes that builds everything for the module and the guest.
    let start = Instant::now();
    cache.greets()?;
    let longest = start.elapsed();

    let random = &mut Rng::with_seed(SEED.parse()?);
    for nth in 1..=times {
        let what = random
            .choice(["module", "guest", "nothing"])
            .context("no choice")?;
        cache.remove(what)?;
        let moment = longest.mul_f64(random.f64());
        cache
            .kill_after(moment)
            .and_then(|()| cache.greets())
            .with_context(|| format!("kill {nth}, {moment:?} after the start, without {what}"))?;
    }
    Ok(())
}

/// Cuts files of the cache short, one after the other: the kernel's image, without which nothing runs, and then
/// any.
fn cut_short(context: &TestContext, times: u32) -> Result<()> {
    let cache = Copy::of(context)?;
    cache.greets()?;
    let lab = context.lab()?;
    let image = lab.kernel.image.strip_prefix(lab.cache.dir())?;
    let random = &mut Rng::with_seed(SEED.parse()?);
    ensure!(cache.is_told(image, 0.1)?, "no word of the image");

    let files = cache.files()?;
    for nth in 1..=times {
        let of_place = random.choice(&files).context("no files")?;
        let file = random.choice(of_place).context("no file")?;
        if random.bool() {
            cache.remove("module")?;
        }
        cache
            .is_told(file, random.f64())
            .with_context(|| format!("cut {nth}"))?;
    }
    Ok(())
}

/// A copy of the cache that has all for one kernel, in the cache's place: there are absolute paths in it.
struct Copy<'a> {
    context: &'a TestContext<'a>,
    scratch: Scratch,
}

impl<'a> Copy<'a> {
    fn of(context: &'a TestContext<'a>) -> Result<Self> {
        let lab = context.lab()?;
        let toolchain = lab.toolchain.file("");
        let toolchain = toolchain.ancestors().nth(1).context("no toolchain")?;
        let source = &lab.kernel.source.dir;
        let mut parts = vec!["accelerator".to_owned()];
        for part in [
            &toolchain.join("recipe"),
            &toolchain.join("root"),
            source,
            &PathBuf::from(format!("{}.version", source.display())),
            &lab.kernel.dir,
        ] {
            let part = part.strip_prefix(lab.cache.dir())?;
            parts.push(part.to_string_lossy().into_owned());
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let scratch = Scratch::with(context, &parts)?;
        Ok(Copy { context, scratch })
    }

    fn run(&self) -> Result<Command> {
        let [copy, cache] = [self.scratch.dir(), self.context.cache()?.dir().to_owned()];
        let [copy, cache] = [copy.to_string_lossy(), cache.to_string_lossy()];
        // `make test-all` has them in the cache.
        let programs = programs()?;
        let programs = programs.to_string_lossy();
        let options = ["--bind", &copy, &cache, "--ro-bind", &programs, &programs];
        let run = self.context.lab_command(&["run"], &[])?;
        Ok(on_host(&options, &run))
    }

    /// The names of its files, for each folder of the cache.
    fn files(&self) -> Result<Vec<Vec<PathBuf>>> {
        let places = ["toolchain", "source", "kernel", "guest", "module"];
        let of_place = |place: &&str| {
            let mut find = Command::new("find");
            find.arg(place).args(["-type", "f", "-size", "+0"]);
            let found = succeed(find.current_dir(self.scratch.dir()))?;
            Ok(found.lines().map(PathBuf::from).collect())
        };
        places.iter().map(of_place).collect()
    }

    /// Gives it another file in the place of this one, which other caches share; returns this one's name now.
    fn cut(&self, file: &Path, part: f64) -> Result<PathBuf> {
        let file = self.scratch.dir().join(file);
        let kept = self.scratch.dir().join("kept");
        let mut content = fs::read(&file)?;
        content.truncate((content.len() as f64 * part) as usize);
        fs::rename(&file, &kept)?;
        fs::write(&file, content)?;
        fs::set_permissions(&file, fs::metadata(&kept)?.permissions())?;
        Ok(kept)
    }

    /// Leaves this part of a file, and runs. The file may not matter, or be made again; else it is named, besides the
    /// error of what has failed.
    fn is_told(&self, file: &Path, part: f64) -> Result<bool> {
        let kept = self.cut(file, part)?;
        let output = self.run()?.output()?;
        let text = printed(&output);
        let told = text.contains("a file in the cache is not whole")
            && text.contains(&*file.to_string_lossy())
            && text.matches("lab: error: ").count() == 2;
        let well = output.status.success() && text.contains("hello, world! (1)");
        ensure!(told || well, "{} was cut short:\n{text}", file.display());
        self.put_back(file, kept)?;
        Ok(told)
    }

    fn put_back(&self, file: &Path, kept: PathBuf) -> Result<()> {
        let file = self.scratch.dir().join(file);
        match file.parent().filter(|folder| folder.is_dir()) {
            Some(_) => Ok(fs::rename(kept, file)?),
            None => Ok(fs::remove_file(kept)?),
        }
    }

    fn remove(&self, part: &str) -> Result<()> {
        let folder = self.scratch.dir().join(part);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    fn greets(&self) -> Result<()> {
        let output = self.run()?.output()?;
        ensure!(output.status.success(), "{}", printed(&output));
        must_contain(&printed(&output), "hello, world! (1)")
    }

    fn kill_after(&self, moment: Duration) -> Result<()> {
        let mut command = self.run()?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = Started::printing(&mut command)?;
        // The moment itself is what is tried.
        thread::sleep(moment);
        run.child.kill()?;
        run.child.wait()?;
        run.wait_until_gone()
    }
}
