//! Every mail in both languages, and what must never be in one.

use std::collections::BTreeSet;

use super::shape::escaped;
use super::*;
use crate::i18n::keys;

const TOKEN: &str = "Zq3mT0kenT0kenT0kenT0kenT0kenT0kenT0kenT0kx";
const CODE: &str = "7Q2M-X0PA-4K9D";

fn office(lang: Lang) -> Office {
    let name = match lang {
        Lang::Ja => "青葉市医師会",
        Lang::En => "Aoba Medical Association",
    };
    Office {
        association: AssociationName::new(name).unwrap(),
        phone: OfficePhone::new("042-000-0000").unwrap(),
    }
}

/// The words of a sample: usual ones, or the longest that the types take.
#[derive(Clone, Copy, Debug)]
struct Words {
    case: &'static str,
    specialty: &'static str,
    area: &'static str,
    short: &'static str,
    full: &'static str,
}

fn usual(lang: Lang) -> Words {
    match lang {
        Lang::Ja => Words {
            case: "R8-0412",
            specialty: "皮膚科",
            area: "青葉北",
            short: "明日正午",
            full: "11月21日（土）正午",
        },
        Lang::En => Words {
            case: "R8-0412",
            specialty: "Dermatology",
            area: "Aoba North",
            short: "noon tomorrow",
            full: "12:00 on Saturday, 21 November 2026",
        },
    }
}

/// The longest that the types take.
const LONGEST: Words = Words {
    case: "R88-1234567",
    specialty: "Obstetrics & gynaecology",
    area: "Midorigaoka West",
    short: "noon on 21 Nov",
    full: "half past nine on Wednesday 23 September",
};

