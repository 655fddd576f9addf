// SPDX-License-Identifier: GPL-2.0

//! Rust's side of the border: what a module says of what it gives to C.

/// Fails to compile unless each function, or each `static`, has the very type that the contract
/// declares for it.
///
/// `keeps_contract!(c_helper_h: hello_rust_count_chars, static TABLE)`, where `c_helper_h` is the
/// generated module. The gate refuses a module in which one that C uses is missing here.
macro_rules! keeps_contract {
    ($contract:ident: $($given:tt)*) => {
        $crate::border::keeps_each!($contract $($given)*);
    };
}

/// One after the other.
macro_rules! keeps_each {
    ($contract:ident) => {};
    ($contract:ident static $name:ident $(, $($rest:tt)*)?) => {
        const _: () = {
            // A reference to what C may change is refused: the header lacks a `const`.
            #[deny(static_mut_refs)]
            #[allow(unused_unsafe)]
            const _: fn() = || {
                // SAFETY: Nothing is read: the elements of an array must have one type.
                let _ = unsafe { [&$contract::$name, &$name] };
            };
            $crate::border::checked!($name);
        };
        $($crate::border::keeps_each!($contract $($rest)*);)?
    };
    ($contract:ident $name:ident $(, $($rest:tt)*)?) => {
        const _: () = {
            // The elements of an array must have one type.
            let _ = [$contract::$name, $name];
            $crate::border::checked!($name);
        };
        $($crate::border::keeps_each!($contract $($rest)*);)?
    };
}

/// Tells the gate, in a section that the module's linker script throws away.
macro_rules! checked {
    ($name:ident) => {
        #[export_name = concat!("__border_checked_", stringify!($name))]
        #[link_section = ".discard.border"]
        #[used]
        static CHECKED: u8 = 0;
    };
}

pub(crate) use {checked, keeps_each};
