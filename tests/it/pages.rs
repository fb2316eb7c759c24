//! The pages over a real socket, as people use them: forms, cookies, mails.

mod access;
pub mod browser;
mod duty;
mod erased;
mod exercise;
mod guards;
mod journey;
mod kept;
mod night;
mod pillars;
pub mod robots;
