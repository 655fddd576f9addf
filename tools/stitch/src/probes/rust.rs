//! Probes in Rust: compiles a copy of the crate in which each `extern` block, exported function and
//! exported static is followed by its probes: in the same module and under the same `cfg`s.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, ForeignItem, Generics, ImplItem, Item, ItemForeignMod, ItemImpl,
    ReceiverKind, Safety, Signature, StaticMutability,
};

use super::command;
use super::read::{DECLARATIONS, DEFINITIONS};
use super::source::{first_error, recorded, COPIES, OBJECT};
use crate::dwarf::find::PROBE_PREFIX;
use crate::input::cmd_file::CmdFile;
use crate::input::object::ObjectFile;

/// Attributes that export a symbol, or may do so.
const EXPORTING: &[&str] = &["no_mangle", "export_name", "export", "unsafe", "cfg_attr"];

/// Compiled crates are used in place.
const LIBRARIES: &[&str] = &["rmeta", "rlib", "so"];

/// A symbol that the sources of a Rust object do not visibly declare: a macro may, or another crate.
#[derive(Debug, Clone, Copy)]
pub struct Undeclared<'s> {
    pub name: &'s str,
    /// Whether it is a function; else it is data.
    pub function: bool,
}

/// Paths by which such a declaration may be reachable.
const PATHS: &[&str] = &["crate::", "::kernel::bindings::"];

