//! Compares functions, as caller and callee see them.

use super::comparison::{describe, number, Comparison, Level, Passing, Ty};
use crate::model::Language;
use crate::types::classes::{self, Class};
use crate::types::graph::{Convention, Id, Kind, Parameter, Signature, Types};

impl<'c> Comparison<'c> {
    /// `of` is empty for the symbol itself, or ` of what … calls` for a callback.
    pub(super) fn signatures(
        &mut self,
        of: &str,
        (lt, left): (&'c Types, &'c Signature),
        (rt, right): (&'c Types, &'c Signature),
        passing: Passing,
    ) {
        let ty = |types, id| Ty { types, id };
        let without = match (left.prototyped, right.prototyped) {
            (true, true) => None,
            (false, _) => Some(&self.left),
            (true, false) => Some(&self.right),
        };
        if let Some(side) = without {
            let label = &side.label;
            let what = format!("the parameters{of}");
            let text = format!("unknown {label}, where the function has no prototype");
            return self.add(Level::Unknown, &what, &text);
        }
        self.conventions(of, (lt, left), (rt, right));
        let what = format!("the result{of}");
        let (l, r) = (ty(lt, left.returns), ty(rt, right.returns));
        let calls = self.convention.calls;
        let classes = |ty: Ty<'_>| calls.of_value(ty.types, ty.id);
        self.registers(&what, (l, classes(l)), (r, classes(r)));
        self.values(&what, l, r, 0);
        if left.variadic != right.variadic {
            let word = |variadic| {
                if variadic {
                    "accepted (`...`)"
                } else {
                    "not accepted"
                }
            };
            let what = format!("variadic arguments{of}");
            self.differs(
                Level::Machine,
                &what,
                word(left.variadic),
                word(right.variadic),
            );
        }
        let (l, r) = (passed(lt, left), passed(rt, right));
        if l.len() != r.len() {
            let what = format!("the number of parameters{of}");
            let text = (list(&left.parameters), list(&right.parameters));
            return self.differs(Level::Machine, &what, text.0, text.1);
        }
        let positions =
            |all: &[(usize, &Parameter)]| all.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        if positions(&l) != positions(&r) || left.parameters.len() != right.parameters.len() {
            let what = format!("the number of parameters{of}, including zero-sized ones");
            let text = (list(&left.parameters), list(&right.parameters));
            self.differs(Level::Language, &what, text.0, text.1);
        }
        let ids =
            |all: &[(usize, &Parameter)]| all.iter().map(|(_, it)| it.ty).collect::<Vec<Id>>();
        let classes = calls.of_parameters(lt, &ids(&l)).into_iter();
        let classes = classes.zip(calls.of_parameters(rt, &ids(&r)));
        for (((at, left), (_, right)), (lc, rc)) in l.iter().zip(&r).zip(classes) {
            let name = left.name.as_ref().or(right.name.as_ref());
            let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
            let what = format!("parameter {}{name}{of}", at + 1);
            let (l, r) = (ty(lt, left.ty), ty(rt, right.ty));
            self.registers(&what, (l, lc), (r, rc));
            self.extended(&what, l, r, passing);
            self.values(&what, l, r, 0);
        }
        self.order(of, &l, &r);
    }

