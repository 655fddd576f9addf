//! What llvm-dwarfdump prints, read as the entries that it tells of, and functions spelled from it.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{ensure, Result};

/// A function as one side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// In the words of its language, as stitch spells them.
    pub says: String,
    /// File and line.
    pub place: Option<(PathBuf, u64)>,
}

/// An entry of the debug information.
struct Entry<'s> {
    depth: usize,
    tag: &'s str,
    /// (name, value); only the first line of a value that takes several.
    attributes: HashMap<&'s str, &'s str>,
}

/// All entries of an object.
pub struct Dump<'s> {
    entries: Vec<Entry<'s>>,
    /// Where the entry of an offset is among them.
    by_offset: HashMap<&'s str, usize>,
}

/// (what GCC calls it, what people call it)
const INTEGERS: &[(&str, &str)] = &[
    ("long int", "long"),
    ("long unsigned int", "unsigned long"),
    ("long long int", "long long"),
    ("long long unsigned int", "unsigned long long"),
    ("short int", "short"),
    ("short unsigned int", "unsigned short"),
];

/// What C writes before the name of a type.
const KEYWORDS: &[(&str, &str)] = &[
    ("structure_type", "struct "),
    ("union_type", "union "),
    ("enumeration_type", "enum "),
];

impl<'s> Dump<'s> {
    /// Reads what llvm-dwarfdump printed.
    pub fn parse(printed: &'s str) -> Self {
        let (mut entries, mut by_offset) = (Vec::new(), HashMap::new());
        for line in printed.lines() {
            if let Some((offset, depth, tag)) = entry_line(line) {
                by_offset.insert(offset, entries.len());
                entries.push(Entry {
                    depth,
                    tag,
                    attributes: HashMap::new(),
                });
            } else if let (Some((name, value)), Some(entry)) =
                (attribute_line(line), entries.last_mut())
            {
                entry.attributes.insert(name, value);
            }
        }
        Dump { entries, by_offset }
    }

    /// Whether rustc wrote it.
    pub fn is_rust(&self) -> bool {
        let unit = self.entries.first();
        unit.and_then(|unit| unit.attributes.get("language")) == Some(&"DW_LANG_Rust")
    }

    /// The functions, or else declarations of functions, that stand for a symbol.
    pub fn functions(&self, symbol: &str, declared: bool) -> Vec<Function> {
        let mut functions: Vec<Function> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if entry.tag != "subprogram"
                || entry.attributes.contains_key("declaration") != declared
                || self.symbol(entry).as_deref() != Some(symbol)
            {
                continue;
            }
            let function = Function {
                says: self.says(at, symbol),
                place: self.place(entry),
            };
            if !functions.contains(&function) {
                functions.push(function);
            }
        }
        functions
    }

    /// The same, where there has to be one at most.
    pub fn one(&self, symbol: &str, declared: bool) -> Result<Vec<Function>> {
        let functions = self.functions(symbol, declared);
        ensure!(functions.len() < 2, "{symbol} is several: {functions:?}");
        Ok(functions)
    }

    /// The entry that another one refers to.
    fn target(&self, entry: &Entry<'s>, attribute: &str) -> Option<&Entry<'s>> {
        let value = entry.attributes.get(attribute)?;
        let offset = value.split(' ').next()?;
        self.entries.get(*self.by_offset.get(offset)?)
    }

    /// An attribute of an entry, or of the one that tells the rest of it.
    fn attribute(&self, entry: &Entry<'s>, name: &str) -> Option<&'s str> {
        let own = entry.attributes.get(name).copied();
        own.or_else(|| {
            let origin = ["specification", "abstract_origin"]
                .iter()
                .find_map(|attribute| self.target(entry, attribute))?;
            origin.attributes.get(name).copied()
        })
    }

    fn symbol(&self, entry: &Entry<'s>) -> Option<String> {
        let name = self.attribute(entry, "linkage_name");
        name.or_else(|| self.attribute(entry, "name")).map(unquoted)
    }

    fn place(&self, entry: &Entry<'s>) -> Option<(PathBuf, u64)> {
        let file = unquoted(self.attribute(entry, "decl_file")?);
        let line = self.attribute(entry, "decl_line")?.parse().ok()?;
        Some((file.into(), line))
    }

    /// `int f(u32 times, void *context)`, or as Rust has it.
    fn says(&self, at: usize, symbol: &str) -> String {
        let entry = &self.entries[at];
        let rust = self.is_rust();
        let mut words: Vec<String> = Vec::new();
        for child in self.children(at) {
            let name = self.attribute(child, "name").map(unquoted);
            match (child.tag, rust) {
                ("formal_parameter", true) => words.push(match name {
                    Some(name) => format!("{name}: {}", self.rust_type(child)),
                    None => self.rust_type(child),
                }),
                ("formal_parameter", false) => {
                    words.push(declared(&self.c_type(child), &name.unwrap_or_default()));
                }
                ("unspecified_parameters", _) => words.push("...".to_owned()),
                _ => {}
            }
        }
        if !rust {
            if words.is_empty() && self.attribute(entry, "prototyped").is_some() {
                words.push("void".to_owned());
            }
            let head = format!("{symbol}({})", words.join(", "));
            return declared(&self.c_type(entry), &head);
        }
        let head = format!("extern \"C\" fn {symbol}({})", words.join(", "));
        if entry.attributes.contains_key("type") {
            format!("{head} -> {}", self.rust_type(entry))
        } else {
            head
        }
    }

    fn children(&self, at: usize) -> impl Iterator<Item = &Entry<'s>> {
        let depth = self.entries[at].depth;
        let below = self.entries[at + 1..].iter();
        below
            .take_while(move |entry| entry.depth > depth)
            .filter(move |entry| entry.depth == depth + 1)
    }

    /// As llvm-dwarfdump writes it beside the offset, with the words that C has besides.
    fn c_type(&self, entry: &Entry<'s>) -> String {
        let Some(value) = self.attribute(entry, "type") else {
            return "void".to_owned();
        };
        let printed = unquoted(value.split_once(' ').map_or("", |(_, name)| name));
        let mut base = self.target(entry, "type");
        while let Some(wrapped) = base {
            if !matches!(wrapped.tag, "pointer_type" | "const_type" | "array_type") {
                break;
            }
            base = self.target(wrapped, "type");
        }
        let Some(name) = base.and_then(|base| Some(unquoted(base.attributes.get("name")?))) else {
            return printed;
        };
        let people = INTEGERS.iter().find(|(gcc, _)| *gcc == name);
        let keyword = KEYWORDS
            .iter()
            .find(|(tag, _)| base.is_some_and(|base| base.tag == *tag));
        let full = match (people, keyword) {
            (Some((_, people)), _) => (*people).to_owned(),
            (None, Some((_, keyword))) => format!("{keyword}{name}"),
            (None, None) => return printed,
        };
        printed.replacen(&name, &full, 1)
    }

    /// As rustc has named it, without the paths.
    fn rust_type(&self, entry: &Entry<'s>) -> String {
        let mut target = self.target(entry, "type");
        if target.is_none() {
            let origin = self.target(entry, "abstract_origin");
            target = origin.and_then(|origin| self.target(origin, "type"));
        }
        let name = target.and_then(|target| target.attributes.get("name"));
        without_paths(&name.map_or_else(|| "?".to_owned(), |name| unquoted(name)))
    }
}

