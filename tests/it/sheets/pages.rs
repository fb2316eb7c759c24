//! The pages of the sheets over a real socket.

use super::bad::bad_files;
use super::fixtures::stored;
use crate::pages::browser::{Browser, Page, Town};
use crate::pages::robots::{assert_unchanged, dump, without_readings};
use crate::support::TestOffice;

/// Chooses a file on the page and sends it.
async fn upload(browser: &Browser, kind: &str, bytes: &[u8]) -> Page {
    let form = browser.get("/sheets/import").await;
    let fields = form.form("/sheets/import", &[("kind", kind), ("sheet", "")]);
    browser.send_file("/sheets/import", &fields, bytes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_looks_confirms_and_undoes() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let run = upload(&clerk, "members", &stored("members.xlsx")).await;
    run.says("取り込みの確認").says("80行").says("40件").says("シート「R8名簿」を読みました").says("血液型");
    run.says("先頭に0を補いました");
    let path = run.path.clone();
    let done = clerk.submit(&run, &format!("{path}/confirm"), &[]).await;
    done.says("取り込みました").says("追加80・変更0・取り込まず0");
    clerk.get("/sheets").await.says("取り込み済み");

    let later = upload(&clerk, "members", &stored("members-later.csv")).await;
    later
        .says("取り込めない行を除いて取り込む")
        .says("電話番号として読み取れません")
        .says("問い合わせ中")
        .says("23行目");
    later.says("ＴＥＬ").says("090-1111-0010").says("事務局などの役割は、表からは付けられません");
    let path = later.path.clone();
    let done = clerk.submit(&later, &format!("{path}/confirm"), &[]).await;
    done.says("追加2・変更10・取り込まず4");
    let undone = clerk.submit(&done, &format!("{path}/undo"), &[]).await;
    undone.says("元に戻しました（戻した10・消した3・残した0）");
    let stopped = upload(&clerk, "members", &stored("members-later.csv")).await;
    let path = stopped.path.clone();
    clerk.submit(&stopped, &format!("{path}/stop"), &[]).await.says("取りやめました");
    // A form sent twice, and one that was looked at before something changed.
    let first = upload(&clerk, "members", &stored("members-later.csv")).await;
    let second = upload(&clerk, "members", &stored("members-later.csv")).await;
    let action = format!("{}/confirm", first.path);
    let fields = first.form(&action, &[]);
    assert_eq!(clerk.send(&action, &fields).await.status, 303);
    assert_eq!(clerk.send(&action, &fields).await.status, 303);
    let action = format!("{}/confirm", second.path);
    clerk.submit(&second, &action, &[]).await.says("登録が変わりました");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_is_refused_in_words_and_changes_nothing() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let before = dump(&town.office).await;
    for (name, bytes, why) in bad_files() {
        if name == "six megabytes" {
            let form = clerk.get("/sheets/import").await.form("/sheets/import", &[("kind", "members")]);
            let said = clerk.turned_away("/sheets/import", &form, &bytes).await;
            assert!(
                said.is_none_or(|status| status == 413),
                "the server itself refuses what is larger: {said:?}"
            );
        } else {
            let page = upload(&clerk, "members", &bytes).await;
            assert_eq!(page.status, 200, "{name}");
            assert!(page.body.contains("id=\"file-problem\""), "{name} ({why:?}): {}", page.text());
        }
        assert_unchanged(&before, &dump(&town.office).await, name);
    }
    let page = upload(&clerk, "", b"a,b").await;
    page.says("どの表かを選んでください");
    let apples = upload(&clerk, "members", "りんご,みかん\r\n1,2\r\n".as_bytes()).await;
    apples.says("見出しの行が見つかりません");
    assert!(!apples.body.contains("/confirm\""));
    let form = clerk.get("/sheets/import").await;
    let mut fields = form.form("/sheets/import", &[("kind", "members")]);
    fields.retain(|(name, _)| name != "csrf");
    assert_eq!(clerk.send_file("/sheets/import", &fields, b"a,b").await.status, 403);
    let mut after = without_readings(dump(&town.office).await);
    for table in ["sheet_run", "idempotency", "month_key"] {
        after.insert(table.to_owned(), before[table].clone());
    }
    assert_unchanged(&without_readings(before), &after, "what was only looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_taken_out_and_that_is_noted() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let rows = "氏名,所属,電話\r\n𠮷田 三郎,さとう内科クリニック,042-200-0001\r\n";
    let run = upload(&clerk, "members", rows.as_bytes()).await;
    clerk.submit(&run, &format!("{}/confirm", run.path), &[]).await.says("取り込みました");
    let form = clerk.get("/sheets/export").await;
    for format in ["xlsx", "csv"] {
        let fields = form.form("/sheets/export", &[("kind", "members"), ("format", format)]);
        let file = clerk.send("/sheets/export", &fields).await;
        assert_eq!(file.status, 200);
        let name = file.headers["content-disposition"].to_str().unwrap().to_owned();
        assert!(name.starts_with("attachment; filename=\"members-2026"), "{name}");
    }
    let typed = [("kind", "members"), ("format", "csv-sjis")];
    let page = clerk.submit(&form, "/sheets/export", &typed).await;
    page.says("Shift_JISで書けない文字があります").says("𠮷");
    let replaced: Vec<_> = page.form("/sheets/export", &[]).into_iter().collect();
    assert!(replaced.iter().any(|(name, value)| name == "replace" && value == "yes"));
    assert_eq!(
        clerk.send("/sheets/export", &replaced).await.headers["content-type"],
        "text/csv; charset=shift_jis"
    );
    let notes =
        dump(&town.office).await["audit_event"].iter().filter(|row| row.contains("'sheet.export'")).count();
    assert_eq!(notes, 3);
    let template = clerk.look("/sheets/template/institutions").await;
    assert_eq!(template.status, 200);
    assert!(template.headers["content-type"].to_str().unwrap().contains("spreadsheetml"));
    let empty = clerk.submit(&form, "/sheets/export", &[]).await;
    empty.says("どの表かを選んでください").says("ファイルの形を選んでください");
}
