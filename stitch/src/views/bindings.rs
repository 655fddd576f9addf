//! Rust's view of what C defines, as bindgen or a person wrote it down: rustc leaves nothing of it in
//! an object.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use syn::visit_mut::{self, VisitMut};
use syn::{Fields, FnArg, ForeignItem, GenericArgument, Item, Lit, PathArguments, ReturnType};

use super::types::{
    Aggregate, Field, Kind, Opinion, Parameter, Shape, Signature, Type, Why, COUNT, DEPTH,
};
use crate::model::{Language, Place};

/// Larger files are no contract's.
const LARGEST: u64 = 16 << 20;

/// (name, bytes, signed): Rust's own, and what the kernel crate makes of C's.
const INTEGERS: &[(&str, u64, bool)] = &[
    ("u8", 1, false),
    ("i8", 1, true),
    ("u16", 2, false),
    ("i16", 2, true),
    ("u32", 4, false),
    ("i32", 4, true),
    ("u64", 8, false),
    ("i64", 8, true),
    ("u128", 16, false),
    ("i128", 16, true),
    ("usize", 8, false),
    ("isize", 8, true),
    ("char", 4, false),
];

/// (name of a type of `ffi`, what it is on x86-64). The kernel compiles C with `-funsigned-char`.
const FFI: &[(&str, &str)] = &[
    ("c_char", "u8"),
    ("c_schar", "i8"),
    ("c_uchar", "u8"),
    ("c_short", "i16"),
    ("c_ushort", "u16"),
    ("c_int", "i32"),
    ("c_uint", "u32"),
    ("c_long", "isize"),
    ("c_ulong", "usize"),
    ("c_longlong", "i64"),
    ("c_ulonglong", "u64"),
];

/// (name in the kernel crate's bindings, what it is on x86-64 in every kernel that has Rust).
/// Aliases leave no trace in debug information.
const KERNEL: &[(&str, &str)] = &[
    ("__s8", "i8"),
    ("__u8", "u8"),
    ("__s16", "i16"),
    ("__u16", "u16"),
    ("__s32", "i32"),
    ("__u32", "u32"),
    ("__s64", "i64"),
    ("__u64", "u64"),
    ("s8", "i8"),
    ("u8_", "u8"),
    ("s16", "i16"),
    ("u16_", "u16"),
    ("s32", "i32"),
    ("u32_", "u32"),
    ("s64", "i64"),
    ("u64_", "u64"),
    ("bool_", "bool"),
    ("size_t", "usize"),
    ("ssize_t", "isize"),
    ("loff_t", "i64"),
    ("pid_t", "i32"),
    ("uid_t", "u32"),
    ("gid_t", "u32"),
    ("umode_t", "u16"),
    ("dev_t", "u32"),
    ("gfp_t", "u32"),
    ("sector_t", "u64"),
    ("dma_addr_t", "u64"),
    ("phys_addr_t", "u64"),
    ("resource_size_t", "u64"),
    ("ktime_t", "i64"),
];

/// Who wrote declarations down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// bindgen, from C's headers.
    Bindgen,
    /// A person, in `extern "C"` blocks of the module's own sources.
    Source,
}

impl Origin {
    /// bindgen begins its files with its name.
    fn of(text: &str) -> Self {
        let first = text.lines().find(|line| !line.trim().is_empty());
        match first.is_some_and(|line| line.contains("rust-bindgen")) {
            true => Origin::Bindgen,
            false => Origin::Source,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Origin::Bindgen => "bindings",
            Origin::Source => "source",
        }
    }
}

/// One file of declarations.
pub struct Bindings {
    /// Who wrote it.
    pub origin: Origin,
    part: String,
    path: String,
    text: String,
    items: Items,
}

/// What is in a file, in its modules and functions too.
#[derive(Default)]
struct Items {
    /// None for a name that stands for several.
    types: HashMap<String, Option<Item>>,
    symbols: BTreeMap<String, ForeignItem>,
    /// Constants that are numbers; None as above.
    numbers: HashMap<String, Option<u64>>,
    /// Types that constants have: of C's enums bindgen makes such.
    enums: HashSet<String>,
}

