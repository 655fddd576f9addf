//! A language's view of a symbol, held against what LLVM IR has left of Rust's: counts, widths, and
//! registers. That can accuse, and hardly ever acquit.

use super::compare::{describe, kind, list, Difference, Level, MOST};
use super::ir::{self, Ir, Value};
use super::types::{Kind, Opinion, Parameter, Shape, Signature, Type};
use crate::model::Language;

/// All differences, and all that IR leaves open.
pub fn differences(opinion: &Opinion, ir: &Ir, declaration: &ir::Declaration) -> Vec<Difference> {
    let mut comparison = Comparison {
        left: match opinion.language {
            Language::C => "in C".to_owned(),
            _ => format!("in {}", opinion.part),
        },
        right: format!("in {}", ir.part),
        found: Vec::new(),
    };
    match (&opinion.shape, &declaration.shape) {
        (Shape::Function(signature), ir::Shape::Function(call)) => comparison.call(signature, call),
        (Shape::Data(ty), ir::Shape::Data(value)) => comparison.data(ty, value),
        (Shape::Function(_), _) => comparison.say("it", kind(&opinion.shape), "data"),
        (Shape::Data(_), _) => comparison.say("it", kind(&opinion.shape), "a function"),
    }
    let mut found = comparison.found;
    found.sort_by_key(|difference| std::cmp::Reverse(difference.level));
    found.truncate(MOST);
    found
}

struct Comparison {
    left: String,
    right: String,
    found: Vec<Difference>,
}

impl Comparison {
    /// The machine sees it.
    fn say(&mut self, what: &str, left: &str, right: &str) {
        let text = format!("{what}: {left} {}, {right} {}", self.left, self.right);
        self.note(Level::Abi, text);
    }

    fn open(&mut self, what: &str, question: &str) {
        let text = format!("{what}: LLVM IR does not tell {question}");
        self.note(Level::Unknown, text);
    }

    fn note(&mut self, level: Level, text: String) {
        self.found.push(Difference { level, text });
    }

    fn call(&mut self, signature: &Signature, call: &ir::Call) {
        if !signature.prototyped {
            let text = format!(
                "the parameters are not told {}: it has no prototype",
                self.left
            );
            return self.note(Level::Unknown, text);
        }
        self.value("the result", &signature.returns, &call.returns);
        if signature.variadic != call.variadic {
            let word = |variadic| match variadic {
                true => "any more (`...`)",
                false => "no more",
            };
            let what = "arguments behind the parameters";
            self.say(what, word(signature.variadic), word(call.variadic));
        }
        // What has no bytes is not passed.
        let all = signature.parameters.iter().enumerate();
        let passed: Vec<(usize, &Parameter)> = all
            .filter(|(_, parameter)| parameter.ty.size() != Some(0))
            .collect();
        if passed.len() != call.parameters.len() {
            let what = "the number of parameters";
            if let Some((at, _)) = passed.iter().find(|(_, one)| one.ty.size().is_none()) {
                return self.open(what, &format!("whether parameter {} has any bytes", at + 1));
            }
            let count = call.parameters.len().to_string();
            return self.say(what, &list(&signature.parameters), &count);
        }
        for ((at, parameter), value) in passed.into_iter().zip(&call.parameters) {
            let name = parameter.name.as_ref();
            let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
            self.value(&format!("parameter {}{name}", at + 1), &parameter.ty, value);
        }
        if self.found.is_empty()
            && !(call.parameters.is_empty() && call.returns.kind == ir::Kind::Void)
        {
            let text = "LLVM IR tells what the machine sees, not how Rust calls it";
            self.note(Level::Language, text.to_owned());
        }
    }

    fn data(&mut self, ty: &Type, value: &Value) {
        match (ty.size(), value.kind.size()) {
            // Of no length: Rust need not say how much there is.
            (Some(size), Some(told)) if told != 0 && told != size => {
                let text = (format!("{size} bytes"), format!("`{}`", value.says));
                return self.say("it", &text.0, &text.1);
            }
            _ if ty.kind == Kind::Bool => self.open("it", "whether it is a bool"),
            _ => self.value("it", ty, value),
        }
        if self.found.is_empty() {
            self.open("it", "whether it may be written to");
        }
    }

    /// What is passed, returned, or kept.
    fn value(&mut self, what: &str, ty: &Type, value: &Value) {
        let says = format!("`{}`", value.says);
        match fit(ty, value) {
            Fit::Same => {}
            Fit::Differs => self.say(what, &describe(ty), &says),
            Fit::Pointer => self.open(what, "what it points to"),
            Fit::Sign => self.open(what, &format!("whether {says} is signed")),
            Fit::Two => self.open(what, &format!("whether {says} is a bool or an enum of two")),
            Fit::Inside => self.open(what, &format!("what is in {says}")),
            Fit::Nameless => {
                let text = (describe(ty), &self.left);
                let text = format!(
                    "{what}: nothing at hand tells what {} is {}",
                    text.0, text.1
                );
                self.note(Level::Unknown, text);
            }
        }
    }
}

/// How far IR's word for a value goes with a type.
enum Fit {
    /// All the way, to the machine.
    Same,
    /// The machine sees another.
    Differs,
    /// Both are addresses.
    Pointer,
    /// Both are integers of a width.
    Sign,
    /// Rust makes one bit of a bool, and of an enum of two.
    Two,
    /// At least one of them may be a struct.
    Inside,
    /// Nobody knows the type.
    Nameless,
}

fn fit(ty: &Type, value: &Value) -> Fit {
    let same = |same: bool| if same { Fit::Same } else { Fit::Differs };
    match (&ty.kind, value.kind) {
        (Kind::Opaque { .. }, _) => Fit::Nameless,
        (_, ir::Kind::Other) => Fit::Inside,
        (_, ir::Kind::Void) => same(ty.size() == Some(0)),
        (Kind::Aggregate(_) | Kind::Array { .. }, _) | (_, ir::Kind::Several(_)) => {
            match (ty.size(), value.kind.size()) {
                (Some(size), Some(told)) if passed(size, value) != passed(told, value) => {
                    Fit::Differs
                }
                _ => Fit::Inside,
            }
        }
        (Kind::Pointer { .. } | Kind::Function { .. }, ir::Kind::Pointer) => Fit::Pointer,
        (Kind::Pointer { .. } | Kind::Function { .. }, ir::Kind::Integer { bits: 64, .. })
        | (Kind::Bool, ir::Kind::Integer { bits: 8, .. })
            if !value.scalar =>
        {
            Fit::Inside
        }
        (Kind::Bool, ir::Kind::Integer { bits, .. }) => same(bits == 1),
        (Kind::Float(bytes), ir::Kind::Float(told)) if *bytes == told => match value.scalar {
            true => Fit::Same,
            false => Fit::Inside,
        },
        (
            Kind::Integer { bytes, signed, .. } | Kind::Enum { bytes, signed, .. },
            ir::Kind::Integer { bits, signed: told },
        ) => match told {
            _ if bits == 1 && *bytes == 1 => Fit::Two,
            _ if Some(bits) != bytes.checked_mul(8) => Fit::Differs,
            None => Fit::Sign,
            Some(told) => same(told == *signed),
        },
        _ => Fit::Differs,
    }
}

/// A size, as far as it can be compared: of registers the last need not be full.
fn passed(size: u64, value: &Value) -> u64 {
    match value.kind {
        ir::Kind::Memory(_) => size,
        _ if size <= 8 => size,
        _ => size.checked_next_multiple_of(8).unwrap_or(size),
    }
}
