# Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.

## Doors
signin-office-door = 事務局の仕事をする
signin-to-office = 事務局の方はこちら
signin-to-doctors = 先生方の入口へ
signin-to-lost = 入る手だてをなくしたとき

## Signing in
signin-office-title = 事務局の仕事に入る
signin-office-what = 職員・世話人・理事の方の入口です。
signin-passkey-what = 指紋・顔・端末の番号で入ります。
signin-passkey-go = パスキーで入る
signin-passkey-failed = できませんでした。もう一度押すか、ほかの方法をお使いください。
signin-by-password = パスワードと確認番号
signin-password = パスワード
signin-code = 確認番号（6けた）
signin-code-hint = 認証アプリに表示されている数字です。
signin-remember = この端末を覚える（入れまちがいが続いても待たずに入れます）
signin-refused = 入れませんでした。入力を確かめてください。確認番号は一度だけ使えます。
signin-wait = 入れまちがいが続きました。{ $n }分待ってから、もう一度お試しください。
signin-ceiling = 入れまちがいが続いたため、パスワードでは入れません。パスキーか、下の「入る手だてをなくしたとき」をお使いください。

## Once more
signin-again-title = もう一度ご本人を確かめます
signin-again-what = 大切な操作の前に、もう一度確かめます。
signin-again-kept = 入力した内容は残っています。
signin-again-passkey = パスキーで確かめます。
signin-again-go = 確かめて進む
signin-carry-title = 確かめました
signin-carry-what = 入力した内容で続けます。
signin-carry-go = この内容で続ける

## One's own means
means-title = 入る手だて
means-first-title = 入る手だてを登録する
means-first-what = どちらか一つを登録します。あとから両方にできます。
means-passkeys = パスキー
means-passkeys-what = 指紋・顔・端末の番号で入る方法です。いちばん簡単で安全です。
means-passkey-add = パスキーを登録する
means-passkey-label = この端末の呼び名
means-passkey-default = 事務局のパソコン
means-since = { $when } に登録
means-used = { $when } に使用
means-remove = 外す
means-remove-named = 「{ $name }」を外す
means-password = パスワードと認証アプリ
means-password-what = パスワードと、スマートフォンの認証アプリの6けたの番号で入ります。
means-password-add = パスワードと認証アプリを登録する
means-password-change = パスワードを変える
means-password-remove = パスワードと認証アプリを外す
means-app-new = 認証アプリを登録し直す
means-codes = 予備の番号
means-codes-left = 残り{ $n }個です。入る手だてをなくしたときに使います。
means-codes-new = 予備の番号をつくり直す
means-added = 登録しました。
means-removed = 外しました。
means-last = 最後の一つは外せません。先にほかの手だてを登録してください。
means-too-late = 時間がたちました。もう一度はじめから登録してください。
word-means-pin = 暗証番号で
word-means-passkey = パスキーで
word-means-password = パスワードと確認番号で
word-means-setup = 登録のリンクで
word-means-demo = 練習で

## Password and app
password-title = パスワードと認証アプリ
password-app = 認証アプリ
password-app-what = 認証アプリで、この絵を読み取ってください。
password-qr = 認証アプリ用のQRコード
password-letters = 読み取れないときは、この文字を入れてください。
password-first-code = アプリに出た番号（6けた）
password-own = パスワード
password-rules = 13文字以上128文字まで。ことばをいくつか並べると、覚えやすく強くなります。
password-may-keep = 空のままなら、パスワードは今のままです。
password-new = 新しいパスワード
password-save = 登録する
password-too-short = 13文字以上にしてください。
password-too-long = 128文字までにしてください。
password-too-easy = よくある言葉や名前が多く、見破られやすいものです。別の言葉にしてください。
password-code-wrong = 番号が合いません。今アプリに出ている番号を入れてください。

## Recovery codes
codes-title = 予備の番号
codes-what = 印刷するか書き写して、鍵のかかる所に置いてください。二度と表示しません。
codes-keep = 一つの番号は一度だけ使えます。
codes-next = 控えました

## Sessions
sessions-title = 入っている端末
sessions-what = 今あなたの名前で入っている端末です。
sessions-this = この画面
sessions-since = { $when } から
sessions-seen = 最後に使ったのは { $when }
sessions-end = 終わらせる
sessions-end-named = { $when }の端末を終わらせる
sessions-ended = 終わらせました。
sessions-all-what = 心当たりのない端末があれば、すべて終わらせてください。覚えた端末も忘れます。
sessions-end-all = すべての端末で終わる

