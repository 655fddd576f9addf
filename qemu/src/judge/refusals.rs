//! Why the kernel refused a module, read from its log.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use super::console::messages;

/// A message of the kernel about a module, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The line of the log, without its time stamp.
    pub line: String,
    /// What it means, in one sentence without a full stop.
    pub meaning: String,
    /// The command or action that fixes it.
    pub help: String,
}

impl Explanation {
    fn new(line: &str, pattern: &Regex, (_, meaning, help): &Reason) -> Option<Self> {
        let groups = pattern.captures(line)?;
        let fill = |template: &str| {
            let mut text = String::new();
            groups.expand(template, &mut text);
            text
        };
        Some(Explanation {
            line: line.to_string(),
            meaning: fill(meaning),
            help: fill(help),
        })
    }
}

/// The pattern of a line, what it means, how to fix it. `$1` and so on stand for the pattern's
/// groups, `$$` for a dollar.
type Reason = (&'static str, &'static str, &'static str);

const REBUILD: &str = "make clean && make KDIR=/lib/modules/$$(uname -r)/build";
const SIGN: &str = "sign it with a key the kernel trusts: scripts/sign-file sha256 KEY.pem CERT.x509 MODULE.ko, in the kernel's tree";

/// Messages of the kernel: kernel/module/main.c, sysfs.c, version.c and signing.c, kernel/params.c,
/// security/lockdown/lockdown.c and arch/x86/kernel/module.c of Linux 6.12 and 7.3.
static REFUSALS: &[Reason] = &[
    (
        r"^(\S+): version magic '(.*?) ?' should be '(.*?) ?'",
        "$1.ko was built for another kernel (\"$2\"), not for the running one (\"$3\")",
        REBUILD,
    ),
    (
        r"^module (\S+): .* section size must match the kernel's built struct module size",
        "$1.ko was built for a kernel with other options, where struct module has another size",
        REBUILD,
    ),
    (
        r"^(\S+): disagrees about version of symbol (\S+)",
        "$1.ko was built against another version of $2: its type differs in this kernel (CONFIG_MODVERSIONS)",
        REBUILD,
    ),
    (
        r"^(\S+): no (?:extended )?symbol version for (\S+)",
        "$1.ko has no version of $2: it was built without the kernel's Module.symvers",
        "build the kernel first, or install all of its headers, then: make clean && make KDIR=KERNEL_BUILD",
    ),
    (
        r"^(\S+): Unknown symbol (_R\S+) \(err -2\)",
        "$1.ko calls a Rust function that this kernel does not export: these names change with the compiler and with the kernel's crates, and do not exist without CONFIG_RUST",
        "build it for this kernel, with the rustc that built the kernel: make clean && make KDIR=/lib/modules/$$(uname -r)/build",
    ),
    (
        r"^(\S+): Unknown symbol (\S+) \(err -2\)",
        "$1.ko imports $2, which neither the kernel nor a loaded module exports to it",
        "load the modules that it depends on first: modinfo -F depends $1.ko",
    ),
    (
        r"^(\S+): Unknown symbol (\S+) \(err (-\d+)\)",
        "$1.ko imports $2, which exists but was refused (error $3); the line before it in the log says why",
        REBUILD,
    ),
    (
        r"^(\S+): module uses symbol \((\S+)\) from namespace (\S+), but does not import it",
        "$1.ko uses $2, which is reserved for modules that import the namespace $3",
        "add MODULE_IMPORT_NS(\"$3\"); to the C half and rebuild",
    ),
    (
        r"^(\S+): exports duplicate symbol (\S+)\s+\(owned by kernel\)",
        "$1.ko exports $2, which the kernel itself exports already",
        "rename $2 in the module",
    ),
    (
        r"^(\S+): exports duplicate symbol (\S+)\s+\(owned by (\S+)\)",
        "$1.ko exports $2, which the loaded module $3 exports already",
        "rmmod $3",
    ),
    (
        r"^Loading of (.+) is rejected",
        "the kernel accepts only signed modules (CONFIG_MODULE_SIG_FORCE or module.sig_enforce), not this one: $1",
        SIGN,
    ),
    (
        r"^Lockdown: .*unsigned module loading is restricted",
        "the kernel is locked down, as with Secure Boot, and the module has no signature that it trusts",
        SIGN,
    ),
    (
        r"^(\S+): `(.*)' (?:invalid|too large) for parameter `(\S+)'",
        "\"$2\" is not a valid value for the parameter $3 of $1",
        "see its parameters: modinfo -p $1.ko",
    ),
    (
        r"^Invalid (?:module )?architecture in ELF header: (\d+)",
        "the module was built for another machine (ELF machine $1)",
        "see which one: readelf -h MODULE.ko; then rebuild with the kernel's ARCH=",
    ),
    (
        r"^Invalid ELF ",
        "the file is not a complete ELF object: truncated, compressed, or not a module",
        "see what it is: file MODULE.ko",
    ),
    (
        r"^module (\S+): Exactly one \.gnu\.linkonce\.this_module section must exist|^Only one \.modinfo section must exist",
        "this is an object file, not a module: modpost did not process it",
        "load the .ko that make builds, not a .o",
    ),
    (
        r"^(\S+): module has no symbols \(stripped\?\)",
        "$1.ko was stripped of the symbols that the kernel needs to link it",
        "rebuild it, and strip no more than debug information: strip -g $1.ko",
    ),
    (
        r"^(?:module: )?overflow in relocation type",
        "part of the module was compiled for another code model than the kernel's",
        "compile everything through Kbuild, with the kernel's own flags: make clean && make",
    ),
    (
        r"^(\S+): module is already loaded",
        "a module of the name $1 is already loaded, or built into this kernel",
        "unload it: rmmod $1; or, if it is built in, give the new module another name",
    ),
    (
        r"^Module (\S+) is blacklisted",
        "the kernel's command line forbids $1 (module_blacklist=)",
        "boot without module_blacklist=$1",
    ),
];

/// Messages of user space, for when the kernel printed no reason: the errno of `finit_module`, in the
/// words of busybox (modutils/modutils.c) or kmod.
static COMPLAINTS: &[Reason] = &[
    (
        r"\b(?:insmod|modprobe): .*(?:Key was rejected by service|Required key not available)",
        "the kernel accepts only signed modules, and this one has no signature that it trusts",
        SIGN,
    ),
    (
        r"\b(?:insmod|modprobe): .*(?:[Ii]nvalid module format|Exec format error)",
        "not a module for this kernel (vermagic mismatch, or corrupt)",
        REBUILD,
    ),
    (
        r"\b(?:insmod|modprobe): .*[Uu]nknown symbol in module",
        "the module imports a symbol that nothing exports, or was given a parameter that it does not have",
        "see which: dmesg | grep -e symbol -e parameter",
    ),
    (
        r"\b(?:insmod|modprobe): .*module has wrong symbol version",
        "the module was built against another version of a symbol that it uses",
        REBUILD,
    ),
    (
        r"\b(?:insmod|modprobe): .*File exists",
        "a module of this name is already loaded, or built into the kernel",
        "unload it first: rmmod MODULE",
    ),
    (
        r"\b(?:insmod|modprobe): .*Operation not permitted",
        "loading modules needs root, and a kernel that is not locked down",
        "try again as root, and see: cat /sys/kernel/security/lockdown",
    ),
];

/// Remarks of kernel/module/main.c about a module that it loads anyway.
static REMARKS: &[Reason] = &[
    (
        r"^(\S+): module verification failed: signature and/or required key missing",
        "$1.ko is not signed; the kernel is tainted, and loads it anyway",
        "nothing to fix; if it was refused, that has another reason",
    ),
    (
        r"^(\S+): unknown parameter '(\S+)' ignored",
        "$1 has no parameter $2; the kernel loads it anyway",
        "see its parameters: modinfo -p $1.ko",
    ),
];

static OF_REFUSALS: LazyLock<Vec<Pattern>> = LazyLock::new(|| compiled(REFUSALS));
static OF_COMPLAINTS: LazyLock<Vec<Pattern>> = LazyLock::new(|| compiled(COMPLAINTS));
static OF_REMARKS: LazyLock<Vec<Pattern>> = LazyLock::new(|| compiled(REMARKS));

/// Why the kernel refused a module, as far as its log shows, and what to do.
///
/// The kernel's own messages come in the log's order; insmod's message counts only without them.
/// Remarks that are not the reason of a refusal come last.
pub fn explain(log: &str) -> Vec<Explanation> {
    let lines: Vec<_> = messages(log).map(|message| message.text).collect();
    let mut explained = explain_by(&OF_REFUSALS, &lines);
    if explained.is_empty() {
        explained = explain_by(&OF_COMPLAINTS, &lines);
    }
    explained.extend(explain_by(&OF_REMARKS, &lines));
    explained
}

/// The first explanation that matches each line, in the log's order, without repetitions.
fn explain_by(patterns: &[Pattern], lines: &[&str]) -> Vec<Explanation> {
    let mut seen = HashSet::new();
    let lines = lines.iter().filter(|line| seen.insert(**line));
    let explained = lines.filter_map(|line| {
        let mut patterns = patterns.iter();
        patterns.find_map(|(pattern, reason)| Explanation::new(line, pattern, reason))
    });
    explained.collect()
}

/// A compiled reason.
type Pattern = (Regex, &'static Reason);

fn compiled(reasons: &'static [Reason]) -> Vec<Pattern> {
    let compiled = |reason: &'static Reason| {
        let pattern = Regex::new(reason.0).expect("every reason has a valid pattern");
        (pattern, reason)
    };
    reasons.iter().map(compiled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_explained() {
        let refusals = [
            ("hello_rust: version magic '6.12.1 SMP mod_unload ' should be '7.3.4 SMP mod_unload '", "another kernel (\"6.12.1 SMP mod_unload\"), not", "make KDIR=/lib/modules/$(uname -r)/build"),
            ("hello_rust: Unknown symbol c_helper_add (err -2)", "imports c_helper_add, which neither", "modinfo -F depends hello_rust.ko"),
            ("hello_rust: Unknown symbol _RNvNtCs1_6kernel5print11call_printk (err -2)", "a Rust function", "rustc"),
            ("hello_rust: Unknown symbol _printk (err -22)", "was refused (error -22)", "make"),
            ("hello_rust: disagrees about version of symbol _printk", "another version of _printk", "make"),
            ("hello_rust: no symbol version for _printk", "Module.symvers", "build the kernel"),
            ("hello_rust: module uses symbol (f) from namespace NS, but does not import it.", "namespace NS", "MODULE_IMPORT_NS(\"NS\")"),
            ("Loading of unsigned module is rejected", "unsigned module", "scripts/sign-file"),
            ("Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7", "locked down", "scripts/sign-file"),
            ("hello_rust: module verification failed: signature and/or required key missing - tainting kernel", "taint", "nothing to fix"),
            ("hello_rust: `many' invalid for parameter `times'", "\"many\" is not a valid value for the parameter times", "modinfo -p"),
            ("hello_rust: unknown parameter 'tiems' ignored", "has no parameter tiems", "modinfo -p"),
            ("Invalid ELF header magic: != \u{7f}ELF", "not a complete ELF object", "file "),
            ("Invalid architecture in ELF header: 183", "another machine", "readelf"),
            ("hello_rust: exports duplicate symbol rust_twice (owned by hello_other)", "the loaded module hello_other", "rmmod hello_other"),
            ("hello_rust: exports duplicate symbol _printk (owned by kernel)", "the kernel itself exports", "rename"),
            ("module hello_rust: .gnu.linkonce.this_module section size must match the kernel's built struct module size at run time", "struct module", "make"),
            ("kunit: module is already loaded", "built into this kernel", "another name"),
            ("insmod: can't insert 'hello_rust.ko': invalid module format", "not a module for this kernel", "make"),
            ("insmod: ERROR: could not insert module hello_rust.ko: Key was rejected by service", "signed", "sign-file"),
        ];
        for (line, meaning, help) in refusals {
            let explained = explain(&format!("[    0.532101] {line}\r\n"));
            assert_eq!(explained.len(), 1, "{line}");
            assert_eq!(explained[0].line, line);
            assert!(
                explained[0].meaning.contains(meaning),
                "{}",
                explained[0].meaning
            );
            assert!(explained[0].help.contains(help), "{}", explained[0].help);
        }
    }

    #[test]
    fn refusals_come_before_remarks_and_complaints() {
        let explained = explain(
            "[    0.532100] hello_rust: module verification failed: signature and/or required key missing - tainting kernel\r\n\
             [    0.532101] hello_rust: Unknown symbol f (err -2)\r\n\
             [    0.532102] hello_rust: Unknown symbol g (err -2)\r\n\
             insmod: can't insert 'hello_rust.ko': unknown symbol in module, or unknown parameter\n",
        );
        let lines: Vec<_> = explained
            .iter()
            .map(|reason| reason.line.as_str())
            .collect();
        assert_eq!(
            lines,
            [
                "hello_rust: Unknown symbol f (err -2)",
                "hello_rust: Unknown symbol g (err -2)",
                "hello_rust: module verification failed: signature and/or required key missing - tainting kernel"
            ]
        );
        assert_eq!(explain("[    0.5] hello_rust: hello from C\n"), []);
    }
}
