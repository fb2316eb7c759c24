//! Other people's programs that open what touban writes.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file opened and saved again by LibreOffice: `from` and `to` are ends of names, `options` more of its arguments.
pub fn saved_by_libreoffice(bytes: &[u8], from: &str, to: &str, options: &[&str]) -> Vec<u8> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("touban-office-{}-{number}", std::process::id()));
    let out = folder.join("out");
    std::fs::create_dir_all(&out).unwrap();
    let file = folder.join(format!("sheet.{from}"));
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new("soffice")
        // A profile of its own, else a second one at the same time only wakes the first and ends.
        .arg(format!("-env:UserInstallation=file://{}/profile", folder.display()))
        .args(["--headless", "--norestore"])
        .args(options)
        .args(["--convert-to", to, "--outdir"])
        .args([&out, &file])
        .output()
        .expect("LibreOffice is not there: run `scripts/test it`, which installs the readers");
    let ending = to.split(':').next().unwrap();
    let saved = std::fs::read(out.join(format!("sheet.{ending}")));
    let _ = std::fs::remove_dir_all(&folder);
    saved.unwrap_or_else(|e| panic!("{e}: {output:?}"))
}