impl VisitMut for Items {
    fn visit_item_mut(&mut self, item: &mut Item) {
        let name = match item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Union(item) => item.ident.to_string(),
            Item::Type(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            Item::Const(item) => {
                let name = item.ident.to_string();
                let several = self.numbers.contains_key(&name);
                let number = (!several).then(|| number(&item.expr)).flatten();
                self.numbers.insert(name, number);
                if let syn::Type::Path(ty) = &*item.ty {
                    let name = ty.path.segments.last();
                    self.enums.extend(name.map(|name| name.ident.to_string()));
                }
                return;
            }
            _ => return visit_mut::visit_item_mut(self, item),
        };
        let several = self.types.contains_key(&name);
        let item = std::mem::replace(item, Item::Verbatim(Default::default()));
        self.types.insert(name, (!several).then_some(item));
    }

    fn visit_foreign_item_mut(&mut self, item: &mut ForeignItem) {
        let (name, attributes) = match item {
            ForeignItem::Fn(function) => (function.sig.ident.to_string(), &function.attrs),
            ForeignItem::Static(data) => (data.ident.to_string(), &data.attrs),
            _ => return,
        };
        let symbol = link_name(attributes).unwrap_or(name);
        let item = std::mem::replace(item, ForeignItem::Verbatim(Default::default()));
        self.symbols.insert(symbol, item);
    }
}

impl Bindings {
    /// Parses a file; its views are told to be from `shown`.
    pub fn read(path: &Path, shown: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let size = std::fs::metadata(path).with_context(cannot)?.len();
        anyhow::ensure!(
            size <= LARGEST,
            "{} is too large to be the bindings of a contract",
            path.display()
        );
        let bytes = std::fs::read(path).with_context(cannot)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Bindings::parse(&name, &shown.to_string_lossy(), text)
    }

    /// Takes it from its text.
    pub fn parse(part: &str, path: &str, text: String) -> Result<Self> {
        // syn descends as the brackets do.
        let mut nested = 0_usize;
        for byte in text.bytes() {
            match byte {
                b'(' | b'[' | b'{' | b'<' => nested += 1,
                b')' | b']' | b'}' | b'>' => nested = nested.saturating_sub(1),
                _ => {}
            }
            anyhow::ensure!(nested < 1000, "{path} is nested too deeply to be bindings");
        }
        let mut file =
            syn::parse_file(&text).with_context(|| format!("{path} is no Rust source"))?;
        let mut items = Items::default();
        items.visit_file_mut(&mut file);
        Ok(Bindings {
            origin: Origin::of(&text),
            part: part.to_owned(),
            path: path.to_owned(),
            text,
            items,
        })
    }

    /// Whether it declares a symbol.
    pub fn declares(&self, symbol: &str) -> bool {
        self.items.symbols.contains_key(symbol)
    }

    /// Names that it uses for these symbols, and does not explain.
    pub fn unexplained(&self, symbols: &[String]) -> BTreeSet<String> {
        let nothing = BTreeMap::new();
        let mut resolver = Resolver::new(self, &nothing);
        for symbol in symbols {
            if let Some(item) = self.items.symbols.get(symbol) {
                resolver.left = COUNT;
                resolver.shape(item);
            }
        }
        resolver.missing
    }

    /// What it says of a symbol. `known` are the kernel crate's types.
    pub fn opinion(&self, symbol: &str, known: &BTreeMap<String, Type>) -> Option<Opinion> {
        let item = self.items.symbols.get(symbol)?;
        let shape = Resolver::new(self, known).shape(item)?;
        Some(Opinion {
            part: self.part.clone(),
            language: Language::Rust,
            definition: false,
            source: self.origin.word(),
            place: self.place(item),
            shape,
        })
    }