## Colleagues
staff-title = 事務局の人
staff-person-title = 事務局の人
staff-what = 事務局の仕事に入れる人と、その手だてです。
staff-state-ready = 登録ずみ
staff-state-none = 未登録
staff-state-recovery = つくり直し待ち
staff-find = 会員に事務局の役割をつける
staff-find-what = その人のメールアドレスを入れてください。
staff-find-go = 探す
staff-find-none = そのアドレスの会員はいません。
staff-find-several = そのアドレスは何人かが使っています。名簿で確かめてください。
staff-means = 入る手だて
staff-has-password = パスワードと認証アプリがあります。
staff-invite-what = 登録用のリンクをメールで送ります。暗証番号が要ります。
staff-invite = 登録のリンクを送る
staff-invited = 登録のリンクを送りました。
staff-no-pin = 暗証番号がまだありません。先に暗証番号を渡してください。
staff-no-address = メールアドレスがありません。先に登録してください。
staff-has-means = すでに登録があります。なくしたときは、本人がつくり直しを頼みます。
staff-not-office = 先に事務局の役割をつけてください。
staff-revoke = 使えなくする
staff-revoked = 使えなくしました。入っている端末も終わりました。
staff-roles = 事務局の役割
staff-roles-hint = 変えると、その人の端末はいったん終わります。
staff-roles-save = 役割を変える
staff-roles-set = 役割を変えました。
staff-last-administrator = 管理者がいなくなるため、外せません。
staff-no-role = 役割が一つもなくなるため、外せません。
staff-end-what = その人が入っている端末をすべて終わらせます。
staff-end = すべての端末を終わらせる
staff-ended = すべての端末を終わらせました。
staff-recovery = 入る手だてのつくり直し
staff-recovery-asked = { $when }に頼まれました。本人の確認を待っています。
staff-recovery-due = 本人を確認しました。{ $when }に登録のリンクを送ります。
staff-vouch-what = 会うか電話で、本人が頼んだことを確かめてください。
staff-vouch = 本人だと確かめました
staff-vouched = 確認しました。時間をおいて登録のリンクを送ります。
staff-not-oneself = 自分のことは確認できません。
staff-nothing-waits = 待っているつくり直しはありません。
staff-recovery-stop = つくり直しを止める
staff-recovery-stopped = つくり直しを止めました。

## Recovery
lost-title = 入る手だてをなくしたとき
lost-what = 予備の番号を一つ入れて、つくり直しを頼みます。
lost-code = 予備の番号（12文字）
lost-code-malformed = 番号は12文字です。紙の番号を確かめてください。
lost-go = つくり直しを頼む
lost-no-code = 予備の番号もないときは、管理者に相談してください。
lost-sent-title = 受け付けました
lost-sent-text = 番号が合っていれば、次のように進みます。
lost-sent-1 = 同僚（管理者か理事）に、本人だと確かめてもらいます。
lost-sent-2 = 確かめてから{ $n }時間後に、登録のリンクがメールで届きます。
lost-sent-3 = 暗証番号か、もう一つの予備の番号を入れて登録します。

## Behind a mailed link
setup-link-title = 入る手だての登録
setup-link-or-code = 暗証番号がないときは、もう一つの予備の番号
setup-link-first = はじめての登録です。暗証番号は要りません。
setup-link-go = 登録へ進む
stop-title = つくり直しを止める
stop-what = 頼んだ覚えがないときは、下のボタンで止めてください。
stop-go = つくり直しを止める
stopped-title = 止めました
stopped-text = このつくり直しはもう進みません。事務局にもお知らせください。

## On the board
word-alarm-recovery_stopped = { $name } 入る手だてのつくり直しが止められました。本人に確かめてください。

# A form sent after its session ended
kept-what = しばらく使われなかったので、画面を閉じました。
kept-words = 書いたことは、この画面に残っています。
kept-pin-go = 確かめて進む
kept-other = ほかの方法
kept-step-1 = 新しい窓で、お名前を確かめます。この画面は閉じないでください。
kept-office = 事務局の方
kept-step-2 = 終わったら、この画面に戻って押してください。
kept-go = 名前を確かめました
kept-not-yet = まだ確かめられていません。書いたことは残っています。

# Keys of the API
keys-title = APIの鍵
keys-what = ほかのシステムが、この医師会のデータを扱うための鍵です。
keys-list = いまの鍵
keys-none = 鍵はまだありません。
keys-made = { $when }に作成
keys-ended = { $when }に取り上げ
keys-state-live = 有効
keys-state-revoked = 使えません
keys-revoke = 取り上げる
keys-revoke-named = 鍵「{ $name }」を取り上げる
keys-revoked = 鍵を取り上げました。もう使えません。
keys-new = 新しい鍵をつくる
keys-label = 鍵の名前
keys-label-hint = どのシステムの鍵か、あとで分かる名前にしてください。
keys-label-missing = 名前を書いてください。100文字までです。
keys-scopes = できること
keys-scope-missing = できることを、1つは選んでください。
keys-make = 鍵をつくる
keys-shown-title = 新しい鍵
keys-shown-what = この鍵は今だけ表示します。相手のシステムに写してください。
keys-shown-next = 写しました
keys-shown-before = その鍵は一度お見せしました。必要なら、新しくつくってください。
word-scope-read = 読む（診療の内容を除く）
word-scope-read_clinical = 診療の内容を読む
word-scope-request = 依頼を出す・取り下げる
word-scope-act_for = 先生に代わって返事をする
word-scope-directory = 名簿を書く
word-scope-ledger = 補助台帳を読む
word-scope-audit = 記録（監査）を読む
word-scope-rota = 当番表を読む・変える
