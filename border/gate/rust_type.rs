// SPDX-License-Identifier: GPL-2.0

//! The Rust types that bindgen writes.

use crate::tokens::{Kind, Token};

/// More pointers, arrays and functions than this, one inside the other, are not read.
const DEEPEST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// The last segment of a path: `c_int`, `u32_`, `task_struct`.
    Name(String),
    Pointer {
        mutable: bool,
        to: Box<Type>,
    },
    /// The length is 0 for C's `[]`, too.
    Array {
        of: Box<Type>,
        length: u64,
    },
    /// A pointer to a function, which may be NULL.
    Function(Box<Signature>),
    /// `()`
    Unit,
    /// `!`
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// `C`, `win64` and the like.
    pub(crate) abi: String,
    pub(crate) parameters: Vec<Type>,
    pub(crate) variadic: bool,
    pub(crate) result: Type,
}

impl Type {
    /// Parses a type; `None` if bindgen is not known to write such.
    pub(crate) fn read(tokens: &[Token<'_>]) -> Option<Type> {
        Cursor::new(tokens).ty()
    }

    /// Calls `found` with each name in the type, and whether it is behind a pointer.
    pub(crate) fn names(&self, behind_pointer: bool, found: &mut impl FnMut(&str, bool)) {
        match self {
            Type::Name(name) => found(name, behind_pointer),
            Type::Pointer { to, .. } => to.names(true, found),
            Type::Array { of, .. } => of.names(behind_pointer, found),
            Type::Function(signature) => signature.names(found),
            Type::Unit | Type::Never => {}
        }
    }

    /// The type with some names replaced.
    pub(crate) fn with(&self, other: &dyn Fn(&str) -> Option<Type>) -> Type {
        match self {
            Type::Name(name) => other(name).unwrap_or_else(|| self.clone()),
            Type::Pointer { mutable, to } => Type::Pointer {
                mutable: *mutable,
                to: Box::new(to.with(other)),
            },
            Type::Array { of, length } => Type::Array {
                of: Box::new(of.with(other)),
                length: *length,
            },
            Type::Function(signature) => Type::Function(Box::new(signature.with(other))),
            Type::Unit | Type::Never => self.clone(),
        }
    }

    pub(crate) fn has_pointer(&self) -> bool {
        match self {
            Type::Pointer { .. } | Type::Function(_) => true,
            Type::Array { of, .. } => of.has_pointer(),
            Type::Name(_) | Type::Unit | Type::Never => false,
        }
    }

    /// The element type of a (nested) array, or the type itself.
    pub(crate) fn element(&self) -> &Type {
        match self {
            Type::Array { of, .. } => of.element(),
            other => other,
        }
    }
}

impl Signature {
    /// Parses what follows the name of a function.
    pub(crate) fn read(abi: &str, tokens: &[Token<'_>]) -> Option<Signature> {
        Cursor::new(tokens).signature(abi)
    }

    pub(crate) fn with(&self, other: &dyn Fn(&str) -> Option<Type>) -> Signature {
        Signature {
            abi: self.abi.clone(),
            parameters: self.parameters.iter().map(|ty| ty.with(other)).collect(),
            variadic: self.variadic,
            result: self.result.with(other),
        }
    }

    pub(crate) fn names(&self, found: &mut impl FnMut(&str, bool)) {
        for ty in self.parameters.iter().chain([&self.result]) {
            ty.names(false, found);
        }
    }
}

struct Cursor<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    /// The number of types around the one that is read.
    depth: usize,
}

impl<'t, 'a> Cursor<'t, 'a> {
    fn new(tokens: &'t [Token<'a>]) -> Self {
        Cursor {
            tokens,
            at: 0,
            depth: 0,
        }
    }

    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'t Token<'a>> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    /// Skips the token if it is this one.
    fn skip(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(text));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.skip(text).then_some(())
    }

    fn ty(&mut self) -> Option<Type> {
        self.depth += 1;
        let ty = (self.depth <= DEEPEST).then(|| self.type_here())?;
        self.depth -= 1;
        ty
    }

    fn type_here(&mut self) -> Option<Type> {
        let token = self.peek()?;
        match token.text {
            "*" if token.kind == Kind::Punct => {
                self.at += 1;
                let mutable = self.next()?.is("mut");
                let to = Box::new(self.ty()?);
                Some(Type::Pointer { mutable, to })
            }
            "[" => self.array(),
            "(" => {
                self.at += 1;
                self.expect(")")?;
                Some(Type::Unit)
            }
            "!" => {
                self.at += 1;
                Some(Type::Never)
            }
            "unsafe" | "extern" | "fn" => self.function(),
            _ => self.path(),
        }
    }

    /// `[u8; 4usize]`
    fn array(&mut self) -> Option<Type> {
        self.expect("[")?;
        let of = Box::new(self.ty()?);
        self.expect(";")?;
        let length = self.next()?.text.trim_end_matches("usize").parse().ok()?;
        self.expect("]")?;
        Some(Type::Array { of, length })
    }

    /// `unsafe extern "C" fn(nth: u32) -> c_int`
    fn function(&mut self) -> Option<Type> {
        self.skip("unsafe");
        self.expect("extern")?;
        let abi = self.next()?.text;
        self.expect("fn")?;
        Some(Type::Function(Box::new(self.signature(abi)?)))
    }

    fn signature(&mut self, abi: &str) -> Option<Signature> {
        self.expect("(")?;
        let (mut parameters, mut variadic) = (Vec::new(), false);
        while !self.skip(")") {
            if self.skip(".") {
                self.expect(".")?;
                self.expect(".")?;
                variadic = true;
            } else {
                if self.tokens.get(self.at + 1)?.is(":") && !self.tokens.get(self.at + 2)?.is(":") {
                    self.at += 2;
                }
                parameters.push(self.ty()?);
            }
            self.skip(",");
        }
        let result = if self.skip("-") {
            self.expect(">")?;
            self.ty()?
        } else {
            Type::Unit
        };
        Some(Signature {
            abi: abi.to_owned(),
            parameters,
            variadic,
            result,
        })
    }

    /// `kernel::ffi::c_int`, `::core::option::Option<…>`
    fn path(&mut self) -> Option<Type> {
        let mut name = "";
        while self
            .peek()
            .is_some_and(|token| token.is_word() || token.is(":"))
        {
            let token = self.next()?;
            if token.is_word() {
                name = token.text;
            }
        }
        if !self.skip("<") {
            return (!name.is_empty()).then(|| Type::Name(name.to_owned()));
        }
        let of = self.ty()?;
        self.skip(",");
        self.expect(">")?;
        match name {
            // ManuallyDrop is for a field of a union that is not Copy.
            "Option" | "ManuallyDrop" => Some(of),
            "__IncompleteArrayField" => Some(Type::Array {
                of: Box::new(of),
                length: 0,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    fn read(source: &str) -> Option<Type> {
        Type::read(&tokens(source, 1))
    }

    fn name(name: &str) -> Type {
        Type::Name(name.to_owned())
    }

    #[test]
    fn types() {
        assert_eq!(read("kernel::ffi::c_int"), Some(name("c_int")));
        assert_eq!(
            read("*const *mut u32_"),
            Some(Type::Pointer {
                mutable: false,
                to: Box::new(Type::Pointer {
                    mutable: true,
                    to: Box::new(name("u32_"))
                })
            })
        );
        assert_eq!(
            read("[[u8; 4usize]; 2usize]").map(|ty| ty.element().clone()),
            Some(name("u8"))
        );
        assert_eq!(
            read("__IncompleteArrayField<u8_>"),
            Some(Type::Array {
                of: Box::new(name("u8_")),
                length: 0
            })
        );
        assert_eq!(read("Other<u8>"), None);
    }

    #[test]
    fn functions() {
        let Some(Type::Function(call)) = read(
            "::core::option::Option<unsafe extern \"win64\" fn(context: *mut c_void, \
             arg2: kernel::ffi::c_int, ...) -> !>",
        ) else {
            panic!("not a function");
        };
        assert_eq!(call.abi, "win64");
        assert_eq!(call.parameters[1], name("c_int"));
        assert!(call.variadic && call.result == Type::Never);

        let mut names = Vec::new();
        call.names(&mut |name, pointer| names.push((name.to_owned(), pointer)));
        assert_eq!(
            names,
            [("c_void".to_owned(), true), ("c_int".to_owned(), false)]
        );
    }
}
