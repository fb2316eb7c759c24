//! The configuration: compiled defaults, one TOML file, then the environment. What the settings do is
//! decided by the rooms that use them.
//!
//! `TOUBAN__MAIL__SMTP__PORT=465` overrides `port` below `[mail.smtp]`; a secret can also be kept in a file
//! of its own, named by `password_file` or `TOUBAN__MAIL__SMTP__PASSWORD_FILE`.

mod mail;
mod problem;
mod reader;
mod sections;
mod values;

use std::net::SocketAddr;
use std::path::Path;

pub use mail::{Mail, MailVia, Smtp, SmtpLogin, SmtpSecurity};
pub use problem::{ConfigError, Expected, Origin, Problem, What, Words, shell_language};
use reader::Reader;
pub use reader::Setting;
pub use sections::{
    Access, BridgeKind, CalendarText, DataFiles, Database, Durable, Http, Keys, Limits, Links, Log, Metrics,
    Phone, Schedules,
};
pub use values::{BaseUrl, DatabaseUrl, HostName, Ladder, MailAddress, Network, Seconds, SecretText};

/// Every setting, each with a value that can be used.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the pages are found from outside. Without it, `http://localhost` and the bound port, and only
    /// this machine may call.
    pub base_url: Option<BaseUrl>,
    pub database: Database,
    pub keys: Keys,
    pub mail: Mail,
    pub durable: Durable,
    pub links: Links,
    pub access: Access,
    pub http: Http,
    pub limits: Limits,
    pub files: DataFiles,
    pub log: Log,
    pub metrics: Metrics,
    pub phone: Phone,
    pub calendar: CalendarText,
    pub schedules: Schedules,
    settings: Vec<Setting>,
}

impl Config {
    /// The defaults, changed by `file`, changed by the variables `TOUBAN__…` of `env`. Other variables are
    /// not looked at.
    ///
    /// # Errors
    /// When the file cannot be read, or when anything in it or in the environment is wrong; then everything
    /// that is wrong is named.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut r = Reader::open(file, env)?;
        let listen = sections::listen(&mut r);
        let base_url = sections::base_url(&mut r);
        let database = Database::read(&mut r);
        let keys = Keys::read(&mut r);
        let durable = Durable::read(&mut r);
        let mail = Mail::read(&mut r, durable.lease);
        let links = Links::read(&mut r);
        let access = Access::read(&mut r);
        let http = Http::read(&mut r);
        let limits = Limits::read(&mut r);
        let files = DataFiles::read(&mut r);
        let log = Log::read(&mut r);
        let metrics = Metrics::read(&mut r);
        let phone = Phone::read(&mut r);
        let calendar = CalendarText::read(&mut r);
        let schedules = Schedules::read(&mut r);
        let settings = r.finish()?;
        Ok(Self {
            listen,
            base_url,
            database,
            keys,
            mail,
            durable,
            links,
            access,
            http,
            limits,
            files,
            log,
            metrics,
            phone,
            calendar,
            schedules,
            settings,
        })
    }

    /// Every key as it is in force and where it comes from, secrets as `"***"`, section by section.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// [`Config::settings`] as lines for a person, secrets masked. Keys stand with their sections, so that a
    /// line can be searched for; the lines read as TOML.
    #[must_use]
    pub fn effective(&self) -> String {
        let line = |s: &Setting| match (&s.value, &s.origin) {
            (None, _) => format!("# {} =\n", s.key),
            (Some(value), Origin::Default) => format!("{} = {value}\n", s.key),
            (Some(value), Origin::File { line, .. }) => format!("{} = {value}  # line {line}\n", s.key),
            (Some(value), Origin::Env { name }) => format!("{} = {value}  # {name}\n", s.key),
        };
        self.settings.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests;
