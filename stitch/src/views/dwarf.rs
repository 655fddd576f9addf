//! What an object's debug information says of symbols: their definitions, and what those who only
//! need them declare.
//!
//! Every entry is visited once, and all but those in question are skipped. Types are built only for
//! the symbols that were asked for. A struct is looked into where it is passed by value or by
//! pointer; one that lies behind a pointer in such a struct is known by its name: whoever follows
//! that pointer has another crossing for it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use gimli::{
    AttributeValue, DebuggingInformationEntry, DwAt, DwTag, EntriesTreeNode, Unit, UnitOffset,
};

use super::sections::{Reader, Sections};
use super::types::{
    natural_align, Aggregate, Field, Kind, Opinion, Parameter, Shape, Signature, Type, Why, COUNT,
    DEPTH,
};
use crate::model::{Language, Place};

/// What to look for in an object.
#[derive(Debug, Default)]
pub struct Wanted<'w> {
    /// Symbols that it defines.
    pub defined: BTreeSet<&'w str>,
    /// Symbols that it needs.
    pub needed: BTreeSet<&'w str>,
    /// Types of the kernel crate's bindings.
    pub types: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By symbol.
    pub opinions: BTreeMap<String, Opinion>,
    /// By the last part of their path.
    pub types: BTreeMap<String, Type>,
    /// Why it is less than it could be: a sentence.
    pub trouble: Option<String>,
}

type Die<'a, 'u, 's> = DebuggingInformationEntry<'a, 'u, Reader<'s>>;

/// Asks the debug information of the object called `part`.
pub fn ask(part: &str, sections: &Sections<'_>, wanted: &Wanted<'_>) -> Found {
    let mut found = Found::default();
    if sections.is_empty() {
        found.trouble = Some(format!("{part} has no debug information"));
        return found;
    }
    let dwarf = sections.dwarf();
    let mut units = dwarf.units();
    loop {
        let visited = match units.next() {
            Ok(Some(header)) => dwarf
                .unit(header)
                .and_then(|unit| visit(part, &dwarf, &unit, wanted, &mut found)),
            Ok(None) => break,
            Err(error) => {
                found.trouble = Some(broken(part, error));
                break;
            }
        };
        if let Err(error) = visited {
            found.trouble = Some(broken(part, error));
        }
    }
    found
}

fn broken(part: &str, error: gimli::Error) -> String {
    format!("the debug information of {part} is broken: {error}")
}

/// An entry that is about a symbol in question.
struct Hit<'w> {
    at: UnitOffset,
    /// Where the rest of it stands.
    origin: Option<UnitOffset>,
    symbol: &'w str,
    definition: bool,
}

/// What the walk over all entries has to know of one.
#[derive(Default)]
struct Head<'s> {
    name: Option<&'s [u8]>,
    linkage: Option<&'s [u8]>,
    declaration: bool,
    origin: Option<UnitOffset>,
}

fn visit(
    part: &str,
    dwarf: &gimli::Dwarf<Reader<'_>>,
    unit: &Unit<Reader<'_>>,
    wanted: &Wanted<'_>,
    found: &mut Found,
) -> gimli::Result<()> {
    let builder = Builder::new(dwarf, unit)?;
    let (hits, types) = walk(&builder, wanted)?;

    for (name, at) in types {
        if let Entry::Vacant(place) = found.types.entry(name) {
            place.insert(builder.fresh().ty(at, State::default())?);
        }
    }
    for hit in hits {
        let better = match found.opinions.get(hit.symbol) {
            Some(known) => hit.definition && !known.definition,
            None => true,
        };
        if !better {
            continue;
        }
        if let Some(opinion) = builder.fresh().opinion(part, &hit)? {
            found.opinions.insert(hit.symbol.to_owned(), opinion);
        }
    }
    Ok(())
}

type Hits<'w> = (Vec<Hit<'w>>, Vec<(String, UnitOffset)>);

