// SPDX-License-Identifier: GPL-2.0

//! Runs the preprocessor and bindgen. Further runs of bindgen add types from headers beside the
//! contract, types that the kernel crate lacks, and the types of macros.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::bindings::{Bindings, Value};
use crate::c_type::is_basic;
use crate::header::{defines, has_words, real, statements, Header};
use crate::problem::{failure, write, Layer, Result};

/// The arguments of `gate contract`.
pub(crate) struct Args<'a> {
    /// The module's folder.
    pub(crate) folder: &'a str,
    pub(crate) header: &'a str,
    /// All contracts of the Kbuild file.
    pub(crate) others: &'a [&'a str],
    /// The bindings of the kernel crate, which installed kernel headers may lack.
    pub(crate) kernel: &'a str,
    /// The bindings to write.
    pub(crate) rust: &'a str,
    /// The layout header to write.
    pub(crate) layout: &'a str,
    /// `cc -E -dD … HEADER`
    pub(crate) preprocessor: &'a [&'a str],
    /// `bindgen … HEADER -- …`
    pub(crate) bindgen: &'a [&'a str],
}

impl Args<'_> {
    /// The file for the external definitions of inline functions, if the contract may have any.
    pub(crate) fn definitions(&self) -> Option<String> {
        let binds_inline = self.bindgen.contains(&"--wrap-static-fns");
        binds_inline.then(|| self.layout.replace("_layout.h", "_extern.h"))
    }

    /// bindgen's own external definitions, which it has to write.
    fn remove_wrappers(&self) {
        let mut words = self.bindgen.iter();
        let has_path = words.any(|word| *word == "--wrap-static-fns-path");
        if let Some(path) = words.next().filter(|_| has_path) {
            let _ = std::fs::remove_file(Path::new(path).with_extension("c"));
        }
    }
}

/// The bindings of a contract.
pub(crate) struct Bound {
    /// The output of bindgen.
    pub(crate) rust: String,
    /// Items for types that bindgen does not define.
    pub(crate) foreign: String,
    /// Types that are used, but not defined anywhere.
    pub(crate) undefined: Vec<String>,
    /// Types that the kernel crate defines.
    pub(crate) kernel: Vec<String>,
}

/// The preprocessed header, and its bindings.
pub(crate) fn read(args: &Args<'_>) -> Result<(String, String)> {
    // In parallel: each reads all that the header includes.
    let preprocessor = start(args.preprocessor)?;
    let bindgen = start(args.bindgen)?;
    Ok((finish(preprocessor, args)?, finish(bindgen, args)?))
}

/// Adds what bindgen left out of its first output, `bound`.
pub(crate) fn complete(args: &Args<'_>, header: &Header<'_>, bound: String) -> Result<Bound> {
    let mut bound = with_types(bound);
    let mut wanted = Vec::new();
    loop {
        let bindings = Bindings::new(&bound);
        let foreign = Foreign::new(args, header, &bindings);
        let more = foreign.bind.iter().filter(|name| !wanted.contains(*name));
        let more: Vec<String> = more.cloned().collect();
        if more.is_empty() {
            let rust = without_undefined(header, with_signs(args, header, &bindings, bound)?);
            args.remove_wrappers();
            return Ok(Bound {
                rust,
                foreign: foreign.rust(),
                undefined: foreign.bind,
                kernel: foreign.kernel,
            });
        }
        wanted.extend(more);
        let types = wanted.iter().flat_map(|name| ["--allowlist-type", name]);
        let bindgen = with_options(args.bindgen, types, args.header);
        bound = with_types(finish(start(&bindgen)?, args)?);
    }
}

/// Replaces `pub use self::way as way_t;`, which bindgen writes for the typedef of an enum, by a
/// type alias: a type of the kernel crate cannot be re-exported like that.
pub(crate) fn with_types(mut bound: String) -> String {
    const USE: &str = "pub use self";
    while let Some(at) = bound.find(USE) {
        let end = bound[at..].find(';').map_or(bound.len(), |end| at + end);
        let names = bound[at + USE.len()..end].trim_start_matches([':', ' ']);
        let (ty, name) = names.split_once(" as ").unwrap_or((names, ""));
        let alias = format!("pub type {} = {}", name.trim(), ty.trim());
        bound.replace_range(at..end, &alias);
    }
    bound
}

/// Removes the constants of macros that are undefined again.
pub(crate) fn without_undefined(header: &Header<'_>, bound: String) -> String {
    let defined = |name: &str| header.macros.iter().any(|defined| defined.name == name);
    let gone = header.undefined.iter().filter(|name| !defined(name));
    gone.fold(bound, |text, name| match constant(&text, name) {
        Some(constant) => text.replace(constant, ""),
        None => text,
    })
}

/// `pub const NAME: u32 = 1;`
fn constant<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    // Without rustfmt, there is a space before the colon.
    for start in [format!("pub const {name}:"), format!("pub const {name} :")] {
        if let Some(at) = text.find(&start) {
            let end = text[at..].find(';').map_or(text.len(), |end| at + end + 1);
            return Some(&text[at..end]);
        }
    }
    None
}

