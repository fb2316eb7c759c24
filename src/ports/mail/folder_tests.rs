use super::*;
use crate::ids::{Chance, SystemChance};

/// A folder of this test alone, gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let mut bytes = [0u8; 8];
        SystemChance.fill(&mut bytes);
        Self(std::env::temp_dir().join(format!("touban-mail-{:016x}", u64::from_le_bytes(bytes))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn mail(id: &str, to: &str) -> OutgoingMail {
    OutgoingMail {
        message_id: format!("<{id}@touban.example.jp>"),
        from: "jimukyoku@example.jp".to_owned(),
        from_name: Some("青葉市医師会".to_owned()),
        reply_to: None,
        to: to.to_owned(),
        to_name: Some("上田 先生".to_owned()),
        subject: "【皮膚科】相談のお願い".to_owned(),
        text: "本文です。\nhttp://localhost:8080/o/abc\n".to_owned(),
        html: "<p>本文です。</p>".to_owned(),
        in_reply_to: None,
        date: Millis(1_792_500_000_000),
    }
}

#[tokio::test]
async fn the_demo_mailbox_shows_what_was_sent_newest_first() {
    let place = Place::new();
    let folder = FolderMail::new(&place.0).unwrap();
    folder.check().await.unwrap();
    folder.send(&mail("a", "ueda@example.jp")).await.unwrap();
    folder.send(&mail("b", "foo..bar@docomo.ne.jp")).await.unwrap();
    let listed = folder.list().await.unwrap();
    assert_eq!(
        listed.iter().map(|m| m.message_id.as_str()).collect::<Vec<_>>(),
        ["<b@touban.example.jp>", "<a@touban.example.jp>"]
    );
    let sent = mail("a", "ueda@example.jp");
    let first = &listed[1];
    assert_eq!(
        (first.id.as_str(), first.date, first.to.as_str()),
        ("00000001", sent.date, "ueda@example.jp")
    );
    assert_eq!((first.to_name.as_str(), &first.subject), ("上田 先生", &sent.subject));
    assert_eq!((&first.text, &first.html), (&sent.text, &sent.html));
    assert_eq!(folder.read("00000001").await.unwrap().as_ref(), Some(first));
    assert!(folder.source("00000001").await.unwrap().unwrap().starts_with(b"Date: "));
}

#[tokio::test]
async fn a_second_start_goes_on_counting() {
    let place = Place::new();
    FolderMail::new(&place.0).unwrap().send(&mail("a", "ueda@example.jp")).await.unwrap();
    std::fs::write(place.0.join("notes.txt"), "x").unwrap();
    let again = FolderMail::new(&place.0).unwrap();
    again.send(&mail("b", "ueda@example.jp")).await.unwrap();
    let ids: Vec<String> = again.list().await.unwrap().into_iter().map(|m| m.id).collect();
    assert_eq!(ids, ["00000002", "00000001"]);
}

#[tokio::test]
async fn an_id_cannot_leave_the_folder() {
    let place = Place::new();
    let folder = FolderMail::new(place.0.join("mail")).unwrap();
    std::fs::write(place.0.join("secret.eml"), "Subject: x\r\n\r\n").unwrap();
    for id in ["../secret", "..", "", "0000001", "00000009", "0000000１"] {
        assert_eq!(folder.read(id).await.unwrap(), None, "{id}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_passing_trouble() {
    let place = Place::new();
    let folder = FolderMail::new(&place.0).unwrap();
    std::fs::remove_dir_all(&place.0).unwrap();
    let result = folder.send(&mail("a", "ueda@example.jp")).await;
    assert!(matches!(result, Err(MailError::Temporary { in_doubt: false, .. })), "{result:?}");
    assert!(folder.check().await.is_err());
}
