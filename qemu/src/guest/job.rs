//! The shell script that the guest runs: loads modules, runs a script of the user's, unloads them.

/// What the guest prints if the user's script fails, before the exit status.
pub const RUN_FAILED: &str = "lab: RUN exited with ";

/// What it prints if a module cannot be unloaded, before the name.
pub const NOT_UNLOADED: &str = "lab: cannot unload ";

/// What it prints of a module without an exit function, before the name.
pub const STAYS: &str = "lab: without an exit function, it stays loaded: ";

/// What it prints before the number of times that modules were loaded and unloaded.
pub const REPEATED: &str = "lab: loaded and unloaded, times: ";

/// Where the user's script is in the guest.
pub const RUN: &str = "run";

/// What the guest runs while the modules are loaded: a program, or commands for the shell.
pub struct Run(pub Vec<u8>);

impl Run {
    /// Commands run in a shell of their own, which knows the same functions as the job.
    fn command(&self) -> String {
        if self.0.starts_with(b"#!") || self.0.starts_with(b"\x7fELF") {
            format!("/{RUN}")
        } else {
            format!("(. /{RUN})")
        }
    }
}

/// A module to load.
#[derive(Clone)]
pub struct Load<'a> {
    /// Its file in the guest's root folder.
    pub file: &'a str,
    /// Its parameters, as the kernel splits them.
    pub params: String,
}

impl Load<'_> {
    /// The module's name.
    fn name(&self) -> &str {
        self.file.trim_end_matches(".ko")
    }
}

