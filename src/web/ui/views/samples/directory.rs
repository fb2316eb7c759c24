//! The directory: institutions, contact windows, care groups; the public list.

use super::super::directory::*;
use super::super::*;
use super::{Maker, hidden, s};

impl Maker {
    fn d(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn fact(&self, key: &str, value: &str, tel: bool, long: bool) -> Fact {
        Fact { label: self.d(key), value: s(value), tel, long }
    }

    fn entry_facts(&self) -> Vec<Fact> {
        vec![
            self.fact("directory-phone", "042-000-1041", true, false),
            self.fact("directory-fax", "042-000-1042", false, false),
            self.fact("directory-hours", "月〜金 9時〜17時", false, false),
            self.fact(
                "directory-accepts",
                "点滴が必要な方も1週間まで\n前の日の15時までにお電話を",
                false,
                true,
            ),
        ]
    }

    fn input(&self, id: &'static str, key: &str, kind: InputKind, wrong: bool) -> Input {
        Input {
            id,
            label: self.d(key),
            hint: if id == "kana" { self.d("directory-kana-hint") } else { String::new() },
            problem: wrong.then(|| self.d("directory-wrong-missing")),
            kind,
        }
    }

    fn entry_inputs(&self, wrong: bool) -> Vec<Input> {
        let line = |value: &str| InputKind::Line { value: s(value), mode: "text" };
        let options = self.choices("institution-", &["clinic", "liaison_room"], "liaison_room").options;
        vec![
            self.input("name", "directory-name", line(if wrong { "" } else { "緑町総合病院 連携室" }), wrong),
            self.input("kana", "directory-kana", line("みどりちょう"), false),
            self.input(
                "kind",
                "directory-kind",
                InputKind::Select { options, empty: self.d("ask-choose") },
                wrong,
            ),
            self.input("part", "directory-contact", InputKind::Part, false),
            self.input("from", "group-first-day", InputKind::Day { value: s("2026-11-20") }, false),
            self.input("round_the_clock", "directory-round-tick", InputKind::Tick { ticked: true }, false),
            self.input("accepts", "directory-accepts", InputKind::Text { value: s("</b>"), rows: 4 }, wrong),
        ]
    }

    fn directory_form(&self, wrong: bool, own: bool) -> DirectoryForm {
        DirectoryForm {
            shell: if own { self.shell("/k") } else { self.office("/directory/new") },
            title: self.d(if own { "own-edit-title" } else { "directory-new" }),
            lead: if own { self.d("own-edit-what") } else { String::new() },
            notice: wrong.then(|| self.d("directory-changed")),
            facts: if own { self.entry_facts() } else { Vec::new() },
            inputs: self.entry_inputs(wrong),
            hidden: vec![("revision", hidden("3"))],
            asks_pin: own,
            pin_problem: (own && wrong).then_some(PinProblem::Missing),
            action: s(if own { "/k/entry/save" } else { "/directory/new" }),
            send: self.d("directory-save"),
            back: (!own).then(|| s("/directory")),
            once: hidden("once-d1"),
        }
    }

    fn sought(&self) -> Sought {
        let area = |name: &str, chosen| Choice { value: s(name), label: s(name), note: None, chosen };
        Sought {
            q: Field { value: s("\"さとう\""), problem: None },
            kind: self.choices("institution-", &["clinic", "pharmacy"], "clinic"),
            area: Choices { options: vec![area("青葉北", false), area("緑町", true)], problem: None },
            closed: true,
        }
    }

    fn directory(&self, full: bool) -> DirectoryPage {
        let row = |name: &str, closed: bool| DirectoryRow {
            href: s("/directory/01jdabc"),
            name: s(name),
            kana: String::new(),
            area: s("青葉北"),
            round_the_clock: !closed,
            closed,
            people: vec![format!("{}（皮膚科）", self.doctor("伊藤 美咲"))],
            accepts: s("点滴が必要な方も"),
        };
        DirectoryPage {
            shell: self.office("/directory"),
            notice: full.then(|| self.d("directory-said-saved")),
            sought: self.sought(),
            parts: if full {
                vec![DirectoryPart {
                    kind: s("clinic"),
                    title: self.w("institution-clinic"),
                    rows: vec![row("佐藤医院", false), row("旧 青葉医院", true)],
                }]
            } else {
                Vec::new()
            },
            count: if full { 2 } else { 0 },
            enrols: full,
            office: full,
            public_href: s("/public/aoba"),
        }
    }

    fn entry(&self, closed: bool, office: bool) -> DirectoryEntry {
        let never = self.d("directory-never");
        DirectoryEntry {
            shell: self.office("/directory/01jdabc"),
            id: s("01jdabc"),
            notice: office.then(|| self.d("directory-said-saved")),
            problem: closed.then(|| self.d("directory-owner-unreachable")),
            name: s("緑町総合病院 連携室"),
            kana: s("みどりちょうそうごうびょういん"),
            kind: self.w("institution-liaison_room"),
            closed,
            facts: self.entry_facts(),
            people: vec![EntryPerson {
                name: self.doctor("加藤 修"),
                roles: self.w("role-specialist"),
                specialties: self.w("specialty-dermatology"),
                windows_href: office.then(|| s("/directory/windows/01jdm")),
            }],
            group: Some((s("青葉北グループ"), s("/directory/groups/01jdg"))),
            office: office.then(|| EntryOffice {
                revision: 3,
                reviewed: s("11月20日（金）10時"),
                asked: never,
                owner: self.doctor("加藤 修"),
                owners: Choices {
                    options: vec![Choice {
                        value: s("01jdm"),
                        label: self.doctor("加藤 修"),
                        note: None,
                        chosen: true,
                    }],
                    problem: None,
                },
                can_ask: true,
                note: s("担当は4月に交代"),
                public: true,
                enrols: true,
                bank: true,
            }),
            once: hidden("once-d2"),
        }
    }

    fn groups(&self, full: bool) -> GroupsPage {
        GroupsPage {
            shell: self.office("/directory/groups"),
            notice: None,
            rows: if full {
                vec![GroupRow {
                    href: s("/directory/groups/01jdg"),
                    name: s("青葉北グループ"),
                    members: vec![s("佐藤医院"), s("青葉クリニック")],
                    count: 2,
                }]
            } else {
                Vec::new()
            },
            enrols: full,
            inputs: vec![self.entry_inputs(false).remove(0)],
            once: hidden("once-d3"),
        }
    }

    fn group(&self, wrong: bool) -> GroupPage {
        GroupPage {
            shell: self.office("/directory/groups/01jdg"),
            id: s("01jdg"),
            notice: (!wrong).then(|| self.d("directory-said-saved")),
            problem: wrong.then(|| self.d("group-wrong-later")),
            name: s("青葉北グループ"),
            note: s("月に一度、会議をします"),
            members: vec![GroupMember {
                name: s("佐藤医院"),
                href: s("/directory/01jdabc"),
                institution: s("01jdabc"),
                from: s("2026-04-01"),
                time: t_with(self.lang, "group-from", &[("from", "2026年4月1日（水）")]),
                now: true,
                open: true,
                once: hidden("once-d4"),
            }],
            count: 1,
            enrols: true,
            today: s("2026-11-20"),
            revision: 0,
            name_inputs: vec![self.entry_inputs(wrong).remove(0)],
            join_inputs: vec![self.entry_inputs(wrong).remove(4)],
            once: hidden("once-d5"),
        }
    }

    fn windows_form(&self, wrong: bool) -> WindowsForm {
        let row = |n: u32| WindowRow {
            n,
            problem: (wrong && n == 1).then(|| self.d("windows-wrong-time")),
            way: self.choices("way-", &["phone", "fax"], "phone").options,
            days: vec![
                (s("mon"), self.d("windows-day-mon"), true),
                (s("tue"), self.d("windows-day-tue"), false),
            ],
            from: s("12:30"),
            to: s("13:30"),
            holidays: false,
            remarks: s("診察中は折り返します"),
            public: true,
        };
        WindowsForm {
            shell: self.signed_in("/me/windows", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            action: s("/me/windows"),
            notice: (!wrong).then(|| self.d("directory-said-saved")),
            problem: wrong.then(|| self.d("directory-problems")),
            person_name: self.doctor("佐藤 健一"),
            year: s("令和8年度"),
            year_value: 2026,
            other_year: Some((s("令和9年度"), s("/me/windows?year=2027"))),
            revision: 1,
            rows: vec![row(1), row(2)],
            back: s("/me"),
            once: hidden("once-d6"),
        }
    }

    fn window_line(&self) -> WindowLine {
        WindowLine {
            who: self.doctor("佐藤 健一"),
            institution: s("佐藤医院"),
            way: self.w("way-phone"),
            days: s("月〜金"),
            hours: s("12時30分〜13時30分"),
            remarks: s("診察中は折り返します"),
            open_now: true,
            href: Some(s("/directory/windows/01jdm")),
        }
    }

    fn windows(&self, full: bool) -> WindowsPage {
        let part = WeekdayPart {
            id: "mon",
            title: self.d("windows-weekday-mon"),
            lines: vec![self.window_line(), WindowLine { href: None, ..self.window_line() }],
        };
        WindowsPage {
            shell: self.office("/directory/windows"),
            year: s("令和8年度"),
            other_year: full.then(|| (s("令和9年度"), s("/directory/windows?year=2027"))),
            parts: if full { vec![part] } else { Vec::new() },
            missing: vec![(self.doctor("伊藤 美咲"), s("/directory/windows/01jdn"))],
            back: s("/directory"),
        }
    }

    fn reviews(&self, full: bool) -> ReviewsPage {
        let row = |id: &str, key: &str, tone| ReviewRow {
            href: s("/directory/01jdabc"),
            id: s(id),
            name: s("佐藤医院"),
            owner: self.doctor("佐藤 健一"),
            state: StateLine { text: self.d(key), tone },
            reviewed: s("11月20日（金）10時"),
            asked: self.d("directory-never"),
            can_ask: true,
            once: hidden("once-d7"),
        };
        ReviewsPage {
            shell: self.office("/directory/reviews"),
            notice: full.then(|| self.d("directory-said-reviewed")),
            rows: if full {
                vec![
                    row("01", "reviews-state-waiting", Tone::Info),
                    row("02", "reviews-state-nobody", Tone::Warn),
                ]
            } else {
                Vec::new()
            },
            waiting: 1,
            good: 0,
            nobody: 1,
            enrols: true,
        }
    }

    fn own(&self, done: bool) -> OwnEntriesPage {
        OwnEntriesPage {
            shell: self.shell("/k"),
            person_name: self.doctor("加藤 修"),
            notice: done.then(|| self.d("own-thanks")),
            problem: (!done).then(|| self.d("own-changed")),
            entries: vec![OwnEntryView {
                id: s("01jdabc"),
                revision: 3,
                name: s("緑町総合病院 連携室"),
                kind: self.w("institution-liaison_room"),
                facts: self.entry_facts(),
                done,
            }],
            all_done: done,
            until: s("12月4日（金）10時"),
            known_device: done,
            pin_problem: (!done).then_some(PinProblem::Wrong { tries_left: 4 }),
            token: hidden("token-3"),
            once: hidden("once-d8"),
        }
    }

    fn public_row(&self) -> PublicRow {
        PublicRow {
            href: s("/public/aoba/entries/01jdabc"),
            name: s("さくら訪問看護ステーション"),
            area: s("青葉北"),
            phone: s("042-000-3001"),
            fax: s("042-000-3002"),
            hours: s("月〜金 9時〜18時"),
            address: s("青葉市青葉北1-2-3"),
            accepts: s("点滴が必要な方も"),
            round_the_clock: true,
        }
    }

    fn public_parts(&self) -> Vec<PublicPart> {
        let title = self.w("institution-nursing_station");
        vec![PublicPart { id: s("nursing_station"), title, rows: vec![self.public_row()] }]
    }

    fn public(&self, full: bool) -> PublicPage {
        let rows = || if full { vec![self.public_row()] } else { Vec::new() };
        PublicPage {
            shell: self.shell("/public/aoba"),
            base: s("/public/aoba"),
            stations: rows(),
            clinics: rows(),
        }
    }

    fn public_entry(&self, open_now: bool) -> PublicEntry {
        let values = [("way", &*self.w("way-phone")), ("time", "11月24日（火）12時30分")];
        PublicEntry {
            shell: self.shell("/public/aoba/entries/01jdabc"),
            base: s("/public/aoba"),
            id: s("01jdabc"),
            name: s("佐藤医院"),
            kind: self.w("institution-clinic"),
            facts: self.entry_facts(),
            windows: vec![self.window_line()],
            is_clinic: true,
            open_now,
            now: if open_now {
                t_with(self.lang, "public-now-open", &values)
            } else {
                self.d("public-now-closed")
            },
            next: (!open_now).then(|| t_with(self.lang, "public-next", &values)),
            stations: vec![self.public_row()],
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let list = |full: bool| PublicList {
        shell: maker.shell("/public/aoba/list"),
        base: s("/public/aoba"),
        sought: maker.sought(),
        parts: if full { maker.public_parts() } else { Vec::new() },
        count: u32::from(full),
    };
    let print = |parts| PublicPrint {
        shell: maker.shell("/public/aoba/print"),
        base: s("/public/aoba"),
        day: s("令和8年11月20日（金）"),
        parts,
    };
    let sheet = PublicSheet {
        shell: maker.shell("/public/aoba/sheet/01jdabc"),
        base: s("/public/aoba"),
        id: s("01jdabc"),
        day: s("令和8年11月20日（金）"),
        name: s("佐藤医院"),
        phone: s("042-000-1001"),
        fax: s("042-000-1002"),
    };
    let nobody_of_the_office = DirectoryPage { enrols: false, ..maker.directory(false) };
    [
        ("directory", render(&maker.directory(true))),
        ("directory-empty", render(&nobody_of_the_office)),
        ("directory-entry", render(&maker.entry(false, true))),
        ("directory-entry-closed", render(&maker.entry(true, true))),
        ("directory-entry-member", render(&maker.entry(false, false))),
        ("directory-form", render(&maker.directory_form(false, false))),
        ("directory-form-wrong", render(&maker.directory_form(true, false))),
        ("directory-own-form", render(&maker.directory_form(true, true))),
        ("directory-groups", render(&maker.groups(true))),
        ("directory-groups-empty", render(&maker.groups(false))),
        ("directory-group", render(&maker.group(false))),
        ("directory-group-wrong", render(&maker.group(true))),
        ("directory-windows-form", render(&maker.windows_form(false))),
        ("directory-windows-wrong", render(&maker.windows_form(true))),
        ("directory-windows", render(&maker.windows(true))),
        ("directory-windows-empty", render(&maker.windows(false))),
        ("directory-reviews", render(&maker.reviews(true))),
        ("directory-reviews-empty", render(&maker.reviews(false))),
        ("directory-own", render(&maker.own(false))),
        ("directory-own-done", render(&maker.own(true))),
        ("public", render(&maker.public(true))),
        ("public-empty", render(&maker.public(false))),
        ("public-list", render(&list(true))),
        ("public-list-empty", render(&list(false))),
        ("public-print", render(&print(maker.public_parts()))),
        ("public-print-empty", render(&print(Vec::new()))),
        ("public-entry", render(&maker.public_entry(true))),
        ("public-entry-closed", render(&maker.public_entry(false))),
        ("public-sheet", render(&sheet)),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}

#[test]
fn every_kind_of_institution_account_and_way_has_its_word() {
    let known = crate::i18n::keys(Lang::Ja);
    let ways = crate::domain::people::contact_window::ContactWay::ALL;
    let kinds = crate::domain::people::INSTITUTION_KINDS.iter().map(|k| format!("word-institution-{k}"));
    let accounts =
        crate::domain::people::directory::ACCOUNT_KINDS.iter().map(|k| format!("word-account-{k}"));
    for key in kinds.chain(accounts).chain(ways.map(|w| format!("word-way-{}", w.code()))) {
        assert!(known.contains(&key), "{key}");
    }
}

#[test]
fn sentences_of_the_directory_are_short_enough_to_read_at_night() {
    for line in include_str!("../../../../i18n/ja/directory.ftl").lines() {
        let Some((key, text)) = line.split_once(" = ") else { continue };
        for sentence in text.split(['。', '（', '）', '：']) {
            assert!(sentence.chars().count() <= 40, "{key}: {sentence}");
        }
    }
}
