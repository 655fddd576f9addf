//! Types as the ABI sees them, with the words of the language kept beside.

use std::sync::Arc;

use crate::model::{Language, Place};

/// How deep types may be nested before they are cut.
pub const DEPTH: usize = 24;

/// How many types one symbol may have in it before the rest is cut.
pub const COUNT: usize = 20_000;

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// What it is to the machine.
    pub kind: Kind,
    /// Its name, where the language has another than its kind's own: `u32`, `pid_t`, `c_int`.
    pub alias: Option<Arc<str>>,
    /// Whether it may not be written to, where that is said.
    pub constant: Option<bool>,
}

/// See [`Type`].
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing; behind a pointer, anything.
    Void,
    /// A number.
    Integer {
        /// Its width.
        bytes: u64,
        /// Whether it may be negative.
        signed: bool,
        /// How its language calls it.
        name: Arc<str>,
    },
    /// 0 or 1, in a byte.
    Bool,
    /// A floating-point number of so many bytes.
    Float(u64),
    /// An address.
    Pointer {
        /// What is there.
        to: Box<Type>,
        /// Whether the language rules NULL out.
        never_null: bool,
    },
    /// The address of a function.
    Function {
        /// What is called.
        signature: Box<Signature>,
        /// Whether the language rules NULL out.
        never_null: bool,
        /// Whether C can call it.
        extern_c: bool,
    },
    /// Several of one type.
    Array {
        /// Each of them.
        of: Box<Type>,
        /// How many, where that is said.
        count: Option<u64>,
    },
    /// A struct or a union.
    Aggregate(Arc<Aggregate>),
    /// A number with names for some of its values.
    Enum {
        /// Its width.
        bytes: u64,
        /// Whether it may be negative.
        signed: bool,
        /// Its tag, or its path's last part.
        name: Arc<str>,
    },
    /// Its name, and nothing of what is in it.
    Opaque {
        /// Its tag, or its path's last part.
        name: Arc<str>,
        /// Why nothing is known.
        why: Why,
    },
}

/// Why a type is known by its name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is declared without a body there: nobody can look into it.
    Declared,
    /// It lies behind a struct's own pointer.
    Behind,
    /// Nothing at hand tells.
    Missing,
    /// It is nested too deeply, or in itself.
    Cut,
}

/// A struct or a union.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its tag, or its path's last part; C need not give one.
    pub name: Option<Arc<str>>,
    /// Whether all its fields are at its beginning.
    pub union: bool,
    /// In bytes.
    pub size: u64,
    /// In bytes, where it is known.
    pub align: Option<u64>,
    /// Whether that was told; else it is the most that it could be.
    pub align_told: bool,
    /// In the order of their offsets.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// None for a struct without a name in a struct.
    pub name: Option<Arc<str>>,
    /// In bytes.
    pub offset: u64,
    /// Whether it is one of some bits; bindgen makes an opaque unit of such.
    pub bits: bool,
    /// Of its value.
    pub ty: Type,
}

/// A function's parameters and result.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// In their order.
    pub parameters: Vec<Parameter>,
    /// `Void` for none.
    pub returns: Type,
    /// Whether `...` follows the parameters.
    pub variadic: bool,
    /// Whether its parameters are told: C's `f()` tells nothing.
    pub prototyped: bool,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Declarations need not have one.
    pub name: Option<Arc<str>>,
    /// Of its value.
    pub ty: Type,
}

/// What a symbol stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Something to call.
    Function(Signature),
    /// Something to read.
    Data(Type),
}

/// A side's view of a symbol, before it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The object or the file that it was read from.
    pub part: String,
    /// Whose.
    pub language: Language,
    /// Whether the symbol is defined there.
    pub definition: bool,
    /// `DWARF, definition`, `DWARF, declaration`, `bindings`
    pub source: &'static str,
    /// Where it stands.
    pub place: Option<Place>,
    /// What it says.
    pub shape: Shape,
}

impl Type {
    /// A type without an alias.
    pub fn new(kind: Kind) -> Self {
        Type {
            kind,
            alias: None,
            constant: None,
        }
    }

    /// The same by another name.
    pub fn named(mut self, alias: impl Into<Arc<str>>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// The same, which may or may not be written to.
    pub fn with_constant(mut self, constant: bool) -> Self {
        self.constant = Some(constant);
        self
    }

    /// Nothing.
    pub fn void() -> Self {
        Type::new(Kind::Void)
    }

    /// A number.
    pub fn integer(bytes: u64, signed: bool, name: &str) -> Self {
        Type::new(Kind::Integer {
            bytes,
            signed,
            name: name.into(),
        })
    }

    /// The address of this.
    pub fn pointer(self) -> Self {
        Type::new(Kind::Pointer {
            to: Box::new(self),
            never_null: false,
        })
    }

    /// Known by its name only.
    pub fn opaque(name: &str, why: Why) -> Self {
        Type::new(Kind::Opaque {
            name: name.into(),
            why,
        })
    }

    /// In bytes, where it is known.
    pub fn size(&self) -> Option<u64> {
        match &self.kind {
            Kind::Void => Some(0),
            Kind::Integer { bytes, .. } | Kind::Enum { bytes, .. } | Kind::Float(bytes) => {
                Some(*bytes)
            }
            Kind::Bool => Some(1),
            Kind::Pointer { .. } | Kind::Function { .. } => Some(8),
            Kind::Array { of, count } => of.size()?.checked_mul((*count)?),
            Kind::Aggregate(aggregate) => Some(aggregate.size),
            Kind::Opaque { .. } => None,
        }
    }

    /// In bytes, where it is known.
    pub fn align(&self) -> Option<u64> {
        match &self.kind {
            Kind::Void => Some(1),
            Kind::Array { of, .. } => of.align(),
            Kind::Aggregate(aggregate) => aggregate.align,
            Kind::Opaque { .. } => None,
            _ => self.size(),
        }
    }
}

/// The alignment that these fields ask for: C's DWARF tells it only where an attribute raises it.
/// Of a packed struct, it is the most that it could be.
pub fn natural_align(fields: &[Field]) -> Option<u64> {
    fields
        .iter()
        .try_fold(1, |align, field| Some(field.ty.align()?.max(align)))
}
