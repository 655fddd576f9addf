//! `make rust-analyzer`: the file that tells rust-analyzer which crates there are.
//!
//! The kernel's own script describes the kernel's crates, with the paths of the toolchain's root folder. The
//! module's crates are what Kbuild compiles: the script finds only those whose Kbuild is beside them.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};

use super::editor;
use super::places::Places;
use super::recorded::{commands, Language, Recorded};
use crate::commands::lab::Lab;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// The file's name, which rust-analyzer looks for.
const FILE: &str = "rust-project.json";

/// Writes the file, and prints its path.
pub fn rust_analyzer(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref());
    let lab = Lab::provide(settings, settings.flavour())?;
    let module = Module::stage(&lab.cache, &lab.kernel, &sources)?;
    let places = Places::of(&sources, &module)?;
    let crates = commands(&module, &lab.toolchain, Language::Rust)?;

    let mut project = of_kernel(&module, &lab)?;
    on_host(&mut project, &lab)?;
    let listed = project["crates"]
        .as_array_mut()
        .context("it lists no crates")?;
    // The script's view of the module.
    let is_kernels = |it: &Value| {
        it["root_module"].as_str().is_some_and(|root| {
            Path::new(root).is_absolute() && !Path::new(root).starts_with(&places.copy)
        })
    };
    listed.retain(is_kernels);
    for it in listed.iter_mut() {
        // Libraries: an editor shows no problems in them, and renames nothing there.
        it["is_workspace_member"] = false.into();
    }
    for command in &crates {
        let own = of_module(command, &places, listed)?;
        listed.push(own);
    }
    places.link_generated()?;
    let file = places.write(FILE, &serde_json::to_vec_pretty(&project)?)?;
    println!("{}", file.display());
    editor::offer(&lab, "rust-analyzer")
}

/// What the kernel's script says, with the paths of the toolchain.
fn of_kernel(module: &Module, lab: &Lab) -> Result<Value> {
    let mut make = module.make(&lab.toolchain);
    // Before Linux 6.13, Kbuild looks for it in the build folder.
    make.arg(format!("src={}/rust", lab.kernel.source.dir.display()));
    let output = make.arg("rust-analyzer").output()?;
    let file = module.dir().join(FILE);
    let text = fs::read_to_string(&file).unwrap_or_default();
    // Else it would be a source of the next build.
    let _ = fs::remove_file(&file);
    ensure!(
        output.status.success() && !text.is_empty(),
        "the kernel's own `make rust-analyzer` failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).context("the kernel's own script has written no JSON")
}

/// Replaces the paths of the toolchain's root folder by the host's.
fn on_host(project: &mut Value, lab: &Lab) -> Result<()> {
    let seen = [lab.cache.dir(), &lab.kernel.source.dir];
    let is_toolchains = |path: &Path| {
        path.starts_with("/usr") && !seen.iter().any(|folder| path.starts_with(folder))
    };
    let roots = project["crates"].as_array_mut().into_iter().flatten();
    let roots = roots.filter_map(|it| it.get_mut("root_module"));
    for path in roots {
        let old = Path::new(path.as_str().unwrap_or_default());
        if is_toolchains(old) {
            *path = json!(lab.toolchain.on_host(old)?);
        }
    }
    project["sysroot"] = json!(lab.toolchain.file("usr"));
    Ok(())
}

/// A crate of the module, as rustc compiles it.
fn of_module(command: &Recorded, places: &Places, known: &[Value]) -> Result<Value> {
    let externs = command.values("--extern");
    let deps = ["core"].iter().chain(&externs).filter_map(|name| {
        let at = known.iter().position(|it| it["display_name"] == **name)?;
        Some(json!({ "crate": at, "name": name }))
    });
    // `#[cfg(rust_analyzer)]` is for what it does not understand.
    let mut cfg = vec!["rust_analyzer".to_owned()];
    cfg.extend(command.values("--cfg").iter().map(|&it| it.to_owned()));
    for file in command
        .flags
        .iter()
        .filter_map(|flag| flag.strip_prefix('@'))
    {
        let file = command.dir.join(file);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        cfg.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("--cfg="))
                .map(str::to_owned),
        );
    }
    // What the build has generated exists in the copy only.
    let root = places.own(&command.source);
    let root = root.unwrap_or_else(|| command.source.clone());
    let environment = command.environment.iter().cloned();
    Ok(json!({
        "display_name": command.name(),
        "root_module": root,
        "is_workspace_member": true,
        "deps": deps.collect::<Vec<_>>(),
        "cfg": cfg,
        "edition": command.values("--edition").last().unwrap_or(&"2021"),
        "env": environment.map(|(name, value)| (name, value.into())).collect::<serde_json::Map<_, _>>(),
        "source": {
            "include_dirs": [root.parent(), places.home],
            "exclude_dirs": [],
        },
    }))
}