fn walk<'w>(builder: &Builder<'_, '_>, wanted: &Wanted<'w>) -> gimli::Result<Hits<'w>> {
    let (mut hits, mut types) = (Vec::<Hit<'w>>::new(), Vec::new());
    let mut by_offset: HashMap<UnitOffset, &'w str> = HashMap::new();
    // The namespaces around an entry: how deep, and whether bindgen filled it.
    let mut namespaces: Vec<(isize, bool)> = Vec::new();
    let mut entries = builder.unit.entries_raw(None)?;

    while !entries.is_empty() {
        let (at, depth) = (entries.next_offset(), entries.next_depth());
        let Some(abbreviation) = entries.read_abbreviation()? else {
            continue;
        };
        let tag = abbreviation.tag();
        let specifications = abbreviation.attributes();
        let is_symbol = match tag {
            gimli::DW_TAG_subprogram => true,
            // Most are local, and need no look.
            gimli::DW_TAG_variable => specifications.iter().any(|specification| {
                matches!(
                    specification.name(),
                    gimli::DW_AT_external | gimli::DW_AT_specification
                )
            }),
            _ => false,
        };
        let is_type = builder.rust
            && !wanted.types.is_empty()
            && matches!(
                tag,
                gimli::DW_TAG_namespace
                    | gimli::DW_TAG_structure_type
                    | gimli::DW_TAG_union_type
                    | gimli::DW_TAG_enumeration_type
            );
        if !is_symbol && !is_type {
            entries.skip_attributes(specifications)?;
            continue;
        }

        let mut head = Head::default();
        for specification in specifications {
            let attribute = entries.read_attribute(*specification)?;
            builder.note(&mut head, attribute.name(), attribute.value());
        }
        if is_type {
            while namespaces.last().is_some_and(|(deep, _)| *deep >= depth) {
                namespaces.pop();
            }
            let name = head.name.and_then(|name| std::str::from_utf8(name).ok());
            let Some(name) = name else { continue };
            if tag == gimli::DW_TAG_namespace {
                namespaces.push((depth, name.starts_with("bindings")));
            } else if namespaces.last() == Some(&(depth - 1, true)) {
                types.extend(wanted.types.get(name).map(|name| (name.clone(), at)));
            }
            continue;
        }
        // What Rust mangles may have the name of another symbol in its source.
        let named = head.linkage.or(head.name).and_then(|name| {
            let name = std::str::from_utf8(name).ok()?;
            wanted.defined.get(name).or_else(|| wanted.needed.get(name))
        });
        let inherited = head.origin.and_then(|origin| by_offset.get(&origin));
        if let Some(symbol) = named.or(inherited).copied() {
            by_offset.insert(at, symbol);
            let defined = wanted.defined.contains(symbol);
            // A definition where none is linked is another's of that name, or inlined.
            if defined || head.declaration {
                hits.push(Hit {
                    at,
                    origin: head.origin,
                    symbol,
                    definition: defined && !head.declaration,
                });
            }
        }
    }
    Ok((hits, types))
}

/// Where a type is being built.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    depth: usize,
    /// In a struct.
    within: bool,
    /// Behind a pointer in a struct.
    behind: bool,
}

impl State {
    fn deeper(self) -> Self {
        State {
            depth: self.depth + 1,
            ..self
        }
    }

    /// What a callback is given by value is not behind anything.
    fn called(self) -> Self {
        State {
            within: self.within || self.behind,
            behind: false,
            ..self
        }
    }
}

/// Builds types of one unit.
struct Builder<'u, 's> {
    dwarf: &'u gimli::Dwarf<Reader<'s>>,
    unit: &'u Unit<Reader<'s>>,
    rust: bool,
    /// How many more types it may build.
    left: std::cell::Cell<usize>,
    aggregates: std::cell::RefCell<HashMap<UnitOffset, Arc<Aggregate>>>,
}

impl<'u, 's> Builder<'u, 's> {
    fn new(dwarf: &'u gimli::Dwarf<Reader<'s>>, unit: &'u Unit<Reader<'s>>) -> gimli::Result<Self> {
        let mut entries = unit.entries();
        let language = match entries.next_dfs()? {
            Some((_, root)) => root.attr_value(gimli::DW_AT_language)?,
            None => None,
        };
        Ok(Builder {
            dwarf,
            unit,
            rust: matches!(
                language,
                Some(AttributeValue::Language(gimli::DW_LANG_Rust))
            ),
            left: std::cell::Cell::new(COUNT),
            aggregates: Default::default(),
        })
    }

    /// For another symbol.
    fn fresh(&self) -> &Self {
        self.left.set(COUNT);
        self
    }