    /// How the header puts it, where the bindings quote it: `/// Declared in a.h:3: `int f(void)``.
    pub fn quoted(&self, symbol: &str) -> Option<(String, Place)> {
        let attributes = match self.items.symbols.get(symbol)? {
            ForeignItem::Fn(function) => &function.attrs,
            ForeignItem::Static(data) => &data.attrs,
            _ => return None,
        };
        attributes.iter().find_map(|attribute| {
            let syn::Meta::NameValue(pair) = &attribute.meta else {
                return None;
            };
            let syn::Expr::Lit(literal) = &pair.value else {
                return None;
            };
            let Lit::Str(text) = &literal.lit else {
                return None;
            };
            let text = text.value();
            let (place, quoted) = text
                .trim()
                .strip_prefix("Declared in ")?
                .split_once(": `")?;
            let (file, line) = place.rsplit_once(':')?;
            let place = Place {
                file: file.to_owned(),
                line: line.parse().ok()?,
            };
            Some((quoted.strip_suffix('`')?.to_owned(), place))
        })
    }

    fn place(&self, item: &ForeignItem) -> Option<Place> {
        let name = match item {
            ForeignItem::Fn(function) => &function.sig.ident,
            ForeignItem::Static(data) => &data.ident,
            _ => return None,
        };
        let heads = [
            format!("fn {name}("),
            format!("static {name}:"),
            format!("static mut {name}:"),
        ];
        let at = heads
            .iter()
            .find_map(|head| self.text.find(head.as_str()))?;
        let lines = self.text.get(..at)?.matches('\n').count();
        Some(Place {
            file: self.path.clone(),
            line: lines as u64 + 1,
        })
    }
}

struct Resolver<'b> {
    bindings: &'b Bindings,
    known: &'b BTreeMap<String, Type>,
    missing: BTreeSet<String>,
    left: usize,
}

/// As in [`super::dwarf`]: what lies behind a struct's own pointer is known by its name.
#[derive(Clone, Copy, Default)]
struct State {
    depth: usize,
    within: bool,
    behind: bool,
}

impl<'b> Resolver<'b> {
    fn new(bindings: &'b Bindings, known: &'b BTreeMap<String, Type>) -> Self {
        Resolver {
            bindings,
            known,
            missing: BTreeSet::new(),
            left: COUNT,
        }
    }

    fn shape(&mut self, item: &ForeignItem) -> Option<Shape> {
        let state = State::default();
        match item {
            ForeignItem::Fn(function) => {
                let signature = &function.sig;
                let parameters = signature
                    .inputs
                    .iter()
                    .filter_map(|input| match input {
                        FnArg::Typed(typed) => Some(Parameter {
                            name: match &*typed.pat {
                                syn::Pat::Ident(name) => {
                                    let name = name.ident.to_string();
                                    Some(name.trim_end_matches('_').into())
                                }
                                _ => None,
                            },
                            ty: self.ty(&typed.ty, state),
                        }),
                        FnArg::Receiver(_) => None,
                    })
                    .collect();
                Some(Shape::Function(Signature {
                    parameters,
                    returns: self.result(&signature.output, state),
                    variadic: signature.variadic.is_some(),
                    prototyped: true,
                }))
            }
            ForeignItem::Static(data) => {
                let constant = matches!(data.mutability, syn::StaticMutability::None);
                Some(Shape::Data(
                    self.ty(&data.ty, state).with_constant(constant),
                ))
            }
            _ => None,
        }
    }

    fn result(&mut self, output: &ReturnType, state: State) -> Type {
        match output {
            ReturnType::Default => Type::void(),
            ReturnType::Type(_, ty) => self.ty(ty, state),
        }
    }

