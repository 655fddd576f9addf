//! Kernels by their recipes, in a cache.

use std::time::SystemTime;

use super::*;
use host::arch::Arch;

use crate::kernel::flavour::{Checks, Compiler};
use crate::kernel::sources::HELLO_RUST;

fn flavour(series: &str, debug: Checks) -> Flavour {
    Flavour {
        arch: Arch::X86,
        series: series.to_owned(),
        compiler: Compiler::Clang,
        debug,
    }
}

#[test]
fn recipes_do_not_share_a_folder() {
    for flavour in [
        flavour("7.3", Checks::None),
        flavour("7.3", Checks::Kasan),
        flavour("/home/ada/linux-6.12", Checks::Kcsan),
    ] {
        let [one, same, other] = ["A=y", "A=y", "A=n"].map(|made| folder_of(&flavour, made));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(flavour_of(&one), flavour.name());
        assert_eq!(flavour_of(&flavour.name()), flavour.name());
    }
}

fn kernel(name: &str, dir: &Path) -> Kernel {
    Kernel {
        flavour: flavour("7.3", Checks::None),
        name: name.to_owned(),
        dir: dir.to_owned(),
        source: Source {
            dir: PathBuf::new(),
            version: String::new(),
            foreign: false,
        },
        image: PathBuf::new(),
        recipe: String::new(),
        in_use: None,
    }
}

#[test]
fn kernels_of_a_flavour_do_not_share_modules() {
    let [one, other] = ["7.3-clang-00000001", "7.3-clang-00000002"]
        .map(|name| HELLO_RUST.place(&kernel(name, Path::new(""))));
    assert_eq!(one, "hello_rust-7.3-clang-00000001");
    assert_ne!(one, other);
}

#[test]
fn how_long_a_build_took() -> Result<()> {
    let place = tempfile::tempdir()?;
    let kernel = kernel("7.3-clang-00000001", place.path());
    assert_eq!(kernel.took(), None);
    for (text, took) in [("328.4\n", Some(328_400)), ("-1", None), ("soon", None)] {
        fs::write(place.path().join("lab.took"), text)?;
        assert_eq!(kernel.took(), took.map(Duration::from_millis), "{text}");
    }
    Ok(())
}

/// A cache with kernels, each with a module, last used so many days ago.
fn cache_with(dir: &Path, kernels: &[(&str, u64)]) -> Result<Cache> {
    let cache = Cache::at(dir.to_owned())?;
    for (name, days) in kernels {
        let kernel = cache.place_for(&part(name))?;
        fs::create_dir_all(&kernel)?;
        fs::create_dir_all(cache.place_for(&format!("module/hello_rust-{name}"))?)?;
        fs::write(kernel.join(DONE), "")?;
        let used = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        fs::File::open(&kernel)?.set_modified(used)?;
    }
    Ok(cache)
}

#[test]
fn forgotten_kernels_are_removed() -> Result<()> {
    let place = tempfile::tempdir()?;
    let wanted = "7.3-clang-00000001";
    let (lent, noted) = ("7.3-clang-00000002", "7.3-clang-00000003");
    let gone = ["7.3-clang-0000000f", "7.3-clang"];
    let stay = [
        (wanted, 9),
        (lent, 9),
        (noted, 9),
        ("7.3-clang-00000004", 6),
        ("7.3-clang-debug-00000005", 9),
        ("7.3-clang-debug", 9),
        ("_home_ada-7.3-clang-00000006", 9),
        ("run", 9),
    ];
    let kernels = [&stay[..], &gone.map(|name| (name, 8))].concat();
    let cache = cache_with(place.path(), &kernels)?;
    let _in_use = cache.share(&part(lent))?;
    cache::note_use(&cache.place_for(&part(noted))?)?;

    remove_forgotten(&cache, wanted);

    let left = |place| {
        let mut names: Vec<String> = cache.folders(place).into_iter().map(|it| it.0).collect();
        names.sort();
        names
    };
    let mut expected = stay.map(|(name, _)| name.to_owned());
    expected.sort();
    assert_eq!(left("kernel"), expected);
    let modules = expected.map(|name| format!("hello_rust-{name}"));
    assert_eq!(left("module"), modules);
    assert!(cache.folders(cache::RUNS).is_empty());
    Ok(())
}

#[test]
fn kernels_that_are_whole() -> Result<()> {
    let place = tempfile::tempdir()?;
    let cache = cache_with(place.path(), &[("6.12-gcc-0000000a", 0), ("7.3-clang", 0)])?;
    fs::create_dir(cache.place_for("kernel/run")?)?;
    fs::create_dir(cache.place_for("kernel/7.3-gcc-00000002")?)?;
    let mut built = built(&cache);
    built.sort();
    let expected = [
        ("6.12-gcc", "6.12-gcc-0000000a"),
        ("7.3-clang", "7.3-clang"),
    ];
    let place = place.path().join("kernel");
    let expected = expected.map(|(flavour, folder)| (flavour.to_owned(), place.join(folder)));
    assert_eq!(built, expected);
    Ok(())
}
