//! Two halves that disagree in each way: stitch has to say so, and no more than that.

use crate::common;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// (symbol, what comes of it, a word of the reason)
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("rs_agrees", "agrees", ""),
    ("rs_width", "disagrees", "parameter 1"),
    ("rs_sign", "disagrees", "signed"),
    ("rs_dropped", "disagrees", "parameter"),
    ("rs_added", "disagrees", "parameter"),
    ("rs_swapped", "disagrees", "parameter 1"),
    ("rs_result", "disagrees", "result"),
    ("rs_by_value", "disagrees", "parameter 1"),
    ("rs_moved", "disagrees", "at 0 in Rust, at 4 in C"),
    ("rs_resized", "disagrees", "large in Rust"),
    ("rs_const", "agrees-in-abi", "const"),
    ("rs_enum", "agrees-in-abi", "enum colour"),
    ("rs_long_long", "agrees-in-abi", "as wide as an address"),
    ("rs_float", "disagrees", "parameter 1"),
    ("rs_callback", "disagrees", "parameter 1"),
    ("rs_namesake", "agrees", ""),
];

#[test]
fn each_disagreement_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disagreements");
    common::run(
        Command::new("cc")
            .args(["-c", "-g", "-O2", "-fno-pic", "-funsigned-char"])
            .arg(sources.join("c_side.c"))
            .current_dir(folder.path()),
    );
    common::run(
        Command::new(common::rustc())
            .args(["--edition=2021", "--crate-type=lib", "--emit=obj", "-g"])
            .args(["-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1"])
            .arg(sources.join("rs_side.rs"))
            .current_dir(folder.path()),
    );

    let objects = ["c_side.o", "rs_side.o"].map(|name| folder.path().join(name));
    let objects = [objects[0].as_path(), objects[1].as_path()];
    let told = common::stitch(&["report", "--json"], &objects);
    let report: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let stitches = report["stitches"].as_array().expect("a list");
    for (symbol, outcome, reason) in OUTCOMES {
        let stitch = stitches.iter().find(|stitch| stitch["symbol"] == *symbol);
        let verdict = &stitch.unwrap_or_else(|| panic!("{symbol} does not cross"))["verdict"];
        assert_eq!(verdict["outcome"], *outcome, "{symbol}: {verdict:#}");
        let reasons = verdict["reasons"].to_string();
        assert!(reasons.contains(reason), "{symbol}: {reasons}");
    }
    assert_eq!(stitches.len(), OUTCOMES.len());

    let checked = common::stitch(&["check"], &objects);
    assert_eq!(checked.status.code(), Some(1));
}