    fn ty(&mut self, ty: &syn::Type, state: State) -> Type {
        if state.depth > DEPTH || self.left == 0 {
            return Type::opaque("?", Why::Cut);
        }
        self.left -= 1;
        let deeper = State {
            depth: state.depth + 1,
            ..state
        };
        let pointed = State {
            behind: state.behind || state.within,
            ..deeper
        };
        match ty {
            syn::Type::Group(group) => self.ty(&group.elem, deeper),
            syn::Type::Paren(paren) => self.ty(&paren.elem, deeper),
            syn::Type::Never(_) => Type::void(),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Type::void(),
            syn::Type::Ptr(syn::TypePtr { elem, .. })
            | syn::Type::Reference(syn::TypeReference { elem, .. })
                if has_length(elem) =>
            {
                with_length()
            }
            syn::Type::Ptr(pointer) => {
                let constant = matches!(pointer.mutability, syn::PointerMutability::Const(_));
                self.ty(&pointer.elem, pointed)
                    .with_constant(constant)
                    .pointer()
            }
            syn::Type::Reference(reference) => Type::new(Kind::Pointer {
                to: Box::new(
                    self.ty(&reference.elem, pointed)
                        .with_constant(reference.mutability.is_none()),
                ),
                never_null: true,
            }),
            syn::Type::Array(array) => match self.length(&array.len) {
                Some(count) => Type::new(Kind::Array {
                    of: Box::new(self.ty(&array.elem, deeper)),
                    count: Some(count),
                }),
                None => self.unknown("[_; a constant]"),
            },
            syn::Type::FnPtr(function) => {
                let abi = function.abi.as_ref().and_then(|abi| abi.name.as_ref());
                let extern_c = function.abi.is_some() && abi.is_none_or(|name| name.value() == "C");
                // What a callback is given by value is not behind anything.
                let called = State {
                    within: state.within || state.behind,
                    behind: false,
                    ..deeper
                };
                Type::new(Kind::Function {
                    signature: Box::new(Signature {
                        parameters: function
                            .inputs
                            .iter()
                            .map(|input| Parameter {
                                name: input.name.as_ref().map(|(name, _)| name.to_string().into()),
                                ty: self.ty(&input.ty, called),
                            })
                            .collect(),
                        returns: self.result(&function.output, called),
                        variadic: function.variadic.is_some(),
                        prototyped: true,
                    }),
                    never_null: true,
                    extern_c,
                })
            }
            syn::Type::Path(path) => self.path(&path.path, deeper),
            _ => Type::opaque("?", Why::Missing),
        }
    }

