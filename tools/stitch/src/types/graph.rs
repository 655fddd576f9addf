//! The types of one object, as a graph: nodes refer to each other by number, since types may contain
//! themselves.

use std::sync::Arc;

/// A node of [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// The types that were read from one object.
#[derive(Debug, Clone, Default)]
pub struct Types {
    nodes: Vec<Kind>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `void`; behind a pointer, anything.
    Void,
    /// 0 or 1, in one byte.
    Bool,
    Integer {
        bytes: u64,
        signed: bool,
        /// Its name in the source language.
        name: Arc<str>,
    },
    /// Rust's `char`: a Unicode scalar value.
    Character,
    Float {
        bytes: u64,
        /// Whether it has the format of the x87, as C's `long double` has on x86-64.
        x87: bool,
        /// Its name in the source language.
        name: Arc<str>,
    },
    Pointer {
        to: Id,
        /// Whether the pointee is const, if Rust says so.
        constant: Option<bool>,
        /// Whether the language rules out NULL.
        never_null: bool,
    },
    /// A function; always behind a pointer.
    Function(Signature),
    Array {
        of: Id,
        /// The number of elements, if known.
        count: Option<u64>,
        /// Whether it is a value for a vector register.
        vector: bool,
    },
    Aggregate(Aggregate),
    /// An enum without data.
    Enum(Enumeration),
    /// An enum of Rust with data in its variants.
    Tagged {
        /// The last segment of its path.
        name: Arc<str>,
        size: u64,
        variants: Vec<Id>,
    },
    Alias {
        /// `u32`, `pid_t`
        name: Arc<str>,
        to: Id,
    },
    Constant(Id),
    /// The same type: a qualifier that does not matter here, or a reference.
    Same(Id),
    /// A type of which only the name is known.
    Opaque {
        /// Its tag, or the last segment of its path.
        name: Arc<str>,
        why: Why,
    },
}

/// Why only the name of a type is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is incomplete: declared without a body.
    Declared,
    /// The debug information does not describe it, or not in a way that stitch supports.
    Missing,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its tag, or the last segment of its path; `None` if it is anonymous.
    pub name: Option<Arc<str>>,
    /// The crate that defines it, in Rust.
    pub krate: Option<Arc<str>>,
    pub union: bool,
    /// In bytes.
    pub size: u64,
    /// In bytes, if recorded: in C, only if an attribute raises it.
    pub align: Option<u64>,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// `None` for an anonymous struct or union.
    pub name: Option<Arc<str>>,
    /// Its offset, in bits.
    pub start: u64,
    /// Its width in bits, if it is a bit-field.
    pub bits: Option<u64>,
    /// In bytes, if recorded: in C, only if an attribute raises it.
    pub align: Option<u64>,
    pub ty: Id,
}

/// An enum without data.
#[derive(Debug, Clone, PartialEq)]
pub struct Enumeration {
    /// Its tag, or the last segment of its path.
    pub name: Arc<str>,
    pub bytes: u64,
    pub signed: bool,
    pub values: Vec<(Arc<str>, i128)>,
}

/// A calling convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Convention {
    /// That of C: see [`crate::arch`].
    C,
    /// That of Windows and UEFI.
    Microsoft,
    /// That of Rust, which is unspecified.
    Rust,
    /// Another one, by its name in Rust.
    Other(Arc<str>),
    /// Not recorded.
    Unknown,
}

/// The parameters and the result of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub parameters: Vec<Parameter>,
    /// The type of the result, or `Void`.
    pub returns: Id,
    /// Whether `...` follows the parameters.
    pub variadic: bool,
    /// Whether it has a prototype, unlike C's `f()`.
    pub prototyped: bool,
    pub convention: Convention,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name; optional in a declaration.
    pub name: Option<Arc<str>>,
    pub ty: Id,
}

impl Types {
    pub fn add(&mut self, kind: Kind) -> Id {
        self.nodes.push(kind);
        Id((self.nodes.len() - 1) as u32)
    }

