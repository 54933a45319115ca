//! Configurations as users write them: files, variables, old names, and what is wrong with them.

mod layers;
mod originals;
mod pages;
mod reload;
mod wrong;

use std::fs;
use std::path::Path;

use dais_config::{Loaded, Loader};
use tempfile::TempDir;

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    folder
}

/// Loads a folder with variables; paths in messages are relative to it.
fn load(folder: &Path, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let loader = Loader::new().folder(folder).variables(variables.iter().copied());
    loader.load().map_err(|errors| relative(&errors.to_string(), folder))
}

fn relative(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}
