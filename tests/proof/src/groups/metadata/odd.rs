//! `rust-metadata` on headers that no kernel has: lines of them are changed at random. Whatever it reads, it
//! says what is wrong, runs nothing of it, and ends.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use fastrand::Rng;
use wait_timeout::ChildExt;

use super::fixture::Fixture;
use crate::support::context::TestContext;

/// How many times the headers are changed.
const TIMES: u32 = 100;

/// Where the random numbers start.
const SEED: u64 = 1;

/// More than the tool takes on a busy machine, which is less than a second else.
const LIMIT: Duration = Duration::from_secs(30);

/// What the tool reads as text, but make does not.
const FILES: &[&str] = &[
    "include/config/auto.conf",
    "include/config/kernel.release",
    "include/generated/package.h",
    "include/generated/utsversion.h",
    "Makefile",
    ".config",
    "Module.symvers",
];

/// Options that the tool asks for.
const OPTIONS: &[&str] = &[
    "CC_IS_CLANG",
    "CLANG_VERSION",
    "CC_VERSION_TEXT",
    "RUSTC_VERSION_TEXT",
    "BINDGEN_VERSION_TEXT",
    "GENDWARFKSYMS",
    "RUST_INLINE_HELPERS",
];

/// What would be run, if a shell or awk took it for more than text, makes a file `ran` in the folder.
const ODD: &[&[u8]] = &[
    b"",
    b"y",
    b"$(touch ran)",
    b"`touch ran`",
    b"\"; touch ran; \"",
    b"'; touch ran; '",
    b"a[$(touch ran)]",
    b"\n\n",
    b"%s%n",
    b"\\",
    b"/",
    b"\xff\xfe",
    b"-rf",
    b"*",
    b"09",
    b"99999999999999999999",
    b"|&;()<>{}",
];

/// Seven files, a hundred times.
pub fn headers(context: &TestContext) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    let mut random = Rng::with_seed(SEED);
    let variables = fixture.headers().join(".kernelvariables");
    let debians = fs::read_link(&variables)?;
    for time in 0..TIMES {
        // The options decide about most.
        let nth = random.usize(..2 * FILES.len());
        let file = FILES.get(nth).unwrap_or(&FILES[0]);
        let path = fixture.headers().join(file);
        let whole = fs::read(&path)?;
        let odd = changed(&mut random, file, &whole);
        fs::remove_file(&path)?;
        fs::write(&path, &odd)?;
        // Without it, the compiler is that of the options.
        let is_debians = random.bool();
        if !is_debians {
            fs::remove_file(&variables)?;
        }
        survives(&fixture).with_context(|| {
            let line = odd.iter().zip(&whole).position(|(odd, whole)| odd != whole);
            let at = line.unwrap_or(whole.len().min(odd.len()));
            let end = odd.len().min(at + 200);
            let text = String::from_utf8_lossy(&odd[at.saturating_sub(50)..end]);
            format!("change {time}, in {file}: {text:?}")
        })?;
        fs::write(&path, &whole)?;
        if !is_debians {
            std::os::unix::fs::symlink(&debians, &variables)?;
        }
    }
    Ok(())
}

/// The content with one line more or less, or another one.
fn changed(random: &mut Rng, file: &str, content: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = content.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let odd = |random: &mut Rng| match random.u32(0..8) {
        0 => b"x".repeat(100_000),
        _ => random.choice(ODD).map_or_else(Vec::new, |odd| odd.to_vec()),
    };
    let at = random.usize(..lines.len());
    match random.u32(0..8) {
        0 => drop(lines.remove(at)),
        1 => lines.truncate(at),
        2 => lines[at] = odd(random),
        3 => {
            let cut = random.usize(..=lines[at].len());
            let odd = odd(random);
            lines[at].splice(cut.., odd);
        }
        _ if file.ends_with("auto.conf") => {
            for option in OPTIONS {
                if random.bool() {
                    let start = format!("CONFIG_{option}=").into_bytes();
                    lines.retain(|line| !line.starts_with(&start));
                    lines.insert(0, [start, odd(random)].concat());
                }
            }
            lines.insert(0, b"CONFIG_CC_IS_CLANG=y".to_vec());
        }
        _ => {
            // A value between quotes.
            let quoted = lines.iter_mut().find(|line| line.contains(&b'"'));
            if let Some(line) = quoted {
                let start = line.iter().position(|&byte| byte == b'"').unwrap_or(0);
                let odd = odd(random);
                line.splice(start + 1.., odd);
                line.push(b'"');
            }
        }
    }
    lines.join(&b'\n')
}

/// It ends in time, with a status that it documents, and with its own words alone.
fn survives(fixture: &Fixture) -> Result<()> {
    let mut tool = fixture.tool();
    tool.arg("--check").arg("--source");
    tool.arg(&fixture.lab.kernel.source.dir)
        .arg(&fixture.release);
    let said = fixture.path("said");
    tool.stdout(fs::File::create(fixture.path("printed"))?);
    let mut child = tool
        .stderr(fs::File::create(&said)?)
        .stdin(Stdio::null())
        .spawn()?;
    let Some(status) = child.wait_timeout(LIMIT)? else {
        child.kill()?;
        child.wait()?;
        anyhow::bail!("it did not end within {LIMIT:?}");
    };
    let said = fs::read(said)?;
    let said = String::from_utf8_lossy(&said);
    ensure!(matches!(status.code(), Some(0 | 2)), "{status}: {said}");
    let has_all = ["rust-metadata: error: ", "\n  note: ", "\n  help: "]
        .iter()
        .all(|words| said.contains(words));
    ensure!(status.success() || has_all, "{status}: {said}");
    let of_shell = [
        "line ",
        "rithmetic",
        "yntax error",
        ": not found",
        "sed: ",
        "expr: ",
    ];
    let is_of_shell = |line: &&str| {
        line.starts_with(|c: char| c.is_ascii_lowercase() || c == '/')
            && !line.starts_with("rust-metadata: ")
            && of_shell.iter().any(|words| line.contains(words))
    };
    ensure!(!said.lines().any(|line| is_of_shell(&line)), "{said}");
    let places = [fixture.headers(), fixture.lab.cache.dir(), Path::new(".")];
    ensure!(
        !places.iter().any(|place| place.join("ran").exists()),
        "a part was run: {said}"
    );
    ensure!(fixture.is_empty()?, "something is left: {said}");
    Ok(())
}
