//! The pages people see. Views and files of the pages here; what is true about a case comes from `app`.

pub mod assets;
pub mod views;
