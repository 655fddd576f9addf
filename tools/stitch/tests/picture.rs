//! The picture and the page, as files; src/picture/tests.rs tests what is in them.

use std::fs;
use std::path::Path;

use roxmltree::{Document, ParsingOptions};

use crate::common::{built, fresh, stitch, text_of};

const CROSSING: [&str; 3] = ["c_add", "c_times", "rust_twice"];

fn draw(form: &str, file: &Path, paths: &[&Path]) -> (Option<i32>, String) {
    let file = file.to_str().expect("UTF-8");
    let output = stitch(&["report", form, file], paths);
    (output.status.code(), text_of(&output))
}

#[test]
fn files_are_self_contained() {
    let built = built();
    for form in ["--svg", "--html"] {
        let file = built.path(&format!("pair.{}", form.trim_start_matches('-')));
        assert_eq!(
            draw(form, &file, &[built.folder.path()]),
            (Some(0), String::new())
        );
        let text = fs::read_to_string(&file).expect("a picture");
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(&text, options).expect("well-formed");
        for name in CROSSING {
            let text = |node: roxmltree::Node<'_, '_>| node.is_text() && node.text() == Some(name);
            assert!(document.descendants().any(text), "{name} is not in {form}");
        }
        for word in ["<script", "<image", "<link", "src=", "url(", "@import"] {
            assert!(!text.contains(word), "{word} in {form}");
        }
        // The only address is that of the namespace.
        let addresses = text.matches("http").count();
        let names = text.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
        assert_eq!((addresses, names), (1, 1), "{form}");
    }
}

#[test]
fn a_picture_shows_one_module() {
    let built = fresh();
    let other = built.path("other.ko");
    fs::copy(built.path("pair.ko"), &other).expect("copied");
    fs::write(built.path("other.mod"), "pair_main.o\npair_c.o\n").expect("written");
    let file = built.path("pair.svg");
    let (code, text) = draw("--svg", &file, &[&built.path("pair.ko"), &other]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("a picture shows one module"), "{text}");
    assert!(text.contains("\n  help: "), "{text}");
    assert!(!file.exists());
}

#[test]
fn unwritable_file() {
    let built = built();
    let file = built.path("no/such/folder/pair.html");
    let (code, text) = draw("--html", &file, &[built.folder.path()]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.starts_with("stitch: error: cannot write ") && text.contains("pair.html"),
        "{text}"
    );
}
