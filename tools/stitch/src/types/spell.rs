//! Types as source code, in C or in Rust.

use super::claim::{Claim, Shape};
use super::graph::{Convention, Id, Kind, Signature, Types};
use crate::model::Language;

/// A limit for nesting.
const DEEPEST: usize = 12;

/// The declaration of a symbol.
pub fn claim(symbol: &str, claim: &Claim) -> String {
    let types = &*claim.types;
    match (&claim.shape, claim.language) {
        (Shape::Function(signature), Language::Rust) => {
            let head = format!("{}fn {symbol}", convention(&signature.convention));
            rust_function(types, &head, signature, 0)
        }
        (Shape::Function(signature), _) => {
            let inner = c_parameters(types, symbol, signature, 0);
            let convention = match signature.convention {
                Convention::Microsoft => "__attribute__((ms_abi)) ",
                _ => "",
            };
            convention.to_owned() + &c_declarator(types, signature.returns, &inner, 0)
        }
        (Shape::Data { ty, constant }, Language::Rust) => {
            let mutable = if *constant == Some(false) { "mut " } else { "" };
            format!("static {mutable}{symbol}: {}", rust(types, *ty, 0))
        }
        (Shape::Data { ty, .. }, _) => c_declarator(types, *ty, symbol, 0),
    }
}

pub fn in_language(types: &Types, id: Id, language: Language) -> String {
    match language {
        Language::Rust => rust(types, id, 0),
        _ => c_declarator(types, id, "", 0),
    }
}

fn convention(convention: &Convention) -> String {
    match convention {
        Convention::C => "extern \"C\" ".to_owned(),
        Convention::Microsoft => "extern \"win64\" ".to_owned(),
        Convention::Other(name) => format!("extern \"{name}\" "),
        Convention::Rust | Convention::Unknown => String::new(),
    }
}

fn rust_function(types: &Types, head: &str, signature: &Signature, depth: usize) -> String {
    let mut words: Vec<String> = signature
        .parameters
        .iter()
        .map(|parameter| {
            let ty = rust(types, parameter.ty, depth + 1);
            match &parameter.name {
                Some(name) => format!("{name}: {ty}"),
                None => ty,
            }
        })
        .collect();
    if signature.variadic {
        words.push("...".to_owned());
    }
    let result = match types.kind(signature.returns) {
        Kind::Void => String::new(),
        _ => format!(" -> {}", rust(types, signature.returns, depth + 1)),
    };
    format!("{head}({}){result}", words.join(", "))
}

fn rust(types: &Types, id: Id, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    match types.kind(id) {
        Kind::Void => "c_void".to_owned(),
        Kind::Integer { name, .. } | Kind::Opaque { name, .. } | Kind::Tagged { name, .. } => {
            name.to_string()
        }
        Kind::Enum(one) => one.name.to_string(),
        Kind::Bool => "bool".to_owned(),
        Kind::Character => "char".to_owned(),
        Kind::Float { bytes, .. } => format!("f{}", bytes.saturating_mul(8)),
        Kind::Pointer {
            to,
            constant,
            never_null,
        } => match (types.kind(*to), never_null) {
            (Kind::Function(signature), never_null) => {
                let head = format!("unsafe {}fn", convention(&signature.convention));
                let function = rust_function(types, &head, signature, depth + 1);
                if *never_null {
                    function
                } else {
                    format!("Option<{function}>")
                }
            }
            (_, never_null) => {
                let word = match (never_null, constant) {
                    (false, Some(true)) => "*const ",
                    (false, _) => "*mut ",
                    (true, Some(true)) => "&",
                    (true, _) => "&mut ",
                };
                word.to_owned() + &rust(types, *to, depth + 1)
            }
        },
        Kind::Array { of, count, .. } => match count {
            Some(count) => format!("[{}; {count}]", rust(types, *of, depth + 1)),
            None => format!("[{}]", rust(types, *of, depth + 1)),
        },
        Kind::Aggregate(aggregate) => match &aggregate.name {
            Some(name) => name.to_string(),
            None => "{unnamed}".to_owned(),
        },
        Kind::Function(signature) => rust_function(types, "fn", signature, depth + 1),
        Kind::Alias { to, .. } | Kind::Constant(to) | Kind::Same(to) => rust(types, *to, depth + 1),
    }
}

fn c_parameters(types: &Types, name: &str, signature: &Signature, depth: usize) -> String {
    let mut words: Vec<String> = signature
        .parameters
        .iter()
        .map(|parameter| {
            let name = parameter.name.as_deref().unwrap_or("");
            c_declarator(types, parameter.ty, name, depth + 1)
        })
        .collect();
    if signature.variadic {
        words.push("...".to_owned());
    } else if words.is_empty() && signature.prototyped {
        words.push("void".to_owned());
    }
    format!("{name}({})", words.join(", "))
}

/// (name in DWARF, name in source code)
const INTEGERS: &[(&str, &str)] = &[
    ("_Bool", "bool"),
    ("short int", "short"),
    ("short unsigned int", "unsigned short"),
    ("long int", "long"),
    ("long unsigned int", "unsigned long"),
    ("long long int", "long long"),
    ("long long unsigned int", "unsigned long long"),
];

