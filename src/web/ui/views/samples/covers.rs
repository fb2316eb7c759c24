//! Night cover.

use super::super::covers::{
    CoverAnswerBox, CoverAskPage, CoverCallRow, CoverForBox, CoverNotice, CoverPage, CoverReportBox,
    CoverRow, CoverSettingsPage, CoverSheet, CoversPage, HouseholdNotice, HouseholdRow, HouseholdsPage,
    LinkCover, LinkTonight, NoticePillar, NoticeSlot, PillarBox, SlotBar, ToldCell, TonightRow, TonightView,
};
use super::super::people::{Fact, channels};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn cover_said(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn cover_hours(&self, from: &str, to: &str) -> String {
        t_with(self.lang, "word-swap-hours", &[("from", from), ("to", to)])
    }

    fn weekend(&self) -> String {
        self.cover_hours("11月20日（金）17時", "11月22日（日）21時")
    }

    fn evening(&self) -> String {
        self.cover_hours("11月20日（金）17時", "11月21日（土）8時")
    }

    fn cover_field(&self, value: &str, problem: Option<&str>) -> Field {
        Field { value: s(value), problem: problem.map(|key| self.cover_said(key)) }
    }

    fn one_slot(&self, chosen: bool) -> Choices {
        let option =
            |value: &str, chosen: bool| Choice { value: s(value), label: self.evening(), note: None, chosen };
        Choices {
            options: vec![option(ID, chosen), option("01JDABC0000000000000000001", false)],
            problem: None,
        }
    }

    fn cover_facts(&self) -> Vec<Fact> {
        let fact = |key: &str, value: String| Fact { name: self.cover_said(key), value };
        vec![
            fact("cover-when", self.weekend()),
            fact("cover-clinic", s("さとう内科クリニック")),
            fact("cover-manner", self.w("cover-manner-visit")),
            fact("cover-scope", t_with(self.lang, "word-cover-patients", &[("count", "2")])),
            fact("swap-area", s("青葉北")),
            fact("cover-patients", s("A.K.、M.S.")),
            fact("cover-note", s("A.K.さんは点滴中です。物品は玄関の棚にあります。")),
        ]
    }

    fn cover_row(&self, tone: Tone) -> CoverRow {
        CoverRow {
            href: format!("/covers/{ID}"),
            case_no: s("R8-0412"),
            hours: self.weekend(),
            who: s("さとう内科クリニック"),
            state: self.line("cover-state-open", tone),
            filled: t_with(self.lang, "word-cover-filled", &[("filled", "3"), ("all", "4")]),
            to_do: (tone == Tone::Warn).then(|| self.cover_said("covers-to-do-answer")),
        }
    }

    fn covers_page(&self, office: bool) -> CoversPage {
        CoversPage {
            shell: if office {
                self.office("/covers")
            } else {
                self.signed_in("/covers", "佐藤 健一", Nav { asker: true, ..Nav::default() })
            },
            notice: office.then(|| self.cover_said("said-cover-asked")),
            may_ask: !office,
            office,
            find: self.cover_field("R8-0412", office.then_some("covers-find-malformed")),
            open: if office { vec![self.cover_row(Tone::Warn)] } else { Vec::new() },
            ended: if office { vec![self.cover_row(Tone::Good)] } else { Vec::new() },
        }
    }

    fn cover_ask(&self, wrong: bool) -> CoverAskPage {
        let problem = |key: &'static str| wrong.then_some(key);
        let name = self.doctor("佐藤 健一");
        CoverAskPage {
            deputies: (!wrong).then(|| t_with(self.lang, "cards-deputies-first", &[("names", "大野 誠")])),
            shell: self.signed_in("/covers/new", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            banner: wrong.then(|| t_with(self.lang, "for-banner-cover", &[("name", &name)])),
            action: s("/covers"),
            back: s("/covers"),
            problem: wrong.then(|| self.cover_said("cover-wrong-asker")),
            from_date: self.cover_field("2026-11-20", problem("cover-wrong-overlap")),
            from_time: self.cover_field("17:00", None),
            to_date: self.cover_field("2026-11-22", problem("cover-wrong-long")),
            to_time: self.cover_field("21:00", problem("ask-not-a-time")),
            scope: self.choices("cover-scope-", &["all", "some"], "all"),
            patients: self.cover_field("", problem("cover-wrong-patients")),
            manner: self.choices("cover-manner-", &["visit", "phone_only"], "visit"),
            note: self.cover_field("", None),
            channel: wrong.then(|| channels(self.lang, "fax", Some(self.cover_said("swap-problem-channel")))),
            sheet_href: wrong.then(|| format!("/people/{ID}/for/cover/sheet")),
            once: hidden("once-51"),
        }
    }

    fn cover_bar(&self, code: &str, tone: Tone, told: bool) -> SlotBar {
        let words = [("outcome", self.w("cover-outcome-visited"))];
        let words = [("outcome", words[0].1.as_str()), ("calls", "3"), ("visits", "1"), ("minutes", "50")];
        SlotBar {
            hours: self.evening(),
            state: self.line(&format!("cover-slot-{code}"), tone),
            who: if tone == Tone::Good {
                format!("{}（大野内科）", self.doctor("大野 誠"))
            } else {
                String::new()
            },
            as_what: self.w("cover-as-volunteer"),
            case_no: s("R8-0413"),
            told: if told { vec![t_with(self.lang, "word-cover-told", &words)] } else { Vec::new() },
        }
    }

    fn pillar_box(&self, code: &str, tone: Tone, untold: bool) -> PillarBox {
        let patient =
            |key: &str| t_with(self.lang, &format!("word-cover-pillar-{key}"), &[("patient", "A.K.")]);
        PillarBox {
            kind: self.w(if untold { "cover-as-pillar_visits" } else { "cover-as-pillar_home_care" }),
            name: s(if untold { "往診サービス葉月" } else { "みどり在宅クリニック" }),
            state: self.line(&format!("cover-pillar-{code}"), tone),
            untold: if untold { vec![patient("not-told"), patient("refused")] } else { Vec::new() },
            untold_count: untold.then(|| t_with(self.lang, "cover-pillar-untold", &[("count", "2")])),
            list_open: untold,
        }
    }

    fn cover_page(&self, office: bool) -> CoverPage {
        let item = |key: &str| TimelineItem {
            at: s("11月10日（火）12時"),
            text: t_with(
                self.lang,
                &format!("cover-happened-{key}"),
                &[("name", &self.doctor("大野 誠")), ("hours", &self.evening()), ("reason", "学会が中止")],
            ),
        };
        let wrong = |key: &str| Some(self.cover_said(key));
        CoverPage {
            deputies: Some(t_with(self.lang, "cards-deputies-first", &[("names", "大野 誠")])),
            cards: (!office).then(|| format!("/covers/{ID}/cards")),
            shell: if office {
                self.office("/covers")
            } else {
                self.signed_in("/covers", "佐藤 健一", Nav { asker: true, ..Nav::default() })
            },
            notice: office.then(|| self.cover_said("said-cover-given-back")),
            problem: (!office).then(|| self.cover_said("cover-problem-report")),
            id: s(ID),
            back: (s("/covers"), self.cover_said("covers-title")),
            case_no: s("R8-0412"),
            state: self.line("cover-state-reported", Tone::Good),
            next: t_with(
                self.lang,
                "cover-next-reported",
                &[("from", "11月20日（金）17時"), ("to", "11月22日（日）21時")],
            ),
            facts: self.cover_facts(),
            pillars: vec![
                self.pillar_box("usable", Tone::Good, false),
                self.pillar_box("pillar_untold", Tone::Warn, true),
            ],
            households: (!office).then(|| (s("/households"), s("/households/notice"))),
            slots: vec![
                self.cover_bar("reported", Tone::Good, true),
                self.cover_bar("duty", Tone::Info, false),
                self.cover_bar("open", Tone::Warn, false),
                self.cover_bar("exhausted", Tone::Bad, false),
                self.cover_bar("withdrawn", Tone::Plain, false),
            ],
            answer: (!office).then(|| CoverAnswerBox {
                slots: self.one_slot(false),
                pin_problem: Some(PinProblem::WrongOnDevice),
            }),
            for_others: office.then(|| CoverForBox {
                people: self.one_slot(false),
                slots: self.one_slot(false),
                channel: channels(self.lang, "fax", None),
            }),
            report: Some(CoverReportBox {
                slots: self.one_slot(true),
                outcome: Choices {
                    problem: wrong("cover-problem-nothing").filter(|_| !office),
                    ..self.choices(
                        "cover-outcome-",
                        &["no_calls", "phone_only", "visited", "transported"],
                        "",
                    )
                },
                calls: self.cover_field("3", None),
                visits: self.cover_field("x", (!office).then_some("cover-problem-over")),
                minutes: self.cover_field("50", None),
                text: self.cover_field("解熱剤で落ち着きました。", None),
                channel: office.then(|| channels(self.lang, "", None)),
            }),
            give_back: self.one_slot(true),
            may_confirm: true,
            calls: vec![CoverCallRow {
                at: s("11月21日（土）2時"),
                case_no: s("R8-0420"),
                href: Some(format!("/calls/{ID}")),
                who: self.doctor("大野 誠"),
                outcome: self.w("call-told-phone_only"),
            }],
            may_withdraw: true,
            reason: self.cover_field("", (!office).then_some("cover-problem-nothing")),
            asked: vec![(
                self.evening(),
                vec![AskedPerson {
                    name: self.doctor("大野 誠"),
                    at: s("11月10日（火）12時"),
                    how: self.line("attempt-sent", Tone::Plain),
                    answer: self.line("offer-state-accepted", Tone::Good),
                }],
            )],
            timeline: vec![
                item("made"),
                item("accepted"),
                item("released"),
                item("reported"),
                item("withdrawn"),
            ],
            sheet_href: Some(format!("/covers/{ID}/sheet")),
            once: hidden("once-52"),
        }
    }

    fn link_cover(&self, wrong: bool) -> LinkCover {
        LinkCover {
            shell: self.shell("/k"),
            person_name: self.doctor("大野 誠"),
            case_no: s("R8-0412"),
            meaning: self.cover_said(if wrong { "cover-means-duty" } else { "cover-means-volunteer" }),
            problem: wrong.then(|| self.cover_said("cover-problem-nothing")),
            facts: self.cover_facts().into_iter().take(5).collect(),
            slots: self.one_slot(false),
            known_device: !wrong,
            pin_problem: wrong.then_some(PinProblem::Wrong { tries_left: 4 }),
            remember: true,
            token: hidden("token-51"),
            once: hidden("once-53"),
        }
    }

    fn cover_sheet(&self, answer: bool) -> CoverSheet {
        let slot =
            |tone: &str| (self.evening(), format!("{}（大野内科）", self.doctor("大野 誠")), self.w(tone));
        CoverSheet {
            shell: self.office(if answer { "/covers" } else { "/people" }),
            back: (s("/covers"), self.cover_said("covers-title")),
            title: self.cover_said(if answer { "cover-sheet-reply" } else { "cover-sheet-title" }),
            institution: s("さとう内科クリニック"),
            doctor: self.doctor("佐藤 健一"),
            case_no: answer.then(|| (s("R8-0412"), s("R8-0412-73"))),
            slots: if answer {
                vec![
                    slot("cover-slot-taken"),
                    slot("cover-slot-taken"),
                    slot("cover-slot-duty"),
                    slot("cover-slot-open"),
                ]
            } else {
                Vec::new()
            },
            manners: vec![self.w("cover-manner-visit"), self.w("cover-manner-phone_only")],
            outcomes: ["no_calls", "phone_only", "visited", "transported"]
                .iter()
                .map(|code| self.w(&format!("cover-outcome-{code}")))
                .collect(),
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月10日（火）12時")]),
        }
    }

    fn cover_notice(&self) -> CoverNotice {
        let slot = NoticeSlot {
            hours: self.evening(),
            place: s("大野内科"),
            person: self.doctor("大野 誠"),
            phone: s("042-000-0100"),
        };
        let open = NoticeSlot { hours: self.evening(), ..NoticeSlot::default() };
        CoverNotice {
            shell: self.signed_in("/covers", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            back: format!("/covers/{ID}"),
            clinic: s("さとう内科クリニック"),
            doctor: self.doctor("佐藤 健一"),
            phone: s("042-000-0200"),
            slots: vec![slot.clone(), slot.clone(), slot, open],
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月10日（火）12時")]),
        }
    }

    fn cover_settings(&self, wrong: bool) -> CoverSettingsPage {
        CoverSettingsPage {
            shell: self.office("/covers/settings"),
            notice: (!wrong).then(|| self.cover_said("said-cover-settings")),
            problem: wrong.then(|| self.cover_said("cover-settings-changed")),
            at_once: self.cover_field("1", None),
            month: self.cover_field("0", None),
            summary: self.cover_field("7:00", wrong.then_some("ask-not-a-time")),
            check: self.cover_field("16:00", None),
            cards: Choices {
                options: ["none", "minimal", "handover"]
                    .map(|code| Choice {
                        value: s(code),
                        label: self.w(&format!("card-mode-{code}")),
                        note: Some(self.w(&format!("card-mode-note-{code}"))),
                        chosen: code == "minimal",
                    })
                    .into(),
                problem: None,
            },
            revision: s("1"),
            once: hidden("once-54"),
        }
    }
}

impl Maker {
    fn tonight(&self, full: bool) -> TonightView {
        let row = |state: &str, tone: Tone| TonightRow {
            name: self.doctor("大野 誠"),
            institution: s("大野内科"),
            state: self.line(&format!("tonight-state-{state}"), tone),
        };
        TonightView {
            shell: self.office("/tonight"),
            when: full.then(|| t_with(self.lang, "tonight-when", &[("time", "11月20日（金）16時")])),
            holes: if full {
                t_with(self.lang, "tonight-holes", &[("count", "2")])
            } else {
                self.cover_said("tonight-no-holes")
            },
            has_holes: full,
            rows: if full {
                vec![
                    row("ok", Tone::Good),
                    row("waiting", Tone::Info),
                    row("silent", Tone::Bad),
                    row("no", Tone::Bad),
                ]
            } else {
                Vec::new()
            },
        }
    }

    fn link_tonight(&self, known: bool) -> LinkTonight {
        LinkTonight {
            shell: self.shell("/k"),
            person_name: self.doctor("大野 誠"),
            known_device: known,
            pin_problem: (!known).then_some(PinProblem::Malformed),
            remember: true,
            token: hidden("token-55"),
            once: hidden("once-55"),
        }
    }
}

impl Maker {
    fn told_cell(&self, key: &str, tone: Tone) -> ToldCell {
        let text = t_with(self.lang, &format!("word-household-{key}"), &[("day", "2026-11-01")]);
        ToldCell {
            // One of each state stands in one row.
            pillar: s(key),
            title: s("みどり在宅クリニック"),
            state: StateLine { text, tone },
        }
    }

    fn households(&self, full: bool) -> HouseholdsPage {
        let row =
            |id: &str, cells: Vec<ToldCell>| HouseholdRow { id: s(id), patient: s("A.K."), told: cells };
        let pillar =
            |key: &str, tone: Tone| (s("みどり在宅クリニック"), self.line(&format!("pillar-{key}"), tone));
        HouseholdsPage {
            shell: self.signed_in("/households", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            notice: full.then(|| self.cover_said("said-household-told")),
            problem: (!full).then(|| self.cover_said("households-wrong-day")),
            base: s("/households"),
            clinic: s("さとう内科クリニック"),
            pillars: vec![
                pillar("used", Tone::Good),
                pillar("not-told", Tone::Warn),
                pillar("no-contract", Tone::Warn),
                pillar("off", Tone::Plain),
            ],
            whole: full.then(|| t_with(self.lang, "households-whole-since", &[("day", "2026-11-01")])),
            told_of: vec![(s("members"), self.cover_said("households-members"))],
            patient: self.cover_field("", (!full).then_some("households-wrong-day")),
            day: self.cover_field("2026-11-20", None),
            rows: if full {
                vec![
                    row(ID, vec![self.told_cell("on", Tone::Good), self.told_cell("refused", Tone::Bad)]),
                    row("01JDABC0000000000000000001", vec![self.told_cell("none", Tone::Warn)]),
                ]
            } else {
                Vec::new()
            },
            once: hidden("once-56"),
        }
    }

    fn household_notice(&self, full: bool) -> HouseholdNotice {
        let pillar = NoticePillar {
            name: s("みどり在宅クリニック"),
            phone: s("042-000-0100"),
            kind: self.cover_said("pillar-kind-home_care"),
            people: self.doctor("緑川 守"),
            hours: s("18:00–8:00"),
            contract: s("2026-04-01–2027-03-31"),
        };
        HouseholdNotice {
            shell: self.signed_in("/households/notice", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            back: s("/households"),
            clinic: s("さとう内科クリニック"),
            pillars: if full { vec![pillar.clone(), pillar] } else { Vec::new() },
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月10日（火）12時")]),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    [
        ("covers", render(&maker.covers_page(true))),
        ("covers-empty", render(&maker.covers_page(false))),
        ("cover-ask", render(&maker.cover_ask(false))),
        ("cover-ask-wrong", render(&maker.cover_ask(true))),
        ("cover", render(&maker.cover_page(false))),
        ("cover-office", render(&maker.cover_page(true))),
        ("link-cover", render(&maker.link_cover(false))),
        ("link-cover-wrong", render(&maker.link_cover(true))),
        ("cover-notice", render(&maker.cover_notice())),
        ("cover-sheet", render(&maker.cover_sheet(true))),
        ("cover-sheet-blank", render(&maker.cover_sheet(false))),
        ("households", render(&maker.households(true))),
        ("households-empty", render(&maker.households(false))),
        ("household-notice", render(&maker.household_notice(true))),
        ("household-notice-empty", render(&maker.household_notice(false))),
        ("tonight", render(&maker.tonight(true))),
        ("tonight-empty", render(&maker.tonight(false))),
        ("link-tonight", render(&maker.link_tonight(true))),
        ("link-tonight-wrong", render(&maker.link_tonight(false))),
        ("cover-settings", render(&maker.cover_settings(false))),
        ("cover-settings-wrong", render(&maker.cover_settings(true))),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
