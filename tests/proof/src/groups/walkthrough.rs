//! The walkthrough: every claim, with both families of tools and on each kernel, and the page in the
//! documentation.

use anyhow::{ensure, Context, Result};
use host::project::project;
use walkthrough::model::Part;
use walkthrough::parts::{KERNEL, USER_SPACE};
use walkthrough::render::shown;
use walkthrough::renderer;

use crate::harness::test::Test;
use crate::support::context::{flavours, must_contain, printed, TestContext};
use lab::commands::walkthrough::{on_kernel, walk};
use lab::kernel::flavour::Flavour;

/// The kernel whose compiler and log are in the page.
const PAGE: &str = "7.3-gcc";

/// The kernel that has Rust, but no CONFIG_MODVERSIONS beside it, which part 10 is about.
const WITHOUT_VERSIONS: &str = "6.12";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for flavour in flavours() {
        let name = flavour.name();
        if name == PAGE {
            tests.push(Test::new("walkthrough::docs/walkthrough.md", page).on(&flavour));
            continue;
        }
        // In user space, the kernel makes no difference.
        let parts = match flavour.series.as_str() {
            "7.3" => [USER_SPACE, KERNEL].concat(),
            _ => KERNEL.to_vec(),
        };
        tests.push(every_claim(&flavour, parts));
        if flavour.series == WITHOUT_VERSIONS {
            let name = format!("walkthrough::{name}::a part that it cannot have");
            tests.push(Test::new(name, cannot).on(&flavour));
        }
    }
    tests
}

/// The tests on a stock kernel.
pub fn tests_on(stock: &Flavour) -> Vec<Test> {
    vec![every_claim(stock, KERNEL.to_vec()).only_if_asked()]
}

fn every_claim(flavour: &Flavour, parts: Vec<&'static Part>) -> Test {
    let name = format!("walkthrough::{}::every claim", flavour.name());
    let run = move |context: &TestContext| rendered(context, &parts, false).map(drop);
    Test::new(name, run).on(flavour)
}

/// Renders a run of these parts, in which all claims must be shown.
fn rendered(context: &TestContext, parts: &[&'static Part], markdown: bool) -> Result<String> {
    let lab = context.lab()?;
    let flavour = &lab.kernel.flavour;
    let mut rendered = String::new();
    let mut write = |text: &str| {
        rendered += text;
        Ok(())
    };
    let (supported, lacks) = on_kernel(&lab.kernel, parts.to_vec())?;
    let lacks: Vec<&str> = lacks.iter().map(|(_, option)| *option).collect();
    // What the stock kernels have is up to Debian.
    let lacking = !lacks.is_empty();
    ensure!(
        flavour.is_stock() || lacking == (flavour.series == WITHOUT_VERSIONS),
        "the kernel lacks {lacks:?}"
    );
    let mut renderer = renderer(markdown);
    let machine = context.machine(&lab);
    let claims = walk(&lab, &machine, &supported, &mut *renderer, &mut write)?;
    ensure!(
        shown(&claims) == claims.len() && !claims.is_empty(),
        "{rendered}"
    );
    Ok(rendered)
}

/// Asked for by its number, it is refused.
fn cannot(context: &TestContext) -> Result<()> {
    let compiler = context.lab()?.kernel.flavour.compiler;
    let kernel = [
        ("LAB_KERNEL", WITHOUT_VERSIONS),
        ("LAB_CC", compiler.name()),
    ];
    let asked = context
        .lab_command(&["walkthrough", "--part", "10"], &kernel)?
        .output()?;
    ensure!(asked.status.code() == Some(2), "{}", printed(&asked));
    must_contain(
        &printed(&asked),
        "lab: error: part 10 requires a kernel with CONFIG_MODVERSIONS",
    )?;
    must_contain(
        &printed(&asked),
        "help: make walkthrough PART=10 KERNEL=7.3",
    )
}

/// Every claim; and the page was made from a run with the same compilers, of the same sources.
fn page(context: &TestContext) -> Result<()> {
    let all = [USER_SPACE, KERNEL].concat();
    let today = rendered(context, &all, true)?;
    let file = project().join("docs/walkthrough.md");
    let there = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let (there, today) = (that_stay(&there), that_stay(&today));
    let mut lines = there.iter().zip(&today);
    ensure!(
        there == today,
        "docs/walkthrough.md is stale: {:?}\n  help: make docs/walkthrough.md",
        lines.find(|(there, today)| there != today)
    );
    Ok(())
}

/// A page's lines, without what the kernel's build and log printed: that changes with each of Debian's
/// updates of the kernel. The compilers stay as they are in a release of Debian.
fn that_stay(page: &str) -> Vec<&str> {
    let (mut kernel, mut printed) = (false, false);
    page.lines()
        .filter(|line| {
            kernel |= line.starts_with("## Part ") && line.contains(": The kernel: ");
            match *line {
                "```console" => printed = true,
                "```" => printed = false,
                _ => {}
            }
            let typed = line.starts_with("$ ") || line.starts_with("guest# ");
            !(kernel && printed) || typed || line.starts_with("```")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay() {
        let page = "## Part 6: A\n```console\n$ a\nsaid\n```\n## Part 7: The kernel: b\nWhy.\n\
                    ```console\nguest# b\nsaid\n```\n";
        let left = page.replacen("guest# b\nsaid\n", "guest# b\n", 1);
        assert_eq!(that_stay(page), left.lines().collect::<Vec<_>>());
    }
}