/// `0x00003a86:   DW_TAG_formal_parameter`: offset, depth, tag.
fn entry_line(line: &str) -> Option<(&str, usize, &str)> {
    let (offset, rest) = line.split_once(':')?;
    let tag = rest.trim_start();
    let depth = (rest.len() - tag.len()) / 2;
    offset.strip_prefix("0x")?;
    Some((offset, depth, tag.strip_prefix("DW_TAG_")?))
}

/// `    DW_AT_type  (0x0000166b "u32")`: name, what is in the parentheses.
fn attribute_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim_start().strip_prefix("DW_AT_")?.split_once('\t')?;
    let value = value.strip_prefix('(')?;
    Some((name, value.strip_suffix(')').unwrap_or(value)))
}

/// `"a \"b\""` is `a "b"`.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value).replace("\\\"", "\"")
}

/// C's declaration of a name: `void *context`, `int (*call)(u32)`.
fn declared(ty: &str, name: &str) -> String {
    if let Some((before, behind)) = ty.split_once("(*)") {
        return format!("{before}(*{name}){behind}");
    }
    match name {
        "" => ty.to_owned(),
        _ if ty.ends_with('*') => format!("{ty}{name}"),
        _ => format!("{ty} {name}"),
    }
}

/// `*mut core::ffi::c_void` is `*mut c_void`.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for letter in name.chars() {
        match letter {
            ':' => word.clear(),
            letter if letter.is_alphanumeric() || letter == '_' => word.push(letter),
            other => {
                short.push_str(&word);
                word.clear();
                short.push(other);
            }
        }
    }
    short + &word
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
0x0000000c: DW_TAG_compile_unit
              DW_AT_language	(DW_LANG_C11)

0x00000010:   DW_TAG_subprogram
                DW_AT_name	(\"f\")
                DW_AT_decl_file	(\"/m/./a.c\")
                DW_AT_decl_line	(129)
                DW_AT_prototyped	(true)
                DW_AT_type	(0x00000040 \"long int\")

0x00000014:     DW_TAG_formal_parameter
                  DW_AT_location	(indexed (0x9) loclist = 0x000000ba: 
                     [0x0000000000000094, 0x00000000000000b7): DW_OP_reg5 RDI)
                  DW_AT_name	(\"task\")
                  DW_AT_type	(0x00000050 \"const task *\")

0x00000018:     DW_TAG_lexical_block

0x0000001c:       DW_TAG_formal_parameter
                    DW_AT_name	(\"of another\")

0x00000020:     NULL

0x00000040:   DW_TAG_base_type
                DW_AT_name	(\"long int\")

0x00000050:   DW_TAG_pointer_type
                DW_AT_type	(0x00000060 \"const task\")

0x00000060:   DW_TAG_const_type
                DW_AT_type	(0x00000070 \"task\")

0x00000070:   DW_TAG_structure_type
                DW_AT_name	(\"task\")
";

    #[test]
    fn functions_of_llvm_dwarfdump() {
        let dump = Dump::parse(SAID);
        let expected = Function {
            says: "long f(const struct task *task)".to_owned(),
            place: Some(("/m/a.c".into(), 129)),
        };
        assert_eq!(dump.functions("f", false), [expected]);
        assert_eq!(dump.functions("f", true), []);
        assert_eq!(dump.functions("task", false), []);
    }

    #[test]
    fn spellings() {
        assert_eq!(declared("int (*)(u32)", "call"), "int (*call)(u32)");
        assert_eq!(declared("void *", "context"), "void *context");
        assert_eq!(declared("u32", ""), "u32");
        assert_eq!(unquoted(r#""extern \"C\" fn()""#), "extern \"C\" fn()");
        let long = "Option<fn(*mut core::ffi::c_void, u32) -> a::B>";
        assert_eq!(without_paths(long), "Option<fn(*mut c_void, u32) -> B>");
    }
}
