//! Whom Asterisk rings by itself while touban is down: variables of its dialplan, and a file that its dialplan
//! includes, so that they outlast a restart of Asterisk. The rule of the key 1 is in the dialplan.

use std::collections::BTreeSet;
use std::path::Path;

use super::settings::AsteriskSettings;
use super::{Inner, messages};
use crate::ports::phone::{BridgeError, FALLBACK_LINES_MAX, Fallback};

const PREFIX: &str = "FALLBACK_";

/// Every variable with its value, in a fixed order. An empty one ends the list of its number.
pub(super) fn variables(plans: &[Fallback], settings: &AsteriskSettings) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for plan in plans {
        let number = plan.number.shown();
        all.push((format!("{PREFIX}{number}_SHOWN"), number.clone()));
        let lines = plan.lines.iter().take(FALLBACK_LINES_MAX).map(|line| settings.endpoint(line.number()));
        let ended = lines.chain([String::new()]);
        all.extend(ended.enumerate().map(|(i, to)| (format!("{PREFIX}{number}_{}", i + 1), to)));
    }
    all
}

pub(super) fn file(variables: &[(String, String)]) -> String {
    let mut text = "; Written by touban: whom to ring while it is down.\n".to_owned();
    for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(name);
        text.push_str(" = ");
        text.push_str(value);
        text.push('\n');
    }
    text
}

/// The first variable of each number in a file we wrote.
fn numbers(text: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split_once(" = ").map(|(name, _)| name.to_owned());
    text.lines().filter_map(name).filter(|name| name.starts_with(PREFIX) && name.ends_with("_1")).collect()
}

impl Inner {
    pub(super) async fn set_fallback(&self, plans: &[Fallback]) -> Result<(), BridgeError> {
        let variables = variables(plans, &self.settings);
        if let Some(path) = &self.settings.fallback_file {
            let before = tokio::fs::read_to_string(path).await.unwrap_or_default();
            let kept: BTreeSet<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
            // A number that is not ours any more rings nobody.
            for gone in numbers(&before).iter().filter(|name| !kept.contains(name.as_str())) {
                self.set_variable(gone, "").await?;
            }
            write(path, &file(&variables)).await.map_err(|e| {
                BridgeError::temporary(format!("the file of the fallback cannot be written: {}", e.kind()))
            })?;
        }
        for (name, value) in &variables {
            self.set_variable(name, value).await?;
        }
        Ok(())
    }

    async fn set_variable(&self, name: &str, value: &str) -> Result<(), BridgeError> {
        let query = [("variable", name), ("value", value)];
        let answer = self.ari.post(&["asterisk", "variable"], &query).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.refusal()) }
    }
}

/// Whole or not at all: Asterisk may read it at any moment.
async fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    messages::write(&new, text.as_bytes(), 0o640).await?;
    tokio::fs::rename(&new, path).await
}

impl AsteriskSettings {
    /// Places in the settings that are not there, each as a sentence.
    pub(super) fn unwritable(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.fallback_file.as_deref().map(Path::parent) {
            None => wrong.push(
                "fallback_file is not set: whom to ring while touban is down is lost when Asterisk restarts."
                    .to_owned(),
            ),
            Some(folder) if folder.is_some_and(Path::is_dir) => {}
            Some(_) => wrong.push("The folder of fallback_file is not there.".to_owned()),
        }
        match &self.message_dir {
            None => wrong.push(
                "message_dir is not set: a physician whose caller has hung up does not hear the message on the phone."
                    .to_owned(),
            ),
            Some(folder) if folder.is_dir() => {}
            Some(_) => wrong.push("message_dir is not there.".to_owned()),
        }
        wrong
    }
}
