//! Reports to draw.

use crate::model::*;
use crate::report::words;

pub const NOWHERE: &str =
    "<script>alert('1')</script> \"q\" &amp; ]]> \u{0}\u{1b}[31m\u{202e}abc\u{2066}\u{fffe} שלום\n";

pub fn part(name: &str, language: Language, globals: &[&str]) -> Part {
    let rust = language == Language::Rust;
    let compiler = if rust {
        "rustc version 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)"
    } else {
        "Debian clang version 19.1.7 (3+b1)"
    };
    let stem = name.trim_end_matches(".o");
    let section = |name: &str, kind, size| Section {
        name: name.to_owned(),
        kind,
        size,
    };
    Part {
        name: name.to_owned(),
        path: format!("/tmp/module/{name}"),
        language,
        compiler: Some(compiler.to_owned()),
        source: Some(format!("{stem}.{}", if rust { "rs" } else { "c" })),
        sections: vec![
            section(".text", "text", 1131),
            section(".rodata", "rodata", 530),
            section(".bss", "bss", 24),
            section(".debug_*", "debug", 31645),
        ],
        defined: globals.iter().map(|name| symbol(name, 'T')).collect(),
        needed: Vec::new(),
    }
}

pub fn symbol(name: &str, letter: char) -> Symbol {
    Symbol {
        name: name.to_owned(),
        demangled: None,
        letter,
        size: 16,
    }
}

pub fn uses_of(part: &str, relocation: &str, sites: usize) -> Use {
    Use {
        part: part.to_owned(),
        sites: (0..sites)
            .map(|index| Site {
                section: ".text".to_owned(),
                offset: index as u64 * 16,
                function: Some("greet".to_owned()),
                place: Some(Place {
                    file: "hello_rust.rs".to_owned(),
                    line: 60,
                }),
                relocation: relocation.to_owned(),
                addend: -4,
            })
            .collect(),
    }
}

pub fn crossing(name: &str, definer: &Part, uses: Vec<Use>, outcome: Outcome) -> Crossing {
    let view = |language, says: String| View {
        language,
        says,
        source: "DWARF, definition".to_owned(),
        place: Some(Place {
            file: "a.c".to_owned(),
            line: 3,
        }),
        also: vec!["b.o, DWARF, declaration".to_owned()],
        layouts: Vec::new(),
    };
    let mut crossing = Crossing::example(name, outcome, &["const"]);
    crossing.definer = definer.name.clone();
    crossing.language = definer.language;
    crossing.linked = Some(".text+0x40".to_owned());
    crossing.uses = uses;
    crossing.verdict.reasons = vec!["the first is const".to_owned()];
    crossing.verdict.views = vec![
        view(Language::C, format!("int {name}(const char *text)")),
        view(Language::Rust, format!("fn {name}(text: *const u8) -> i32")),
    ];
    crossing
}

pub fn import(name: &str, language: Language, gpl_only: Option<bool>, uses: Vec<Use>) -> Import {
    Import {
        symbol: name.to_owned(),
        demangled: None,
        language,
        gpl_only,
        crc: Some(0x1234),
        uses,
    }
}

pub fn size(language: Language, owner: &str) -> Size {
    Size {
        language,
        owner: owner.to_owned(),
        text: 1000,
        rodata: 200,
        data: 30,
        bss: 4,
    }
}

pub const PLT: &str = "R_X86_64_PLT32";

pub fn hello_rust() -> Report {
    let count = "hello_rust_count_chars";
    let from_c = ["whom", "times", "current", "repeat"].map(|name| format!("c_helper_{name}"));
    let rust = part("hello_rust_main.o", Language::Rust, &[count, "init_module"]);
    let mut globals: Vec<&str> = from_c.iter().map(String::as_str).collect();
    globals.push("times_set");
    let c = part("c_helper.o", Language::C, &globals);
    let mut crossings: Vec<Crossing> = from_c
        .iter()
        .map(|name| crossing(name, &c, vec![uses_of(&rust.name, PLT, 1)], Outcome::Same))
        .collect();
    let uses = vec![uses_of(&c.name, PLT, 2)];
    crossings.push(crossing(count, &rust, uses, Outcome::Same));
    let imports = ["_printk", "kstrtouint", "memcpy", "memset", "strlen"].map(|name| {
        import(
            name,
            Language::C,
            Some(name == "memset"),
            vec![uses_of(&c.name, PLT, 2)],
        )
    });
    let mut imports = imports.to_vec();
    for name in ["kernel::error::to_result", "kernel::print::call_printk"] {
        let uses = vec![uses_of(&rust.name, PLT, 1)];
        imports.push(import(name, Language::Rust, Some(true), uses));
    }
    Report {
        kernel: Vec::new(),
        causes: Vec::new(),
        module: "hello_rust".to_owned(),
        parts: vec![rust, c],
        crossings,
        imports,
        sizes: vec![size(Language::Rust, "core"), size(Language::C, "")],
    }
}

pub fn three() -> Report {
    let outcomes = words::OUTCOMES.map(|one| one.outcome);
    let mut report = hello_rust();
    let test = part("kunit.o", Language::C, &["kunit_suite"]);
    for (crossing, outcome) in report.crossings.iter_mut().zip(outcomes) {
        crossing.verdict.outcome = outcome;
        if crossing.language == Language::Rust {
            crossing.uses.push(uses_of(&test.name, "R_X86_64_32S", 3));
        }
    }
    report.crossings[4]
        .uses
        .push(uses_of("kunit.o", "R_X86_64_32S", 3));
    report.parts.push(test);
    report
        .parts
        .push(part("entry.o", Language::Assembly, &["entry"]));
    report
}

