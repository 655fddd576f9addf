//! What rustc made of Rust's view of C: the declarations in its LLVM IR, which Kbuild leaves as text
//! with `make M=… NAME.ll`. They stand each on a line of its own and are read by hand: crates that
//! read IR link libLLVM, of one version, and build the whole module in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{ensure, Context, Result};

use crate::model::{Language, Place, View};

/// A longer line declares nothing that anybody calls.
const LONGEST: u64 = 64 << 10;

/// What rustc calls itself in `!llvm.ident`.
const RUSTC: &str = "rustc version ";

/// (LLVM's word, bytes). Not `fp128`: in DWARF it looks like `long double`, which is another.
const FLOATS: &[(&str, u64)] = &[("half", 2), ("float", 4), ("double", 8)];

/// One file's declarations.
pub struct Ir {
    /// `hello_rust.ll`
    pub part: String,
    path: String,
    declared: BTreeMap<String, Declaration>,
}

/// What a file says of a symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// What it stands for.
    pub shape: Shape,
    /// In IR's own words, without what tells nothing of types.
    says: String,
    line: u64,
}

/// See [`Declaration`].
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Something to call.
    Function(Call),
    /// Something to read.
    Data(Value),
}

/// How it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Without the address where a large result goes.
    pub parameters: Vec<Value>,
    /// Wherever it goes.
    pub returns: Value,
    /// Whether `...` follows the parameters.
    pub variadic: bool,
}

/// What is passed, returned, or kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// `i8 zeroext`
    pub says: String,
    /// To the machine.
    pub kind: Kind,
    /// Whether it is surely no struct that was made to look like this. rustc says `noundef` of no
    /// such, as padding is undefined, and of nothing at all where it does not optimise.
    pub scalar: bool,
}

/// See [`Value`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Nothing.
    Void,
    /// A number, or a small struct in a register.
    Integer {
        /// Its width; `bool` has one.
        bits: u64,
        /// Whether it may be negative, where it is widened to a register.
        signed: Option<bool>,
    },
    /// A floating-point number of so many bytes, or a small struct in a register.
    Float(u64),
    /// An address.
    Pointer,
    /// A struct or a union by value: of so many bytes, where that is told.
    Memory(Option<u64>),
    /// Several of something, or a struct in two registers: of so many bytes, where that is told.
    Several(Option<u64>),
    /// Something that rustc does not make of C's types.
    Other,
}

impl Ir {
    /// Reads what a file declares of these symbols; it is told to be `shown`.
    pub fn read(path: &Path, shown: &Path, symbols: &BTreeSet<&str>) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let mut reader = Reader {
            symbols,
            declared: BTreeMap::new(),
            makers: Makers::default(),
        };
        let file = BufReader::new(File::open(path).with_context(cannot)?);
        lines(file, |number, line| reader.line(number, line)).with_context(cannot)?;
        ensure!(
            reader.makers.only_rustc(),
            "{} is not used: nothing in it says that rustc made all of it, so it is cut short, or of \
             another compiler",
            shown.display()
        );
        Ok(Ir {
            part: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into(),
            path: shown.to_string_lossy().into(),
            declared: reader.declared,
        })
    }

    /// What it says of a symbol.
    pub fn declaration(&self, symbol: &str) -> Option<&Declaration> {
        self.declared.get(symbol)
    }

    /// The same for a report.
    pub fn view(&self, declaration: &Declaration) -> View {
        View {
            language: Language::Rust,
            says: declaration.says.clone(),
            source: format!("{}, LLVM IR", self.part),
            place: Some(Place {
                file: self.path.clone(),
                line: declaration.line,
            }),
            layouts: Vec::new(),
        }
    }
}

/// Gives each line that is not too long, with its number.
fn lines(mut file: impl BufRead, mut each: impl FnMut(u64, &str)) -> std::io::Result<()> {
    let (mut line, mut number, mut within) = (Vec::new(), 1, false);
    loop {
        line.clear();
        if file.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let ended = line.last() == Some(&b'\n');
        if !within && (ended || (line.len() as u64) < LONGEST) {
            if let Ok(text) = std::str::from_utf8(&line) {
                each(number, text.trim_end());
            }
        }
        within = !ended;
        number += u64::from(ended);
    }
}

struct Reader<'r> {
    symbols: &'r BTreeSet<&'r str>,
    declared: BTreeMap<String, Declaration>,
    makers: Makers,
}

