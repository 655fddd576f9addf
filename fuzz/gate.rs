// The parts of the gate, for targets to include: they name each other from the root of their crate.

#[path = "../border/gate"]
mod gate {
    pub mod assertions;
    pub mod bind;
    pub mod bindings;
    pub mod c_type;
    pub mod contract;
    pub mod expanded;
    pub mod explain;
    pub mod header;
    pub mod inline;
    pub mod join;
    pub mod nm;
    pub mod object;
    pub mod objects;
    pub mod probes;
    pub mod problem;
    pub mod rust_type;
    pub mod sizes;
    pub mod tokens;
    pub mod unit;
}

// As in its own crate.
use gate::{
    assertions, bind, bindings, c_type, contract, expanded, explain, header, inline, join, nm,
    object, objects, probes, problem, rust_type, sizes, tokens, unit,
};
