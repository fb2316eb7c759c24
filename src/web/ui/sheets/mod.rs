//! Files read in and taken out: members, institutions, contact windows.

pages! {}