    fn note(&self, head: &mut Head<'s>, name: DwAt, value: AttributeValue<Reader<'s>>) {
        let text = || {
            let text = self.dwarf.attr_string(self.unit, value).ok()?;
            Some(text.slice())
        };
        match name {
            gimli::DW_AT_name => head.name = text(),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => head.linkage = text(),
            gimli::DW_AT_declaration => head.declaration = value == AttributeValue::Flag(true),
            gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => {
                head.origin = self.reference(value);
            }
            _ => {}
        }
    }

    /// Where a reference leads, if it stays in this unit.
    fn reference(&self, value: AttributeValue<Reader<'s>>) -> Option<UnitOffset> {
        match value {
            AttributeValue::UnitRef(at) => Some(at),
            AttributeValue::DebugInfoRef(at) => at.to_unit_offset(&self.unit.header),
            _ => None,
        }
    }

    fn target(&self, entry: &Die<'_, '_, 's>, name: DwAt) -> gimli::Result<Option<UnitOffset>> {
        Ok(entry
            .attr_value(name)?
            .and_then(|value| self.reference(value)))
    }

    fn name(&self, entry: &Die<'_, '_, 's>) -> gimli::Result<Option<Arc<str>>> {
        let Some(value) = entry.attr_value(gimli::DW_AT_name)? else {
            return Ok(None);
        };
        let name = self.dwarf.attr_string(self.unit, value)?;
        Ok(Some(name.to_string_lossy().into()))
    }

    fn opinion(&self, part: &str, hit: &Hit<'_>) -> gimli::Result<Option<Opinion>> {
        let entry = self.unit.entry(hit.at)?;
        let shape = match entry.tag() {
            gimli::DW_TAG_subprogram => {
                let signature = self.signature(hit.at, hit.origin, State::default())?;
                Shape::Function(signature)
            }
            _ => {
                let own = self.target(&entry, gimli::DW_AT_type)?;
                let ty = match (own, hit.origin) {
                    (None, Some(origin)) => {
                        self.target(&self.unit.entry(origin)?, gimli::DW_AT_type)?
                    }
                    _ => own,
                };
                let Some(ty) = ty else { return Ok(None) };
                let mut ty = self.ty(ty, State::default())?;
                if self.rust {
                    ty.constant = None;
                } else {
                    ty.constant = ty.constant.or(Some(false));
                }
                Shape::Data(ty)
            }
        };
        let place = match (self.place(&entry)?, hit.origin) {
            (None, Some(origin)) => self.place(&self.unit.entry(origin)?)?,
            (place, _) => place,
        };
        Ok(Some(Opinion {
            part: part.to_owned(),
            language: if self.rust {
                Language::Rust
            } else {
                Language::C
            },
            definition: hit.definition,
            source: if hit.definition {
                "DWARF, definition"
            } else {
                "DWARF, declaration"
            },
            place,
            shape,
        }))
    }

    fn place(&self, entry: &Die<'_, '_, 's>) -> gimli::Result<Option<Place>> {
        let file = match entry.attr_value(gimli::DW_AT_decl_file)? {
            Some(AttributeValue::FileIndex(index)) => Some(index),
            _ => number(entry, gimli::DW_AT_decl_file)?,
        };
        let line = number(entry, gimli::DW_AT_decl_line)?;
        let (Some(file), Some(line), Some(program)) = (file, line, &self.unit.line_program) else {
            return Ok(None);
        };
        let header = program.header();
        let Some(file) = header.file(file) else {
            return Ok(None);
        };
        let name = self.dwarf.attr_string(self.unit, file.path_name())?;
        let mut path = name.to_string_lossy().into_owned();
        if file.directory_index() != 0 {
            if let Some(folder) = file.directory(header) {
                let folder = self.dwarf.attr_string(self.unit, folder)?;
                path = Path::new(folder.to_string_lossy().as_ref())
                    .join(path)
                    .to_string_lossy()
                    .into_owned();
            }
        }
        Ok(Some(Place { file: path, line }))
    }

