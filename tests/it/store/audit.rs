//! The audit chain under many writers, and under somebody with SQL access.

use serde_json::json;
use touban::store::StoreError;
use touban::store::audit::{ChainState, Entry, audit_after, audit_append, audit_check};

use super::ground::{Ground, NOW, command, on_both};

on_both! {
    many_writers_leave_one_chain_without_a_hole,
    a_chain_verifies_while_others_write,
    any_byte_changed_behind_our_back_is_found,
    rows_taken_out_or_put_in_are_found,
    a_command_that_takes_itself_back_leaves_no_number_out,
}

async fn append(
    db: &touban::store::Db,
    ground: &Ground,
    text: String,
    fail: bool,
) -> Result<i64, StoreError> {
    let association = ground.association.clone();
    let append = command(move |tx| {
        let (association, text) = (association.clone(), text.clone());
        Box::pin(async move {
            let behalf = text.len().is_multiple_of(2).then_some("member:2");
            let entry = Entry {
                at: NOW,
                actor: "member:1",
                on_behalf_of: behalf,
                action: "offer.accept",
                subject: "request:1",
                detail: json!({ "text": text }),
            };
            let seq = audit_append(tx, &association, &entry).await?;
            if fail { Err(StoreError::Rollback) } else { Ok(seq) }
        })
    });
    db.run(append).await
}

async fn check(ground: &Ground) -> ChainState {
    audit_check(&mut ground.db.read().await.unwrap(), &ground.association).await.unwrap()
}

fn whole(state: &ChainState) -> Option<i64> {
    match state {
        ChainState::Whole(head) => Some(head.seq),
        ChainState::Broken(_) | ChainState::HeadDiffers => None,
    }
}

async fn many_writers_leave_one_chain_without_a_hole(ground: Ground) {
    // A second way in, as a second instance has.
    let other = ground.place.open().await.unwrap();
    let writers = (0..8).map(|writer| {
        let db = if writer % 2 == 0 { ground.db.clone() } else { other.clone() };
        let ground = &ground;
        async move {
            let mut mine = Vec::new();
            for n in 0..63 {
                mine.push(append(&db, ground, format!("{writer} {n}"), false).await.unwrap());
            }
            mine
        }
    });
    let numbers = futures_util::future::join_all(writers).await;
    for mine in &numbers {
        assert!(mine.is_sorted(), "a writer's rows stand in the order it wrote them");
    }
    let mut all: Vec<i64> = numbers.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=504).collect::<Vec<_>>());
    assert_eq!(whole(&check(&ground).await), Some(504));
    let mut conn = ground.db.read().await.unwrap();
    let page = audit_after(&mut conn, &ground.association, 500, 100).await.unwrap();
    assert_eq!(page.iter().map(|e| e.seq).collect::<Vec<_>>(), [501, 502, 503, 504]);
}

async fn a_chain_verifies_while_others_write(ground: Ground) {
    let writing = async {
        for n in 0..150 {
            append(&ground.db, &ground, format!("{n}"), false).await.unwrap();
        }
    };
    let verifying = async {
        let mut seen = 0;
        while seen < 150 {
            let state = check(&ground).await;
            let now = whole(&state).unwrap_or_else(|| panic!("{state:?}"));
            assert!(now >= seen);
            seen = now;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writing, verifying);
}

async fn rows(ground: &Ground) {
    for text in ["a", "bb", "ccc", "dddd", "eeeee"] {
        append(&ground.db, ground, text.to_owned(), false).await.unwrap();
    }
    assert_eq!(whole(&check(ground).await), Some(5));
}

async fn any_byte_changed_behind_our_back_is_found(ground: Ground) {
    rows(&ground).await;
    let mut conn = ground.db.read().await.unwrap();
    let sound = audit_after(&mut conn, &ground.association, 0, 10).await.unwrap();
    drop(conn);
    let hex = |bytes: &[u8]| -> String {
        let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        if ground.db.is_sqlite() { format!("x'{digits}'") } else { format!("'\\x{digits}'") }
    };
    let mut edits: Vec<(i64, String, String)> = Vec::new();
    for row in &sound {
        let texts = [
            ("actor", &row.actor),
            ("action", &row.action),
            ("subject", &row.subject),
            ("detail", &row.detail),
        ];
        for (column, value) in texts {
            for at in 0..value.len() {
                let mut bytes = value.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes).unwrap().replace('\'', "''");
                edits.push((row.seq, format!("{column} = '{changed}'"), format!("{column} = '{value}'")));
            }
        }
        let behalf = row.on_behalf_of.as_ref().map_or("NULL".to_owned(), |b| format!("'{b}'"));
        let other = if row.on_behalf_of.is_some() { "NULL" } else { "''" };
        edits.push((row.seq, format!("on_behalf_of = {other}"), format!("on_behalf_of = {behalf}")));
        edits.push((row.seq, "at_ms = at_ms + 1".into(), format!("at_ms = {}", row.at.0)));
        edits.push((row.seq, format!("seq = {}", row.seq + 100), format!("seq = {}", row.seq)));
        for at in 0..row.hash.len() {
            let mut changed = row.hash.clone();
            changed[at] ^= 0x80;
            edits.push((row.seq, format!("hash = {}", hex(&changed)), format!("hash = {}", hex(&row.hash))));
        }
    }
    assert!(edits.len() > 300, "{}", edits.len());
    let mut tamperer = ground.place.tamperer().await;
    for (seq, edit, undo) in &edits {
        let moved = if edit.starts_with("seq") { seq + 100 } else { *seq };
        assert_eq!(tamperer.run(&format!("UPDATE audit_event SET {edit} WHERE seq = {seq}")).await, 1);
        assert_eq!(whole(&check(&ground).await), None, "row {seq}: {edit}");
        tamperer.run(&format!("UPDATE audit_event SET {undo} WHERE seq = {moved}")).await;
    }
    assert_eq!(whole(&check(&ground).await), Some(5), "everything was put back");
}

async fn rows_taken_out_or_put_in_are_found(ground: Ground) {
    rows(&ground).await;
    let copy = |seq: i64, to: i64| {
        format!(
            "INSERT INTO audit_event (association_id, seq, at_ms, actor, on_behalf_of, action, subject, detail, hash) \
             SELECT association_id, {to}, at_ms, actor, on_behalf_of, action, subject, detail, hash \
             FROM audit_event WHERE seq = {seq}"
        )
    };
    for deed in [
        copy(5, 6),
        "DELETE FROM audit_event WHERE seq = 6; DELETE FROM audit_event WHERE seq = 5".into(),
        "DELETE FROM audit_event WHERE seq = 2".into(),
        "DELETE FROM audit_event".into(),
        "UPDATE audit_head SET seq = 0".into(),
        "DELETE FROM audit_head".into(),
    ] {
        ground.place.tamper(&deed).await;
        let state = check(&ground).await;
        if deed == "DELETE FROM audit_head" {
            // Rows and head both gone: only a head sent out before shows it.
            assert_eq!(whole(&state), Some(0));
        } else {
            assert_eq!(whole(&state), None, "{deed}");
        }
    }
}

async fn a_command_that_takes_itself_back_leaves_no_number_out(ground: Ground) {
    let tries = (0..24).map(|n| append(&ground.db, &ground, format!("{n}"), n % 3 == 0));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|d| d.is_err()).count(), 8);
    assert_eq!(whole(&check(&ground).await), Some(16));
}
