//! The phone bridge against a real Asterisk, with real SIP and real sound on loopback. Every test is ignored where
//! no Asterisk is given and run by `scripts/test phone`; they take turns, because a bridge obeys one touban at a time.

mod figures;
mod mishaps;
mod network;
mod night;
mod port;
mod tonight;