    fn conventions(
        &mut self,
        of: &str,
        (lt, left): (&'c Types, &Signature),
        (rt, right): (&'c Types, &Signature),
    ) {
        let (l, r) = (&left.convention, &right.convention);
        if l == r && *l != Convention::Unknown {
            return;
        }
        let what = format!("the calling convention{of}");
        let word = |convention: &Convention| match convention {
            Convention::C => self.convention.name.to_owned(),
            Convention::Microsoft => "Microsoft (ms_abi, win64, efiapi)".to_owned(),
            Convention::Rust => "unspecified (that of Rust)".to_owned(),
            Convention::Other(name) => format!("`{name}`"),
            Convention::Unknown => "not recorded".to_owned(),
        };
        let level = match (l, r) {
            (Convention::Unknown, _) | (_, Convention::Unknown) => Level::Unknown,
            // Scalars are passed the same way, for now.
            (Convention::Rust, Convention::C) | (Convention::C, Convention::Rust)
                if scalars_only(lt, left) && scalars_only(rt, right) =>
            {
                Level::Language
            }
            _ => Level::Machine,
        };
        self.differs(level, &what, word(l), word(r));
    }

    /// The same names in another order mean that one side swapped its arguments.
    fn order(&mut self, of: &str, left: &[(usize, &Parameter)], right: &[(usize, &Parameter)]) {
        let names = |all: &[(usize, &Parameter)]| -> Option<Vec<String>> {
            let names = all.iter().map(|(_, one)| one.name.as_ref());
            names
                .map(|name| Some(name?.trim_matches('_').to_owned()))
                .collect()
        };
        let (Some(l), Some(r)) = (names(left), names(right)) else {
            return;
        };
        let moved = l
            .iter()
            .zip(&r)
            .any(|(name, other)| name != other && r.contains(name) && l.contains(other));
        if moved {
            let what = format!("the order of the parameters{of}");
            self.differs(Level::Language, &what, l.join(", "), r.join(", "));
        }
    }

    /// Compares in which registers a value is passed.
    fn registers(
        &mut self,
        what: &str,
        (left, left_classes): (Ty<'c>, Option<Vec<Class>>),
        (right, right_classes): (Ty<'c>, Option<Vec<Class>>),
    ) {
        let is_plain = |ty: Ty<'_>| {
            matches!(
                ty.kind(),
                Kind::Integer { .. }
                    | Kind::Bool
                    | Kind::Pointer { .. }
                    | Kind::Enum(_)
                    | Kind::Void
            )
        };
        if is_plain(left) && is_plain(right) {
            return;
        }
        let (Some(l), Some(r)) = (left_classes, right_classes) else {
            return;
        };
        if l.contains(&Class::Unclear) || r.contains(&Class::Unclear) {
            let text = "the compilers do not agree how such a vector is passed";
            self.add(Level::Unknown, what, text);
        } else if l != r {
            let (l, r) = (classes::describe(&l), classes::describe(&r));
            let text = if l == r {
                (describe(left), describe(right))
            } else {
                (l, r)
            };
            self.differs(Level::Machine, what, text.0, text.1);
        }
    }

    /// Who extends integers of less than 32 bits: see [`crate::arch::Convention::caller_extends`]. If the
    /// caller does so, it is only for scalars.
    fn extended(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, passing: Passing) {
        if left.size() != right.size() || left.size().is_none_or(|size| size >= 4) {
            return;
        }
        let (ls, rs) = (self.left.clone(), self.right.clone());
        for (callee, caller, side, other, may) in [
            (left, right, &ls, &rs, passing != Passing::ToRight),
            (right, left, &rs, &ls, passing != Passing::ToLeft),
        ] {
            let (Some(trusted), true, true) = (sign(callee), side.trusts_caller, may) else {
                continue;
            };
            let word = |signed| if signed { "sign" } else { "zero" };
            let (level, passes) = match sign(caller) {
                Some(signed) if signed == trusted => continue,
                Some(signed) => (Level::Machine, format!("{}-extended", word(signed))),
                // A struct of one number is extended if it is transparent, but rustc does not record that.
                None if other.language == Language::Rust => (
                    Level::Unknown,
                    "possibly not extended (the debug information does not have its repr)"
                        .to_owned(),
                ),
                None => (Level::Machine, "not extended".to_owned()),
            };
            let text = format!(
                "expected to be {}-extended {}, {passes} {}",
                word(trusted),
                side.label,
                other.label
            );
            return self.add(level, what, &text);
        }
    }
}

/// The parameters that are passed: those of non-zero size.
fn passed<'s>(types: &Types, signature: &'s Signature) -> Vec<(usize, &'s Parameter)> {
    let all = signature.parameters.iter().enumerate();
    all.filter(|(_, one)| types.size(one.ty) != Some(0))
        .collect()
}

fn scalars_only(types: &Types, signature: &Signature) -> bool {
    let all = signature.parameters.iter().map(|one| one.ty);
    !signature.variadic
        && all.chain([signature.returns]).all(|id| {
            !matches!(
                types.kind(types.unwrapped(id)),
                Kind::Aggregate(_) | Kind::Array { .. } | Kind::Tagged { .. } | Kind::Opaque { .. }
            )
        })
}

/// Whether a scalar is signed; `None` for anything else, including a struct of one.
fn sign(ty: Ty<'_>) -> Option<bool> {
    number(ty).map(|(_, signed)| signed)
}

fn list(parameters: &[Parameter]) -> String {
    let names: Option<Vec<&str>> = parameters.iter().map(|p| p.name.as_deref()).collect();
    match names {
        Some(names) if !names.is_empty() => format!("{} ({})", names.len(), names.join(", ")),
        _ => parameters.len().to_string(),
    }
}