fn every_mail(words: Words) -> Vec<Mail> {
    let consult = Consult {
        case: CaseNumber::new(words.case).unwrap(),
        specialty: Specialty::new(words.specialty).unwrap(),
    };
    let case = consult.case.clone();
    let transfer_case = case.clone();
    let call = Mail::Call {
        what: "taken",
        case: case.clone(),
        page: Link::new("https://touban.example.jp/calls/01K").unwrap(),
    };
    let full = Moment::new(words.full).unwrap();
    let deadline = Deadline { short: ShortMoment::new(words.short).unwrap(), full: full.clone() };
    let link = PersonalLink {
        link: Link::new(format!("https://touban.example.jp/k#{TOKEN}")).unwrap(),
        code: TypedCode::new(CODE).unwrap(),
        until: full.clone(),
    };
    let page = Link::new("https://touban.example.jp/requests/01K").unwrap();
    let kind = RequestKind::Consult;
    let duty = DutyLine::new("12月31日（木）18時30分〜1日（金）8時30分 控え").unwrap();
    let (cover_area, cover_link) = (CoarseArea::new(words.area).unwrap(), link.clone());
    let tonight_link = link.clone();
    let (transfer_link, transfer_until) = (link.clone(), full.clone());
    let mails = vec![
        Mail::ConsultOffer {
            consult: consult.clone(),
            area: CoarseArea::new(words.area).unwrap(),
            wish: Wish::Advice,
            urgency: Urgency::Soon,
            deadline: deadline.clone(),
            link: link.clone(),
        },
        Mail::SignIn { link: link.clone() },
        Mail::OfficeSetup { link: link.clone() },
        Mail::RecoveryNotice { link: link.clone() },
        Mail::RecoveryAlarm { page: page.clone() },
        Mail::PhoneAsked,
        Mail::PhoneChanged,
        Mail::PhoneDropped,
        Mail::AddressChanged,
        Mail::TakenByAnother { consult: consult.clone() },
        Mail::Withdrawn { consult: consult.clone() },
        Mail::Accepted { consult: consult.clone(), answer_by: full.clone(), page: page.clone() },
        Mail::AcceptedReceipt { consult: consult.clone(), answer_by: full.clone(), page: page.clone() },
        Mail::Answered { consult: consult.clone(), page: page.clone() },
        Mail::AnswerDue { consult: consult.clone(), answer_by: deadline.clone(), page: page.clone() },
        Mail::ReleasedToTaker { consult: consult.clone() },
        Mail::ReleasedToAsker { consult: consult.clone(), page: page.clone() },
        Mail::CloseReminder { consult: consult.clone(), page: page.clone() },
        Mail::ClosedWithThanks { consult: consult.clone(), page: page.clone() },
        Mail::Exhausted { kind, case: case.clone(), deadline: full.clone(), page: page.clone() },
        Mail::Unreachable { page: page.clone() },
        Mail::BridgeDown { page: page.clone() },
        Mail::DeadMail { kind, case: case.clone(), page: page.clone() },
        Mail::ExpiredToAsker { consult: consult.clone(), page: page.clone() },
        Mail::ExpiredToCoordinator { kind, case: case.clone(), deadline: full.clone(), page: page.clone() },
        Mail::ChooseHand { consult, hands: 3, choose_by: full.clone(), page: page.clone() },
        Mail::Test { link: link.clone() },
        Mail::Retention { texts: 412, cases: 104, page: page.clone() },
        Mail::Station { link: link.clone() },
        Mail::EntryReview { link: link.clone() },
        call,
        Mail::RotaPublished {
            short: deadline.short.clone(),
            period: full.clone(),
            duties: vec![duty.clone(), duty.clone()],
            more: 3,
            page: page.clone(),
        },
        Mail::DutyReminder { short: deadline.short.clone(), duty: duty.clone(), page: page.clone() },
        Mail::RotaHoles {
            short: deadline.short.clone(),
            period: full.clone(),
            count: 14,
            holes: vec![duty],
            page: page.clone(),
        },
        Mail::TurnsShort { period: full.clone(), institutions: 12, page: page.clone() },
        Mail::WishAsk { period: full.clone(), deadline: deadline.clone(), link: link.clone() },
        Mail::LedgerChase { case: case.clone(), period: full.clone(), count: 12, page: page.clone() },
        Mail::DutyAsk {
            ask: DutyAsk::Exchange,
            case: case.clone(),
            begins: deadline.clone(),
            answer_by: full,
            link,
        },
        Mail::DutyChanged { case: case.clone(), begins: deadline.clone(), page: page.clone() },
        Mail::DutyMovedUp { case: case.clone(), begins: deadline.clone(), page: page.clone() },
        Mail::DutyIll { case: case.clone(), begins: deadline.clone(), page: page.clone() },
        Mail::DutyUndone { case: case.clone(), begins: deadline.clone(), page: page.clone() },
        Mail::DutyEnded {
            end: DutyEnd::Void,
            case: case.clone(),
            begins: deadline.clone(),
            page: page.clone(),
        },
        Mail::CoverAsk {
            ask: CoverAsk::Duty,
            case: case.clone(),
            area: cover_area,
            slots: 12,
            begins: deadline.clone(),
            link: cover_link,
        },
        Mail::Cover { what: "withdrawn", case, begins: deadline, page: page.clone() },
        Mail::Card { what: "old", count: 3, page: page.clone() },
        Mail::TonightAsk { link: tonight_link },
        Mail::TonightAlarm { what: "silent", page: page.clone() },
        Mail::TransferAsk {
            ask: TransferAsk::Attending,
            case: transfer_case.clone(),
            area: CoarseArea::new(words.area).unwrap(),
            answer_by: transfer_until,
            link: transfer_link,
        },
        Mail::Transfer { what: "accepted", case: transfer_case, page },
    ];
    let kinds: Vec<MailKind> = mails.iter().map(Mail::kind).collect();
    assert_eq!(kinds, MailKind::ALL, "a sample of every kind, in order");
    mails
}

/// The longest that happens, in the words of one language.
fn long(lang: Lang) -> Words {
    match lang {
        Lang::Ja => Words {
            case: "R18-12345",
            specialty: "リハビリテーション科・老年内科",
            area: "みどりが丘・青葉台西部",
            short: "12月31日（木）正午",
            full: "令和18年12月31日（木）午後11時59分",
        },
        Lang::En => Words { case: "R8-0412", ..LONGEST },
    }
}

fn every_text(mut check: impl FnMut(&Mail, Lang, &MailText)) {
    for lang in [Lang::Ja, Lang::En] {
        for mail in [usual(lang), long(lang)].into_iter().flat_map(every_mail) {
            check(&mail, lang, &mail.render(&office(lang), lang));
        }
    }
}

#[test]
fn every_mail_is_whole_in_both_languages() {
    every_text(|mail, lang, text| {
        for part in [&text.subject, &text.text, &text.html] {
            assert!(!part.contains('{') && !part.contains("mail-"), "{:?} {lang:?}: {part}", mail.kind());
        }
        assert!(!text.subject.trim().is_empty());
        let japanese = text.text.contains("ください");
        assert_eq!(japanese, lang == Lang::Ja, "{}", text.text);
    });
}

