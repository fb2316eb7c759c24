//! Setting up an association, its texts, its rules page, how long things are kept, totals.

use askama::Template;

use super::{Choices, Field, Shell, quiet_debug};
use crate::i18n::{Lang, t};

/// A line to type into. Its label is `setup-FIELD`, its hint `setup-FIELD-hint`.
#[derive(Clone, Debug, Default)]
pub struct FormField {
    pub id: &'static str,
    /// `text`, `tel`, `email`.
    pub kind: &'static str,
    pub label: String,
    pub hint: String,
    pub field: Field,
}

impl FormField {
    #[must_use]
    pub fn new(lang: Lang, id: &'static str, kind: &'static str, field: Field) -> Self {
        let label = t(lang, &format!("setup-{id}"));
        let hint = t(lang, &format!("setup-{id}-hint"));
        Self { id, kind, label, hint, field }
    }
}

/// `GET /setup`: one static page. Posts `/setup/open`: `token`, filled in by `link.js`, or `code`, pasted.
#[derive(Template)]
#[template(path = "setup-entry.html")]
pub struct SetupEntry {
    pub shell: Shell,
    pub code: Field,
}

/// `GET /setup/{page}`. Posts the same address: the fields, or `skip` = `yes`.
#[derive(Template)]
#[template(path = "setup-step.html")]
pub struct SetupStep {
    pub shell: Shell,
    /// `association`, `office`, `mail`, `members`, `administrator`.
    pub page: &'static str,
    /// From 1.
    pub number: u32,
    pub of: u32,
    pub back: Option<String>,
    pub fields: Vec<FormField>,
    pub choices: Option<Choices>,
    pub mail: Option<MailSettings>,
    /// The two fields of the new PIN.
    pub pin: bool,
    pub pin_problem: Option<String>,
    pub is_last: bool,
}

impl SetupStep {
    fn text(&self, part: &str) -> String {
        self.shell.t(&format!("setup-{}-{part}", self.page))
    }
}

impl SetupEnd {
    fn text(&self, part: &str) -> String {
        self.shell.t(&format!("setup-end-{}-{part}", self.kind))
    }

    fn is_done(&self) -> bool {
        self.kind == "done"
    }
}

/// How mail is configured, and the try.
#[derive(Clone, Debug, Default)]
pub struct MailSettings {
    pub facts: Vec<(String, String)>,
    pub address: Field,
    /// Where the address is posted.
    pub action: &'static str,
    pub result: Option<MailTested>,
}

/// What came of a try.
#[derive(Clone, Debug, Default)]
pub struct MailTested {
    pub good: bool,
    pub said: String,
    pub todo: String,
    /// What the server answered, by code.
    pub reply: String,
}

/// The set-up is done, or the link is over.
#[derive(Template)]
#[template(path = "setup-end.html")]
pub struct SetupEnd {
    pub shell: Shell,
    /// `done` or `over`.
    pub kind: &'static str,
}

/// A door to a page of the office.
#[derive(Clone, Debug, Default)]
pub struct Door {
    pub href: String,
    pub name: String,
    pub note: String,
}

/// `GET /settings`.
#[derive(Template)]
#[template(path = "settings.html")]
pub struct Settings {
    pub shell: Shell,
    pub notice: Option<String>,
    /// What was left for later: where to make up for it.
    pub left: Vec<Door>,
    pub doors: Vec<Door>,
    pub minimum: Field,
}

/// `GET /settings/office`. Posts the same address: the fields, `revision`.
#[derive(Template)]
#[template(path = "settings-office.html")]
pub struct SettingsOffice {
    pub shell: Shell,
    pub revision: i64,
    pub fields: Vec<FormField>,
    /// Read only for those who may not change it.
    pub may_change: bool,
}

/// `GET /settings/mail`.
#[derive(Template)]
#[template(path = "settings-mail.html")]
pub struct SettingsMail {
    pub shell: Shell,
    pub mail: MailSettings,
}

/// A part of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesPart {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
}

/// `GET /rules` and `GET /rules/{version}`. Posts `/rules/seen`: `version`.
#[derive(Template)]
#[template(path = "rules.html")]
pub struct RulesPage {
    pub shell: Shell,
    pub notice: Option<String>,
    /// "第2版（令和8年11月20日）".
    pub edition: String,
    pub version: i64,
    pub is_newest: bool,
    pub parts: Vec<RulesPart>,
    /// When the reader acknowledged this version.
    pub seen: Option<String>,
    pub may_acknowledge: bool,
    pub may_edit: bool,
    pub may_see_readers: bool,
    /// Other versions: where and which.
    pub others: Vec<(String, String)>,
}

/// `GET /rules/edit`. Posts the same address: `body_ja`, `body_en`, `public`, `after`.
#[derive(Template)]
#[template(path = "rules-edit.html")]
pub struct RulesEdit {
    pub shell: Shell,
    pub after: i64,
    pub body_ja: Field,
    pub body_en: Field,
    pub public: bool,
}

/// Who has acknowledged the rules.
#[derive(Clone, Debug, Default)]
pub struct RulesReader {
    pub name: String,
    pub version: String,
    pub at: String,
    pub is_newest: bool,
}

/// `GET /rules/readers`.
#[derive(Template)]
#[template(path = "rules-readers.html")]
pub struct RulesReaders {
    pub shell: Shell,
    pub edition: String,
    pub done: u32,
    pub readers: Vec<RulesReader>,
}

/// A row of the totals; a hidden number is a dash.
#[derive(Clone, Debug, Default)]
pub struct TotalsRow {
    pub name: Vec<String>,
    pub cells: Vec<String>,
}

/// A table of the totals.
#[derive(Clone, Debug, Default)]
pub struct TotalsTable {
    pub caption: String,
    pub heads: Vec<String>,
    pub columns: Vec<String>,
    pub rows: Vec<TotalsRow>,
    pub sums: Vec<String>,
}

/// `GET /totals`.
#[derive(Template)]
#[template(path = "totals.html")]
pub struct TotalsPage {
    pub shell: Shell,
    pub year: String,
    pub years: Vec<(String, String)>,
    pub csv: String,
    pub minimum: u32,
    pub tables: Vec<TotalsTable>,
}

quiet_debug!(
    SetupEntry,
    SetupStep,
    SetupEnd,
    Settings,
    SettingsOffice,
    SettingsMail,
    RulesPage,
    RulesEdit,
    RulesReaders,
    TotalsPage
);
