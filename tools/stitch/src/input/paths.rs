//! Paths and their parts.

use std::path::{Component, Path, PathBuf};

/// A file as Kbuild's lists name it: absolute, or relative to some folder above the module's. The list
/// may have been moved together with the files, so those beside it are the ones that it means.
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
