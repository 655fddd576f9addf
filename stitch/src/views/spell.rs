//! Types in the words of a language: C's as C writes them, Rust's as Rust does.

use crate::model::Language;

use super::types::{Kind, Opinion, Shape, Signature, Type};

/// What a view says of this symbol, in its own language.
pub fn opinion(symbol: &str, opinion: &Opinion) -> String {
    match (&opinion.shape, opinion.language) {
        (Shape::Function(signature), Language::Rust) => {
            rust_function(&format!("extern \"C\" fn {symbol}"), signature)
        }
        (Shape::Function(signature), _) => {
            c_declarator(&signature.returns, &c_parameters(symbol, signature))
        }
        (Shape::Data(ty), Language::Rust) => {
            let mutable = if ty.constant == Some(false) {
                "mut "
            } else {
                ""
            };
            format!("static {mutable}{symbol}: {}", rust(ty))
        }
        (Shape::Data(ty), _) => c_declarator(ty, symbol),
    }
}

/// A type alone.
pub fn in_language(ty: &Type, language: Language) -> String {
    match language {
        Language::Rust => rust(ty),
        _ => c_declarator(ty, ""),
    }
}

fn rust_function(head: &str, signature: &Signature) -> String {
    let mut words: Vec<String> = signature
        .parameters
        .iter()
        .map(|parameter| match &parameter.name {
            Some(name) => format!("{name}: {}", rust(&parameter.ty)),
            None => rust(&parameter.ty),
        })
        .collect();
    if signature.variadic {
        words.push("...".to_owned());
    }
    let result = match signature.returns.kind {
        Kind::Void => String::new(),
        _ => format!(" -> {}", rust(&signature.returns)),
    };
    format!("{head}({}){result}", words.join(", "))
}

fn rust(ty: &Type) -> String {
    if let Some(alias) = &ty.alias {
        return alias.to_string();
    }
    match &ty.kind {
        Kind::Void => "c_void".to_owned(),
        Kind::Integer { name, .. } | Kind::Enum { name, .. } | Kind::Opaque { name, .. } => {
            name.to_string()
        }
        Kind::Bool => "bool".to_owned(),
        Kind::Float(bytes) => format!("f{}", bytes.saturating_mul(8)),
        Kind::Pointer { to, never_null } => match (never_null, to.constant) {
            (false, Some(true)) => format!("*const {}", rust(to)),
            (false, _) => format!("*mut {}", rust(to)),
            (true, Some(true)) => format!("&{}", rust(to)),
            (true, _) => format!("&mut {}", rust(to)),
        },
        Kind::Function {
            signature,
            never_null,
            extern_c,
        } => {
            let head = if *extern_c {
                "unsafe extern \"C\" fn"
            } else {
                "fn"
            };
            let function = rust_function(head, signature);
            match never_null {
                true => function,
                false => format!("Option<{function}>"),
            }
        }
        Kind::Array { of, count } => match count {
            Some(count) => format!("[{}; {count}]", rust(of)),
            None => format!("[{}]", rust(of)),
        },
        Kind::Aggregate(aggregate) => match &aggregate.name {
            Some(name) => name.to_string(),
            None => "{unnamed}".to_owned(),
        },
    }
}

fn c_parameters(name: &str, signature: &Signature) -> String {
    let mut words: Vec<String> = signature
        .parameters
        .iter()
        .map(|parameter| c_declarator(&parameter.ty, parameter.name.as_deref().unwrap_or("")))
        .collect();
    if signature.variadic {
        words.push("...".to_owned());
    } else if words.is_empty() && signature.prototyped {
        words.push("void".to_owned());
    }
    format!("{name}({})", words.join(", "))
}

/// (what compilers write into DWARF, what people write)
const INTEGERS: &[(&str, &str)] = &[
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

/// `TYPE NAME`, where C may wrap the one around the other.
fn c_declarator(ty: &Type, name: &str) -> String {
    let constant = if ty.constant == Some(true) {
        "const "
    } else {
        ""
    };
    let simple = |word: &str| match name {
        "" => format!("{constant}{word}"),
        _ if word.ends_with('*') => format!("{constant}{word}{name}"),
        _ => format!("{constant}{word} {name}"),
    };
    if let Some(alias) = &ty.alias {
        return simple(alias);
    }
    match &ty.kind {
        Kind::Void => simple("void"),
        Kind::Integer { name, .. } => simple(c_integer(name)),
        Kind::Bool => simple("bool"),
        Kind::Float(4) => simple("float"),
        Kind::Float(8) => simple("double"),
        Kind::Float(_) => simple("long double"),
        Kind::Enum { name, .. } => simple(&format!("enum {name}")),
        Kind::Opaque { name, .. } => simple(&format!("struct {name}")),
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
            match to.kind {
                Kind::Array { .. } if to.alias.is_none() => c_declarator(to, &format!("({inner})")),
                _ => c_declarator(to, &inner),
            }
        }
        Kind::Function { signature, .. } => {
            let inner = c_parameters(&format!("(*{name})"), signature);
            c_declarator(&signature.returns, &inner)
        }
        Kind::Array { of, count } => {
            let count = count.map(|count| count.to_string()).unwrap_or_default();
            c_declarator(of, &format!("{name}[{count}]"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::types::Parameter;

    fn call() -> Signature {
        Signature {
            parameters: vec![
                Parameter {
                    name: Some("context".into()),
                    ty: Type::void().pointer(),
                },
                Parameter {
                    name: None,
                    ty: Type::integer(4, false, "unsigned int").named("u32"),
                },
            ],
            returns: Type::integer(4, true, "int"),
            variadic: false,
            prototyped: true,
        }
    }

    #[test]
    fn as_c_writes_it() {
        let function = Type::new(Kind::Function {
            signature: Box::new(call()),
            never_null: false,
            extern_c: true,
        });
        assert_eq!(c_declarator(&function, "f"), "int (*f)(void *context, u32)");
        let text = Type::integer(1, false, "char")
            .with_constant(true)
            .pointer();
        assert_eq!(c_declarator(&text, "name"), "const char *name");
        assert_eq!(c_declarator(&text.clone().pointer(), ""), "const char **");
        let table = Type::new(Kind::Array {
            of: Box::new(text),
            count: Some(3),
        });
        assert_eq!(c_declarator(&table, "t"), "const char *t[3]");
        assert_eq!(c_declarator(&table.pointer(), "t"), "const char *(*t)[3]");
    }

    #[test]
    fn as_rust_writes_it() {
        let text = Type::integer(1, false, "u8").with_constant(true).pointer();
        assert_eq!(rust(&text), "*const u8");
        let function = Type::new(Kind::Function {
            signature: Box::new(call()),
            never_null: false,
            extern_c: true,
        });
        assert_eq!(
            rust(&function),
            "Option<unsafe extern \"C\" fn(context: *mut c_void, u32) -> int>"
        );
    }
}
