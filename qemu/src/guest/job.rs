//! The shell script that the guest runs: loads modules, runs a script of the user's, unloads them.

/// What the guest prints if the user's script fails, before the exit status.
pub const RUN_FAILED: &str = "lab: RUN exited with ";

/// Where the user's script is in the guest.
pub const RUN: &str = "run";

/// A module to load.
pub struct Load<'a> {
    /// Its file in the guest's root folder.
    pub file: &'a str,
    /// Its parameters, as the kernel splits them.
    pub params: String,
}

/// Loads the modules in this order, runs `/run` if there is one, unloads them in reverse, and prints
/// dmesg, no matter what fails.
pub fn script(loads: &[Load<'_>], run: bool) -> String {
    let loads = loads.iter().map(|load| {
        let params = quoted(&load.params);
        format!("load {} {params}\n", quoted(load.file))
    });
    let run = if run {
        format!(
            "if [ $status -eq 0 ]; then\n\
             \tsh /{RUN}\n\
             \tstatus=$?\n\
             \t[ $status -eq 0 ] || echo \"{RUN_FAILED}$status\"\n\
             fi\n"
        )
    } else {
        String::new()
    };
    format!(
        "status=0\n\
         loaded=\n\
         load() {{\n\
         \t[ $status -eq 0 ] || return\n\
         \tif insmod \"/$@\"; then loaded=\"${{1%.ko}} $loaded\"; else status=$?; fi\n\
         }}\n\
         {}{run}\
         for module in $loaded; do\n\
         \trmmod $module || status=$?\n\
         done\n\
         dmesg\n\
         exit $status\n",
        loads.collect::<String>()
    )
}

/// Quotes one word for a shell. The kernel splits the parameters, and understands double quotes.
fn quoted(word: &str) -> String {
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
    fn the_order() {
        let load = |file, params: &str| Load {
            file,
            params: params.to_owned(),
        };
        let script = script(&[load("a.ko", ""), load("b.ko", "x='1'")], true);
        let places = [
            "load 'a.ko'",
            "load 'b.ko' 'x='\\''1'\\'''",
            "sh /run",
            "rmmod",
            "dmesg",
        ];
        let places: Vec<_> = places.iter().map(|part| script.find(part)).collect();
        assert!(places.iter().all(Option::is_some), "{places:?}\n{script}");
        assert!(places.is_sorted(), "{script}");
    }
}
