// SPDX-License-Identifier: GPL-2.0

//! Runs the preprocessor and bindgen, as often as it takes until Rust has all that a contract
//! needs: types of headers beside it, those that the kernel crate lacks, and the sign of macros.

use std::process::{Child, Command, Stdio};

use crate::bindings::{Bindings, Value};
use crate::c_type::is_basic;
use crate::header::{defines, real, statements, Header};
use crate::problem::{write, Checked, Layer, Problem};

/// What `gate contract` is asked.
pub(crate) struct Asked<'a> {
    /// The module's folder.
    pub(crate) folder: &'a str,
    pub(crate) header: &'a str,
    /// The headers that are contracts, too.
    pub(crate) others: &'a [&'a str],
    /// The bindings of the kernel crate; a kernel that was installed may not have them.
    pub(crate) kernel: &'a str,
    /// What to write for rustc.
    pub(crate) rust: &'a str,
    /// What to write for the C compiler.
    pub(crate) layout: &'a str,
    /// `cc -E -dD … HEADER`
    pub(crate) preprocessor: &'a [&'a str],
    /// `bindgen … HEADER -- …`
    pub(crate) bindgen: &'a [&'a str],
}

/// What Rust is told.
pub(crate) struct Bound {
    /// By bindgen.
    pub(crate) rust: String,
    /// Besides: types that are elsewhere, or nowhere.
    pub(crate) foreign: String,
    /// The types that nobody has.
    pub(crate) lacking: Vec<String>,
    /// Those that Rust has from the kernel crate.
    pub(crate) kernel: Vec<String>,
}

/// What the preprocessor and bindgen print.
pub(crate) fn read(asked: &Asked<'_>) -> Checked<(String, String)> {
    // Side by side: each reads all that the header includes.
    let preprocessor = start(asked.preprocessor)?;
    let bindgen = start(asked.bindgen)?;
    Ok((finish(preprocessor, asked)?, finish(bindgen, asked)?))
}

/// Adds what bindgen has left out.
pub(crate) fn complete(asked: &Asked<'_>, header: &Header<'_>, bound: String) -> Checked<Bound> {
    let mut bound = with_types(bound);
    let mut wanted = Vec::new();
    loop {
        let bindings = Bindings::new(&bound);
        let foreign = Foreign::new(asked, header, &bindings);
        let more = foreign.bind.iter().filter(|name| !wanted.contains(*name));
        let more: Vec<String> = more.cloned().collect();
        if more.is_empty() {
            return Ok(Bound {
                rust: without_undefined(header, with_signs(asked, header, &bindings, bound)?),
                foreign: foreign.rust(),
                lacking: foreign.bind,
                kernel: foreign.kernel,
            });
        }
        wanted.extend(more);
        let types = wanted.iter().flat_map(|name| ["--allowlist-type", name]);
        let bindgen = with_options(asked.bindgen, types, asked.header);
        bound = with_types(finish(start(&bindgen)?, asked)?);
    }
}

/// Of a typedef of an enum, bindgen makes `pub use self::way as way_t;`: what the kernel crate has
/// cannot be made public so.
fn with_types(mut bound: String) -> String {
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

/// bindgen makes a constant of a macro that is undefined again.
fn without_undefined(header: &Header<'_>, bound: String) -> String {
    let defined = |name: &str| header.macros.iter().any(|defined| defined.name == name);
    let gone = header.undefined.iter().filter(|name| !defined(name));
    gone.fold(bound, |text, name| match constant(&text, name) {
        Some(constant) => text.replace(constant, ""),
        None => text,
    })
}

/// `pub const NAME: u32 = 1;`
fn constant<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    // Unless rustfmt was there, blanks stand before the colon.
    for start in [format!("pub const {name}:"), format!("pub const {name} :")] {
        if let Some(at) = text.find(&start) {
            let end = text[at..].find(';').map_or(text.len(), |end| at + end + 1);
            return Some(&text[at..end]);
        }
    }
    None
}

