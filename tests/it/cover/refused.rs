//! What cannot be taken is said in plain words, and nothing that was typed is lost.

use super::{District, at};
use crate::support::{TestOffice, on_both};

on_both! {
    hours_that_cannot_be_are_refused_in_words_and_the_draft_is_kept,
    a_period_over_the_end_of_the_fiscal_year_is_cut_there,
}

async fn hours_that_cannot_be_are_refused_in_words_and_the_draft_is_kept(office: TestOffice) {
    let district = District::new(office).await;
    let town = &district.town;
    district.ask("2026-12-10T18:00:00+09:00", "2026-12-12T08:00:00+09:00").await;
    let sato = town.signed_in(&town.office.asker).await;
    for (from, to, words) in [
        (("2026-12-11", "18:00"), ("2026-12-11", "23:00"), "重なる夜間代行"),
        (("2026-12-20", "18:00"), ("2026-12-19", "08:00"), "おわりが、はじまりより前"),
        (("2026-11-19", "18:00"), ("2026-11-21", "08:00"), "はじまりが過ぎています"),
        (("2027-01-10", "18:00"), ("2027-02-11", "18:00"), "31日まで"),
        (("2028-01-10", "18:00"), ("2028-01-11", "18:00"), "400日より先"),
        (("あした", "18:00"), ("2026-12-21", "08:00"), "日付"),
    ] {
        let form = sato.get("/covers/new").await;
        let typed = [
            ("from_date", from.0),
            ("from_time", from.1),
            ("to_date", to.0),
            ("to_time", to.1),
            ("manner", "phone_only"),
            ("scope", "all"),
            ("note", "CANARY-NOTE"),
        ];
        let page = sato.submit(&form, "/covers", &typed).await;
        assert_eq!(page.path, "/covers", "{}", page.text());
        page.says(words);
        assert!(page.body.contains("CANARY-NOTE") && page.body.contains(from.0), "{}", page.body);
    }
    // Chosen patients, and none named.
    let form = sato.get("/covers/new").await;
    let typed = [
        ("from_date", "2026-12-20"),
        ("from_time", "18:00"),
        ("to_date", "2026-12-21"),
        ("to_time", "08:00"),
        ("manner", "visit"),
        ("scope", "some"),
        ("patients", " \n "),
        ("note", "CANARY-NOTE"),
    ];
    let page = sato.submit(&form, "/covers", &typed).await;
    page.says("1人以上");
    assert!(page.body.contains("CANARY-NOTE"));
    // Just as long as can be: 31 days to the minute.
    let made = district.ask("2027-01-10T18:00:00+09:00", "2027-02-10T18:00:00+09:00").await;
    assert!(made.slots > 60, "{made:?}");
}

async fn a_period_over_the_end_of_the_fiscal_year_is_cut_there(office: TestOffice) {
    let district = District::new(office).await;
    let made = district.ask("2027-03-31T18:00:00+09:00", "2027-04-01T08:00:00+09:00").await;
    let case = district.case(&made.request).await;
    let windows: Vec<_> = case.line.slots.iter().map(|s| (s.slot.window.from, s.slot.window.to)).collect();
    let turn = at("2027-04-01T00:00:00+09:00");
    assert_eq!(
        windows,
        [(at("2027-03-31T18:00:00+09:00"), turn), (turn, at("2027-04-01T08:00:00+09:00"))],
        "each slot belongs to one fiscal year"
    );
}
