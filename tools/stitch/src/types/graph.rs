//! Types of one object, as nodes that refer to each other by number: types may contain themselves.

use std::sync::Arc;

/// A type of a [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// All types that were read from one object.
#[derive(Debug, Clone, Default)]
pub struct Types {
    nodes: Vec<Kind>,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing; behind a pointer, anything.
    Void,
    /// 0 or 1, in a byte.
    Bool,
    /// A number.
    Integer {
        /// Its width.
        bytes: u64,
        /// Whether it may be negative.
        signed: bool,
        /// How its language calls it.
        name: Arc<str>,
    },
    /// Rust's `char`: a Unicode scalar value.
    Character,
    /// A floating-point number.
    Float {
        /// Its width.
        bytes: u64,
        /// C's `long double`, which x86-64 keeps in registers of its own.
        x87: bool,
    },
    /// An address.
    Pointer {
        /// What is there.
        to: Id,
        /// Whether it may not be written to through this pointer, where Rust says so.
        constant: Option<bool>,
        /// Whether the language rules NULL out.
        never_null: bool,
    },
    /// What can be called; always behind a pointer.
    Function(Signature),
    /// Several of one type.
    Array {
        /// Each of them.
        of: Id,
        /// How many, where that is said.
        count: Option<u64>,
        /// Whether they are one value in a vector register.
        vector: bool,
    },
    /// A struct or a union.
    Aggregate(Aggregate),
    /// A number with names for some of its values.
    Enum(Enumeration),
    /// Rust's enum with data in its variants.
    Tagged {
        /// The last part of its path.
        name: Arc<str>,
        /// In bytes.
        size: u64,
        /// What each variant holds.
        variants: Vec<Id>,
    },
    /// The same type by another name.
    Alias {
        /// `u32`, `pid_t`
        name: Arc<str>,
        /// What it stands for.
        to: Id,
    },
    /// The same type, which may not be written to.
    Constant(Id),
    /// The same type, by a reference of the debug information.
    Same(Id),
    /// Its name, and nothing of what is in it.
    Opaque {
        /// Its tag, or the last part of its path.
        name: Arc<str>,
        /// Why nothing is known.
        why: Why,
    },
}

/// Why a type is known by its name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is declared without a body.
    Declared,
    /// The debug information does not describe it, or stitch cannot follow the description.
    Missing,
}

/// A struct or a union.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its tag, or the last part of its path; C need not give one.
    pub name: Option<Arc<str>>,
    /// Rust's crate that defines it.
    pub krate: Option<Arc<str>>,
    /// Whether all its fields are at its beginning.
    pub union: bool,
    /// In bytes.
    pub size: u64,
    /// In bytes, where it is told: in C, only where an attribute raises it.
    pub align: Option<u64>,
    /// In the order of their offsets.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// None for a struct without a name in a struct.
    pub name: Option<Arc<str>>,
    /// Where it begins, in bits.
    pub start: u64,
    /// How many bits it has, if it is a bit-field.
    pub bits: Option<u64>,
    /// Of its value.
    pub ty: Id,
}

/// An enum without data.
#[derive(Debug, Clone, PartialEq)]
pub struct Enumeration {
    /// Its tag, or the last part of its path.
    pub name: Arc<str>,
    /// Its width.
    pub bytes: u64,
    /// Whether it may be negative.
    pub signed: bool,
    /// Names and values.
    pub values: Vec<(Arc<str>, i128)>,
}

/// How arguments are passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Convention {
    /// The psABI's, which is C's.
    SystemV,
    /// Windows' and UEFI's.
    Microsoft,
    /// Rust's own, which promises nothing.
    Rust,
    /// Another of Rust's words.
    Other(Arc<str>),
    /// Not recorded.
    Unknown,
}

/// A function's parameters and result.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// In their order.
    pub parameters: Vec<Parameter>,
    /// `Void` for none.
    pub returns: Id,
    /// Whether `...` follows the parameters.
    pub variadic: bool,
    /// Whether its parameters are told: C's `f()` tells nothing.
    pub prototyped: bool,
    /// How it is called.
    pub convention: Convention,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Declarations need not have one.
    pub name: Option<Arc<str>>,
    /// Of its value.
    pub ty: Id,
}

impl Types {
    /// Adds a type.
    pub fn add(&mut self, kind: Kind) -> Id {
        self.nodes.push(kind);
        Id((self.nodes.len() - 1) as u32)
    }

    /// Says what a type is that was added before it was known.
    pub fn set(&mut self, id: Id, kind: Kind) {
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            *node = kind;
        }
    }

    /// The same, where it is not recorded how functions are called of which there are addresses.
    pub fn without_conventions(&self) -> Self {
        let mut types = self.clone();
        for node in &mut types.nodes {
            if let Kind::Function(signature) = node {
                signature.convention = Convention::Unknown;
            }
        }
        types
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What this type is, as it stands.
    pub fn at(&self, id: Id) -> &Kind {
        self.nodes.get(id.0 as usize).unwrap_or(&Kind::Void)
    }

    /// The type itself, without other names for it and what may be done with it.
    pub fn bare(&self, mut id: Id) -> Id {
        // A chain cannot be longer than there are types; a circle of names is none.
        for _ in 0..self.nodes.len() {
            match self.at(id) {
                Kind::Alias { to, .. } | Kind::Constant(to) | Kind::Same(to) => id = *to,
                _ => break,
            }
        }
        id
    }

    /// What the type itself is.
    pub fn kind(&self, id: Id) -> &Kind {
        self.at(self.bare(id))
    }

    /// The first other name for it.
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

    /// All names that it has: its tag, or the last part of its path, and other names for it.
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

    /// Whether it may not be written to.
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

    /// In bytes, where it is known.
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

    /// Its tag, the last part of its path, or the name that C's typedef gives it.
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

    /// Makes of each `Option` of a pointer what it is: a pointer that may be NULL.
    ///
    /// Returns how many types there are, from where to go on.
    pub fn look_through_options(&mut self, from: usize) -> usize {
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

    /// A variant is as large as its enum even if nothing is in it.
    fn holds_something(&self, variant: Id) -> bool {
        match self.kind(variant) {
            Kind::Aggregate(aggregate) => !aggregate.fields.is_empty(),
            _ => true,
        }
    }

    /// What is left when structs that have one field, as large as they are, are looked through.
    pub fn unwrapped(&self, mut id: Id) -> Id {
        for _ in 0..self.nodes.len() {
            let Some(inner) = self.only_field(id) else {
                break;
            };
            id = inner;
        }
        id
    }

    /// The only field of a struct or union that has any bytes, if it has them all.
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
