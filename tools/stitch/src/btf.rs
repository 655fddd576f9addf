//! Reads the types of symbols from the BTF of a kernel: distributions ship vmlinux without DWARF.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use btf_rs::{Btf, BtfType, Type};

use crate::arch::Arch;
use crate::dwarf::types::Found;
use crate::model::Language;
use crate::types::claim::{by_symbol, Claim, Shape, Source};
use crate::types::graph::{
    Aggregate, Convention, Enumeration, Field, Id, Kind, Parameter, Signature, Types, Why,
};

/// Reads the BTF of the kernel named `part`. pahole records functions and per-CPU data, but no calling
/// conventions.
pub fn read(
    part: &str,
    section: &[u8],
    arch: &'static Arch,
    by_gcc: bool,
    symbols: &BTreeSet<&str>,
) -> Result<Found, String> {
    let damaged = |error: btf_rs::Error| format!("the BTF of {part} is damaged: {error}");
    let btf = Btf::from_bytes(section).map_err(damaged)?;
    let mut builder = Builder {
        arch,
        btf: &btf,
        types: Types::default(),
        known: HashMap::new(),
        waiting: Vec::new(),
    };
    let part: Arc<str> = part.into();
    let mut claims = Vec::new();
    for symbol in symbols {
        for ty in btf.resolve_types_by_name(symbol).unwrap_or_default() {
            if let Some(shape) = builder.shape(&ty).map_err(damaged)? {
                let claim = Claim {
                    part: part.clone(),
                    language: Language::C,
                    arch,
                    by_gcc,
                    reduced: false,
                    source: Source::Btf,
                    place: None,
                    shape,
                    types: Arc::default(),
                };
                claims.push((*symbol, claim));
            }
        }
    }
    builder.finish().map_err(damaged)?;
    let types = Arc::new(builder.types);
    Ok(Found {
        claims: by_symbol(claims, &types),
        types,
        ..Found::default()
    })
}

struct Builder<'b> {
    arch: &'static Arch,
    btf: &'b Btf,
    types: Types,
    known: HashMap<u32, Id>,
    waiting: Vec<u32>,
}

impl Builder<'_> {
    fn shape(&mut self, ty: &Type) -> btf_rs::Result<Option<Shape>> {
        let id = ty.as_btf_type().and_then(BtfType::get_type_id);
        Ok(match (ty, id) {
            (Type::Func(_), Some(id)) => match self.btf.resolve_type_by_id(id)? {
                Type::FuncProto(proto) => Some(Shape::Function(self.signature(&proto)?)),
                _ => None,
            },
            (Type::Var(_), Some(id)) => Some(Shape::Data {
                ty: self.ty(id),
                constant: None,
            }),
            _ => None,
        })
    }

    /// The node of a type, which is read later: types may contain themselves.
    fn ty(&mut self, id: u32) -> Id {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let node = self.types.add(Kind::Void);
        self.known.insert(id, node);
        self.waiting.push(id);
        node
    }

    fn finish(&mut self) -> btf_rs::Result<()> {
        while let Some(id) = self.waiting.pop() {
            let ty = self.btf.resolve_type_by_id(id)?;
            let kind = self.describe(&ty)?;
            let node = self.ty(id);
            self.types.set(node, kind);
        }
        Ok(())
    }

    fn describe(&mut self, ty: &Type) -> btf_rs::Result<Kind> {
        let name = self.name(ty.as_btf_type());
        let named = name.clone().unwrap_or_else(|| "{unnamed}".into());
        let target = ty.as_btf_type().and_then(BtfType::get_type_id);
        let to = self.ty_or_void(target);
        Ok(match ty {
            Type::Void => Kind::Void,
            Type::Int(int) if int.is_bool() => Kind::Bool,
            Type::Int(int) => Kind::Integer {
                bytes: int.size() as u64,
                signed: int.is_signed(),
                name: named,
            },
            Type::Float(float) => Kind::Float {
                bytes: float.size() as u64,
                x87: self.arch.x87_long_double && float.size() > 8,
                name: named,
            },
            Type::Ptr(_) => Kind::Pointer {
                to,
                constant: None,
                never_null: false,
            },
            Type::Array(array) => Kind::Array {
                of: to,
                count: Some(array.len() as u64).filter(|count| *count > 0),
                vector: false,
            },
            Type::Struct(body) | Type::Union(body) => Kind::Aggregate(Aggregate {
                name,
                krate: None,
                union: matches!(ty, Type::Union(_)),
                size: body.size() as u64,
                align: None,
                fields: body
                    .members
                    .iter()
                    .map(|member| Field {
                        name: self.name(Some(member)),
                        start: u64::from(member.bit_offset()),
                        bits: member
                            .bitfield_size()
                            .filter(|bits| *bits > 0)
                            .map(u64::from),
                        align: None,
                        ty: self.ty_or_void(member.get_type_id()),
                    })
                    .collect(),
            }),
            Type::Enum(body) => {
                let signed = body.is_signed();
                let values = body.members.iter().map(|one| {
                    let bits = one.val();
                    let value = if signed {
                        (bits as i32).into()
                    } else {
                        bits.into()
                    };
                    (one as &dyn BtfType, value)
                });
                self.enumeration(named, body.size(), signed, values)
            }
            Type::Enum64(body) => {
                let signed = body.is_signed();
                let values = body.members.iter().map(|one| {
                    let bits = one.val();
                    let value = if signed {
                        (bits as i64).into()
                    } else {
                        bits.into()
                    };
                    (one as &dyn BtfType, value)
                });
                self.enumeration(named, body.size(), signed, values)
            }
            Type::Typedef(_) => Kind::Alias { name: named, to },
            Type::Const(_) => Kind::Constant(to),
            Type::Volatile(_) | Type::Restrict(_) | Type::TypeTag(_) => Kind::Same(to),
            Type::FuncProto(proto) => Kind::Function(self.signature(proto)?),
            Type::Fwd(_) => Kind::Opaque {
                name: named,
                why: Why::Declared,
            },
            // Functions, variables and annotations are not types.
            _ => Kind::Opaque {
                name: named,
                why: Why::Missing,
            },
        })
    }

    fn signature(&mut self, proto: &btf_rs::FuncProto) -> btf_rs::Result<Signature> {
        let variadic = proto
            .parameters
            .last()
            .is_some_and(|last| last.is_variadic());
        let listed = proto.parameters.len() - usize::from(variadic);
        let parameters = proto.parameters[..listed]
            .iter()
            .map(|parameter| Parameter {
                name: self.name(Some(parameter)),
                ty: self.ty_or_void(parameter.get_type_id()),
            });
        Ok(Signature {
            parameters: parameters.collect(),
            returns: self.ty(proto.return_type_id()),
            variadic,
            prototyped: true,
            convention: Convention::C,
        })
    }

    fn enumeration<'m>(
        &self,
        name: Arc<str>,
        bytes: usize,
        signed: bool,
        values: impl Iterator<Item = (&'m dyn BtfType, i128)>,
    ) -> Kind {
        Kind::Enum(Enumeration {
            name,
            bytes: bytes as u64,
            signed,
            values: values
                .filter_map(|(member, value)| Some((self.name(Some(member))?, value)))
                .collect(),
        })
    }

    fn ty_or_void(&mut self, id: Option<u32>) -> Id {
        self.ty(id.unwrap_or(0))
    }

    fn name(&self, ty: Option<&dyn BtfType>) -> Option<Arc<str>> {
        let name = self.btf.resolve_name(ty?).ok()?;
        (!name.is_empty()).then(|| name.into())
    }
}
