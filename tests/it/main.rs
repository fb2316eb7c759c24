mod mail;
mod support_smtp;
