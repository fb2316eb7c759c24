//! What the figures were taken on, as far as Linux tells.

use std::fmt::Write as _;
use std::fs::read_to_string;
use std::path::Path;

/// A paragraph about the machine, the build and the disk under `files`.
pub fn description(files: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "an unknown processor".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|m| kb(&m)).map_or(0, |kb| kb / 1_048_576);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let build = if cfg!(debug_assertions) { "unoptimised (these figures say little)" } else { "optimised" };
    let system = file_system(files).unwrap_or_else(|| "an unknown file system".to_owned());
    let mut text = format!(
        "Machine: {cores} cores ({cpu}), {memory} GiB, Linux {}, files on {system}; load {} before; build {build}.\n",
        kernel.trim(),
        load.join(" "),
    );
    if system == "tmpfs" {
        let _ = writeln!(text, "The files lie in memory: commits cost nothing here. Set TOUBAN_FIGURES_DIR.");
    }
    text
}

/// The resident memory of a process in KiB.
pub fn resident_kb(pid: u32) -> u64 {
    let status = format!("/proc/{pid}/status");
    field(&status, "VmRSS").and_then(|rss| kb(&rss)).expect("a running process")
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find(|l| l.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn kb(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.trim().parse().ok()
}

/// The type of the file system with the longest mount point above `path`.
fn file_system(path: &Path) -> Option<String> {
    let mounts = read_to_string("/proc/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        path.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    above.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}
