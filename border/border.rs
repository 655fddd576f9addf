// SPDX-License-Identifier: GPL-2.0

//! A macro with which a Rust module has its definitions checked against the contract.

/// Fails to compile unless each function or `static` has exactly the type that the contract
/// declares.
///
/// In `keeps_contract!(c_helper_h: hello_rust_count_chars, static TABLE)`, `c_helper_h` is the
/// module of the generated bindings. The gate rejects objects with definitions that are declared in
/// the contract, but not checked by this macro.
macro_rules! keeps_contract {
    ($contract:ident: $($items:tt)*) => {
        // rust-analyzer takes functions of an `extern` block for functions of Rust.
        // Without the record of the check, the gate would reject the object.
        #[cfg(not(rust_analyzer))]
        $crate::border::keeps_each!($contract $($items)*);
    };
}

macro_rules! keeps_each {
    ($contract:ident) => {};
    ($contract:ident static $name:ident $(, $($rest:tt)*)?) => {
        const _: () = {
            // The header must declare the data `const`, or C could change it.
            #[deny(static_mut_refs)]
            #[allow(unused_unsafe)]
            const _: fn() = || {
                // SAFETY: Nothing is read. The elements of an array must have the same type.
                let _ = unsafe { [&$contract::$name, &$name] };
            };
            $crate::border::checked!($name);
        };
        $($crate::border::keeps_each!($contract $($rest)*);)?
    };
    ($contract:ident $name:ident $(, $($rest:tt)*)?) => {
        const _: () = {
            // The elements of an array must have the same type.
            let _ = [$contract::$name, $name];
            $crate::border::checked!($name);
        };
        $($crate::border::keeps_each!($contract $($rest)*);)?
    };
}

/// Records the check for the gate, in a section that the module's linker script discards.
macro_rules! checked {
    ($name:ident) => {
        #[export_name = concat!("__border_checked_", stringify!($name))]
        #[link_section = ".discard.border"]
        #[used]
        static CHECKED: u8 = 0;
    };
}

pub(crate) use {checked, keeps_each};