#[test]
fn a_subject_is_one_short_line() {
    every_text(|mail, lang, text| {
        let count = text.subject.chars().count();
        assert!(count <= SUBJECT_MAX_CHARS, "{:?} {lang:?} {count}: {}", mail.kind(), text.subject);
        assert!(!text.subject.contains(char::is_control));
        assert!(!text.subject.ends_with('…'), "{:?} {lang:?}: cut: {}", mail.kind(), text.subject);
    });
    for mail in every_mail(LONGEST) {
        assert!(mail.render(&office(Lang::Ja), Lang::Ja).subject.chars().count() <= SUBJECT_MAX_CHARS);
    }
    assert_eq!(clipped("あ".repeat(61)).chars().count(), 60);
    assert_eq!(clipped("a\r\nBcc: b".to_owned()), "a  Bcc: b");
}

#[test]
fn a_phone_that_shows_fifteen_characters_shows_the_specialty_and_the_deadline() {
    for specialty in ["皮膚科", "婦人科", "精神科", "整形外科", "耳鼻咽喉科"] {
        let words = Words { specialty, ..usual(Lang::Ja) };
        let offer = every_mail(words).into_iter().next().unwrap();
        let subject = offer.render(&office(Lang::Ja), Lang::Ja).subject;
        let shown: String = subject.chars().take(15).collect();
        assert!(shown.contains(specialty) && shown.contains("明日正午まで"), "{shown}");
    }
}

#[test]
fn a_volunteer_reads_five_short_lines_and_one_link() {
    let offer = every_mail(usual(Lang::Ja)).into_iter().next().unwrap();
    let text = offer.render(&office(Lang::Ja), Lang::Ja);
    assert_eq!(text.subject, "【皮膚科・明日正午まで】相談のお願い（受付R8-0412）");
    assert_eq!(
        text.text,
        format!(
            "\
青葉市医師会の在宅当番から、皮膚科の先生へ相談のお願いです。
地域：青葉北　希望：助言　今日・明日のご相談です
お返事の期限：11月21日（土）正午（受付R8-0412）

内容を見て返事をする
https://touban.example.jp/k#{TOKEN}

このリンクは 11月21日（土）正午 まで使えます。
リンクが開かないときは https://touban.example.jp/k を開き、受付コード {CODE} を入れてください。
お断りも同じページからどうぞ。理由は要りません。
急ぎの連絡にはこのメールを使わないでください。青葉市医師会 事務局 042-000-0000
"
        )
    );
}

#[test]
fn every_mail_says_that_it_is_not_for_emergencies_and_whom_to_phone() {
    every_text(|mail, lang, text| {
        let foot = match lang {
            Lang::Ja => "急ぎの連絡にはこのメールを使わないでください",
            Lang::En => "Do not use this mail for anything urgent",
        };
        let last = text.text.lines().last().unwrap_or("");
        assert!(last.contains(foot) && last.contains("042-000-0000"), "{:?}: {last}", mail.kind());
    });
}

#[test]
fn the_page_says_the_same_lines_as_the_text_and_loads_nothing() {
    every_text(|mail, lang, text| {
        for line in text.text.lines().filter(|l| !l.is_empty()) {
            assert!(text.html.contains(&escaped(line)), "{:?} {lang:?}: {line}\n{}", mail.kind(), text.html);
        }
        let links = text.html.matches("href=").count();
        assert!(links <= 1, "{:?}: {links} links", mail.kind());
        assert_eq!(links == 1, text.text.lines().any(|l| l.starts_with("https://")));
        for loading in ["<img", "src=", "url(", "<script", "<link", "<style"] {
            assert!(!text.html.contains(loading), "{:?}: {loading}", mail.kind());
        }
    });
}

