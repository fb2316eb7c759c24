//! The README leads a newcomer through the sources; what it names must be there.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The targets of links, and what stands in code style and looks like a path of ours.
fn paths(text: &str) -> Vec<String> {
    let ours = ["src/", "tests/", "docs/", "scripts/", "config/", "migrations/", "benches/"];
    let mut found = Vec::new();
    for link in text.split("](").skip(1) {
        let target = link.split(')').next().unwrap();
        if !target.contains("://") && !target.starts_with('#') {
            found.push(target.split('#').next().unwrap().to_owned());
        }
    }
    for code in text.split('`').skip(1).step_by(2) {
        for word in code.split_whitespace() {
            if ours.iter().any(|start| word.starts_with(start)) {
                found.push(word.trim_end_matches([',', '.', ';']).to_owned());
            }
        }
    }
    found
}

fn missing(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let from = Path::new(file).parent().unwrap().to_owned();
    let paths = paths(&text);
    paths
        .into_iter()
        .filter(|path| {
            let beside = root().join(&from).join(path);
            // `migrations/sqlite/*.sql` and `{a,b}` stand for several.
            let exact = path.split(['*', '{', '<']).next().unwrap();
            !(beside.exists() || root().join(path).exists() || (exact != path && root().join(exact).exists()))
        })
        .collect()
}

#[test]
fn what_the_readme_names_is_there() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(paths(&text).len() > 20, "the paths were not found");
    assert_eq!(missing("README.md"), [""; 0]);
}

#[test]
fn what_the_documents_name_is_there() {
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            let file = format!("docs/{}", path.file_name().unwrap().to_str().unwrap());
            assert_eq!(missing(&file), [""; 0], "in {file}");
        }
    }
}

#[test]
fn a_room_of_the_map_is_a_folder_and_every_folder_is_on_the_map() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            assert!(text.contains(&format!("(src/{name})")), "the map has no room src/{name}");
        }
    }
}
