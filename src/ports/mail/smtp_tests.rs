use super::*;

fn settings(toml: &str) -> Result<SmtpSettings, toml::de::Error> {
    toml::from_str(toml)
}

#[test]
fn settings_default_to_tls_and_unknown_keys_are_errors() {
    let read = settings("host = \"mail.example.jp\"").unwrap();
    assert_eq!((read.security, read.send_budget_s, read.allow_plain), (Security::Tls, 10, false));
    assert_eq!(SmtpMail::new(read).unwrap().0.port, 465);
    let starttls = settings("host = \"mail.example.jp\"\nsecurity = \"starttls\"").unwrap();
    assert_eq!(SmtpMail::new(starttls).unwrap().0.port, 587);
    assert!(settings("host = \"mail.example.jp\"\npasswort = \"x\"").is_err());
    assert!(settings("host = \"mail.example.jp\"\nsecurity = \"opportunistic\"").is_err());
}

#[test]
fn a_password_is_never_printed() {
    let read = settings("host = \"h\"\nusername = \"touban\"\npassword = \"geheim\"").unwrap();
    let printed = format!("{read:?} {:?}", SmtpMail::new(read.clone()).unwrap());
    assert!(printed.contains("***") && !printed.contains("geheim"), "{printed}");
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let new = |toml: &str| SmtpMail::new(settings(toml).unwrap()).map(|_| ());
    assert!(matches!(new("host = \"mail.example.jp\"\nsecurity = \"none\""), Err(SettingsError::Plain)));
    assert!(new("host = \"mail.example.jp\"\nsecurity = \"none\"\nallow_plain = true").is_ok());
    for here in ["localhost", "127.0.0.1", "127.8.8.8", "::1"] {
        assert!(new(&format!("host = \"{here}\"\nsecurity = \"none\"")).is_ok(), "{here}");
    }
    for elsewhere in ["localhost.example.jp", "10.0.0.1", "0.0.0.0"] {
        let refused = new(&format!("host = \"{elsewhere}\"\nsecurity = \"none\""));
        assert!(matches!(refused, Err(SettingsError::Plain)), "{elsewhere}");
    }
    assert!(matches!(new("host = \"h\"\nusername = \"x\""), Err(SettingsError::Credentials)));
    assert!(matches!(new("host = \"h\"\nsend_budget_s = 0"), Err(SettingsError::Budget)));
    assert!(matches!(new("host = \"a b\""), Err(SettingsError::Host)));
    assert!(matches!(new("host = \"h\"\nhello_name = \"a\\r\\nQUIT\""), Err(SettingsError::Host)));
    assert!(matches!(
        new("host = \"h\"\nca_file = \"/nowhere/ca.pem\""),
        Err(SettingsError::CaUnreadable { .. })
    ));
    assert!(matches!(new("host = \"h\"\nca_file = \"Cargo.toml\""), Err(SettingsError::CaUnusable { .. })));
}

#[test]
fn only_a_well_formed_enhanced_code_is_repeated() {
    assert_eq!(enhanced_code("5.1.1 <a@example.jp>: unknown"), Some("5.1.1"));
    assert_eq!(enhanced_code("5.7.26\nmore"), Some("5.7.26"));
    for other in ["", "a@example.jp", "5.1", "5.1.1.1", "3.1.1 x", "5.1.1111", "5.1.x", "sensei.5.1"] {
        assert_eq!(enhanced_code(other), None, "{other}");
    }
}

#[test]
fn only_the_content_leaves_a_mail_in_doubt() {
    let progress = Progress::default();
    for step in Step::ALL {
        progress.at(step);
        assert_eq!(progress.step(), step);
        assert_eq!(step.in_doubt(), step == Step::Content);
    }
}

#[test]
fn a_refusal_is_blamed_on_the_recipient_only_when_it_speaks_of_the_recipient() {
    use Step::{Content, Recipient, Sender};
    for (step, code, enhanced, ours) in [
        (Sender, "550", Some("5.1.1"), true),
        (Recipient, "550", None, false),
        (Recipient, "550", Some("5.1.1"), false),
        (Recipient, "501", Some("5.1.3"), false),
        (Recipient, "552", Some("5.2.2"), false),
        (Recipient, "550", Some("5.1.7"), true),
        (Recipient, "554", Some("5.7.1"), true),
        (Recipient, "503", Some("5.5.1"), true),
        (Recipient, "530", None, true),
        (Content, "554", None, false),
        (Content, "550", Some("5.7.26"), true),
    ] {
        assert_eq!(is_our_fault(step, code, enhanced), ours, "{step:?} {code} {enhanced:?}");
    }
}
