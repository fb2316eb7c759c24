//! Arranges: one function per use case, one transaction each.

pub mod mail_texts;