/// Corrects the values of macros. bindgen evaluates a macro without regard to types (`~0U` is -1,
/// `~0U / 2` is 0), but it takes the values of an enum from libclang.
fn with_signs(
    args: &Args<'_>,
    header: &Header<'_>,
    bindings: &Bindings,
    bound: String,
) -> Result<String> {
    let mut enums = String::new();
    for (name, value) in &bindings.constants {
        let defined = header.macros.iter().find(|defined| defined.name == name);
        let is_number = matches!(value, Value::Number(text) if !text.contains('.'));
        // For a macro that is defined twice, bindgen uses the first value.
        let is_unsure = |text| is_expression(text) || header.undefined.contains(&name.as_str());
        if defined.is_some_and(|defined| is_unsure(defined.text)) && is_number {
            enums += &format!("enum {TYPE_OF}{name} {{ {VALUE_OF}{name} = ({name}) }};\n");
        }
    }
    if enums.is_empty() {
        return Ok(bound);
    }
    let file = format!("{}.signs.h", args.rust);
    let contract = real(args.header);
    write(
        &file,
        &format!("#include \"{}\"\n{enums}", contract.display()),
    )?;
    let pattern = format!("{TYPE_OF}.*");
    let bindgen = with_options(args.bindgen, ["--allowlist-type", &pattern], &file);
    let typed = start(&bindgen).and_then(|tool| finish(tool, args));
    let _ = std::fs::remove_file(&file);
    Ok(typed_constants(&bound, &Bindings::new(&typed?)))
}

/// Whether a macro is more than a literal, as in `MAX 63` or `LETTER 'a'`.
fn is_expression(defined: &str) -> bool {
    let value = defined.split_once(char::is_whitespace);
    let value = value.map_or("", |(_, value)| value.trim());
    let digits = value.trim_end_matches(['u', 'U', 'l', 'L']);
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    let is_hexadecimal = digits
        .strip_prefix("0x")
        .is_some_and(|digits| digits.len() <= 7 && digits.chars().all(|c| c.is_ascii_hexdigit()));
    !(is_number && digits.len() < 10 || is_hexadecimal || value.starts_with(['"', '\'']))
}

/// The prefixes of an enum and its member that have the value of a macro.
const TYPE_OF: &str = "border_type_of_";
const VALUE_OF: &str = "border_value_of_";

/// Replaces the values of constants, and their types by what bindgen would choose for the value:
/// `pub const ALL: u32 = 4294967295;`.
pub(crate) fn typed_constants(bound: &str, typed: &Bindings) -> String {
    let mut text = bound.to_owned();
    for (name, value) in &typed.constants {
        let (Some(name), Value::Number(value)) = (name.strip_prefix(VALUE_OF), value) else {
            continue;
        };
        let narrow = value.parse::<i32>().is_ok() || value.parse::<u32>().is_ok();
        let ty = match (value.starts_with('-'), narrow) {
            (true, true) => "i32",
            (true, false) => "i64",
            (false, true) => "u32",
            (false, false) => "u64",
        };
        if let Some(old) = constant(&text, name) {
            text = text.replace(old, &format!("pub const {name}: {ty} = {value};"));
        }
    }
    text
}

/// bindgen's command line with more options, and another header.
fn with_options<'a>(
    bindgen: &[&'a str],
    options: impl IntoIterator<Item = &'a str>,
    header: &'a str,
) -> Vec<&'a str> {
    let own = bindgen.iter().position(|word| *word == "--");
    let at = own.unwrap_or(bindgen.len()).saturating_sub(1);
    let mut words = bindgen[..at].to_vec();
    words.extend(options);
    words.push(header);
    words.extend(&bindgen[(at + 1).min(bindgen.len())..]);
    words
}

