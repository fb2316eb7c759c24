//! Tests of whole configurations: the sample, wrong files, the environment.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::i18n::Lang;

const SAMPLE: &str = include_str!("../../config/touban.toml");

/// A folder of its own for one test, removed at its end.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touban-config-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(Some(&self.write("touban.toml", text)), variables(env))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn variables(env: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn from_env(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, variables(env))
}

fn problems(result: Result<Config, ConfigError>) -> Vec<Problem> {
    match result.unwrap_err() {
        ConfigError::Wrong { problems } => problems,
        other => panic!("{other}"),
    }
}

/// What is said in English, without the folder of the test.
fn said(folder: &Folder, text: &str) -> String {
    let error = folder.load(text, &[]).unwrap_err();
    error.text(Lang::En).replace(&format!("{}/", folder.0.display()), "")
}

#[test]
fn the_sample_file_says_the_defaults() {
    let sample = Folder::new().load(SAMPLE, &[]).unwrap();
    let defaults = from_env(&[]).unwrap();
    let values = |config: &Config| {
        config.settings().iter().map(|s| (s.key.clone(), s.value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(values(&sample), values(&defaults));
}

#[test]
fn the_sample_file_names_every_key() {
    let (mut section, mut named) = (String::new(), BTreeSet::new());
    for line in SAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, _)) = line.split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            assert!(named.insert(format!("{section}{key}")), "{section}{key} stands twice");
        }
    }
    let known: BTreeSet<String> = from_env(&[]).unwrap().settings().iter().map(|s| s.key.clone()).collect();
    assert_eq!(named, known);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    let folder = Folder::new();
    let text = "listen = \"127.0.0.1:0\"\n\n[durable]\nlease_s = 20\npol_s = 2\n";
    assert_eq!(
        said(&folder, text),
        "touban.toml line 5: there is no key durable.pol_s; did you mean durable.poll_s?"
    );
    let japanese = folder.load(text, &[]).unwrap_err().text(Lang::Ja);
    assert!(
        japanese.ends_with(
            "touban.toml 5行目：durable.pol_s という項目はありません。durable.poll_s のことでしょうか"
        ),
        "{japanese}"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let folder = Folder::new();
    let text = "\
listen = \"localhost\"
colour = \"blue\"
mail = 3
[durabel]
[durable]
poll_s = 0
lease_s = \"long\"
poison_tries = -1
[http]
trusted_proxies = \"10.0.0.0/8\"
[schedules]
housekeeping = \"0 30 3 * * 1\"
[log]
level = \"imfo\"
";
    assert_eq!(
        said(&folder, text),
        "\
touban.toml line 1: listen: write it as 127.0.0.1:8080 (port 0 takes a free one)
touban.toml line 2: there is no key colour
touban.toml line 3: mail is a section; write its keys below [mail]
touban.toml line 4: there is no key durabel
touban.toml line 6: durable.poll_s must lie between 1 and 60
touban.toml line 7: durable.lease_s takes a whole number
touban.toml line 8: durable.poison_tries must lie between 1 and 100
touban.toml line 10: http.trusted_proxies takes a list in brackets
touban.toml line 12: schedules.housekeeping: write weekdays by name (Mon-Fri), not as \"1\": number 1 means \
Sunday here and Monday elsewhere
touban.toml line 14: log.level: write it as info or info,touban=debug"
    );
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let folder = Folder::new();
    let text = said(&folder, "listen = \"127.0.0.1:0\"\nbase_url = \n");
    assert!(text.starts_with("touban.toml line 2: this is not TOML ("), "{text}");
    let twice = said(&folder, "[log]\nlevel = \"info\"\nlevel = \"warn\"\n");
    assert!(twice.starts_with("touban.toml line 3: this is not TOML ("), "{twice}");
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_not_the_defaults() {
    let error = Config::load(Some(Path::new("/nowhere/touban.toml")), variables(&[])).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }));
    assert!(error.text(Lang::Ja).contains("/nowhere/touban.toml"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = Folder::new()
        .load(
            "[durable]\npoll_s = 2\nlease_s = 40\n[mail.smtp]\nport = 2525\n",
            &[
                ("TOUBAN__LISTEN", "0.0.0.0:0"),
                ("TOUBAN__DURABLE__POLL_S", "3"),
                ("TOUBAN__DURABLE__MAIL_RETRY_S", "1, 2,3"),
                ("TOUBAN__HTTP__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"),
                ("TOUBAN__MAIL__SMTP__ALLOW_PLAIN", "true"),
                ("TOUBAN_OTHER", "x"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
    assert_eq!(config.listen, "0.0.0.0:0".parse().unwrap());
    assert_eq!((config.durable.poll.get(), config.durable.lease.get()), (3, 40));
    assert_eq!(config.durable.mail_retry.steps_s(), [1, 2, 3]);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    let shown = config.effective();
    for line in [
        "durable.poll_s = 3  # TOUBAN__DURABLE__POLL_S",
        "durable.lease_s = 40  # line 3",
        "mail.smtp.port = 2525  # line 5",
        "durable.self_check_s = 10",
        "# base_url =",
    ] {
        assert!(shown.lines().any(|l| l == line), "{line} in\n{shown}");
    }
}

#[test]
fn a_misspelt_variable_is_an_error_too() {
    let wrong = problems(from_env(&[
        ("TOUBAN__DURABLE__POL_S", "3"),
        ("TOUBAN__DURABLE", "3"),
        ("TOUBAN__LOG__FORMAT", "xml"),
        ("TOUBAN__MAIL__SMTP__PORT", "70000"),
        ("TOUBAN__DURABLE__LEASE_S", " 30s"),
    ]));
    let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "environment variable TOUBAN__DURABLE: durable is a section; write its keys below [durable]",
            "environment variable TOUBAN__DURABLE__LEASE_S: durable.lease_s takes a whole number",
            "environment variable TOUBAN__DURABLE__POL_S: there is no key durable.pol_s; did you mean \
             durable.poll_s?",
            "environment variable TOUBAN__LOG__FORMAT: log.format: write one of json, text",
            "environment variable TOUBAN__MAIL__SMTP__PORT: mail.smtp.port must lie between 1 and 65535",
        ]
    );
}

const SMTP: &str =
    "[mail]\nkind = \"smtp\"\nfrom = \"touban@example.jp\"\n[mail.smtp]\nhost = \"smtp.example.jp\"\n";

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = Folder::new();
    folder.write("smtp.password", "  hunter2\n");
    folder.write("db", "postgres://touban:hunter2@db.example.jp/touban\n");
    let text = format!(
        "{SMTP}username = \"touban\"\npassword_file = \"smtp.password\"\n[database]\nurl_file = \"db\"\n"
    );
    let config = folder.load(&text, &[]).unwrap();
    let MailVia::Smtp(smtp) = &config.mail.via else { panic!("{:?}", config.mail.via) };
    assert_eq!(smtp.login.as_ref().unwrap().password.expose(), "hunter2");
    let DatabaseUrl::Postgres { url } = &config.database.url else { panic!("{:?}", config.database.url) };
    assert_eq!(url.expose(), "postgres://touban:hunter2@db.example.jp/touban");
    for shown in [config.effective(), format!("{config:?}"), format!("{:?}", config.settings())] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(config.effective().contains("mail.smtp.password = \"***\""));
    assert!(config.effective().contains("database.url = \"postgres://touban:***@db.example.jp/touban\""));
}

#[test]
fn a_wrong_secret_is_refused_without_repeating_it() {
    let env = [("TOUBAN__DATABASE__URL", "postgre://touban:hunter2@db/touban")];
    let error = from_env(&env).unwrap_err();
    for shown in [error.text(Lang::Ja), error.text(Lang::En), format!("{error:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let folder = Folder::new();
    let both = said(&folder, &format!("{SMTP}username = \"u\"\npassword = \"a\"\npassword_file = \"b\"\n"));
    assert_eq!(
        both,
        "touban.toml line 6: mail.smtp.username: a user name needs a password\n\
         touban.toml line 8: mail.smtp.password_file: give either this or mail.smtp.password, not both"
    );
}

#[test]
fn mail_by_smtp_needs_a_server_a_sender_and_protection() {
    let folder = Folder::new();
    let wrong = problems(
        folder.load("[mail]\nkind = \"smtp\"\n[mail.smtp]\nsecurity = \"plain\"\npassword = \"x\"\n", &[]),
    );
    let keys: Vec<&str> = wrong.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["mail.smtp.security", "mail.smtp.password", "mail.from", "mail.smtp.host"]);

    let config = folder.load(&format!("{SMTP}security = \"tls\"\n"), &[]).unwrap();
    let MailVia::Smtp(smtp) = &config.mail.via else { panic!("{:?}", config.mail.via) };
    assert_eq!((smtp.port.get(), smtp.security), (465, SmtpSecurity::Tls));
    let plain = folder.load(&format!("{SMTP}security = \"plain\"\nallow_plain = true\n"), &[]).unwrap();
    assert!(matches!(plain.mail.via, MailVia::Smtp(Smtp { security: SmtpSecurity::Plain, .. })));
}

#[test]
fn a_send_ends_before_its_lease_does() {
    let wrong =
        problems(Folder::new().load(&format!("{SMTP}send_budget_s = 6\n[durable]\nlease_s = 6\n"), &[]));
    assert_eq!(wrong.first().map(|p| p.key.as_str()), Some("mail.smtp.send_budget_s"));
}

#[test]
fn a_shorter_lease_shortens_what_must_end_within_it() {
    let config = Folder::new().load(&format!("{SMTP}[durable]\nlease_s = 3\n"), &[]).unwrap();
    let MailVia::Smtp(smtp) = &config.mail.via else { panic!("{:?}", config.mail.via) };
    assert_eq!(smtp.send_budget.get(), 1);
    assert_eq!(problems(from_env(&[("TOUBAN__DURABLE__LEASE_S", "2")])).len(), 1);
}

#[test]
fn the_numbers_of_the_process_stay_on_the_machine() {
    let wrong = problems(from_env(&[("TOUBAN__METRICS__LISTEN", "0.0.0.0:9464")]));
    assert_eq!(wrong.first().map(|p| p.key.as_str()), Some("metrics.listen"));
    let config = from_env(&[("TOUBAN__METRICS__LISTEN", "[::1]:0")]).unwrap();
    assert!(config.metrics.listen.is_some_and(|l| l.ip().is_ipv6()));
}

#[test]
fn paths_start_in_the_folder_of_the_file_and_those_of_the_environment_do_not() {
    let folder = Folder::new();
    let config = folder
        .load(
            "[keys]\nfile = \"k\"\n[plans]\nfiles = [\"p.toml\", \"/etc/q.toml\"]\n",
            &[("TOUBAN__MAIL__FOLDER", "m")],
        )
        .unwrap();
    assert_eq!(config.keys.file, folder.0.join("k"));
    assert_eq!(config.files.plans, [folder.0.join("p.toml"), PathBuf::from("/etc/q.toml")]);
    assert!(matches!(&config.mail.via, MailVia::Folder { path } if *path == Path::new("m")));
    let DatabaseUrl::Sqlite { path } = &config.database.url else { panic!("{:?}", config.database.url) };
    assert_eq!(*path, folder.0.join("touban.sqlite"));
    let DatabaseUrl::Sqlite { path } = from_env(&[]).unwrap().database.url else { panic!() };
    assert_eq!(path, Path::new("touban.sqlite"));
}

#[test]
fn local_holidays_are_days_with_or_without_quotes() {
    let folder = Folder::new();
    let config = folder.load("[calendar]\nholidays_extra = [2026-08-13, \"2026-08-14\"]\n", &[]).unwrap();
    let days: Vec<String> = config.calendar.holidays_extra.iter().map(ToString::to_string).collect();
    assert_eq!(days, ["2026-08-13", "2026-08-14"]);
    let wrong =
        said(&folder, "[calendar]\nholidays_extra = [\"13 August\"]\nholidays_removed = [20260813]\n");
    assert_eq!(wrong.lines().count(), 2, "{wrong}");
    let both = "[calendar]\nholidays_extra = [\"2026-08-13\"]\nholidays_removed = [\"2026-08-13\"]\n";
    assert!(said(&folder, both).contains("holidays_removed"));
}

#[test]
fn a_byte_order_mark_from_a_windows_editor_does_no_harm() {
    let config = Folder::new()
        .load("\u{feff}listen = \"127.0.0.1:9\"\r\n[log]\r\nformat = \"text\"\r\n", &[])
        .unwrap();
    assert_eq!(config.listen.port(), 9);
}
