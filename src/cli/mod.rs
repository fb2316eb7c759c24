//! Listens to the shell and wires the rooms together.

pub mod demo_data;
