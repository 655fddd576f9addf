//! The steps of a storm, which are the same for the same seed.

use fastrand::Rng;

use super::parameters::{at_random, Parameter};

/// A module that a storm is about.
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its parameters, as far as the user says nothing about them.
    pub parameters: Vec<Parameter>,
    /// Words of the user's for insmod.
    pub params: String,
}

impl Target {
    /// The user's words, and other parameters at random.
    fn params_at_random(&self, random: &mut Rng) -> Vec<u8> {
        let others = at_random(&self.parameters, random);
        [self.params.as_bytes(), b" ", &others].concat()
    }
}

/// Something to do, of which qemu/guest/storm.c knows each word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What users call it by. A step of several actions has them under one number.
    pub number: u32,
    /// The word, the module or the file, and parameters.
    pub action: Vec<u8>,
}

impl Step {
    fn new(number: u32, word: &str, what: &str, params: &[u8]) -> Self {
        let action = [word.as_bytes(), b" ", what.as_bytes(), b" ", params].concat();
        Step { number, action }
    }
}

/// The steps of one task.
pub type List = Vec<Step>;

/// As the guest reads them.
pub fn file_of(list: &[Step]) -> Vec<u8> {
    let line = |step: &Step| {
        let number = step.number.to_string();
        [number.as_bytes(), b" ", &step.action, b"\0"].concat()
    };
    list.iter().flat_map(line).collect()
}

/// The random numbers of one step: they do not depend on the steps before.
fn random_of(seed: u64, list: u32, number: u32) -> Rng {
    let place = (u64::from(list) << 32) | u64::from(number);
    // An odd number, so that each place gets a seed of its own.
    Rng::with_seed(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Loads all with parameters at random, and unloads them, this many times.
pub fn loads(targets: &[Target], seed: u64, times: u32) -> Vec<List> {
    let mut list = List::new();
    for number in 1..=times {
        let random = &mut random_of(seed, 0, number);
        for target in targets {
            let params = target.params_at_random(random);
            list.push(Step::new(number, "load", &target.name, &params));
        }
        for target in targets.iter().rev() {
            list.push(Step::new(number, "unload", &target.name, b""));
        }
    }
    vec![list]
}

/// Tasks that load, unload, and read what there is to read about the modules, in any order.
pub fn races(targets: &[Target], seed: u64, tasks: u32, steps: u32) -> Vec<List> {
    let of_task = |task: u32| -> List {
        (1..=steps)
            .filter_map(|number| race(targets, &mut random_of(seed, task, number), number))
            .collect()
    };
    (0..tasks).map(of_task).collect()
}

fn race(targets: &[Target], random: &mut Rng, number: u32) -> Option<Step> {
    let target = random.choice(targets)?;
    let name = &target.name;
    Some(match random.u32(0..8) {
        0..3 => Step::new(number, "load", name, &target.params_at_random(random)),
        3..5 => Step::new(number, "unload", name, b""),
        5 => Step::new(number, "read", "/proc/modules", b""),
        _ => {
            let of_module = format!("/sys/module/{name}");
            let parameter = random.choice(&target.parameters);
            let file = match (random.u32(0..3), parameter) {
                (0, _) => format!("{of_module}/refcnt"),
                (1, _) => format!("{of_module}/sections/.text"),
                (_, Some(parameter)) => format!("{of_module}/parameters/{}", parameter.name()),
                (_, None) => format!("{of_module}/initstate"),
            };
            Step::new(number, "read", &file, b"")
        }
    })
}

/// Lets each allocation of loading and unloading fail, module by module; one step, since a module needs those
/// before it.
pub fn allocations(targets: &[Target]) -> Vec<List> {
    let starve = |word, target: &Target| Step::new(1, word, &target.name, target.params.as_bytes());
    let load = targets.iter().map(|it| starve("starve_load", it));
    let unload = targets.iter().rev().map(|it| starve("starve_unload", it));
    vec![load.chain(unload).collect()]
}