impl Reader<'_> {
    fn line(&mut self, number: u64, line: &str) {
        let found = match line.as_bytes().first() {
            Some(b'd') => function(line, self.symbols),
            Some(b'@') => data(line, self.symbols),
            Some(b'!') => return self.makers.line(line),
            _ => return,
        };
        if let Some((symbol, says, shape)) = found {
            let line = number;
            let declaration = Declaration { shape, says, line };
            self.declared.insert(symbol, declaration);
        }
    }
}

/// Who made a file: `!llvm.ident = !{!52}`, and later `!52 = !{!"rustc version 1.85.1"}`.
#[derive(Default)]
struct Makers {
    /// Of whom it has not yet been told who they are.
    awaited: HashSet<String>,
    told: bool,
    rustc: bool,
    other: bool,
}

impl Makers {
    fn line(&mut self, line: &str) {
        let Some((name, content)) = line.split_once(" = !{") else {
            return;
        };
        if name == "!llvm.ident" && !self.told {
            self.told = true;
            let content = content.trim_end_matches('}');
            let makers = content.split(',').map(|maker| maker.trim().to_owned());
            self.awaited.extend(makers);
        } else if self.awaited.remove(name) {
            match content.strip_prefix("!\"") {
                Some(maker) if maker.starts_with(RUSTC) => self.rustc = true,
                _ => self.other = true,
            }
        }
    }

    fn only_rustc(&self) -> bool {
        self.rustc && !self.other && self.awaited.is_empty()
    }
}

type Found = (String, String, Shape);

/// `declare dso_local noundef i32 @f(i8 noundef zeroext, ptr noundef, ...) unnamed_addr #0`
fn function(line: &str, symbols: &BTreeSet<&str>) -> Option<Found> {
    let rest = line.strip_prefix("declare ")?;
    let at = end(rest, b'@')?;
    let (symbol, written, rest) = name(rest.get(at..)?, symbols)?;
    let inside = rest.strip_prefix('(')?;
    let inside = inside.get(..end(inside, b')')?)?;

    let mut head = parts(line.get("declare ".len()..)?.get(..at)?, b' ');
    let mut returns = Value::of(head.pop()?, &head, true);
    let mut parameters = parts(inside, b',');
    let variadic = parameters.last() == Some(&"...");
    if variadic {
        parameters.pop();
    }
    let mut parameters: Vec<Value> = parameters
        .into_iter()
        .map(|parameter| {
            let words = parts(parameter, b' ');
            let (ty, attributes) = words.split_first()?;
            Some(Value::of(ty, attributes, false))
        })
        .collect::<Option<_>>()?;
    let mut words: Vec<&str> = parameters.iter().map(|value| &*value.says).collect();
    if variadic {
        words.push("...");
    }
    let says = format!("declare {} {written}({})", returns.says, words.join(", "));
    if parameters
        .first()
        .is_some_and(|first| first.says.contains(" sret("))
    {
        returns = parameters.remove(0);
    }
    let call = Call {
        parameters,
        returns,
        variadic,
    };
    Some((symbol, says, Shape::Function(call)))
}

/// `@d = external local_unnamed_addr global [4 x i32], align 4`
fn data(line: &str, symbols: &BTreeSet<&str>) -> Option<Found> {
    let (symbol, written, rest) = name(line, symbols)?;
    let rest = rest.strip_prefix(" = ")?;
    let words = parts(rest.get(..end(rest, b',').unwrap_or(rest.len()))?, b' ');
    let (ty, before) = words.split_last()?;
    let (global, before) = before.split_last()?;
    let external = before.contains(&"external") || before.contains(&"extern_weak");
    if !external || !matches!(*global, "global" | "constant") {
        return None;
    }
    let value = Value {
        scalar: true, // Structs have names here.
        ..Value::of(ty, &[], false)
    };
    let says = format!("{written} = external {global} {ty}");
    Some((symbol, says, Shape::Data(value)))
}