/// A module of `parts` objects, every third in Rust, and `count` crossings, some with two users.
pub fn many(parts: usize, count: usize, names: usize) -> Report {
    let outcomes = words::OUTCOMES.map(|one| one.outcome);
    let mut report = Report {
        module: "drm_panic_and_more".to_owned(),
        ..Report::default()
    };
    for index in 0..parts {
        let (language, word) = match index % 3 {
            0 => (Language::Rust, "rust"),
            1 if index % 5 == 1 => (Language::Assembly, "entry"),
            _ => (Language::C, "helper"),
        };
        let globals: Vec<String> = (0..names / parts.max(1))
            .map(|name| format!("{word}_{index}_does_thing_{name}"))
            .collect();
        let globals: Vec<&str> = globals.iter().map(String::as_str).collect();
        report
            .parts
            .push(part(&format!("{word}_{index}.o"), language, &globals));
    }
    let rust: Vec<&Part> = report
        .parts
        .iter()
        .filter(|p| p.language == Language::Rust)
        .collect();
    let other: Vec<&Part> = report
        .parts
        .iter()
        .filter(|p| p.language != Language::Rust)
        .collect();
    let mut crossings = Vec::new();
    for index in 0..count {
        // Neither even nor random: a few objects have many crossings.
        let (a, b) = (
            rust[index * index % rust.len()],
            other[index * 7 / 4 % other.len()],
        );
        let (definer, user) = if index % 3 == 0 { (a, b) } else { (b, a) };
        let mut uses = vec![uses_of(&user.name, PLT, index % 4 + 1)];
        if index % 6 == 1 {
            uses.push(uses_of(&rust[(index + 1) % rust.len()].name, PLT, 1));
        }
        let name = match definer.defined.get(index % definer.defined.len().max(1)) {
            Some(symbol) if count < 100 => format!("{}_{index}", symbol.name),
            _ => format!("crossing_number_{index}"),
        };
        let outcome = outcomes[if index % 10 < 7 { 0 } else { index % 4 }];
        crossings.push(crossing(&name, definer, uses, outcome));
    }
    report.imports = (0..names)
        .map(|index| {
            let language = [Language::C, Language::Rust][index % 2];
            let gpl = [Some(true), Some(false), None][index % 3];
            let uses = vec![uses_of(&report.parts[index % parts].name, PLT, index % 50)];
            import(
                &format!("kernel_exports_{}", index * index),
                language,
                gpl,
                uses,
            )
        })
        .collect();
    report.crossings = crossings;
    report
}

pub fn hostile() -> Report {
    let long = "very_long_name_".repeat(334);
    let rust = part(&format!("{NOWHERE}.o"), Language::Rust, &[NOWHERE, &long]);
    let c = part(&long, Language::C, &["漢字かな交じり文".repeat(9).as_str()]);
    let mut crossings = Vec::new();
    for (name, outcome) in [NOWHERE, &long, "漢字", "", "e\u{301}\u{301}"].iter().zip([
        Outcome::Same,
        Outcome::Language,
        Outcome::Unknown,
        Outcome::Differs,
        Outcome::Same,
    ]) {
        let uses = vec![uses_of(&c.name, NOWHERE, 300), uses_of(&c.name, &long, 0)];
        crossings.push(crossing(name, &rust, uses, outcome));
    }
    // From a missing object; within one language; within one object.
    let ghost = part("ghost.o", Language::C, &[]);
    crossings.push(crossing(
        "from_a_ghost",
        &ghost,
        vec![uses_of(&rust.name, PLT, 1)],
        Outcome::Same,
    ));
    let uses = vec![
        uses_of(&ghost.name, PLT, 1),
        uses_of("second ghost", PLT, 1),
        uses_of(&c.name, PLT, 1),
    ];
    crossings.push(crossing("among_c", &c, uses, Outcome::Same));
    crossings.push(crossing("for_nobody", &c, Vec::new(), Outcome::Unknown));
    let mut huge = part("huge.o", Language::Unknown, &[]);
    huge.compiler = None;
    huge.source = None;
    for section in &mut huge.sections {
        section.size = u64::MAX;
    }
    Report {
        kernel: Vec::new(),
        causes: vec![Cause {
            outcome: Outcome::Differs,
            text: NOWHERE.to_owned(),
            symbols: vec![NOWHERE.to_owned(); 9],
        }],
        module: NOWHERE.repeat(20),
        parts: vec![rust.clone(), c, rust, huge],
        crossings,
        imports: vec![
            import(NOWHERE, Language::C, None, Vec::new()),
            import(
                &long,
                Language::Unknown,
                Some(true),
                vec![uses_of("nobody", NOWHERE, 2)],
            ),
        ],
        sizes: vec![size(Language::Rust, NOWHERE)],
    }
}

pub fn all() -> Vec<(&'static str, Report)> {
    let none = Report {
        module: "plain".to_owned(),
        parts: vec![part("plain.o", Language::C, &["init_module"])],
        ..Report::default()
    };
    vec![
        ("hello_rust", hello_rust()),
        ("three", three()),
        ("crowd", many(12, 58, 60)),
        ("many", many(30, 60, 300)),
        ("empty", Report::default()),
        ("none", none),
        ("hostile", hostile()),
    ]
}