fn start(words: &[&str]) -> Result<Child> {
    let program = words.first().copied().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(&words[1..]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .spawn()
        .map_err(|error| failure(format!("cannot run {program}: {error}")))
}

/// Waits for a tool, and returns its output.
fn finish(tool: Child, args: &Args<'_>) -> Result<String> {
    let output = tool.wait_with_output();
    let output = output.map_err(|error| failure(error.to_string()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    eprint!("{stderr}");
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let header = args.header;
    let layout = args.layout.rsplit('/').next().unwrap_or(args.layout);
    let problem = if stderr.contains(layout) {
        Layer::Contract
            .error(format!("{header} includes {layout} when bindgen reads it"))
            .help(format!(
                "add #ifndef __BINDGEN__ before #include \"{layout}\", and #endif after it"
            ))
    } else {
        Layer::Contract
            .error(format!("{header} does not parse"))
            .help("fix the errors above; C++ (classes, references, overloads) is not supported")
    };
    Err(vec![problem])
}

/// The types that the contract uses, but does not define.
#[derive(Debug, Default)]
struct Foreign {
    /// For another run of bindgen: types of headers beside the contract, and types without a
    /// definition that cross by value.
    bind: Vec<String>,
    /// (type, module of the contract that defines it)
    shared: Vec<(String, String)>,
    /// Types without a definition that are only pointed to.
    opaque: Vec<String>,
    /// Types of the kernel crate.
    kernel: Vec<String>,
}

impl Foreign {
    fn new(args: &Args<'_>, header: &Header<'_>, bindings: &Bindings) -> Foreign {
        let mut used: Vec<(String, bool)> = Vec::new();
        bindings.used_types(&mut |name, behind_pointer| {
            let known = is_basic(name)
                || bindings.record(name).is_some()
                || bindings.aliases.iter().any(|(alias, _)| alias == name);
            if known {
                return;
            }
            match used.iter_mut().find(|(used, _)| used == name) {
                Some((_, only_pointers)) => *only_pointers &= behind_pointer,
                None => used.push((name.to_owned(), behind_pointer)),
            }
        });

        let mut foreign = Foreign::default();
        let kernel = std::fs::read_to_string(args.kernel).ok();
        for (name, only_pointers) in used {
            let beside = header.files[1..].iter().find(|file| {
                let statements = statements(&file.tokens);
                statements.iter().any(|tokens| defines(tokens, &name))
            });
            let contract = beside.and_then(|file| {
                let others = args.others.iter();
                others.copied().find(|other| real(other) == real(file.name))
            });
            match (beside, contract) {
                (_, Some(contract)) => foreign.shared.push((name, module_of(contract))),
                (Some(_), None) => foreign.bind.push(name),
                (None, None) if in_kernel_crate(kernel.as_deref(), &name) => {
                    foreign.kernel.push(name);
                }
                (None, None) if only_pointers => foreign.opaque.push(name),
                (None, None) => foreign.bind.push(name),
            }
        }
        foreign
    }

    fn rust(&self) -> String {
        let mut text = String::new();
        for (name, module) in &self.shared {
            text += &format!("/// Of another contract.\npub use super::{module}::{name};\n");
        }
        for name in &self.opaque {
            text += &format!(
                "/// Not in the kernel crate: Rust can only pass pointers to it.\n\
                 #[repr(C)]\npub struct {name} {{\n    _unused: [u8; 0],\n}}\n"
            );
        }
        text
    }
}

/// Without the bindings of the kernel crate, the answer is left to rustc.
fn in_kernel_crate(bindings: Option<&str>, name: &str) -> bool {
    let Some(bindings) = bindings else {
        return true;
    };
    if bindings.contains(&format!(" as {name};")) {
        return true;
    }
    let mut kinds = ["struct", "union", "type", "enum"].iter();
    kinds.any(|kind| has_words(bindings, &format!("pub {kind} {name}")))
}

/// The Rust module of a contract: `point_h` of `./point.h`.
pub(crate) fn module_of(contract: &str) -> String {
    let name = contract.rsplit('/').next().unwrap_or(contract);
    name.replace(['.', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_another_header() {
        let bindgen = ["bindgen", "--use-core", "a.h", "--", "-DX"];
        assert_eq!(
            with_options(&bindgen, ["--allowlist-type", "s"], "b.h"),
            [
                "bindgen",
                "--use-core",
                "--allowlist-type",
                "s",
                "b.h",
                "--",
                "-DX"
            ]
        );
    }

    #[test]
    fn constants() {
        let bound =
            "pub const ALL: i32 = -1;\npub const LESS: i32 = -2;\npub const WIDE : i32 = -1 ;";
        let typed = "pub type border_type_of_ALL = kernel::ffi::c_uint;
            pub const border_value_of_ALL: border_type_of_ALL = 4294967295;
            pub type border_type_of_LESS = i8;
            pub const border_value_of_LESS: border_type_of_LESS = -2;
            pub const border_value_of_WIDE: border_type_of_WIDE = 18446744073709551615;";
        assert_eq!(
            typed_constants(bound, &Bindings::new(typed)),
            "pub const ALL: u32 = 4294967295;\npub const LESS: i32 = -2;\n\
             pub const WIDE: u64 = 18446744073709551615;"
        );
    }

    #[test]
    fn typedefs_of_enums() {
        let bound = "a\npub use self::way as way_t;\npub use self :: b as c ;\n";
        assert_eq!(
            with_types(bound.to_owned()),
            "a\npub type way_t = way;\npub type c = b;\n"
        );
    }

    #[test]
    fn the_kernel_crate() {
        let bindings = Some("pub struct task_struct {\npub type pid_t = c_int;");
        assert!(in_kernel_crate(bindings, "task_struct") && in_kernel_crate(bindings, "pid_t"));
        assert!(!in_kernel_crate(bindings, "task"));
        assert!(in_kernel_crate(None, "task"));
        assert_eq!(module_of("./lib/a-point.h"), "a_point_h");
    }
}