/// Loads the modules in this order, runs `/run` if there is one, unloads in reverse those that are still
/// loaded, and prints dmesg, no matter what fails. A module without an exit function stays.
pub fn script(loads: &[Load<'_>], run: Option<&Run>) -> String {
    format!(
        "{}{}{}unload_all\ndmesg\nexit $status\n",
        functions(),
        lines(loads, "load "),
        run_lines(run)
    )
}

/// Runs the user's script, if there is one and all is well.
fn run_lines(run: Option<&Run>) -> String {
    run.map_or_else(String::new, |run| {
        format!(
            "if [ $status -eq 0 ]; then\n\
             \t{}\n\
             \tstatus=$?\n\
             \t[ $status -eq 0 ] || echo \"{RUN_FAILED}$status\"\n\
             fi\n",
            run.command()
        )
    })
}

/// Loads and unloads modules this many times, and prints how often it was done; first, and only once, it
/// loads others that they depend on. Stops where one stays loaded.
pub fn repeated(others: &[Load<'_>], loads: &[Load<'_>], times: u32) -> String {
    format!(
        "{}{}loaded=\nn=0\n\
         while [ $status -eq 0 ] && [ $n -lt {times} ]; do\n\
         \tloaded=\n\
         {}\
         \tunload_all\n\
         \t[ -z \"$stays\" ] || break\n\
         \t[ $status -ne 0 ] || n=$((n + 1))\n\
         done\n\
         echo \"{REPEATED}$n\"\n\
         [ $status -eq 0 ] || dmesg | tail -n 20\n\
         exit $status\n",
        functions(),
        lines(others, "load "),
        lines(loads, "\tload ")
    )
}

/// Two CPUs load and unload modules against each other: each attempt works, or finds them loaded, gone
/// or in use. At the end, they can be unloaded. Prints the number of CPUs.
pub fn on_two_cpus(others: &[Load<'_>], loads: &[Load<'_>], times: u32) -> String {
    let names = loads.iter().rev();
    let names: Vec<&str> = names.map(Load::name).collect();
    let unload = names.iter().map(|name| format!("\t\trmmod {name}\n"));
    let unload: String = unload.collect();
    format!(
        "{}{}loaded=\n\
         load_and_unload() {{\n\
         \tn=0\n\
         \twhile [ $n -lt {times} ]; do\n\
         {}{unload}\
         \t\tn=$((n + 1))\n\
         \tdone\n\
         }}\n\
         load_and_unload 2>/dev/null & load_and_unload 2>/dev/null & wait\n\
         loaded='{}'\n\
         unload_all\n\
         grep -c ^processor /proc/cpuinfo\n\
         exit $status\n",
        functions(),
        lines(others, "load "),
        lines(loads, "\t\tinsmod /"),
        names.join(" "),
    )
}

/// Where a guest's output has a profile: the line before it, and the one after.
pub const PROFILE: [&str; 2] = ["lab: profile", "lab: end of the profile"];

/// What `make coverage` does: loads the modules once, with the user's parameters and script and with the KUnit
/// suites, reads their parameters, unloads them, and takes the steps of storm.c's list. At the end, whatever
/// has failed, prints the profile that `recorder` keeps.
pub fn coverage(
    recorder: &str,
    others: &[Load<'_>],
    loads: &[Load<'_>],
    run: Option<&Run>,
    storm: &str,
) -> String {
    let names: Vec<&str> = loads.iter().rev().map(Load::name).collect();
    let names = names.join(" ");
    let [begin, end] = PROFILE;
    format!(
        "{}insmod /{recorder}.ko || exit\n\
         {}loaded=\n{}\
         for name in {names}; do cat /sys/module/$name/parameters/* >/dev/null 2>&1; done\n\
         {}\
         unload_all\n\
         {QUIET_KUNIT}\
         [ $status -ne 0 ] || {storm} || status=$?\n\
         loaded='{names}'\n\
         unload_all\n\
         echo '{begin}'; base64 /proc/coverage; echo '{end}'\n\
         exit $status\n",
        functions(),
        lines(others, "load "),
        lines(loads, "load "),
        run_lines(run),
    )
}

/// From here on, KUnit runs no suite, and a debug kernel lets every allocation fail that it is asked to.
const QUIET_KUNIT: &str = "\
    glob=/sys/module/kunit/parameters/filter_glob\n\
    [ ! -e $glob ] || echo -n none >$glob\n\
    wait=/sys/kernel/debug/failslab/ignore-gfp-wait\n\
    [ ! -e $wait ] || echo N >$wait\n";

/// Takes the steps of storm.c's lists, unloads what is still loaded, and looks for what was lost: prints the
/// objects of each slab cache before and after ([`SLABS`]), and with `leaks` what kmemleak has found.
pub fn storm(others: &[Load<'_>], names: &[&str], command: &str, leaks: bool) -> String {
    let loaded: Vec<&str> = names.iter().rev().copied().collect();
    format!(
        "{}{}{SLABS}\
         [ $status -eq 0 ] || exit $status\n\
         echo N >/sys/kernel/debug/failslab/ignore-gfp-wait || exit\n\
         count_slabs before\n\
         {command} || exit\n\
         loaded='{}'\n\
         unload_all\n\
         count_slabs after\n\
         {}\
         exit $status\n",
        functions(),
        lines(others, "load "),
        loaded.join(" "),
        if leaks { KMEMLEAK } else { "" }
    )
}

/// Prints how many objects each slab cache has in use, without names and inodes that are only kept in case
/// they are wanted. Shrinking a cache frees what KASAN keeps back.
const SLABS: &str = "\
    count_slabs() {\n\
    \techo 2 >/proc/sys/vm/drop_caches\n\
    \tfor slab in /sys/kernel/slab/*; do [ -L $slab ] || echo 1 >$slab/shrink; done\n\
    \tfor slab in /sys/kernel/slab/*; do\n\
    \t\t[ -L $slab ] && continue\n\
    \t\tread objects rest <$slab/objects\n\
    \t\techo \"slab $1 ${slab##*/} $objects\"\n\
    \tdone\n\
    }\n";

/// Prints the memory that nothing points to. mm/kmemleak.c reports an object that is 5 s old
/// (`MSECS_MIN_AGE`) and has not changed from one scan to the next. A scan is lenient where an old address of
/// the object is left somewhere, so there is one more.
const KMEMLEAK: &str = "\
    sleep 6\n\
    for scan in 1 2 3; do echo scan >/sys/kernel/debug/kmemleak || exit; done\n\
    cat /sys/kernel/debug/kmemleak || exit\n";

/// A line for each module.
fn lines(loads: &[Load<'_>], command: &str) -> String {
    let line = |load: &Load| {
        let (file, params) = (quoted(load.file), quoted(&load.params));
        format!("{command}{file} {params}\n")
    };
    loads.iter().map(line).collect()
}

/// What the scripts have in common. `$stays` are the modules that cannot be unloaded.
fn functions() -> String {
    format!(
        "status=0\n\
         loaded=\n\
         stays=\n\
         load() {{\n\
         \t[ $status -eq 0 ] || return\n\
         \tif insmod \"/$@\"; then loaded=\"${{1%.ko}} $loaded\"; else status=$?; fi\n\
         }}\n\
         unload() {{\n\
         \t[ -d /sys/module/$1 ] || return\n\
         \tif grep -q \"^$1 .*\\[permanent\\]\" /proc/modules; then\n\
         \t\tstays=\"$1 $stays\"\n\
         \t\techo \"{STAYS}$1\"\n\
         \t\treturn\n\
         \tfi\n\
         \trmmod $1 && return\n\
         \techo \"{NOT_UNLOADED}$1\"\n\
         \t[ $status -ne 0 ] || status=1\n\
         }}\n\
         unload_all() {{ for module in $loaded; do unload $module; done; }}\n"
    )
}

/// Quotes one word for a shell. The kernel splits the parameters, and understands double quotes.
pub fn quoted(word: &str) -> String {
    match word {
        "" => String::new(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Divides `PARAMS=` among modules: `foo.times=3` is for foo, as on the kernel's command line, and what
/// names none of them is for the last one.
pub fn params_of(params: &str, modules: &[&str]) -> Vec<String> {
    let mut all = vec![String::new(); modules.len()];
    for word in words(params) {
        let named = word.split_once('.').and_then(|(name, rest)| {
            let name = name.replace('-', "_");
            let nth = modules.iter().position(|module| *module == name)?;
            Some((nth, rest))
        });
        let (nth, word) = named.unwrap_or((modules.len().saturating_sub(1), word));
        if let Some(params) = all.get_mut(nth) {
            if !params.is_empty() {
                params.push(' ');
            }
            params.push_str(word);
        }
    }
    all
}

/// As the kernel's next_arg() splits them: at blanks outside of double quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    text.split(move |c: char| {
        in_quotes ^= c == '"';
        c.is_whitespace() && !in_quotes
    })
    .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        assert_eq!(
            params_of("whom=\"Ada Lovelace\"  a-b.times=3 times=2", &["a_b", "c"]),
            ["times=3", "whom=\"Ada Lovelace\" times=2"]
        );
        assert_eq!(params_of("x=1.5 d.y=2", &["c"]), ["x=1.5 d.y=2"]);
        assert_eq!(params_of("x=1", &[]), Vec::<String>::new());
    }

    #[test]
    fn programs_and_commands() {
        let command = |content: &[u8]| Run(content.to_vec()).command();
        assert_eq!(command(b"#!/bin/sh -e\n"), "/run");
        assert_eq!(command(b"\x7fELF\x02"), "/run");
        assert_eq!(command(b"lsmod\n"), "(. /run)");
    }

    #[test]
    fn the_order() {
        let load = |file, params: &str| Load {
            file,
            params: params.to_owned(),
        };
        let run = Run(b"true\n".to_vec());
        let script = script(&[load("a.ko", ""), load("b.ko", "x='1'")], Some(&run));
        let places = [
            "load 'a.ko'",
            "load 'b.ko' 'x='\\''1'\\'''",
            "(. /run)",
            "\nunload_all\n",
            "dmesg",
        ];
        let places: Vec<_> = places.iter().map(|part| script.find(part)).collect();
        assert!(places.iter().all(Option::is_some), "{places:?}\n{script}");
        assert!(places.is_sorted(), "{script}");
    }
}
