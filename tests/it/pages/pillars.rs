//! What the office sets for an institution that stands by: terms, order, who answers; and what cannot be taken.

use touban::domain::cover::pillars::PillarKind;
use touban::domain::people::Role;

use super::browser::{Browser, Page};
use super::night::town;
use crate::support::new_member;

const LIST: &str = "/settings/pillars";

/// Everything of it can be taken.
fn fields(person: &str) -> Vec<(String, String)> {
    [
        ("on", "yes"),
        ("kind", "visits"),
        ("place", "２"),
        ("hours", "18:00-8:00"),
        ("areas", "青葉北　青葉南"),
        ("from", "2026-04-01"),
        ("until", "2027-03-31"),
        ("person1", person),
        ("person2", ""),
        ("person3", person),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

async fn sent(
    office: &Browser,
    page: &Page,
    (place, person): (&str, &str),
    change: Option<(&str, &str)>,
) -> Page {
    let mut typed = fields(person);
    if let Some((field, value)) = change {
        typed.retain(|(name, _)| name != field);
        typed.push((field.to_owned(), value.to_owned()));
    }
    let typed: Vec<(&str, &str)> = typed.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    office.submit(page, place, &typed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_sets_who_stands_by_and_what_cannot_be_is_said_beside_its_field() {
    let (town, _, office) = town().await;
    let (app, home, clinic) = (&town.office.app, &town.office.association, &town.office.clinic);
    let new = new_member("葉山 圭", clinic, Role::Specialist, vec![]);
    let person = app.member_add(&town.office.cli(), new, None, None).await.unwrap().into_inner();
    let stranger = town.office.physician("緒方 秋").await;
    let page = office.get(LIST).await;
    page.says("まだありません");
    let place = format!("{LIST}/{clinic}");
    assert!(page.body.contains(&format!("href=\"{place}\"")), "{}", page.body);
    let page = office.get(&place).await;
    page.says("ご家庭への説明が済むまでは").says("夜間代行 受諾側");
    let whom = (place.as_str(), person.as_str());
    let contract = "契約の日付が読めないか";
    for (field, value, words) in [
        ("kind", "", "選"),
        ("place", "一番", "0 から 99 まで"),
        ("place", "100", "0 から 99 まで"),
        ("hours", "18-8", "18:00-08:00 のように"),
        ("from", "2026-13-01", contract),
        ("until", "2026-03-31", contract),
        ("person1", stranger.as_str(), "選"),
    ] {
        let wrong = sent(&office, &page, whom, Some((field, value))).await;
        wrong.says(words);
        assert!(wrong.body.contains(&format!("id=\"{field}-problem\"")), "{field} {value}: {}", wrong.body);
        assert!(wrong.body.contains("青葉北"), "what was typed stays");
    }
    assert_eq!(app.call_settings(home).await.unwrap().0, 0, "nothing of it was taken");
    let saved = sent(&office, &page, whom, None).await;
    saved.says("保存しました").says("往診を受け持つ会社");
    let (revision, settings) = app.call_settings(home).await.unwrap();
    let pillar = &settings.pillars[clinic];
    assert!(pillar.on && pillar.kind == PillarKind::Visits && pillar.place == 2, "{pillar:?}");
    assert_eq!((pillar.from_min, pillar.to_min), (1_080, 480));
    assert_eq!(pillar.people, std::slice::from_ref(&person), "the same person once");
    assert_eq!(pillar.areas, ["青葉北", "青葉南"]);
    // Set over somebody else's change: said once, taken when it is sent again.
    let late = sent(&office, &page, whom, Some(("hours", ""))).await;
    late.says("ほかの方が設定を変えました");
    assert_eq!(app.call_settings(home).await.unwrap().0, revision);
    sent(&office, &late, whom, Some(("hours", ""))).await.says("保存しました");
    assert_eq!(app.call_settings(home).await.unwrap().1.pillars[clinic].to_min, 0);
    // The night number's own settings leave it as it is.
    let page = office.get("/settings/calls").await;
    office.submit(&page, "/settings/calls", &[("numbers", "042-000-0099")]).await;
    assert!(app.call_settings(home).await.unwrap().1.pillars[clinic].on);
    // Taken out: it stands by no more.
    let page = office.get(&place).await;
    office.submit(&page, &format!("{place}/remove"), &[]).await.says("まだありません");
    assert!(app.call_settings(home).await.unwrap().1.pillars.is_empty());
    assert!(app.verify().await.unwrap().problems.is_empty());
}