/// Compiles the copy, with probes, or with uses of `undeclared` symbols by their likely paths.
pub fn compile(
    object: &ObjectFile<'_>,
    cmd: &CmdFile,
    rustc: &Path,
    undeclared: &[Undeclared<'_>],
    scratch: &Path,
) -> Result<(), String> {
    let (source, words) = recorded(object, cmd)?;
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let mut invocation = command::rustc(&words, &name);
    // make exports it, so it is not in the .cmd file; the caller has to set it.
    let generated = env::var_os("OUT_DIR").and_then(|dir| Path::new(&dir).canonicalize().ok());
    if let Some(dir) = generated {
        let copies = inside(scratch, &dir).display().to_string();
        invocation.environment.push(("OUT_DIR".to_owned(), copies));
    }
    let attribute = if invocation.flags.iter().any(|flag| flag.ends_with("2024")) {
        "unsafe(link_section = SECTION)"
    } else {
        "link_section = SECTION"
    };
    let mut count = 0;
    for file in cmd.files() {
        let Ok(file) = file.canonicalize() else {
            continue;
        };
        copy(&file, scratch, attribute, &mut count)
            .map_err(|error| format!("cannot copy {}: {error}", file.display()))?;
    }
    let root = inside(scratch, &source);
    let crate_ = Crate {
        rustc,
        folder: cmd.folder(object.debug.compile_unit().folder.as_deref()),
        invocation,
        root: &root,
        object: scratch.join(OBJECT),
    };
    if undeclared.is_empty() {
        return crate_.compile().map_err(|error| {
            format!(
                "{name} with probes does not compile: {}",
                first_error(error.as_bytes())
            )
        });
    }
    crate_.compile_by_path(&name, undeclared)
}

/// A function with a variable for each, whose DWARF then has the type.
fn by_path(wanted: &[(Undeclared<'_>, &str)]) -> String {
    let mut text = String::from("#[used] static __STITCH_NAMED: fn() = {\nfn named() {\n");
    for (Undeclared { name, function }, path) in wanted {
        text += &if *function {
            format!("let {PROBE_PREFIX}{name} = {path}{name};\n")
        } else {
            format!(
                "let {PROBE_PREFIX}{name} = unsafe {{ ::core::ptr::addr_of!({path}{name}) }};\n"
            )
        };
    }
    // LLVM removes variables from a scope without code.
    text + "::core::hint::black_box(0_u8);\n}\nnamed\n};\n"
}

struct Crate<'c> {
    rustc: &'c Path,
    folder: PathBuf,
    invocation: command::Invocation,
    root: &'c Path,
    object: PathBuf,
}

impl Crate<'_> {
    /// The error is the output of rustc.
    fn compile(&self) -> Result<(), String> {
        let flags = &self.invocation.flags;
        let mut command = Command::new(self.rustc);
        command
            .current_dir(&self.folder)
            .envs(
                self.invocation
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .args(flags)
            // Kbuild exports it.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["--crate-type=lib", "--cap-lints=allow"])
            .args([
                "-Cdebuginfo=2",
                "-Ccodegen-units=1",
                "-Crelocation-model=static",
            ])
            .arg(format!("--emit=obj={}", self.object.display()));
        let asserts = |flag: &String| flag.starts_with("-Cdebug-assertions");
        if self.invocation.optimised && !flags.iter().any(asserts) {
            command.arg("-Cdebug-assertions=no");
        }
        let output = command
            .arg(self.root)
            .output()
            .map_err(|error| format!("error: cannot run {}: {error}", self.rustc.display()))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Compiles uses of `undeclared` symbols by their likely paths, without those that do not exist.
    fn compile_by_path(&self, name: &str, undeclared: &[Undeclared<'_>]) -> Result<(), String> {
        let whole = fs::read_to_string(self.root)
            .map_err(|error| format!("cannot read {name}: {error}"))?;
        let mut wanted: Vec<(Undeclared<'_>, &str)> = PATHS
            .iter()
            .flat_map(|path| undeclared.iter().map(|one| (*one, *path)))
            .collect();
        // rustc reports all missing paths at once, but stops between kinds of errors.
        for _ in 0..4 {
            let text = format!("{whole}\n{}", by_path(&wanted));
            fs::write(self.root, text).map_err(|error| format!("cannot write {name}: {error}"))?;
            let Err(error) = self.compile() else {
                return Ok(());
            };
            let there = wanted.len();
            let is_named = |one: &Undeclared<'_>, path: &str| {
                [';', ')']
                    .iter()
                    .any(|end| error.contains(&format!("{path}{}{end}", one.name)))
            };
            wanted.retain(|(one, path)| !is_named(one, path));
            if wanted.is_empty() || wanted.len() == there {
                break;
            }
        }
        Err(format!(
            "no known path leads to the symbols that {name} does not declare"
        ))
    }
}

/// The copy of a file: at the same path, below the temporary directory, so that relative paths work.
fn inside(scratch: &Path, file: &Path) -> PathBuf {
    let names = file
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    names.fold(scratch.join(COPIES), |path, name| path.join(name))
}

fn copy(file: &Path, scratch: &Path, attribute: &str, count: &mut usize) -> std::io::Result<()> {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    let target = inside(scratch, file);
    if LIBRARIES.contains(&&*extension) || target.exists() {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    if extension != "rs" {
        return symlink(file, target);
    }
    let text = fs::read_to_string(file)?;
    fs::write(target, with_probes(&text, attribute, count).unwrap_or(text))
}

/// A source with probes; `None` if it cannot be parsed.
fn with_probes(text: &str, attribute: &str, count: &mut usize) -> Option<String> {
    let file = syn::parse_file(text).ok()?;
    let mut finder = Finder {
        attribute,
        count,
        found: Vec::new(),
    };
    finder.visit_file(&file);
    // From the end, so that earlier offsets stay valid; no line is added.
    let mut text = text.to_owned();
    finder.found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, probes) in finder.found {
        if text.is_char_boundary(at) {
            text.insert_str(at, &probes);
        }
    }
    Some(text)
}

struct Finder<'f> {
    attribute: &'f str,
    count: &'f mut usize,
    /// Offsets, and what to insert there.
    found: Vec<(usize, String)>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_foreign_mod(&mut self, block: &'ast ItemForeignMod) {
        let abi = block.abi.to_token_stream().to_string();
        let mut probes = String::new();
        for item in &block.items {
            match item {
                ForeignItem::Fn(function) => {
                    let attributes = [&block.attrs[..], &function.attrs[..]];
                    let ty = pointer(&function.sig, &abi, true, "");
                    let name = function.sig.ident.to_string();
                    let at = function.sig.ident.span();
                    probes += &self.probe(&attributes, DECLARATIONS, &ty, &name, at);
                }
                ForeignItem::Static(data) => {
                    let attributes = [&block.attrs[..], &data.attrs[..]];
                    let name = data.ident.to_string();
                    let (ty, value) = address(&data.ty, &data.mutability, &name);
                    let at = data.ident.span();
                    probes += &self.probe(&attributes, DECLARATIONS, &ty, &value, at);
                }
                _ => {}
            }
        }
        self.add(block.span(), probes);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Fn(function) => {
                let sig = &function.sig;
                if sig.abi.is_some() || exports(&function.attrs) {
                    let abi = sig.abi.to_token_stream().to_string();
                    let ty = pointer(sig, &abi, matches!(sig.safety, Safety::Unsafe(_)), "");
                    let name = sig.ident.to_string();
                    if is_plain(&sig.generics) && sig.asyncness.is_none() {
                        let probe = self.probe(
                            &[&function.attrs],
                            DEFINITIONS,
                            &ty,
                            &name,
                            sig.ident.span(),
                        );
                        self.add(function.span(), probe);
                    }
                }
            }
            Item::Impl(block) if block.trait_.is_none() && is_plain(&block.generics) => {
                self.methods(block);
            }
            Item::Static(data) if exports(&data.attrs) => {
                let name = data.ident.to_string();
                let (ty, value) = address(&data.ty, &data.mutability, &name);
                let probe = self.probe(&[&data.attrs], DEFINITIONS, &ty, &value, data.ident.span());
                self.add(data.span(), probe);
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }
}

impl Finder<'_> {
    /// Functions in an `impl`: their probes follow it, where `Self` is not valid.
    fn methods(&mut self, block: &ItemImpl) {
        let own = block.self_ty.to_token_stream().to_string();
        let mut probes = String::new();
        for item in &block.items {
            let ImplItem::Fn(function) = item else {
                continue;
            };
            let sig = &function.sig;
            if (sig.abi.is_some() || exports(&function.attrs)) && is_plain(&sig.generics) {
                let abi = sig.abi.to_token_stream().to_string();
                let ty = pointer(sig, &abi, matches!(sig.safety, Safety::Unsafe(_)), &own);
                let name = format!("<{own}>::{}", sig.ident);
                let attributes = [&block.attrs[..], &function.attrs[..]];
                probes += &self.probe(&attributes, DEFINITIONS, &ty, &name, sig.ident.span());
            }
        }
        self.add(block.span(), probes);
    }

    fn add(&mut self, behind: Span, probes: String) {
        if !probes.is_empty() {
            self.found.push((behind.byte_range().end, probes));
        }
    }

    fn probe(
        &mut self,
        attributes: &[&[Attribute]],
        section: &str,
        ty: &str,
        value: &str,
        at: Span,
    ) -> String {
        let conditions: String = attributes
            .iter()
            .flat_map(|attributes| attributes.iter())
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(|attribute| attribute.to_token_stream().to_string())
            .collect();
        *self.count += 1;
        let attribute = self.attribute.replace("SECTION", &format!("\"{section}\""));
        // Mutable: an immutable static has to be `Sync`.
        format!(
            " {conditions} #[used] #[{attribute}] static mut __STITCH_{}_{}: {ty} = {value};",
            self.count,
            at.start().line
        )
    }
}

/// The type of a pointer to a function; for a method, `own` is its `Self`.
fn pointer(sig: &Signature, abi: &str, is_unsafe: bool, own: &str) -> String {
    let lifetimes: Vec<String> = sig
        .generics
        .lifetimes()
        .map(|lifetime| lifetime.lifetime.to_string())
        .collect();
    let mut parameters: Vec<String> = sig
        .inputs
        .iter()
        .map(|input| match input {
            FnArg::Typed(input) => input.ty.to_token_stream().to_string(),
            FnArg::Receiver(receiver) => match &receiver.kind {
                ReceiverKind::Reference(_, lifetime, mutable) => format!(
                    "&{} {} {own}",
                    lifetime.to_token_stream(),
                    mutable.to_token_stream()
                ),
                ReceiverKind::Typed(_, ty) => ty.to_token_stream().to_string(),
                _ => own.to_owned(),
            },
        })
        .collect();
    parameters.extend(sig.variadic.as_ref().map(|_| "...".to_owned()));
    let text = format!(
        "{}{}{abi} fn({}) {}",
        if lifetimes.is_empty() {
            String::new()
        } else {
            format!("for<{}> ", lifetimes.join(", "))
        },
        if is_unsafe { "unsafe " } else { "" },
        parameters.join(", "),
        sig.output.to_token_stream()
    );
    // Tokens are separated by spaces.
    let words = text.split(' ');
    let words = words.map(|word| if word == "Self" { own } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// The type of a pointer to data, and its value.
fn address(ty: &syn::Type, mutability: &StaticMutability, name: &str) -> (String, String) {
    let (word, how) = match mutability {
        StaticMutability::Mut(_) => ("*mut", "addr_of_mut"),
        _ => ("*const", "addr_of"),
    };
    (
        format!("{word} {}", ty.to_token_stream()),
        format!("unsafe {{ ::core::ptr::{how}!({name}) }}"),
    )
}

fn exports(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| EXPORTING.iter().any(|name| last.ident == name))
    })
}

/// Whether it is not generic: only instances have addresses.
fn is_plain(generics: &Generics) -> bool {
    generics.type_params().next().is_none() && generics.const_params().next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_follow_declarations() {
        let text = "mod a {\n#[cfg(X)]\nextern \"C\" {\n    #[cfg(Y)] fn f<'a>(x: &'a u8, ...) -> i32;\n    \
                    static mut T: [u8; N];\n}\n}\n#[no_mangle]\npub extern \"C\" fn g(n: u32) {}\n\
                    fn own() {}\nextern \"C\" fn generic<T>(t: T) {}\n";
        let mut count = 0;
        let probed = with_probes(text, "link_section = SECTION", &mut count).expect("a source");
        assert_eq!(count, 3);
        assert_eq!(probed.lines().count(), text.lines().count());
        for part in [
            "#[cfg (X)]",
            "#[cfg (Y)]",
            "__STITCH_1_4: for<'a> unsafe extern \"C\" fn(& 'a u8, ...) -> i32 = f;",
            "__STITCH_2_5: *mut [u8 ; N] = unsafe { ::core::ptr::addr_of_mut!(T) };",
            "__STITCH_3_9: extern \"C\" fn(u32)  = g;",
        ] {
            let plain = |text: &str| text.replace([' ', '\n'], "");
            assert!(plain(&probed).contains(&plain(part)), "{part}: {probed}");
        }
    }
}
