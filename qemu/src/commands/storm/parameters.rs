//! Parameters of modules at random, good and bad.

use anyhow::Result;
use fastrand::Rng;

use crate::kernel::load::notes;

/// A parameter of a module.
pub struct Parameter {
    name: String,
    kind: Kind,
}

/// As far as it matters for what is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Truth,
    Text,
}

/// Numbers where kinds of integers begin and end.
const EDGES: &[&str] = &[
    "-1",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
];

/// What are no numbers, or not all of them.
const NO_NUMBERS: &[&str] = &[
    "", "x", "1x", "0x", "--1", "1.5", "08", "1,2,3", "\"3\"", "٣",
];

/// Truth values, of which some are none.
const TRUTHS: &[&str] = &["0", "1", "y", "n", "Y", "N", "on", "off", "2", "", "maybe"];

/// Pieces of texts: letters of one byte to four, blanks, what has a meaning to the kernel or to printf(),
/// a control character, and bytes that are no UTF-8.
const PIECES: &[&[u8]] = &[
    b"a",
    b"Z",
    b"7",
    b"%s",
    b"=",
    b",",
    b"\\",
    b" ",
    b"\t",
    b"\x1b",
    b"\x7f",
    "ö".as_bytes(),
    "€".as_bytes(),
    "🦀".as_bytes(),
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
];

impl Parameter {
    /// Those that a module declares: `parmtype=times:uint` in its `.modinfo`.
    pub fn all_of(module: &[u8]) -> Result<Vec<Parameter>> {
        let declared = notes(module, "parmtype")?;
        let declared = declared.iter().filter_map(|it| it.split_once(':'));
        let parameters = declared.map(|(name, kind)| Parameter {
            name: name.to_owned(),
            kind: match kind {
                "bool" | "invbool" => Kind::Truth,
                "charp" | "string" => Kind::Text,
                _ => Kind::Number,
            },
        });
        Ok(parameters.collect())
    }

    /// Whether words for insmod set it.
    pub fn is_in(&self, words: &str) -> bool {
        let mut names = words.split_whitespace().map(|word| word.split('=').next());
        names.any(|name| name == Some(&self.name))
    }

    /// Its name, as in `/sys/module/…/parameters`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A value that is probably right.
    fn tame(&self, random: &mut Rng) -> Vec<u8> {
        match self.kind {
            Kind::Number => random.u32(0..20).to_string().into_bytes(),
            Kind::Truth => vec![if random.bool() { b'1' } else { b'n' }],
            Kind::Text => word(random, 20),
        }
    }

    /// Any value.
    fn wild(&self, random: &mut Rng) -> Vec<u8> {
        let one_of = |random: &mut Rng, words: &[&str]| {
            let word = random.choice(words).copied().unwrap_or_default();
            word.as_bytes().to_vec()
        };
        match (self.kind, random.u32(0..4)) {
            (Kind::Number, 0) => one_of(random, EDGES),
            (Kind::Number, 1) => format!("{:#x}", random.u64(..)).into_bytes(),
            (Kind::Number, 2) => random.i64(..).to_string().into_bytes(),
            (Kind::Number, _) => one_of(random, NO_NUMBERS),
            (Kind::Truth, _) => one_of(random, TRUTHS),
            (Kind::Text, 0) => word(random, 2000),
            (Kind::Text, _) => pieces(random),
        }
    }
}

/// Small letters, at most this many.
fn word(random: &mut Rng, longest: usize) -> Vec<u8> {
    let length = random.usize(..=longest);
    (0..length).map(|_| random.u8(b'a'..=b'z')).collect()
}

/// Anything, but no NUL byte.
fn pieces(random: &mut Rng) -> Vec<u8> {
    let (length, quoted) = (random.usize(0..40), random.bool());
    let pieces = (0..length).flat_map(|_| random.choice(PIECES).copied().unwrap_or_default());
    let text: Vec<u8> = pieces.copied().collect();
    if quoted {
        [b"\"", text.as_slice(), b"\""].concat()
    } else {
        text
    }
}

/// Words for insmod. Half of the time, all values are probably right; otherwise each is as likely wrong,
/// one may be missing or come twice, or have a name that does not exist.
pub fn at_random(parameters: &[Parameter], random: &mut Rng) -> Vec<u8> {
    let all_tame = random.bool();
    let mut words = Vec::new();
    for parameter in parameters {
        let times = [1, 1, 1, 1, 1, 0, 0, 2][random.usize(0..8)];
        for _ in 0..times {
            let is_tame = all_tame || random.bool();
            let value = if is_tame {
                parameter.tame(random)
            } else {
                parameter.wild(random)
            };
            words.push([parameter.name.as_bytes(), b"=", &value].concat());
        }
    }
    if random.u32(0..16) == 0 {
        words.push(b"no_such_parameter=1".to_vec());
    }
    random.shuffle(&mut words);
    words.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: Kind) -> Parameter {
        Parameter {
            name: name.to_owned(),
            kind,
        }
    }

    #[test]
    fn good_and_bad_ones() {
        let times = [parameter("times", Kind::Number)];
        let is_small = |words: &Vec<u8>| {
            let words = String::from_utf8_lossy(words).into_owned();
            let value = words.strip_prefix("times=").and_then(|it| it.parse().ok());
            value.is_some_and(|number: u32| number < 20)
        };
        let mut random = Rng::with_seed(1);
        let words = (0..200).map(|_| at_random(&times, &mut random));
        let small = words.filter(is_small).count();
        assert!((60..140).contains(&small), "{small} of 200");
    }

    #[test]
    fn the_same_seed_says_the_same() {
        let all = [
            parameter("whom", Kind::Text),
            parameter("times", Kind::Number),
            parameter("loud", Kind::Truth),
        ];
        let words = |seed| -> Vec<Vec<u8>> {
            let mut random = Rng::with_seed(seed);
            (0..500).map(|_| at_random(&all, &mut random)).collect()
        };
        assert_eq!(words(7), words(7));
        assert_ne!(words(7), words(8));
        // A NUL byte would end a step.
        assert!(words(7).iter().all(|words| !words.contains(&0)));
    }
}