/// `@name` or `@"name"` at the beginning: what it means, what was written, and what follows; None
/// unless it is among these.
fn name<'l>(text: &'l str, symbols: &BTreeSet<&str>) -> Option<(String, &'l str, &'l str)> {
    let bare = text.strip_prefix('@')?;
    let (length, symbol) = match bare.strip_prefix('"') {
        Some(quoted) => {
            let inside = quoted.get(..quoted.find('"')?)?;
            (inside.len() + 2, unescaped(inside)?)
        }
        None => {
            let length = bare.find(['(', ' ']).unwrap_or(bare.len());
            (length, bare.get(..length)?.to_owned())
        }
    };
    // LLVM's mark of a name that is not to be changed is no part of it.
    let symbol = symbol.trim_start_matches('\u{1}');
    let (written, rest) = text.split_at_checked(length + 1)?;
    symbols
        .contains(symbol)
        .then(|| (symbol.to_owned(), written, rest))
}

/// `odd\20name`: two hexadecimal digits for a byte.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match escaped.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..)?;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Where a character first stands outside all brackets and quotes.
fn end(text: &str, wanted: u8) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    text.bytes().position(|byte| {
        if byte == wanted && depth == 0 && !quoted {
            return true;
        }
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        false
    })
}

/// What stands between such characters.
fn parts(text: &str, between: u8) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((part, after)) = end(rest, between).and_then(|at| rest.split_at_checked(at)) {
        all.push(part.trim());
        rest = after.get(1..).unwrap_or_default();
    }
    all.push(rest.trim());
    all.retain(|part| !part.is_empty());
    all
}

impl Kind {
    /// In bytes, where it is told.
    pub fn size(self) -> Option<u64> {
        match self {
            Kind::Void => Some(0),
            Kind::Integer { bits, .. } => Some(bits.div_ceil(8)),
            Kind::Float(bytes) => Some(bytes),
            Kind::Pointer => Some(8),
            Kind::Memory(size) | Kind::Several(size) => size,
            Kind::Other => None,
        }
    }
}

impl Value {
    fn of(ty: &str, attributes: &[&str], before: bool) -> Self {
        let behind = |word: &str| {
            let words = attributes.iter();
            words.copied().find_map(|found| found.strip_prefix(word))
        };
        let signed = match (behind("signext"), behind("zeroext")) {
            (None, None) => None,
            (signed, _) => Some(signed.is_some()),
        };
        let by_value = behind("byval(").or_else(|| behind("sret("));
        let kind = match by_value {
            Some(content) => Kind::Memory(size(content.trim_end_matches(')'))),
            None => kind(ty, signed),
        };
        let telling = |word: &&&str| {
            let names = ["zeroext", "signext", "byval(", "sret("];
            names.iter().any(|name| word.starts_with(name))
        };
        let mut words: Vec<&str> = attributes.iter().filter(telling).copied().collect();
        words.insert(if before { words.len() } else { 0 }, ty);
        Value {
            says: words.join(" "),
            kind,
            scalar: behind("noundef").is_some() || signed.is_some(),
        }
    }
}

fn kind(ty: &str, signed: Option<bool>) -> Kind {
    match (scalar(ty, signed), ty.as_bytes()) {
        (Some(scalar), _) => scalar,
        (_, b"void") => Kind::Void,
        (_, [b'{' | b'[', ..]) => Kind::Several(size(ty)),
        (_, [b'%', ..]) => Kind::Several(None),
        _ => Kind::Other,
    }
}

/// What has nothing in it.
fn scalar(ty: &str, signed: Option<bool>) -> Option<Kind> {
    if let Some((_, bytes)) = FLOATS.iter().find(|(name, _)| *name == ty) {
        return Some(Kind::Float(*bytes));
    }
    if ty == "ptr" || ty.ends_with('*') {
        return Some(Kind::Pointer);
    }
    let bits = ty.strip_prefix('i')?.parse().ok()?;
    (bits > 0).then_some(Kind::Integer { bits, signed })
}