/// bindgen works out a macro's value, and not its type: `~0U` would be -1, `~0U / 2` would be 0. An
/// enum's values it takes from libclang.
fn with_signs(
    asked: &Asked<'_>,
    header: &Header<'_>,
    bindings: &Bindings,
    bound: String,
) -> Checked<String> {
    let mut enums = String::new();
    for (name, value) in &bindings.constants {
        let defined = header.macros.iter().find(|defined| defined.name == name);
        let is_number = matches!(value, Value::Number(text) if !text.contains('.'));
        // Of one that is defined twice, bindgen tells the first value.
        let is_unsure = |text| is_expression(text) || header.undefined.contains(&name.as_str());
        if defined.is_some_and(|defined| is_unsure(defined.text)) && is_number {
            enums += &format!("enum {TYPE_OF}{name} {{ {VALUE_OF}{name} = ({name}) }};\n");
        }
    }
    if enums.is_empty() {
        return Ok(bound);
    }
    let file = format!("{}.signs.h", asked.rust);
    let contract = real(asked.header);
    write(
        &file,
        &format!("#include \"{}\"\n{enums}", contract.display()),
    )?;
    let pattern = format!("{TYPE_OF}.*");
    let bindgen = with_options(asked.bindgen, ["--allowlist-type", &pattern], &file);
    let typed = start(&bindgen).and_then(|tool| finish(tool, asked));
    // It was for this one run.
    let _ = std::fs::remove_file(&file);
    Ok(typed_constants(&bound, &Bindings::new(&typed?)))
}

/// Whether it is more than a number or a letter: `MAX 63`, `LETTER 'a'`.
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

/// The names of an enum that has the value of a macro.
const TYPE_OF: &str = "border_type_of_";
const VALUE_OF: &str = "border_value_of_";

/// Where a macro turns out to be unsigned, puts its value in place of the other, in a type as
/// bindgen would have chosen it: `pub const ALL: u32 = 4294967295;`
fn typed_constants(bound: &str, typed: &Bindings) -> String {
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

/// Options go before the header, for which another may stand.
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

fn start(words: &[&str]) -> Checked<Child> {
    let program = words.first().copied().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(&words[1..]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        vec![Problem::new(
            Layer::Gate,
            format!("cannot run {program}: {error}"),
        )]
    })
}

/// What it printed.
fn finish(tool: Child, asked: &Asked<'_>) -> Checked<String> {
    let printed = tool.wait_with_output();
    let printed = printed.map_err(|error| vec![Problem::new(Layer::Gate, error.to_string())])?;
    let said = String::from_utf8_lossy(&printed.stderr);
    eprint!("{said}");
    if printed.status.success() {
        return Ok(String::from_utf8_lossy(&printed.stdout).into_owned());
    }
    let header = asked.header;
    let layout = asked.layout.rsplit('/').next().unwrap_or(asked.layout);
    let problem = if said.contains(layout) {
        Problem::new(
            Layer::Contract,
            format!("{header} includes {layout} where Rust reads it"),
        )
        .help(format!(
            "#ifndef __BINDGEN__ before #include \"{layout}\", and #endif after it"
        ))
    } else {
        Problem::new(Layer::Contract, format!("{header} does not parse")).help(
            "write plain C, as the lines above ask for it: no class, no reference, no overload",
        )
    };
    Err(vec![problem])
}

/// The types that the contract uses and does not define.
#[derive(Debug, Default)]
struct Foreign {
    /// For bindgen, in another run: types of headers beside the contract, and those that cross by
    /// value.
    bind: Vec<String>,
    /// (type, the contract that has it)
    shared: Vec<(String, String)>,
    /// Nobody has them, and Rust only passes pointers on.
    opaque: Vec<String>,
    /// The kernel crate has them.
    kernel: Vec<String>,
}

impl Foreign {
    fn new(asked: &Asked<'_>, header: &Header<'_>, bindings: &Bindings) -> Foreign {
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
        let kernel = std::fs::read_to_string(asked.kernel).ok();
        for (name, only_pointers) in used {
            let beside = header.files[1..].iter().find(|file| {
                let statements = statements(&file.tokens);
                statements.iter().any(|tokens| defines(tokens, &name))
            });
            let contract = beside.and_then(|file| {
                let others = asked.others.iter();
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

    /// What the bindings have besides.
    fn rust(&self) -> String {
        let mut text = String::new();
        for (name, module) in &self.shared {
            text += &format!("/// Of another contract.\npub use super::{module}::{name};\n");
        }
        for name in &self.opaque {
            text += &format!(
                "/// The kernel crate lacks it: Rust can pass pointers to it on.\n\
                 #[repr(C)]\npub struct {name} {{\n    _unused: [u8; 0],\n}}\n"
            );
        }
        text
    }
}

/// Without the bindings at hand, rustc finds out.
fn in_kernel_crate(bindings: Option<&str>, name: &str) -> bool {
    let Some(bindings) = bindings else {
        return true;
    };
    if bindings.contains(&format!(" as {name};")) {
        return true;
    }
    ["struct", "union", "type", "enum"].iter().any(|kind| {
        let item = format!("pub {kind} {name}");
        let mut found = bindings.match_indices(&item);
        found.any(|(at, _)| {
            let next = bindings[at + item.len()..].chars().next();
            !next.is_some_and(|c| c == '_' || c.is_alphanumeric())
        })
    })
}

/// `point_h` of `./point.h`
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
