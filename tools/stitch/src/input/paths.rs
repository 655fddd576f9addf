//! Paths that Kbuild lists, and parts of paths.

use std::path::{Component, Path, PathBuf};

/// Finds a file that Kbuild lists by an absolute path, or relative to some parent of the module's
/// directory. The build directory may have been moved, so files below `folder` come first.
pub fn beside(folder: &Path, listed: &Path) -> PathBuf {
    let names: Vec<Component<'_>> = listed
        .components()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .collect();
    (0..names.len())
        .map(|skipped| folder.join(names.iter().skip(skipped).collect::<PathBuf>()))
        .find(|path| path.is_file())
        .unwrap_or_else(|| listed.to_owned())
}

pub fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

pub fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