    fn length(&self, length: &syn::Expr) -> Option<u64> {
        match length {
            syn::Expr::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                *self.bindings.items.numbers.get(&name)?
            }
            other => number(other),
        }
    }

    fn path(&mut self, path: &syn::Path, state: State) -> Type {
        let Some(last) = path.segments.last() else {
            return Type::opaque("?", Why::Missing);
        };
        let name = last.ident.to_string();
        if let PathArguments::AngleBracketed(arguments) = &last.arguments {
            return match arguments.args.first() {
                Some(GenericArgument::Type(inner)) => self.generic(&name, inner, state),
                _ => self.unknown(&name),
            };
        }
        let before = path.segments.iter().rev().nth(1);
        let in_ffi = before.is_some_and(|before| {
            ["ffi", "raw", "ctypes"]
                .iter()
                .any(|module| before.ident == module)
        });
        if in_ffi {
            let root = path.segments.first();
            let other = root.is_some_and(|root| root.ident == "core" || root.ident == "std");
            return match (name.as_str(), other) {
                ("c_void", _) => Type::void(),
                ("c_char", true) => Type::integer(1, true, "i8").named(name),
                _ => of_table(FFI, &name).unwrap_or_else(|| self.unknown(&name)),
            };
        }
        if let Some(item) = self.bindings.items.types.get(&name) {
            return match item {
                Some(item) => self.item(&name, item, state),
                None => self.unknown(&name),
            };
        }
        if let Some(ty) = primitive(&name).or_else(|| of_table(KERNEL, &name)) {
            return ty;
        }
        match self.known.get(&name) {
            Some(_) if state.behind => Type::opaque(&name, Why::Behind),
            Some(ty) => ty.clone(),
            None => self.unknown(&name),
        }
    }

    fn unknown(&mut self, name: &str) -> Type {
        self.missing.insert(name.to_owned());
        Type::opaque(name, Why::Missing)
    }

    fn generic(&mut self, name: &str, inner: &syn::Type, state: State) -> Type {
        match name {
            "Option" => {
                let mut ty = self.ty(inner, state);
                match &mut ty.kind {
                    Kind::Function { never_null, .. } | Kind::Pointer { never_null, .. } => {
                        *never_null = false;
                        ty
                    }
                    _ => self.unknown("Option"),
                }
            }
            // They are laid out as what is in them.
            "ManuallyDrop" | "UnsafeCell" | "MaybeUninit" => self.ty(inner, state),
            // C's flexible array, or one of a union's: no bytes of its own.
            "__IncompleteArrayField" | "__BindgenUnionField" => Type::new(Kind::Array {
                of: Box::new(self.ty(inner, state)),
                count: Some(0),
            }),
            // Some bits, of which Rust knows the bytes alone.
            "__BindgenBitfieldUnit" => self.ty(inner, state),
            _ => self.unknown(name),
        }
    }

    fn item(&mut self, name: &str, item: &Item, state: State) -> Type {
        match item {
            Item::Type(alias) => match self.ty(&alias.ty, state) {
                Type {
                    kind: Kind::Integer { bytes, signed, .. },
                    ..
                } if self.bindings.items.enums.contains(name) => Type::new(Kind::Enum {
                    bytes,
                    signed,
                    name: name.into(),
                }),
                other => other.named(name),
            },
            _ if state.behind => Type::opaque(name, Why::Behind),
            Item::Struct(item) => {
                let fields = match &item.fields {
                    Fields::Named(fields) => fields
                        .named
                        .iter()
                        .map(|field| (field.ident.as_ref().map(ToString::to_string), &field.ty))
                        .collect(),
                    Fields::Unnamed(fields) => fields
                        .unnamed
                        .iter()
                        .enumerate()
                        .map(|(at, field)| (Some(at.to_string()), &field.ty))
                        .collect(),
                    Fields::Unit => Vec::new(),
                };
                self.aggregate(name, false, &item.attrs, fields, state)
            }
            Item::Union(item) => {
                let fields = item
                    .fields
                    .named
                    .iter()
                    .map(|field| (field.ident.as_ref().map(ToString::to_string), &field.ty))
                    .collect();
                self.aggregate(name, true, &item.attrs, fields, state)
            }
            Item::Enum(item) => {
                let words = representation(&item.attrs);
                let of = words
                    .iter()
                    .find_map(|(word, _)| INTEGERS.iter().find(|(name, ..)| name == word));
                // `repr(C)`, without a number's name: C's own choice for it.
                let (bytes, signed) = of.map_or((4, false), |(_, bytes, signed)| (*bytes, *signed));
                Type::new(Kind::Enum {
                    bytes,
                    signed,
                    name: name.into(),
                })
            }
            _ => self.unknown(name),
        }
    }

    /// Lays it out by the rules of `repr(C)`, which are C's.
    fn aggregate(
        &mut self,
        name: &str,
        union: bool,
        attributes: &[syn::Attribute],
        fields: Vec<(Option<String>, &syn::Type)>,
        state: State,
    ) -> Type {
        let words = representation(attributes);
        let said = |word: &str| words.iter().find(|(said, _)| said == word);
        if said("C").is_none() && said("transparent").is_none() {
            return self.unknown(name);
        }
        let packed = said("packed").map(|(_, number)| number.unwrap_or(1).max(1));
        let inside = State {
            within: true,
            ..state
        };
        let (mut size, mut align) = (0_u64, 1_u64);
        let mut laid_out = Vec::new();
        for (field, ty) in fields {
            let ty = self.ty(ty, inside);
            let (Some(bytes), Some(mut own)) = (ty.size(), ty.align()) else {
                return Type::opaque(name, Why::Missing);
            };
            own = own.max(1).min(packed.unwrap_or(u64::MAX));
            align = align.max(own);
            let offset = match union {
                true => 0,
                false => size.checked_next_multiple_of(own).unwrap_or(size),
            };
            size = size.max(offset.saturating_add(bytes));
            laid_out.push(Field {
                bits: field.as_deref().is_some_and(is_unit_of_bits),
                name: field.map(Into::into),
                offset,
                ty,
            });
        }
        if let Some((_, Some(asked))) = said("align") {
            align = align.max(*asked);
        }
        size = size.checked_next_multiple_of(align).unwrap_or(size);
        let unused = laid_out
            .iter()
            .any(|field| field.name.as_deref() == Some("_unused"));
        if size == 0 && unused {
            // What bindgen makes of a struct without a body.
            return Type::opaque(name, Why::Declared);
        }
        Type::new(Kind::Aggregate(Arc::new(Aggregate {
            name: Some(name.into()),
            union,
            size,
            align: Some(align),
            align_told: true,
            fields: laid_out,
        })))
    }
}

