//! Setting up an association, its texts, its rules page, how long things are kept, totals.

use super::super::setup::*;
use super::*;

fn line(maker: &Maker, id: &'static str, value: &str, problem: Option<&str>) -> FormField {
    let problem = problem.map(|key| t(maker.lang, key));
    FormField::new(maker.lang, id, "text", Field { value: s(value), problem })
}

fn step(maker: &Maker, page: &'static str, number: u32) -> SetupStep {
    SetupStep {
        shell: maker.shell("/setup/office"),
        page,
        number,
        of: 5,
        back: (number > 1).then(|| s("/setup/association")),
        fields: Vec::new(),
        choices: None,
        mail: None,
        pin: false,
        pin_problem: None,
        is_last: number == 5,
    }
}

fn mail(maker: &Maker, action: &'static str, good: bool) -> MailSettings {
    let kind = if good { "taken" } else { "settings" };
    MailSettings {
        facts: vec![
            (t(maker.lang, "setup-mail-from"), s("touban@example.jp")),
            (t(maker.lang, "setup-mail-server"), s("smtp.example.jp:465")),
        ],
        address: Field { value: s("watanabe@example.jp"), problem: None },
        action,
        result: Some(MailTested {
            good,
            said: t(maker.lang, &format!("setup-tested-{kind}")),
            todo: t(maker.lang, &format!("setup-tested-{kind}-todo")),
            reply: s("535 5.7.8"),
        }),
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let lang = maker.lang;
    let office = |path: &str| maker.office(path);
    let choice = |value: &str, chosen| Choice {
        value: s(value),
        label: t(lang, &format!("setup-members-{value}")),
        note: None,
        chosen,
    };
    let table = TotalsTable {
        caption: t(lang, "totals-by-month"),
        heads: vec![t(lang, "totals-month"), t(lang, "totals-specialty")],
        columns: vec![t(lang, "totals-answered"), t(lang, "totals-sum")],
        rows: vec![TotalsRow {
            name: vec![s("2026-11"), maker.w("specialty-dermatology")],
            cells: vec![s("＊"), s("12")],
        }],
        sums: vec![s("＊"), s("12")],
    };
    let door = |key: &str, href: &str| Door {
        href: s(href),
        name: t(lang, &format!("settings-{key}-title")),
        note: t(lang, &format!("settings-{key}-note")),
    };
    let rules = |newest: bool| RulesPage {
        shell: office("/rules"),
        notice: newest.then(|| t(lang, "rules-published")),
        edition: t_with(lang, "rules-edition-first", &[("n", "1")]),
        version: 1,
        is_newest: newest,
        parts: vec![
            RulesPart::Heading(s("お急ぎのときは電話で")),
            RulesPart::List(vec![s("119番へお電話ください。")]),
            RulesPart::Paragraph(s("<b>太字にはならない</b>\n二行目")),
        ],
        seen: (!newest).then(|| s("11月20日（金）22時03分")),
        may_acknowledge: newest,
        may_edit: newest,
        may_see_readers: true,
        others: vec![(s("/rules/2"), t_with(lang, "rules-version", &[("n", "2")]))],
    };
    let drawn = [
        (
            "setup-entry",
            render(&SetupEntry {
                shell: maker.shell("/setup"),
                code: Field { value: s("x"), problem: Some(t(lang, "setup-link-over")) },
            }),
        ),
        (
            "setup-association",
            render(&SetupStep {
                fields: vec![
                    line(maker, "name", "青葉市医師会", None),
                    line(maker, "code", "", Some("setup-wrong-code-missing")),
                ],
                ..step(maker, "association", 1)
            }),
        ),
        (
            "setup-mail",
            render(&SetupStep {
                mail: Some(mail(maker, "/setup/mail/test", false)),
                ..step(maker, "mail", 3)
            }),
        ),
        (
            "setup-members",
            render(&SetupStep {
                choices: Some(Choices {
                    options: vec![choice("now", true), choice("later", false)],
                    problem: None,
                }),
                ..step(maker, "members", 4)
            }),
        ),
        (
            "setup-administrator",
            render(&SetupStep {
                fields: vec![
                    line(maker, "admin_name", "渡辺 幸子", None),
                    line(maker, "email", "", Some("setup-wrong-email-missing")),
                ],
                pin: true,
                pin_problem: Some(t(lang, "setup-pin-differs")),
                ..step(maker, "administrator", 5)
            }),
        ),
        ("setup-done", render(&SetupEnd { shell: maker.shell("/"), kind: "done" })),
        ("setup-over", render(&SetupEnd { shell: maker.shell("/"), kind: "over" })),
        (
            "settings",
            render(&Settings {
                shell: office("/settings"),
                notice: Some(t(lang, "settings-saved")),
                left: vec![door("left-mail", "/settings/mail")],
                doors: vec![door("office", "/settings/office"), door("rules", "/rules")],
                minimum: Field { value: s("2"), problem: Some(t(lang, "setup-wrong-out_of_range")) },
            }),
        ),
        (
            "settings-office",
            render(&SettingsOffice {
                shell: office("/settings/office"),
                revision: 3,
                fields: vec![
                    line(maker, "name", "青葉市医師会", None),
                    line(maker, "hours", "平日9時〜17時", None),
                ],
                may_change: true,
            }),
        ),
        (
            "settings-mail",
            render(&SettingsMail {
                shell: office("/settings/mail"),
                mail: mail(maker, "/settings/mail", true),
            }),
        ),
        ("rules", render(&rules(true))),
        ("rules-old", render(&rules(false))),
        (
            "rules-edit",
            render(&RulesEdit {
                shell: office("/rules/edit"),
                after: 1,
                body_ja: Field { value: s("</textarea><b>"), problem: Some(t(lang, "setup-wrong-too_long")) },
                body_en: Field::default(),
                public: true,
            }),
        ),
        (
            "rules-readers",
            render(&RulesReaders {
                shell: office("/rules/readers"),
                edition: t_with(lang, "rules-edition-first", &[("n", "1")]),
                done: 1,
                readers: vec![
                    RulesReader {
                        name: maker.doctor("伊藤 美咲"),
                        version: t_with(lang, "rules-version", &[("n", "1")]),
                        at: s("20日 22時03分"),
                        is_newest: true,
                    },
                    RulesReader {
                        name: maker.doctor("加藤 修"),
                        version: t(lang, "rules-not-yet"),
                        at: String::new(),
                        is_newest: false,
                    },
                ],
            }),
        ),
        (
            "totals",
            render(&TotalsPage {
                shell: office("/totals"),
                year: s("令和8年度"),
                years: vec![(s("/totals?year=2026"), s("令和8年度"))],
                csv: s("/totals.csv?year=2026"),
                minimum: 3,
                tables: vec![
                    table,
                    TotalsTable { caption: t(lang, "totals-by-kind"), ..TotalsTable::default() },
                ],
            }),
        ),
    ];
    drawn.into_iter().map(|(name, page)| (s(name), page)).collect()
}