#[test]
fn marks_in_names_do_not_become_html() {
    let office = Office { association: AssociationName::new("A & B's").unwrap(), ..office(Lang::En) };
    let link = Link::new("https://touban.example.jp/k#a&b").unwrap();
    let text = Mail::Unreachable { page: link }.render(&office, Lang::En);
    assert!(text.text.contains("A & B's") && text.html.contains("A &amp; B&#39;s"), "{}", text.html);
    assert!(text.html.contains("href=\"https://touban.example.jp/k#a&amp;b\""));
    assert_eq!(escaped("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

#[test]
fn what_a_patient_or_doctor_is_called_and_what_was_asked_fits_no_fact() {
    let clinical = [
        "80代 女性",
        "仙骨部の褥瘡、2日前から滲出液が増加",
        "デブリードマンすべきでしょうか？",
        "debride or not?",
        "昭和15年3月3日生",
        "緑町1-2-3",
        "090-0000-0000",
        "A\r\nBcc: b@example.jp",
        "a@example.jp",
        "",
        " ",
    ];
    for text in clinical {
        assert!(AssociationName::new(text).is_err(), "{text}");
        assert!(Specialty::new(text).is_err(), "{text}");
        assert!(CoarseArea::new(text).is_err(), "{text}");
        assert!(CaseNumber::new(text).is_err(), "{text}");
        assert!(Link::new(text).is_err(), "{text}");
        assert!(TypedCode::new(text).is_err(), "{text}");
    }
    for text in [
        "仙骨部の褥瘡、2日前から滲出液が増加",
        "デブリードマンすべきでしょうか？",
        "debride or not?",
        "",
        "3日\n",
    ] {
        assert!(Moment::new(text).is_err() && ShortMoment::new(text).is_err(), "{text}");
    }
    assert!(Specialty::new("デブリードマンすべきか教えてほしいという先生がいます").is_err());
}

/// A new field of a fact stops this from compiling: whoever adds it must say that it may travel.
#[test]
fn the_facts_of_a_mail_are_these_and_no_others() {
    let Consult { case, specialty } = Consult {
        case: CaseNumber::new("R8-0412").unwrap(),
        specialty: Specialty::new("皮膚科").unwrap(),
    };
    let _: (CaseNumber, Specialty) = (case, specialty);
    for mail in every_mail(usual(Lang::Ja)) {
        match mail {
            Mail::ConsultOffer { consult: _, area, wish, urgency, deadline, link } => {
                let Deadline { short, full } = deadline;
                let PersonalLink { link, code, until } = link;
                let _: (CoarseArea, Wish, Urgency, ShortMoment, Moment, Link, TypedCode, Moment) =
                    (area, wish, urgency, short, full, link, code, until);
            }
            Mail::SignIn { link: PersonalLink { .. } }
            | Mail::OfficeSetup { link: PersonalLink { .. } }
            | Mail::RecoveryNotice { link: PersonalLink { .. } }
            | Mail::Test { link: PersonalLink { .. } }
            | Mail::Station { link: PersonalLink { .. } }
            | Mail::EntryReview { link: PersonalLink { .. } } => {}
            // One of our own words.
            Mail::Call { what: _, case: _, page: _ } => {}
            Mail::RecoveryAlarm { page } => {
                let _: Link = page;
            }
            Mail::PhoneAsked | Mail::PhoneChanged | Mail::PhoneDropped | Mail::AddressChanged => {}
            Mail::TakenByAnother { consult: _ }
            | Mail::Withdrawn { consult: _ }
            | Mail::ReleasedToTaker { consult: _ } => {}
            Mail::Accepted { consult: _, answer_by: moment, page }
            | Mail::AcceptedReceipt { consult: _, answer_by: moment, page }
            | Mail::ChooseHand { consult: _, hands: 0..=u8::MAX, choose_by: moment, page }
            | Mail::Exhausted { kind: _, case: _, deadline: moment, page }
            | Mail::ExpiredToCoordinator { kind: _, case: _, deadline: moment, page } => {
                let _: (Moment, Link) = (moment, page);
            }
            Mail::RotaPublished { short, period, duties, more: 0.., page } => {
                let _: (ShortMoment, Moment, Vec<DutyLine>, Link) = (short, period, duties, page);
            }
            Mail::DutyReminder { short, duty, page } => {
                let _: (ShortMoment, DutyLine, Link) = (short, duty, page);
            }
            Mail::RotaHoles { short, period, count: 0..=u32::MAX, holes, page } => {
                let _: (ShortMoment, Moment, Vec<DutyLine>, Link) = (short, period, holes, page);
            }
            Mail::TurnsShort { period, institutions: 0..=u32::MAX, page } => {
                let _: (Moment, Link) = (period, page);
            }
            Mail::LedgerChase { case, period, count: 0..=u32::MAX, page } => {
                let _: (CaseNumber, Moment, Link) = (case, period, page);
            }
            Mail::WishAsk { period, deadline: Deadline { .. }, link: PersonalLink { .. } } => {
                let _: Moment = period;
            }
            Mail::AnswerDue { consult: _, answer_by: Deadline { .. }, page: _ } => {}
            Mail::Answered { consult: _, page }
            | Mail::ReleasedToAsker { consult: _, page }
            | Mail::CloseReminder { consult: _, page }
            | Mail::ClosedWithThanks { consult: _, page }
            | Mail::ExpiredToAsker { consult: _, page }
            | Mail::Unreachable { page }
            | Mail::BridgeDown { page }
            | Mail::Retention { texts: 0..=u32::MAX, cases: 0..=u32::MAX, page }
            | Mail::DeadMail { kind: _, case: _, page } => {
                let _: Link = page;
            }
            Mail::DutyAsk { ask, case, begins: Deadline { .. }, answer_by, link: PersonalLink { .. } } => {
                let _: (DutyAsk, CaseNumber, Moment) = (ask, case, answer_by);
            }
            Mail::DutyChanged { case, begins: Deadline { .. }, page }
            | Mail::DutyMovedUp { case, begins: Deadline { .. }, page }
            | Mail::DutyIll { case, begins: Deadline { .. }, page }
            | Mail::DutyUndone { case, begins: Deadline { .. }, page } => {
                let _: (CaseNumber, Link) = (case, page);
            }
            Mail::CoverAsk {
                ask,
                case,
                area,
                slots: 0..=u32::MAX,
                begins: Deadline { .. },
                link: PersonalLink { .. },
            } => {
                let _: (CoverAsk, CaseNumber, CoarseArea) = (ask, case, area);
            }
            Mail::TonightAsk { link: PersonalLink { .. } } => {}
            Mail::TonightAlarm { what, page } => {
                let _: (&'static str, Link) = (what, page);
            }
            Mail::Cover { what, case, begins: Deadline { .. }, page } => {
                let _: (&'static str, CaseNumber, Link) = (what, case, page);
            }
            Mail::TransferAsk { ask: _, case: _, area, answer_by, link: PersonalLink { .. } } => {
                let _: (CoarseArea, Moment) = (area, answer_by);
            }
            Mail::Transfer { what, case, page } => {
                let _: (&'static str, CaseNumber, Link) = (what, case, page);
            }
            Mail::Card { what, count, page } => {
                let _: (&'static str, u32, Link) = (what, count, page);
            }
            Mail::DutyEnded { end, case, begins: Deadline { .. }, page } => {
                let _: (DutyEnd, CaseNumber, Link) = (end, case, page);
            }
        }
    }
}

#[test]
fn a_logged_mail_shows_neither_token_nor_code() {
    for mail in every_mail(usual(Lang::Ja)) {
        let shown = format!("{mail:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains(CODE), "{shown}");
    }
}

#[test]
fn links_leave_by_https_or_stay_on_this_machine() {
    for good in ["https://touban.example.jp/k#abc", "http://localhost:41231/k#abc", "http://[::1]:80/k"] {
        assert!(Link::new(good).is_ok(), "{good}");
    }
    for bad in [
        "http://touban.example.jp/k",
        "http://localhost.example.jp/k",
        "https://touban.example.jp/k?token=abc",
        "https://touban.example.jp/a b",
        "https://touban.example.jp/\"><script>",
        "javascript:alert(1)",
    ] {
        assert!(Link::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_text_is_missing_and_none_is_left_over() {
    let mut used: BTreeSet<String> = ["mail-not-urgent", "mail-code", "mail-until"].map(str::to_owned).into();
    used.extend([Wish::Advice, Wish::Visit, Wish::Either].map(|w| w.key().to_owned()));
    used.extend([Urgency::Routine, Urgency::Soon, Urgency::Urgent].map(|u| u.key().to_owned()));
    use RequestKind::{Consult, Cover, Swap, Transfer, Urgent};
    used.extend([Consult, Cover, Transfer, Urgent, Swap].map(|k| k.key().to_owned()));
    {
        use DutyAsk::{Approve, Call, Exchange, Give, Hole, Own};
        used.extend([Own, Give, Exchange, Call, Hole, Approve].map(|a| a.key().to_owned()));
    }
    {
        use DutyEnd::{Expired, Refused, Taken, Void, Withdrawn};
        used.extend([Taken, Withdrawn, Refused, Expired, Void].map(|e| e.key().to_owned()));
    }
    for mail in every_mail(usual(Lang::Ja)) {
        let form = mail.kind().form();
        used.insert(format!("mail-{}-subject", form.stem));
        for number in 1..=form.lines_before_link + form.lines_after_link {
            used.insert(format!("mail-{}-{number}", form.stem));
        }
        if mail.render(&office(Lang::Ja), Lang::Ja).html.contains("href=") {
            used.insert(format!("mail-{}-button", form.stem));
        }
    }
    for lang in [Lang::Ja, Lang::En] {
        let written: BTreeSet<String> = keys(lang).into_iter().filter(|k| k.starts_with("mail-")).collect();
        assert_eq!(written, used);
    }
}

#[test]
fn a_kind_of_mail_reads_back_from_its_word() {
    for kind in MailKind::ALL {
        assert_eq!(MailKind::from_word(kind.as_str()), Some(kind));
    }
    assert_eq!(MailKind::from_word("chain_letter"), None);
}