/// In bytes, of numbers, addresses, and plain rows and structs of them.
fn size(ty: &str) -> Option<u64> {
    let (mut ty, mut count) = (ty, 1_u64);
    while let Some(row) = ty.strip_prefix('[').and_then(|row| row.strip_suffix(']')) {
        let (number, of) = row.split_once(" x ")?;
        count = count.checked_mul(number.trim().parse().ok()?)?;
        ty = of.trim();
    }
    let fields = ty.strip_prefix('{').and_then(|ty| ty.strip_suffix('}'));
    // Not deeper: whoever writes a file may nest without end.
    let bytes = |ty| scalar(ty, None)?.size();
    let one = match fields {
        Some(fields) => parts(fields, b',')
            .into_iter()
            .try_fold(0_u64, |at, field| {
                let bytes = bytes(field)?;
                at.checked_next_multiple_of(bytes)?.checked_add(bytes)
            }),
        None => bytes(ty),
    };
    one?.checked_mul(count)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a file says of `f`, `odd name` and `d`; it was made by these compilers.
    fn read(text: &str, makers: &[&str]) -> Result<Ir> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let names: Vec<String> = (0..makers.len()).map(|at| format!("!{at}")).collect();
        let mut text = format!("{text}\n!llvm.ident = !{{{}}}\n", names.join(", "));
        for (name, maker) in names.iter().zip(makers) {
            text += &format!("{name} = !{{!\"{maker}\"}}\n");
        }
        fs::write(file.path(), text).expect("written");
        let symbols = BTreeSet::from(["f", "odd name", "d"]);
        Ir::read(file.path(), Path::new("a.ll"), &symbols)
    }

    const RUSTC_1_85: &str = "rustc version 1.85.1 (4eb161250 2025-03-15)";

    fn says(line: &str, symbol: &str) -> Option<String> {
        let ir = read(line, &[RUSTC_1_85]).expect("rustc made it");
        ir.declaration(symbol).map(|found| found.says.clone())
    }

    /// (a line, the symbol, what is told of it)
    const LINES: &[(&str, &str, &str)] = &[
        (
            "declare dso_local noundef i32 @f(i8 noundef zeroext, ptr noundef nonnull) unnamed_addr #1",
            "f",
            "declare i32 @f(i8 zeroext, ptr)",
        ),
        (
            "declare zeroext i1 @\"odd\\20name\"(i32, ...)",
            "odd name",
            "declare zeroext i1 @\"odd\\20name\"(i32, ...)",
        ),
        (
            "declare void @f(ptr sret([24 x i8]) align 8, { i64, i64 }, ptr byval([32 x i8]) align 8)",
            "f",
            "declare void @f(ptr sret([24 x i8]), { i64, i64 }, ptr byval([32 x i8]))",
        ),
        (
            "@d = external local_unnamed_addr constant [4 x i32], align 4",
            "d",
            "@d = external constant [4 x i32]",
        ),
    ];

    #[test]
    fn declarations() {
        for (line, symbol, expected) in LINES {
            assert_eq!(says(line, symbol).as_deref(), Some(*expected), "{line}");
        }
        for line in [
            "define i32 @f() {",
            "declare i32 @other()",
            "declare i32 @f(i32",
            "declare @",
            "@d = internal global i32 0",
            "; declare i32 @f()",
        ] {
            assert_eq!((says(line, "f"), says(line, "d")), (None, None), "{line}");
        }
    }

    #[test]
    fn where_it_stands() {
        let text = format!("; {}\n\u{e9}\n\ndeclare void @f()", "x".repeat(200_000));
        let ir = read(&text, &[RUSTC_1_85]).expect("rustc made it");
        let declaration = ir.declaration("f").expect("it is declared");
        let place = ir.view(declaration).place.expect("a place");
        assert_eq!((place.file.as_str(), place.line), ("a.ll", 4));
    }

    #[test]
    fn sizes() {
        for (ty, bytes) in [
            ("{ i64, i32 }", Some(12)),
            ("[2 x { i32, ptr }]", Some(32)),
            ("[2 x [3 x i16]]", Some(12)),
            ("[99999999999 x [99999999999 x i64]]", None),
            ("%struct", None),
            ("{ }", Some(0)),
            ("{ i8, { i8 } }", None),
        ] {
            assert_eq!(size(ty), bytes, "{ty}");
        }
    }

    #[test]
    fn nested_without_end() {
        for (open, close) in [("{", "}"), ("[2 x ", "]"), ("{ i8, {", "}}")] {
            let ty = open.repeat(5000) + "i8" + &close.repeat(5000);
            let line = format!("declare void @f({ty})");
            assert!(says(&line, "f").is_some_and(|says| says.contains(&ty)));
        }
    }

    /// C's own IR declares what C believes, and half a file half of it.
    #[test]
    fn of_rustc_alone() {
        for makers in [
            &[][..],
            &["Debian clang version 19.1.7"],
            &[RUSTC_1_85, "Debian clang version 19.1.7"],
        ] {
            let error = read("declare void @f()", makers).err().expect("refused");
            assert!(error.to_string().contains("a.ll is not used"), "{error}");
        }
    }
}
