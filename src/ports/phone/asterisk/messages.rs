//! The caller's message on its way to a physician's ear: a file in the folder that Asterisk reads, for as long as the
//! prompt plays.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tracing::warn;

use super::Inner;
use crate::domain::call::LegId;

/// Readable for the group of Asterisk and for nobody else.
const MODE: u32 = 0o640;
/// What our files end with.
const ENDING: &str = "wav";

impl Inner {
    /// Puts the message where Asterisk can read it. `None`: there is no such place, and the prompt is said without it.
    pub(super) async fn lay_out(&self, leg: &LegId, number: u32, sound: &Arc<[u8]>) -> Option<PathBuf> {
        let folder = self.settings.message_dir.as_ref()?;
        let name: String =
            leg.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path = folder.join(format!("{name}-{number}.{ENDING}"));
        match write(&path, sound, MODE).await {
            Ok(()) => Some(path),
            Err(e) => {
                warn!(error = %e, "A caller's message could not be laid out for the phone bridge");
                None
            }
        }
    }

    /// Takes a message away again.
    pub(super) fn forget_file(&self, path: PathBuf) {
        // Nobody waits for it.
        tokio::spawn(async move {
            if let Err(e) = tokio::fs::remove_file(&path).await {
                warn!(error = %e, "A caller's message could not be deleted after it was heard");
            }
        });
    }

    /// Takes away what an earlier life of this process left. One that still plays plays on: Asterisk has it open.
    pub(super) async fn sweep(&self) {
        let Some(folder) = &self.settings.message_dir else {
            return;
        };
        let Ok(mut files) = tokio::fs::read_dir(folder).await else {
            return;
        };
        let in_use: Vec<PathBuf> = self
            .memory()
            .legs
            .values()
            .filter_map(|leg| leg.play.as_ref().and_then(|play| play.file.clone()))
            .collect();
        while let Ok(Some(file)) = files.next_entry().await {
            let path = file.path();
            if path.extension().is_some_and(|ending| ending == ENDING) && !in_use.contains(&path) {
                self.forget_file(path);
            }
        }
    }
}

/// Writes a file anew, for its owner and as `mode` says.
pub(super) async fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file =
        tokio::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path).await?;
    file.write_all(bytes).await?;
    file.flush().await
}
