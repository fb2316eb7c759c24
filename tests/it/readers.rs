//! Other people's programs that open what touban writes.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file opened and saved again by LibreOffice: `from` and `to` are ends of names, `options` more of its arguments.
pub fn saved_by_libreoffice(bytes: &[u8], from: &str, to: &str, options: &[&str]) -> Vec<u8> {
    all_saved_by_libreoffice(&[bytes.to_vec()], from, to, options).remove(0)
}

/// The same with many files, for which it starts once.
pub fn all_saved_by_libreoffice(files: &[Vec<u8>], from: &str, to: &str, options: &[&str]) -> Vec<Vec<u8>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("touban-office-{}-{number}", std::process::id()));
    let out = folder.join("out");
    std::fs::create_dir_all(&out).unwrap();
    let paths: Vec<_> = (0..files.len()).map(|n| folder.join(format!("sheet{n}.{from}"))).collect();
    for (path, bytes) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let output = Command::new("soffice")
        // A profile of its own, else a second one at the same time only wakes the first and ends.
        .arg(format!("-env:UserInstallation=file://{}/profile", folder.display()))
        .args(["--headless", "--norestore"])
        .args(options)
        .args(["--convert-to", to, "--outdir"])
        .arg(&out)
        .args(&paths)
        .output()
        .expect("LibreOffice is not there: run `scripts/test it`, which installs the readers");
    let ending = to.split(':').next().unwrap();
    let saved: Vec<_> =
        (0..files.len()).map(|n| std::fs::read(out.join(format!("sheet{n}.{ending}")))).collect();
    let _ = std::fs::remove_dir_all(&folder);
    saved.into_iter().map(|saved| saved.unwrap_or_else(|e| panic!("{e}: {output:?}"))).collect()
}
