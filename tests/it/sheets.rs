//! Sheets as offices keep them: eighty invented people, bad files, taking in, putting back, taking out.

mod bad;
pub mod fixtures;
mod flow;
mod pages;
mod shell;