    /// Sets a type that was added as a placeholder.
    pub fn set(&mut self, id: Id, kind: Kind) {
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            *node = kind;
        }
    }

    /// A copy in which the conventions of all function pointers are unknown.
    pub fn without_conventions(&self) -> Self {
        let mut types = self.clone();
        for node in &mut types.nodes {
            if let Kind::Function(signature) = node {
                signature.convention = Convention::Unknown;
            }
        }
        types
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn at(&self, id: Id) -> &Kind {
        self.nodes.get(id.0 as usize).unwrap_or(&Kind::Void)
    }

    /// The type without typedefs and qualifiers.
    pub fn bare(&self, mut id: Id) -> Id {
        // The bound ends cycles in damaged debug information.
        for _ in 0..self.nodes.len() {
            match self.at(id) {
                Kind::Alias { to, .. } | Kind::Constant(to) | Kind::Same(to) => id = *to,
                _ => break,
            }
        }
        id
    }

    /// The type without typedefs and qualifiers.
    pub fn kind(&self, id: Id) -> &Kind {
        self.at(self.bare(id))
    }

    /// The outermost typedef.
    pub fn alias(&self, mut id: Id) -> Option<&Arc<str>> {
        for _ in 0..self.nodes.len() {
            match self.at(id) {
                Kind::Alias { name, .. } => return Some(name),
                Kind::Constant(to) | Kind::Same(to) => id = *to,
                _ => break,
            }
        }
        None
    }

    /// All its names: its tag, or the last segment of its path, and all typedefs.
    pub fn names(&self, mut id: Id) -> Vec<&Arc<str>> {
        let mut names = Vec::new();
        if let Kind::Aggregate(Aggregate { name, .. }) = self.kind(id) {
            names.extend(name);
        }
        for _ in 0..self.nodes.len() {
            match self.at(id) {
                Kind::Alias { name, to } => {
                    names.push(name);
                    id = *to;
                }
                Kind::Constant(to) | Kind::Same(to) => id = *to,
                _ => break,
            }
        }
        names
    }

    /// Whether it is const.
    pub fn is_constant(&self, mut id: Id) -> bool {
        for _ in 0..self.nodes.len() {
            match self.at(id) {
                Kind::Constant(_) => return true,
                Kind::Alias { to, .. } | Kind::Same(to) => id = *to,
                Kind::Array { of, .. } => id = *of,
                _ => break,
            }
        }
        false
    }

    /// In bytes, if known.
    pub fn size(&self, id: Id) -> Option<u64> {
        let mut many: u64 = 1;
        let mut id = id;
        for _ in 0..=self.nodes.len() {
            let one = match self.kind(id) {
                Kind::Void | Kind::Function(_) => 0,
                Kind::Bool => 1,
                Kind::Character => 4,
                Kind::Integer { bytes, .. } | Kind::Float { bytes, .. } => *bytes,
                Kind::Pointer { .. } => 8,
                Kind::Aggregate(aggregate) => aggregate.size,
                Kind::Enum(enumeration) => enumeration.bytes,
                Kind::Tagged { size, .. } => *size,
                Kind::Array { of, count, .. } => {
                    many = many.checked_mul((*count)?)?;
                    id = *of;
                    continue;
                }
                _ => return None,
            };
            return many.checked_mul(one);
        }
        None
    }

    /// Its tag, the last segment of its path, or its typedef.
    pub fn name(&self, id: Id) -> Option<&Arc<str>> {
        match self.kind(id) {
            Kind::Aggregate(Aggregate {
                name: Some(name), ..
            })
            | Kind::Enum(Enumeration { name, .. })
            | Kind::Tagged { name, .. }
            | Kind::Opaque { name, .. } => Some(name),
            _ => self.alias(id),
        }
    }

    /// Replaces each `Option` of a pointer by a pointer that may be NULL.
    ///
    /// Starts at type `from`; returns where to start the next time.
    pub fn resolve_options(&mut self, from: usize) -> usize {
        for at in from..self.nodes.len() {
            let id = Id(at as u32);
            if let Some(pointer) = self.optional(id) {
                self.set(id, pointer);
            }
        }
        self.nodes.len()
    }

    fn optional(&self, id: Id) -> Option<Kind> {
        let Kind::Tagged {
            size: 8, variants, ..
        } = self.at(id)
        else {
            return None;
        };
        let mut holding = variants
            .iter()
            .filter(|variant| self.size(**variant) != Some(0) && self.holds_something(**variant));
        let (Some(some), None) = (holding.next(), holding.next()) else {
            return None;
        };
        match self.kind(self.unwrapped(*some)) {
            Kind::Pointer { to, constant, .. } => Some(Kind::Pointer {
                to: *to,
                constant: *constant,
                never_null: false,
            }),
            _ => None,
        }
    }

    /// An empty variant has the size of the enum, too.
    fn holds_something(&self, variant: Id) -> bool {
        match self.kind(variant) {
            Kind::Aggregate(aggregate) => !aggregate.fields.is_empty(),
            _ => true,
        }
    }

    /// The innermost type within structs that have a single field of their own size.
    pub fn unwrapped(&self, mut id: Id) -> Id {
        for _ in 0..self.nodes.len() {
            let Some(inner) = self.only_field(id) else {
                break;
            };
            id = inner;
        }
        id
    }

    /// The type of the only non-empty field of a struct or union, if it is as large as all of it.
    pub fn only_field(&self, id: Id) -> Option<Id> {
        let Kind::Aggregate(aggregate) = self.kind(id) else {
            return None;
        };
        let mut fields = aggregate
            .fields
            .iter()
            .filter(|field| self.size(field.ty) != Some(0));
        let only = fields.next().filter(|_| fields.next().is_none())?;
        (only.bits.is_none() && self.size(only.ty) == Some(aggregate.size)).then_some(only.ty)
    }
}
