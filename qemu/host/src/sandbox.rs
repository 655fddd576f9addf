//! bwrap's command lines: what a command sees of the host. It ends with the lab, and so does everything
//! that it starts.

use std::path::Path;
use std::process::Command;

use super::packages::MOUNT_POINTS;

/// Variables of the user's environment that the commands in the sandbox get.
const ENVIRONMENT: &[&str] = &["TERM", "NO_COLOR", "http_proxy", "https_proxy", "no_proxy"];

/// The kernel's settings for namespaces of ordinary users: the value that forbids them, and one that
/// allows them. Debian's own, AppArmor's as in Ubuntu, and the common one.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user.max_user_namespaces", "0", "10000"),
];

/// bwrap, before its other options and the program.
pub fn bwrap() -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--die-with-parent", "--unshare-pid"]);
    command
}

/// A program that sees the whole host, and may write in `/tmp` and in this folder.
pub fn on_host(program: &str, writable: &Path) -> Command {
    let mut command = bwrap();
    command.args(["--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev"]);
    command.args(["--proc", "/proc", "--bind", "/tmp", "/tmp"]);
    command.arg("--bind").arg(writable).arg(writable);
    command.args(["--", program]);
    command
}

/// A script that starts a program of the toolchain, whose `/usr` this is, on the host's own files: it
/// sees them by their usual paths, as an editor does that starts it.
pub fn script_on_host(usr: &Path, program: &str) -> String {
    format!(
        "#!/bin/sh\n\
         exec bwrap --die-with-parent --dev-bind / / --ro-bind '{}' /usr -- /usr/bin/{program} \"$@\"\n",
        usr.display()
    )
}

/// The toolchain as the root folder, and of the host nothing but its devices, its network and these
/// folders. The program is still to be added.
pub fn of_toolchain(root: &Path, writable: &[&Path]) -> Command {
    let mut command = bwrap();
    command.arg("--clearenv");
    for (name, value) in [
        ("PATH", "/usr/bin:/usr/sbin"),
        ("HOME", "/tmp"),
        ("LANG", "C.UTF-8"),
        ("KBUILD_BUILD_USER", "hello_rust"),
        ("KBUILD_BUILD_HOST", "lab"),
    ] {
        command.args(["--setenv", name, value]);
    }
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.arg("--setenv").arg(name).arg(value);
        }
    }
    command.args(["--tmpfs", "/", "--tmpfs", "/tmp", "--tmpfs", "/run"]);
    for folder in ["usr", "etc", "var/lib/dpkg"] {
        command
            .arg("--ro-bind")
            .arg(root.join(folder))
            .arg(Path::new("/").join(folder));
    }
    for folder in ["bin", "sbin", "lib", "lib64"] {
        command.args(["--symlink", &format!("usr/{folder}"), &format!("/{folder}")]);
    }
    for file in MOUNT_POINTS {
        let file = Path::new("/").join(file);
        command.arg("--ro-bind-try").arg(&file).arg(&file);
    }
    command.args(["--ro-bind-try", "/etc/ssl/certs", "/etc/ssl/certs"]);
    command.args(["--proc", "/proc", "--dev-bind", "/dev", "/dev"]);
    for folder in writable {
        command.arg("--bind").arg(folder).arg(folder);
    }
    command
}

/// The toolchain for a Makefile that anyone may have written: it can read these folders, and write in `dir`
/// alone. Not even root has devices or privileges there.
pub fn of_build(root: &Path, readable: &[&Path], dir: &Path) -> Command {
    let mut command = of_toolchain(root, &[]);
    for folder in readable {
        command.arg("--ro-bind").arg(folder).arg(folder);
    }
    command.arg("--bind").arg(dir).arg(dir);
    command.args(["--dev", "/dev", "--cap-drop", "ALL"]);
    command.arg("--chdir").arg(dir).arg("--");
    command
}

/// The error when the toolchain's root cannot be entered.
pub const NO_NAMESPACES: &str =
    "the toolchain cannot be entered: this user may not create namespaces";

/// Tries to enter another root folder, as the toolchain needs it.
///
/// # Errors
///
/// bwrap's message.
pub fn enter() -> Result<(), String> {
    let tried = bwrap()
        .args(["--ro-bind", "/", "/", "true"])
        .output()
        .map_err(|error| format!("cannot run bwrap: {error}"))?;
    if tried.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&tried.stderr).trim().to_owned())
    }
}

/// The command that allows an ordinary user to enter it.
pub fn allow_namespaces() -> String {
    let forbids = |name: &str, value: &str| {
        let file = Path::new("/proc/sys").join(name.replace('.', "/"));
        std::fs::read_to_string(file).is_ok_and(|found| found.trim() == value)
    };
    let changes: Vec<String> = SETTINGS
        .iter()
        .filter(|(name, forbidding, _)| forbids(name, forbidding))
        .map(|(name, _, allowing)| format!("{name}={allowing}"))
        .collect();
    if changes.is_empty() {
        "run it as root, or outside the container that forbids it".to_owned()
    } else {
        format!("sudo sysctl {}", changes.join(" "))
    }
}