fn c_integer(name: &str) -> &str {
    let known = INTEGERS.iter().find(|(dwarf, _)| *dwarf == name);
    known.map_or(name, |(_, people)| people)
}

/// A declarator: in C, the type may wrap around the name.
fn c_declarator(types: &Types, id: Id, name: &str, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    let constant = match types.at(id) {
        Kind::Constant(_) => "const ",
        _ => "",
    };
    let simple = |word: &str| match name {
        "" => format!("{constant}{word}"),
        _ if word.ends_with('*') => format!("{constant}{word}{name}"),
        _ => format!("{constant}{word} {name}"),
    };
    if let Some(alias) = types.alias(id) {
        return simple(alias);
    }
    match types.kind(id) {
        Kind::Void => simple("void"),
        Kind::Integer { name, .. } => simple(c_integer(name)),
        Kind::Bool => simple("bool"),
        Kind::Character => simple("char32_t"),
        Kind::Float { name, .. } => simple(name),
        Kind::Enum(one) => simple(&format!("enum {}", one.name)),
        Kind::Opaque { name, .. } | Kind::Tagged { name, .. } => simple(&format!("struct {name}")),
        Kind::Aggregate(aggregate) => {
            let tag = if aggregate.union { "union" } else { "struct" };
            match &aggregate.name {
                Some(name) => simple(&format!("{tag} {name}")),
                None => simple(&format!("{tag} {{unnamed}}")),
            }
        }
        Kind::Pointer { to, .. } => {
            let constant = constant.trim_end();
            let inner = match (constant, name) {
                ("", _) => format!("*{name}"),
                (_, "") => format!("*{constant}"),
                _ => format!("*{constant} {name}"),
            };
            match types.kind(*to) {
                _ if types.alias(*to).is_some() => c_declarator(types, *to, &inner, depth + 1),
                Kind::Function(signature) => {
                    let inner = c_parameters(types, &format!("({inner})"), signature, depth + 1);
                    c_declarator(types, signature.returns, &inner, depth + 1)
                }
                Kind::Array { .. } => c_declarator(types, *to, &format!("({inner})"), depth + 1),
                _ => c_declarator(types, *to, &inner, depth + 1),
            }
        }
        Kind::Function(signature) => {
            let inner = c_parameters(types, name, signature, depth + 1);
            c_declarator(types, signature.returns, &inner, depth + 1)
        }
        Kind::Array { of, count, .. } => {
            let count = count.map(|count| count.to_string()).unwrap_or_default();
            constant.to_owned() + &c_declarator(types, *of, &format!("{name}[{count}]"), depth + 1)
        }
        Kind::Alias { .. } | Kind::Constant(_) | Kind::Same(_) => simple("?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::graph::Parameter;

    fn integer(types: &mut Types, bytes: u64, signed: bool, name: &str) -> Id {
        types.add(Kind::Integer {
            bytes,
            signed,
            name: name.into(),
        })
    }

    fn pointer(types: &mut Types, to: Id) -> Id {
        types.add(Kind::Pointer {
            to,
            constant: Some(true),
            never_null: false,
        })
    }

    /// The address of `int f(void *context, u32)`.
    fn function(types: &mut Types) -> Id {
        let void = types.add(Kind::Void);
        let context = types.add(Kind::Pointer {
            to: void,
            constant: None,
            never_null: false,
        });
        let to = integer(types, 4, false, "unsigned int");
        let number = types.add(Kind::Alias {
            name: "u32".into(),
            to,
        });
        let parameter = |name: Option<&str>, ty| Parameter {
            name: name.map(Into::into),
            ty,
        };
        let signature = Signature {
            parameters: vec![parameter(Some("context"), context), parameter(None, number)],
            returns: integer(types, 4, true, "int"),
            variadic: false,
            prototyped: true,
            convention: Convention::C,
        };
        let to = types.add(Kind::Function(signature));
        pointer(types, to)
    }

    #[test]
    fn as_c_writes_it() {
        let mut types = Types::default();
        let function = function(&mut types);
        let char = integer(&mut types, 1, false, "char");
        let char = types.add(Kind::Constant(char));
        let text = pointer(&mut types, char);
        let texts = pointer(&mut types, text);
        let table = types.add(Kind::Array {
            of: text,
            count: Some(3),
            vector: false,
        });
        let behind = pointer(&mut types, table);
        for (id, name, expected) in [
            (function, "f", "int (*f)(void *context, u32)"),
            (text, "name", "const char *name"),
            (texts, "", "const char **"),
            (table, "t", "const char *t[3]"),
            (behind, "t", "const char *(*t)[3]"),
        ] {
            assert_eq!(c_declarator(&types, id, name, 0), expected);
        }
    }

    #[test]
    fn as_rust_writes_it() {
        let mut types = Types::default();
        let byte = integer(&mut types, 1, false, "u8");
        let text = pointer(&mut types, byte);
        assert_eq!(rust(&types, text, 0), "*const u8");
        let function = function(&mut types);
        assert_eq!(
            rust(&types, function, 0),
            "Option<unsafe extern \"C\" fn(context: *mut c_void, unsigned int) -> int>"
        );
    }
}
