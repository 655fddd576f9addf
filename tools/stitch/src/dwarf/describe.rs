//! Reads the entry of a type.

use std::sync::Arc;

use gimli::{AttributeValue, DwAt, DwTag, EntriesTreeNode, Operation};

use super::convention::{is_variadic, of_name};
use super::find::{text, EntryRef};
use super::load::{Die, Reader};
use super::types::{missing, number, Builder, LONGEST};
use crate::types::graph::{Aggregate, Enumeration, Field, Id, Kind, Why};

/// How bindgen writes a union whose members are not `Copy`: a struct of zero-sized markers, one for the
/// type of each member, and a field for the bytes.
const UNION_FIELD: &str = "__BindgenUnionField<";
const UNION: &str = "bindgen_union_field";

impl<'u, 'a> Builder<'u, 'a> {
    /// The type at `at`; the types that it refers to are read later.
    pub(super) fn describe(&mut self, at: EntryRef) -> gimli::Result<Kind> {
        let unit = at.0;
        let entry = self.entry(at)?;
        if let Some(target) = self.target(unit, &entry, gimli::DW_AT_signature)? {
            return Ok(Kind::Same(self.ty(target)));
        }
        let name = self.name(unit, &entry)?;
        let size = number(&entry, gimli::DW_AT_byte_size)?;
        Ok(match entry.tag() {
            gimli::DW_TAG_base_type => {
                let encoding = entry.attr_value(gimli::DW_AT_encoding)?;
                base(encoding, size, name, self.arch.x87_long_double)
            }
            gimli::DW_TAG_unspecified_type => Kind::Void,
            gimli::DW_TAG_typedef => Kind::Alias {
                name: name.unwrap_or_else(|| "?".into()),
                to: self.type_of(unit, &entry)?,
            },
            gimli::DW_TAG_const_type => Kind::Constant(self.type_of(unit, &entry)?),
            gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type => Kind::Same(self.type_of(unit, &entry)?),
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => {
                self.pointer(unit, &entry, name.as_deref().unwrap_or_default())?
            }
            gimli::DW_TAG_subroutine_type => Kind::Function(self.signature(at, None)?),
            gimli::DW_TAG_array_type => self.array(at, &entry)?,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
                let declared = entry.attr_value(gimli::DW_AT_declaration)?.is_some();
                match size {
                    Some(size) if !declared => self.aggregate(at, name, size)?,
                    _ => Kind::Opaque {
                        name: name.unwrap_or_else(|| "{unnamed}".into()),
                        why: Why::Declared,
                    },
                }
            }
            gimli::DW_TAG_enumeration_type => self.enumeration(at, name, size)?,
            DwTag(_) => missing(name.as_deref().unwrap_or("?")),
        })
    }

    fn pointer(&mut self, unit: usize, entry: &Die<'a, 'u>, name: &str) -> gimli::Result<Kind> {
        if !self.is_rust(unit) {
            return Ok(Kind::Pointer {
                to: self.type_of(unit, entry)?,
                constant: None,
                never_null: false,
            });
        }
        if let Some(target) = self.target(unit, entry, gimli::DW_AT_type)? {
            if self.entry(target)?.tag() == gimli::DW_TAG_subroutine_type {
                // Pointers to functions share one subroutine type whatever their conventions.
                let mut signature = self.signature(target, None)?;
                signature.convention = of_name(name, &self.arch.convention);
                signature.variadic = is_variadic(name);
                return Ok(Kind::Pointer {
                    to: self.types.add(Kind::Function(signature)),
                    constant: None,
                    never_null: true,
                });
            }
        }
        Ok(Kind::Pointer {
            to: self.type_of(unit, entry)?,
            constant: match name {
                _ if name.starts_with("*const ") => Some(true),
                _ if name.starts_with("*mut ") || name.starts_with("&mut ") => Some(false),
                _ if name.starts_with('&') => Some(true),
                _ => None,
            },
            never_null: name.starts_with('&'),
        })
    }

    fn array(&mut self, at: EntryRef, entry: &Die<'a, 'u>) -> gimli::Result<Kind> {
        let vector = entry.attr_value(gimli::DW_AT_GNU_vector)?.is_some();
        let of = self.type_of(at.0, entry)?;
        let mut tree = self.unit(at.0)?.entries_tree(Some(at.1))?;
        let mut children = tree.root()?.children();
        let mut counts = Vec::new();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            if entry.tag() != gimli::DW_TAG_subrange_type || counts.len() > LONGEST {
                continue;
            }
            let last = entry.attr_value(gimli::DW_AT_upper_bound)?;
            // For an empty array, the upper bound of GCC is -1.
            let last =
                last.and_then(|last| last.udata_value().or(last.sdata_value().map(|n| n as u64)));
            counts.push(match number(entry, gimli::DW_AT_count)? {
                Some(count) => Some(count),
                None => last.map(|last| match last {
                    0xffff_ffff => 0,
                    last => last.wrapping_add(1),
                }),
            });
        }
        let outer = if counts.is_empty() {
            None
        } else {
            counts.remove(0)
        };
        let of = counts.into_iter().rev().fold(of, |of, count| {
            self.types.add(Kind::Array {
                of,
                count,
                vector: false,
            })
        });
        Ok(Kind::Array {
            of,
            count: outer,
            vector,
        })
    }

    fn aggregate(
        &mut self,
        at: EntryRef,
        name: Option<Arc<str>>,
        size: u64,
    ) -> gimli::Result<Kind> {
        let unit = at.0;
        let rust = self.is_rust(unit);
        let mut tree = self.unit(unit)?.entries_tree(Some(at.1))?;
        let root = tree.root()?;
        let union = root.entry().tag() == gimli::DW_TAG_union_type;
        let align = number(root.entry(), gimli::DW_AT_alignment)?;
        let marker = name
            .as_deref()
            .filter(|name| rust && name.starts_with(UNION_FIELD));
        let (mut fields, mut variants) = (Vec::new(), None);
        let mut children = root.children();
        while let Some(child) = children.next()? {
            let offset = child.entry().offset();
            match child.entry().tag() {
                gimli::DW_TAG_member if fields.len() < LONGEST => {
                    fields.extend(self.field((unit, offset))?);
                }
                gimli::DW_TAG_template_type_parameter if marker.is_some() => {
                    let entry = self.entry((unit, offset))?;
                    return Ok(Kind::Same(self.type_of(unit, &entry)?));
                }
                gimli::DW_TAG_variant_part => variants = Some(self.variants(unit, child)?),
                _ => {}
            }
        }
        if let Some(variants) = variants {
            return Ok(Kind::Tagged {
                name: name.unwrap_or_else(|| "{unnamed}".into()),
                size,
                variants,
            });
        }
        let is_bindgens_union = fields
            .iter()
            .any(|field: &Field| field.name.as_deref() == Some(UNION));
        // rustc may list them in another order than in memory.
        fields.sort_by_key(|field| field.start);
        Ok(Kind::Aggregate(Aggregate {
            krate: if rust { self.krate(at) } else { None },
            name,
            union: union || is_bindgens_union,
            size,
            align,
            fields,
        }))
    }

    /// The crate around an entry of Rust.
    fn krate(&self, (unit, at): EntryRef) -> Option<Arc<str>> {
        let all = self.crates.get(unit)?;
        let behind = all.partition_point(|(start, _)| *start <= at);
        all.get(behind.checked_sub(1)?)?.1.clone()
    }

    fn field(&mut self, at: EntryRef) -> gimli::Result<Option<Field>> {
        let entry = self.entry(at)?;
        if entry.attr_value(gimli::DW_AT_external)?.is_some() {
            return Ok(None);
        }
        let bits = number(&entry, gimli::DW_AT_bit_size)?;
        let bytes = match entry.attr_value(gimli::DW_AT_data_member_location)? {
            Some(AttributeValue::Exprloc(expression)) => self.offset(at.0, expression)?,
            Some(value) => value.udata_value(),
            None => Some(0),
        };
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let whole = bytes.saturating_mul(8);
        let start = match number(&entry, gimli::DW_AT_data_bit_offset)? {
            Some(start) => start,
            // Before DWARF 4, bits are counted from the other end of the storage unit.
            None => match (number(&entry, gimli::DW_AT_bit_offset)?, bits) {
                (Some(before), Some(bits)) => {
                    let storage = match number(&entry, gimli::DW_AT_byte_size)? {
                        Some(bytes) => bytes,
                        None => {
                            let size = self.of_types(at.0, &entry, gimli::DW_AT_byte_size)?;
                            size.and_then(|size| size.udata_value()).unwrap_or(0)
                        }
                    };
                    let end = whole.saturating_add(storage.saturating_mul(8));
                    end.saturating_sub(before).saturating_sub(bits)
                }
                _ => whole,
            },
        };
        Ok(Some(Field {
            name: self.name(at.0, &entry)?,
            start,
            bits,
            align: number(&entry, gimli::DW_AT_alignment)?,
            ty: self.type_of(at.0, &entry)?,
        }))
    }

    /// The first value of an attribute among the type of an entry, the type of that, and so on.
    fn of_types(
        &self,
        unit: usize,
        entry: &Die<'a, 'u>,
        name: DwAt,
    ) -> gimli::Result<Option<AttributeValue<Reader<'a>>>> {
        let mut target = self.target(unit, entry, gimli::DW_AT_type)?;
        for _ in 0..64 {
            let Some(at) = target else { break };
            let entry = self.entry(at)?;
            if let Some(value) = entry.attr_value(name)? {
                return Ok(Some(value));
            }
            target = self.target(at.0, &entry, gimli::DW_AT_type)?;
        }
        Ok(None)
    }

    /// An offset as DWARF 2 writes it.
    fn offset(
        &self,
        unit: usize,
        expression: gimli::Expression<Reader<'a>>,
    ) -> gimli::Result<Option<u64>> {
        let mut operations = expression.operations(self.unit(unit)?.encoding());
        Ok(match operations.next()? {
            Some(Operation::PlusConstant { value }) => Some(value),
            Some(Operation::UnsignedConstant { value }) => Some(value),
            _ => None,
        })
    }

    fn variants(
        &mut self,
        unit: usize,
        part: EntriesTreeNode<'_, '_, '_, Reader<'a>>,
    ) -> gimli::Result<Vec<Id>> {
        let mut members = Vec::new();
        let mut children = part.children();
        while let Some(child) = children.next()? {
            if child.entry().tag() != gimli::DW_TAG_variant || members.len() > LONGEST {
                continue;
            }
            let mut inside = child.children();
            while let Some(member) = inside.next()? {
                if member.entry().tag() == gimli::DW_TAG_member {
                    members.push((unit, member.entry().offset()));
                }
            }
        }
        let mut variants = Vec::new();
        for at in members {
            let entry = self.entry(at)?;
            variants.push(self.type_of(unit, &entry)?);
        }
        Ok(variants)
    }

    fn enumeration(
        &mut self,
        at: EntryRef,
        name: Option<Arc<str>>,
        size: Option<u64>,
    ) -> gimli::Result<Kind> {
        let rust = self.is_rust(at.0);
        if rust && name.as_deref() == Some("c_void") {
            return Ok(Kind::Void);
        }
        let entry = self.entry(at)?;
        if entry.attr_value(gimli::DW_AT_declaration)?.is_some() {
            return Ok(Kind::Opaque {
                name: name.unwrap_or_else(|| "{unnamed}".into()),
                why: Why::Declared,
            });
        }
        let mut tree = self.unit(at.0)?.entries_tree(Some(at.1))?;
        let mut children = tree.root()?.children();
        let mut values = Vec::new();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            if entry.tag() != gimli::DW_TAG_enumerator || values.len() > LONGEST {
                continue;
            }
            let value = match entry.attr_value(gimli::DW_AT_const_value)? {
                Some(AttributeValue::Sdata(value)) => i128::from(value),
                Some(value) => i128::from(value.udata_value().unwrap_or(0)),
                None => continue,
            };
            if let Some(value_name) = entry.attr_value(gimli::DW_AT_name)? {
                let value_name = self.dwarf.attr_string(self.unit(at.0)?, value_name)?;
                let value_name = text(&value_name).unwrap_or_else(|| "?".into());
                values.push((value_name, value));
            }
        }
        let signed = match self.of_types(at.0, &entry, gimli::DW_AT_encoding)? {
            Some(AttributeValue::Encoding(encoding)) => {
                encoding == gimli::DW_ATE_signed || encoding == gimli::DW_ATE_signed_char
            }
            _ => values.iter().any(|(_, value)| *value < 0),
        };
        Ok(Kind::Enum(Enumeration {
            name: name.unwrap_or_else(|| "{unnamed}".into()),
            bytes: size.unwrap_or(4),
            signed,
            values,
        }))
    }
}

fn base(
    encoding: Option<AttributeValue<Reader<'_>>>,
    size: Option<u64>,
    name: Option<Arc<str>>,
    x87_long_double: bool,
) -> Kind {
    let name = name.unwrap_or_else(|| "?".into());
    let (Some(bytes), Some(AttributeValue::Encoding(encoding))) = (size, encoding) else {
        return missing(&name);
    };
    let integer = |signed| Kind::Integer {
        bytes,
        signed,
        name: name.clone(),
    };
    match encoding {
        _ if bytes == 0 => Kind::Void,
        gimli::DW_ATE_boolean if bytes == 1 => Kind::Bool,
        gimli::DW_ATE_float => Kind::Float {
            bytes,
            x87: x87_long_double && &*name == "long double",
            name,
        },
        gimli::DW_ATE_UTF if &*name == "char" => Kind::Character,
        gimli::DW_ATE_signed | gimli::DW_ATE_signed_char => integer(true),
        gimli::DW_ATE_unsigned
        | gimli::DW_ATE_unsigned_char
        | gimli::DW_ATE_boolean
        | gimli::DW_ATE_UTF => integer(false),
        _ => missing(&name),
    }
}