/// Whether Rust's pointers to it are two words: C has none such.
fn has_length(pointed: &syn::Type) -> bool {
    match pointed {
        syn::Type::Slice(_) | syn::Type::TraitObject(_) => true,
        syn::Type::Path(path) => ["str", "CStr"].iter().any(|name| {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == name)
        }),
        _ => false,
    }
}

/// A pointer to a slice, a string or a trait object.
fn with_length() -> Type {
    let word = |offset, ty| Field {
        name: None,
        offset,
        bits: false,
        ty,
    };
    Type::new(Kind::Aggregate(Arc::new(Aggregate {
        name: Some("{pointer and length}".into()),
        union: false,
        size: 16,
        align: Some(8),
        align_told: true,
        fields: vec![
            word(0, Type::void().pointer()),
            word(8, Type::integer(8, false, "usize")),
        ],
    })))
}

/// bindgen's field for C's bit fields, or for bytes that it cannot name.
pub fn is_unit_of_bits(field: &str) -> bool {
    field.starts_with("_bitfield_")
        || field.starts_with("__bindgen_padding_")
        || field.starts_with("__bindgen_align")
        || field == "_bindgen_opaque_blob"
}

/// What the linker looks for instead of the item's name: `#[link_name = "rust_helper_fsleep"]`.
/// Before a name that is not to be changed, LLVM has a mark.
fn link_name(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(literal) = &pair.value else {
            return None;
        };
        match &literal.lit {
            Lit::Str(name) if pair.path.is_ident("link_name") => {
                Some(name.value().trim_start_matches('\u{1}').to_owned())
            }
            _ => None,
        }
    })
}

/// The words in `#[repr(…)]`, with their numbers.
fn representation(attributes: &[syn::Attribute]) -> Vec<(String, Option<u64>)> {
    let mut words = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("repr") {
            continue;
        }
        // What cannot be read is no `repr(C)`, and so is unknown.
        let _ = attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string);
            let mut number = None;
            if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                number = content.parse::<syn::LitInt>()?.base10_parse().ok();
            }
            words.extend(word.map(|word| (word, number)));
            Ok(())
        });
    }
    words
}

fn primitive(name: &str) -> Option<Type> {
    match name {
        "bool" => Some(Type::new(Kind::Bool)),
        "f32" => Some(Type::new(Kind::Float(4))),
        "f64" => Some(Type::new(Kind::Float(8))),
        _ => INTEGERS
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(name, bytes, signed)| Type::integer(*bytes, *signed, name)),
    }
}

fn of_table(table: &[(&str, &str)], name: &str) -> Option<Type> {
    let (_, rust) = table.iter().find(|(known, _)| *known == name)?;
    Some(primitive(rust)?.named(name))
}

