//! Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.

pages! {}