    fn signature(
        &self,
        at: UnitOffset,
        origin: Option<UnitOffset>,
        state: State,
    ) -> gimli::Result<Signature> {
        let state = state.called();
        let mut tree = self.unit.entries_tree(Some(at))?;
        let root = tree.root()?;
        let entry = root.entry();
        let own = self.target(entry, gimli::DW_AT_type)?;
        let returns = match (own, origin) {
            (None, Some(origin)) => self.target(&self.unit.entry(origin)?, gimli::DW_AT_type)?,
            _ => own,
        };
        let told = entry.attr_value(gimli::DW_AT_prototyped)?.is_some();
        let mut signature = Signature {
            parameters: Vec::new(),
            returns: match returns {
                Some(returns) => self.ty(returns, state.deeper())?,
                None => Type::void(),
            },
            variadic: false,
            prototyped: true,
        };
        let mut children = root.children();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            match entry.tag() {
                gimli::DW_TAG_formal_parameter => {
                    signature.parameters.push(self.parameter(entry, state)?);
                }
                gimli::DW_TAG_unspecified_parameters => signature.variadic = true,
                _ => {}
            }
        }
        // C's `f()` is written as one that takes whatever comes, or as one that takes nothing.
        if signature.parameters.is_empty() && !self.rust {
            signature.prototyped = told;
            signature.variadic &= told;
        }
        Ok(signature)
    }

    fn parameter(&self, entry: &Die<'_, '_, 's>, state: State) -> gimli::Result<Parameter> {
        let origin = match self.target(entry, gimli::DW_AT_abstract_origin)? {
            Some(origin) => Some(self.unit.entry(origin)?),
            None => None,
        };
        let (mut name, mut ty) = (self.name(entry)?, self.target(entry, gimli::DW_AT_type)?);
        if let Some(origin) = &origin {
            name = name.or(self.name(origin)?);
            ty = ty.or(self.target(origin, gimli::DW_AT_type)?);
        }
        let mut ty = match ty {
            Some(ty) => self.ty(ty, state.deeper())?,
            None => Type::opaque("?", Why::Missing),
        };
        // A const copy is the callee's own affair.
        ty.constant = None;
        Ok(Parameter { name, ty })
    }

    /// The type that is described at `at`.
    fn ty(&self, at: UnitOffset, state: State) -> gimli::Result<Type> {
        let entry = self.unit.entry(at)?;
        let name = self.name(&entry)?;
        let left = self.left.get();
        if state.depth > DEPTH || left == 0 {
            let name = name.as_deref().unwrap_or("{unnamed}");
            return Ok(Type::opaque(name, Why::Cut));
        }
        self.left.set(left - 1);

        let target = self.target(&entry, gimli::DW_AT_type)?;
        let size = number(&entry, gimli::DW_AT_byte_size)?;
        // What cannot be followed is not known: another unit, an expression.
        let follow = |state: State| match target {
            Some(target) => self.ty(target, state.deeper()),
            None if entry.attr_value(gimli::DW_AT_type)?.is_some() => {
                Ok(Type::opaque("?", Why::Missing))
            }
            None => Ok(Type::void()),
        };
        Ok(match entry.tag() {
            gimli::DW_TAG_base_type => base(entry.attr_value(gimli::DW_AT_encoding)?, size, name),
            gimli::DW_TAG_unspecified_type => Type::void(),
            gimli::DW_TAG_typedef => {
                let mut ty = follow(state)?;
                if let Kind::Aggregate(aggregate) = &ty.kind {
                    if aggregate.name.is_none() {
                        let mut named = Aggregate::clone(aggregate);
                        named.name = name.clone();
                        ty.kind = Kind::Aggregate(Arc::new(named));
                    }
                }
                ty.alias = name;
                ty
            }
            gimli::DW_TAG_const_type => follow(state)?.with_constant(true),
            gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type => follow(state)?,
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => self.pointer(target, name, state)?,
            gimli::DW_TAG_subroutine_type => Type::new(Kind::Function {
                signature: Box::new(self.signature(at, None, state)?),
                never_null: true,
                extern_c: true,
            }),
            gimli::DW_TAG_array_type => self.array(at, follow(state)?)?,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
                let declared = entry.attr_value(gimli::DW_AT_declaration)?.is_some();
                let shown = name.as_deref().unwrap_or("{unnamed}");
                match size {
                    Some(0) if self.rust && self.is_unused(at)? => {
                        Type::opaque(shown, Why::Declared)
                    }
                    Some(_) if state.behind && name.is_some() && !is_option(shown) => {
                        Type::opaque(shown, Why::Behind)
                    }
                    Some(size) if !declared => self.aggregate(at, name, size, state)?,
                    _ => Type::opaque(shown, Why::Declared),
                }
            }
            gimli::DW_TAG_enumeration_type => {
                let signed = match follow(state)?.kind {
                    Kind::Integer { signed, .. } => signed,
                    _ => false,
                };
                match name.as_deref() {
                    Some("c_void") if self.rust => Type::void(),
                    name => Type::new(Kind::Enum {
                        bytes: size.unwrap_or(4),
                        signed,
                        name: name.unwrap_or("{unnamed}").into(),
                    }),
                }
            }
            DwTag(_) => Type::opaque(name.as_deref().unwrap_or("?"), Why::Missing),
        })
    }

    fn pointer(
        &self,
        target: Option<UnitOffset>,
        name: Option<Arc<str>>,
        state: State,
    ) -> gimli::Result<Type> {
        let Some(target) = target else {
            return Ok(Type::void().with_constant(false).pointer());
        };
        let state = State {
            behind: state.behind || state.within,
            ..state.deeper()
        };
        let name = name.as_deref().unwrap_or_default();
        if self.is_function(target)? {
            let mut ty = self.ty(target, state)?;
            if let Kind::Function {
                never_null,
                extern_c,
                ..
            } = &mut ty.kind
            {
                *never_null = self.rust;
                *extern_c = !self.rust || name.contains("extern \"C\"");
            }
            ty.alias = None;
            ty.constant = None;
            return Ok(ty);
        }
        let mut to = self.ty(target, state)?;
        let never_null = self.rust && name.starts_with('&');
        to.constant = match self.rust {
            true if name.starts_with("*const ") => Some(true),
            true if name.starts_with("*mut ") || name.starts_with("&mut ") => Some(false),
            true if name.starts_with('&') => Some(true),
            true => None,
            false => to.constant.or(Some(false)),
        };
        Ok(Type::new(Kind::Pointer {
            to: Box::new(to),
            never_null,
        }))
    }

    /// Whether a function is there, by whatever name.
    fn is_function(&self, mut at: UnitOffset) -> gimli::Result<bool> {
        for _ in 0..DEPTH {
            let entry = self.unit.entry(at)?;
            match entry.tag() {
                gimli::DW_TAG_subroutine_type => return Ok(true),
                gimli::DW_TAG_typedef | gimli::DW_TAG_const_type | gimli::DW_TAG_volatile_type => {}
                _ => return Ok(false),
            }
            match self.target(&entry, gimli::DW_AT_type)? {
                Some(target) => at = target,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    fn array(&self, at: UnitOffset, of: Type) -> gimli::Result<Type> {
        let mut tree = self.unit.entries_tree(Some(at))?;
        let mut children = tree.root()?.children();
        let mut counts = Vec::new();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            if entry.tag() != gimli::DW_TAG_subrange_type || counts.len() > DEPTH {
                continue;
            }
            let last = number(entry, gimli::DW_AT_upper_bound)?;
            counts.push(match number(entry, gimli::DW_AT_count)? {
                Some(count) => Some(count),
                None => last.and_then(|last| last.checked_add(1)),
            });
        }
        if counts.is_empty() {
            counts.push(None);
        }
        let constant = of.constant;
        let mut ty = counts.into_iter().rev().fold(of, |of, count| {
            Type::new(Kind::Array {
                of: Box::new(of),
                count,
            })
        });
        ty.constant = constant;
        Ok(ty)
    }

    fn aggregate(
        &self,
        at: UnitOffset,
        name: Option<Arc<str>>,
        size: u64,
        state: State,
    ) -> gimli::Result<Type> {
        if !state.behind {
            if let Some(known) = self.aggregates.borrow().get(&at) {
                return Ok(Type::new(Kind::Aggregate(known.clone())));
            }
        }
        let mut tree = self.unit.entries_tree(Some(at))?;
        let root = tree.root()?;
        let union = root.entry().tag() == gimli::DW_TAG_union_type;
        let said = number(root.entry(), gimli::DW_AT_alignment)?;
        let inside = State {
            within: true,
            ..state.deeper()
        };
        let mut fields = Vec::new();
        let (mut variants, mut inner) = (false, None);
        let mut children = root.children();
        while let Some(child) = children.next()? {
            match child.entry().tag() {
                gimli::DW_TAG_member => fields.extend(self.field(child.entry(), inside)?),
                gimli::DW_TAG_variant_part => variants = true,
                gimli::DW_TAG_structure_type if self.rust && inner.is_none() => {
                    inner = self.template(child)?;
                }
                _ => {}
            }
        }
        let shown = name.as_deref().unwrap_or("{unnamed}");
        if variants {
            // An Option of a pointer is a pointer that may be NULL.
            if let (true, 8, Some(inner)) = (is_option(shown), size, inner) {
                let mut ty = self.ty(inner, state.deeper())?;
                match &mut ty.kind {
                    Kind::Function { never_null, .. } | Kind::Pointer { never_null, .. } => {
                        *never_null = false;
                        return Ok(ty);
                    }
                    _ => {}
                }
            }
            return Ok(Type::opaque(shown, Why::Missing));
        }
        // rustc may have put them in another order than they are in memory.
        fields.sort_by_key(|field| field.offset);
        let aggregate = Arc::new(Aggregate {
            align: said.or_else(|| natural_align(&fields)),
            align_told: said.is_some(),
            name,
            union,
            size,
            fields,
        });
        if !state.behind && self.left.get() > 0 {
            self.aggregates.borrow_mut().insert(at, aggregate.clone());
        }
        Ok(Type::new(Kind::Aggregate(aggregate)))
    }

    /// Whether bindgen made it of a struct without a body.
    fn is_unused(&self, at: UnitOffset) -> gimli::Result<bool> {
        let mut tree = self.unit.entries_tree(Some(at))?;
        let mut children = tree.root()?.children();
        match children.next()? {
            Some(child) => Ok(self.name(child.entry())?.as_deref() == Some("_unused")),
            None => Ok(false),
        }
    }

    /// What a generic struct's parameter is.
    fn template(
        &self,
        node: EntriesTreeNode<'_, '_, '_, Reader<'s>>,
    ) -> gimli::Result<Option<UnitOffset>> {
        let mut children = node.children();
        while let Some(child) = children.next()? {
            if child.entry().tag() == gimli::DW_TAG_template_type_parameter {
                return self.target(child.entry(), gimli::DW_AT_type);
            }
        }
        Ok(None)
    }

    fn field(&self, entry: &Die<'_, '_, 's>, state: State) -> gimli::Result<Option<Field>> {
        let bits = number(entry, gimli::DW_AT_bit_size)?.is_some();
        let offset = match number(entry, gimli::DW_AT_data_bit_offset)? {
            Some(bit) => bit / 8,
            None => number(entry, gimli::DW_AT_data_member_location)?.unwrap_or(0),
        };
        let ty = match self.target(entry, gimli::DW_AT_type)? {
            Some(ty) => self.ty(ty, state)?,
            None => Type::opaque("?", Why::Missing),
        };
        Ok(Some(Field {
            name: self.name(entry)?,
            offset,
            bits,
            ty,
        }))
    }
}

fn number(entry: &Die<'_, '_, '_>, name: DwAt) -> gimli::Result<Option<u64>> {
    let value = entry.attr_value(name)?;
    Ok(value.and_then(|value| value.udata_value()))
}

fn is_option(name: &str) -> bool {
    name.starts_with("Option<")
}

fn base(
    encoding: Option<AttributeValue<Reader<'_>>>,
    size: Option<u64>,
    name: Option<Arc<str>>,
) -> Type {
    let name = name.unwrap_or_else(|| "?".into());
    let Some(bytes) = size else {
        return Type::opaque(&name, Why::Missing);
    };
    let encoding = match encoding {
        Some(AttributeValue::Encoding(encoding)) => encoding,
        _ => return Type::opaque(&name, Why::Missing),
    };
    match encoding {
        _ if bytes == 0 => Type::void(),
        gimli::DW_ATE_boolean if bytes == 1 => Type::new(Kind::Bool),
        gimli::DW_ATE_float => Type::new(Kind::Float(bytes)),
        gimli::DW_ATE_signed | gimli::DW_ATE_signed_char => Type::integer(bytes, true, &name),
        gimli::DW_ATE_unsigned
        | gimli::DW_ATE_unsigned_char
        | gimli::DW_ATE_boolean
        | gimli::DW_ATE_UTF => Type::integer(bytes, false, &name),
        _ => Type::opaque(&name, Why::Missing),
    }
}