fn number(length: &syn::Expr) -> Option<u64> {
    match length {
        syn::Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::spell;

    fn says(source: &str, symbol: &str) -> String {
        let bindings = Bindings::parse("a_h.rs", "a_h.rs", source.to_owned()).expect("it is Rust");
        let opinion = bindings
            .opinion(symbol, &BTreeMap::new())
            .expect("it is declared");
        spell::opinion(symbol, &opinion)
    }

    #[test]
    fn functions_and_data() {
        let source = "pub type u32_ = __u32; pub type __u32 = kernel::ffi::c_uint;
            pub type call_fn = ::core::option::Option<unsafe extern \"C\" fn(c: *mut kernel::ffi::c_void) -> u32_>;
            extern \"C\" {
                pub fn f(a: u32_, b: call_fn, ...) -> *const kernel::ffi::c_char;
                pub static mut d: [u32_; 4usize];
            }";
        assert_eq!(
            says(source, "f"),
            "extern \"C\" fn f(a: u32_, b: call_fn, ...) -> *const c_char"
        );
        assert_eq!(says(source, "d"), "static mut d: [u32_; 4]");
    }

    #[test]
    fn layout() {
        let source = "#[repr(C)] pub struct s { a: u8, b: u32, c: [u16; 3usize] }
            #[repr(C, packed(2))] pub struct p { a: u8, b: u32 }
            #[repr(C)] pub struct o { _unused: [u8; 0] }
            pub struct rust { a: u8 }
            extern \"C\" { fn f(s: s, p: p, o: *mut o, r: rust, m: mystery); }";
        let bindings = Bindings::parse("a_h.rs", "a_h.rs", source.to_owned()).expect("it is Rust");
        let known = BTreeMap::new();
        let Some(Shape::Function(f)) = bindings.opinion("f", &known).map(|o| o.shape) else {
            panic!("f is a function");
        };
        let layouts: Vec<_> = f
            .parameters
            .iter()
            .map(|parameter| (parameter.ty.size(), parameter.ty.align()))
            .collect();
        assert_eq!(layouts[0], (Some(16), Some(4)));
        assert_eq!(layouts[1], (Some(6), Some(2)));
        assert_eq!(layouts[3], (None, None));
        assert_eq!(
            bindings.unexplained(&["f".to_owned()]),
            ["mystery".to_owned(), "rust".to_owned()].into()
        );
    }

    #[test]
    fn another_name_for_the_linker() {
        let source = "extern \"C\" {
                #[link_name = \"rust_helper_fsleep\"]
                pub fn fsleep(usecs: usize);
                #[link_name = \"\\u{1}odd\"]
                pub static even: u8;
            }";
        assert_eq!(
            says(source, "rust_helper_fsleep"),
            "extern \"C\" fn rust_helper_fsleep(usecs: usize)"
        );
        assert_eq!(says(source, "odd"), "static odd: u8");
        let bindings = Bindings::parse("a_h.rs", "a_h.rs", source.to_owned()).expect("it is Rust");
        assert!(!bindings.declares("fsleep"));
        let place = bindings
            .opinion("rust_helper_fsleep", &BTreeMap::new())
            .and_then(|opinion| opinion.place);
        assert_eq!(place.map(|place| place.line), Some(3));
    }

    #[test]
    fn what_constants_have_is_an_enum() {
        let source = "pub const LESS: order = -1; pub type order = kernel::ffi::c_int;
            pub const SIZE: u32 = 5; pub type plain = u32;
            extern \"C\" { fn f(order: order, plain: plain); }";
        let bindings = Bindings::parse("a_h.rs", "a_h.rs", source.to_owned()).expect("it is Rust");
        let shape = bindings.opinion("f", &BTreeMap::new()).map(|o| o.shape);
        let Some(Shape::Function(f)) = shape else {
            panic!("f is a function");
        };
        let signed = match f.parameters[0].ty.kind {
            Kind::Enum {
                bytes: 4, signed, ..
            } => signed,
            ref other => panic!("{other:?}"),
        };
        assert!(signed);
        assert!(matches!(f.parameters[1].ty.kind, Kind::Integer { .. }));
    }

    #[test]
    fn a_type_that_is_itself_ends() {
        let source = "type a = b; type b = a; #[repr(C)] struct s { s: s }
            extern \"C\" { fn f(a: a, s: s); }";
        assert!(says(source, "f").starts_with("extern"));
    }
}
