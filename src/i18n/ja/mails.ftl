# Mails, Japanese. One line of a mail = one text. Only what may travel by mail: association, kind, specialty,
# coarse area, urgency, deadline, case number, link or code, office phone.

# In every mail
mail-not-urgent = 急ぎの連絡にはこのメールを使わないでください。{ $association } 事務局 { $phone }
mail-code = リンクが開かないときは { $place } を開き、受付コード { $code } を入れてください。
mail-until = このリンクは { $until } まで使えます。

# What is wished for
mail-wish-advice = 助言
mail-wish-visit = 往診
mail-wish-either = 助言か往診
mail-urgency-routine = お急ぎではありません
mail-urgency-soon = 今日・明日のご相談です
mail-urgency-urgent = お急ぎです

# Kinds of request
mail-kind-consult = 専門相談
mail-kind-cover = 夜間代行
mail-kind-transfer = 引継ぎ
mail-kind-urgent = 緊急連絡
mail-kind-swap = 当番の交代

# A volunteer is asked
mail-consult-offer-subject = 【{ $specialty }・{ $short }まで】相談のお願い（受付{ $case }）
mail-consult-offer-1 = { $association }の在宅当番から、{ $specialty }の先生へ相談のお願いです。
mail-consult-offer-2 = 地域：{ $area }　希望：{ $wish }　{ $urgency }
mail-consult-offer-3 = お返事の期限：{ $deadline }（受付{ $case }）
mail-consult-offer-button = 内容を見て返事をする
mail-consult-offer-4 = お断りも同じページからどうぞ。理由は要りません。

# Signing in
mail-sign-in-subject = 在宅当番のページを開くリンク
mail-sign-in-1 = { $association }の在宅当番のページを開くためのリンクです。
mail-sign-in-button = ページを開く
mail-sign-in-2 = お心当たりがない場合は、このメールを捨ててください。何も変わりません。

# Setting up the means of signing in (office)
mail-office-setup-subject = 事務局の仕事に入る手だての登録
mail-office-setup-1 = { $association }の在宅当番で、事務局の仕事に入る手だてを登録できます。
mail-office-setup-2 = お手元の暗証番号をご用意ください。
mail-office-setup-button = 登録をはじめる
mail-office-setup-3 = お心当たりがない場合は、事務局 { $phone } へお電話ください。

# Somebody of the office lost every means: to them, and to those who watch over it
mail-recovery-subject = 入る手だてのつくり直しが頼まれました
mail-recovery-1 = { $association }の在宅当番で、職員の入る手だてのつくり直しが頼まれました。
mail-recovery-2 = 同僚がご本人を確かめ、時間をおいてから、新しい登録のリンクが届きます。
mail-recovery-3 = お心当たりがない場合は、下のページから止めてください。
mail-recovery-button = 止めるページを開く
mail-recovery-4 = 止めたときは、事務局 { $phone } にもお知らせください。

# Somebody else took it (only to those who had opened it)
mail-taken-subject = ほかの先生がお引き受けくださいました（受付{ $case }）
mail-taken-1 = { $specialty }の相談（受付{ $case }）は、ほかの先生がお引き受けくださいました。
mail-taken-2 = ご覧くださり、ありがとうございました。お返事は要りません。

# Withdrawn
mail-withdrawn-subject = 相談のお願いは取り下げられました（受付{ $case }）
mail-withdrawn-1 = { $specialty }の相談（受付{ $case }）は、ご依頼の先生が取り下げられました。
mail-withdrawn-2 = お返事は要りません。ありがとうございました。

# Accepted: to the asker
mail-accepted-subject = お引き受けがありました（受付{ $case }）
mail-accepted-1 = { $specialty }の相談（受付{ $case }）を、お引き受けくださった先生がいます。
mail-accepted-2 = 回答の期限：{ $deadline }
mail-accepted-button = 相談のページを開く

# Accepted: to the taker
mail-receipt-subject = お引き受けの確認（受付{ $case }）
mail-receipt-1 = { $specialty }の相談（受付{ $case }）をお引き受けくださり、ありがとうございます。
mail-receipt-2 = 回答の期限：{ $deadline }
mail-receipt-button = 相談のページを開く
mail-receipt-3 = ご都合が変わったときは、同じページから取り消せます。
mail-receipt-4 = お心当たりがない場合は、すぐに事務局 { $phone } へお電話ください。

# Answered: to the asker
mail-answered-subject = 回答が届きました（受付{ $case }）
mail-answered-1 = { $specialty }の相談（受付{ $case }）に回答が届きました。
mail-answered-2 = お読みになったら、同じページで相談を終えてください。
mail-answered-button = 回答を読む

# Half time: to the taker
mail-answer-due-subject = 回答の期限は{ $short }です（受付{ $case }）
mail-answer-due-1 = お引き受けの{ $specialty }の相談（受付{ $case }）は、回答をお待ちしています。
mail-answer-due-2 = 回答の期限：{ $deadline }
mail-answer-due-button = 回答を書く
mail-answer-due-3 = 難しくなったときは、同じページから取り消せます。ほかの先生にお願いします。

# The deadline passed without an answer: to the taker
mail-released-taker-subject = 回答の期限が過ぎました（受付{ $case }）
mail-released-taker-1 = { $specialty }の相談（受付{ $case }）は、回答の期限が過ぎました。
mail-released-taker-2 = ほかの先生にお願いしますので、このあとの回答は要りません。
mail-released-taker-3 = ご負担をおかけしました。ご事情があれば事務局 { $phone } へお知らせください。

# The deadline passed without an answer: to the asker
mail-released-asker-subject = ほかの先生に改めてお願いしています（受付{ $case }）
mail-released-asker-1 = { $specialty }の相談（受付{ $case }）は、期限までに回答がありませんでした。
mail-released-asker-2 = ほかの先生に改めてお願いしています。
mail-released-asker-button = 相談のページを開く

# The answer waits to be closed: to the asker
mail-close-reminder-subject = 相談を終える手続きのお願い（受付{ $case }）
mail-close-reminder-1 = { $specialty }の相談（受付{ $case }）は、回答のあと、まだ終わっていません。
mail-close-reminder-2 = 4つの質問に答えると終わります。1分ほどです。
mail-close-reminder-button = 相談を終える

# Closed with thanks: to the taker
mail-closed-subject = 相談が終わりました。ありがとうございました（受付{ $case }）
mail-closed-1 = { $specialty }の相談（受付{ $case }）は、ご依頼の先生が終えられました。
mail-closed-2 = お力添えをありがとうございました。
mail-closed-button = 結果を見る

# Nobody left to ask: to the coordinator
mail-exhausted-subject = 【要対応】お願いできる先生がいません（受付{ $case }）
mail-exhausted-1 = { $kind }の依頼（受付{ $case }）で、お願いできる先生がいなくなりました。
mail-exhausted-2 = 期限：{ $deadline }
mail-exhausted-3 = 開いて「確認しました」を押すまで、くり返しお知らせします。
mail-exhausted-button = 依頼を開く

# Somebody cannot be reached: to the coordinator
mail-unreachable-subject = 【要対応】連絡のつかない先生がいます
mail-unreachable-1 = メールが届かない先生がいます。お名前はページでご覧ください。
mail-unreachable-2 = 連絡先を確かめるまで、依頼のメールはほかの先生にだけ届きます。
mail-unreachable-button = 連絡先の一覧を開く

# A mail could not be sent: to the coordinator
mail-dead-subject = 【要対応】送れなかったメールがあります（受付{ $case }）
mail-dead-1 = { $kind }の依頼（受付{ $case }）のメールを送れませんでした。
mail-dead-2 = 送り先と理由はページでご覧ください。電話での連絡をお願いします。
mail-dead-button = 送信箱を開く

# Expired: to the asker
mail-expired-asker-subject = 期限までにお引き受けがありませんでした（受付{ $case }）
mail-expired-asker-1 = { $specialty }の相談（受付{ $case }）は、期限までにお引き受けがありませんでした。
mail-expired-asker-2 = 調整担当の先生にお知らせしました。お急ぎなら事務局 { $phone } へお電話ください。
mail-expired-asker-button = 相談のページを開く

# Expired: to the coordinator
mail-expired-coordinator-subject = 【要対応】期限が過ぎた依頼があります（受付{ $case }）
mail-expired-coordinator-1 = { $kind }の依頼（受付{ $case }）は、お引き受けのないまま期限が過ぎました。
mail-expired-coordinator-2 = 期限：{ $deadline }
mail-expired-coordinator-button = 依頼を開く

# Hands were raised: to the asker
mail-choose-subject = お引き受けできる先生が{ $count }人います（受付{ $case }）
mail-choose-1 = { $specialty }の相談（受付{ $case }）に、{ $count }人の先生が手を挙げてくださいました。
mail-choose-2 = お願いする先生を { $deadline } までにお選びください。
mail-choose-button = 先生を選ぶ

# A test
mail-test-subject = 受信の確認（{ $association }）
mail-test-1 = { $association }の在宅当番から、メールが届くかの確認です。
mail-test-2 = 次のボタンを押し、開いたページで「届きました」を押してください。
mail-test-button = 届いたことを知らせる

# What was destroyed: to officers and administrators
mail-retention-subject = 保存期間が過ぎた記録を消去しました
mail-retention-1 = 保存期間が過ぎた { $cases }件の依頼の本文 { $texts }個を消去しました。
mail-retention-2 = 消去した本文は、もう読むことができません。台帳と操作の記録は残っています。
mail-retention-3 = 消去を止めておきたい依頼があるときは、事務局 { $phone } へお電話ください。
mail-retention-button = 設定のページを開く

# To the contact of an institution: enrol the shared device
mail-station-subject = 共用の端末の登録（{ $association }）
mail-station-1 = { $association }の在宅当番を、皆さまの共用の端末で使うためのリンクです。
mail-station-2 = 登録したい端末で開き、ご自分の名前と暗証番号を入れてください。
mail-station-button = この端末を登録する
mail-station-3 = このリンクは一度だけ使えます。ほかの事業所の方へは送らないでください。

# About a duty of the rota: what is asked, how it ended
mail-duty-own = 交代の確認
mail-duty-give = 当番の引き受け
mail-duty-exchange = 当番の交換
mail-duty-call = 当番の代わり
mail-duty-hole = 空いた当番の引き受け
mail-duty-approve = 交代の承認
mail-duty-end-taken = ほかの先生がお引き受けくださいました
mail-duty-end-withdrawn = 取り下げられました
mail-duty-end-refused = まとまりませんでした
mail-duty-end-expired = 期限までに決まりませんでした
mail-duty-end-void = 新しい当番表のため、なくなりました

# Somebody is asked about a duty
mail-duty-ask-subject = 【{ $short }からの当番】{ $ask }のお願い（受付{ $case }）
mail-duty-ask-1 = { $association }の当番表について、{ $ask }のお願いです。
mail-duty-ask-2 = 当番のはじまり：{ $begins }
mail-duty-ask-3 = お返事の期限：{ $deadline }（受付{ $case }）
mail-duty-ask-button = 内容を見て返事をする
mail-duty-ask-4 = お断りも同じページからどうぞ。理由は要りません。

# A duty changed hands
mail-duty-changed-subject = 【{ $short }からの当番】変更が決まりました（受付{ $case }）
mail-duty-changed-1 = { $association }の当番表が変わりました（受付{ $case }）。
mail-duty-changed-2 = 変わった当番のはじまり：{ $begins }
mail-duty-changed-button = だれが当番かを見る
mail-duty-changed-3 = お心当たりがない場合は、すぐに事務局 { $phone } へお電話ください。

# The deputy is the primary now
mail-duty-moved-up-subject = 【至急】{ $short }からの当番は、先生が正です（受付{ $case }）
mail-duty-moved-up-1 = 正の先生が出られなくなりました。先生が正の当番になりました（受付{ $case }）。
mail-duty-moved-up-2 = 当番のはじまり：{ $begins }
mail-duty-moved-up-3 = 副の代わりは、ほかの先生方にお願いしています。
mail-duty-moved-up-button = 自分の当番を見る
mail-duty-moved-up-4 = 出られない場合は、すぐに事務局 { $phone } へお電話ください。

# Somebody fell ill: to who is on beside them, and to the coordinators
mail-duty-ill-subject = 【{ $short }からの当番】出られない先生がいます（受付{ $case }）
mail-duty-ill-1 = 当番の先生が出られなくなり、空いたところの代わりをお願いしています（受付{ $case }）。
mail-duty-ill-2 = 当番のはじまり：{ $begins }　いまの当番は、下のページをご覧ください。
mail-duty-ill-button = だれが当番かを見る

# A change was undone
mail-duty-undone-subject = 【{ $short }からの当番】変更は取り消されました（受付{ $case }）
mail-duty-undone-1 = 当番の変更が取り消され、もとに戻りました（受付{ $case }）。
mail-duty-undone-2 = 当番のはじまり：{ $begins }　いまの当番は、下のページをご覧ください。
mail-duty-undone-button = だれが当番かを見る

# Nothing comes of it
mail-duty-ended-subject = 【{ $short }からの当番】交代のお願いについて（受付{ $case }）
mail-duty-ended-1 = 当番の交代のお願い（受付{ $case }）は、{ $end }。
mail-duty-ended-2 = 当番のはじまり：{ $begins }　お返事は要りません。いまの当番は、下のページをご覧ください。
mail-duty-ended-button = だれが当番かを見る

# To whoever watches the board: a recovery was asked for, or stopped
mail-recovery-alarm-subject = 【要確認】入る手だてのつくり直し
mail-recovery-alarm-1 = { $association }の在宅当番で、職員の入る手だてのつくり直しが頼まれたか、止められました。
mail-recovery-alarm-2 = どなたのことかは、ページでご覧ください。
mail-recovery-alarm-button = 進みぐあいを開く

# A telephone number is to change: to the person, at the address known before
mail-phone-asked-subject = お電話番号の変更を承りました
mail-phone-asked-1 = { $association }の在宅当番で、お電話番号の変更が頼まれました。
mail-phone-asked-2 = 事務局がこれまでの番号か医療機関の番号へ折り返しお電話し、お確かめしてから切りかえます。それまではこれまでの番号にお電話します。
mail-phone-asked-3 = お心当たりがない場合は、すぐに事務局 { $phone } へお電話ください。
mail-phone-changed-subject = お電話番号を切りかえました
mail-phone-changed-1 = { $association }の在宅当番で、折り返しのお電話でお確かめし、お電話番号を切りかえました。
mail-phone-changed-2 = お心当たりがない場合は、すぐに事務局 { $phone } へお電話ください。
mail-address-changed-subject = メールの宛先を切りかえました
mail-address-changed-1 = { $association }の在宅当番で、あなた宛てのメールの宛先が変わりました。これからは新しい宛先にお送りします。
mail-address-changed-2 = お心当たりがない場合は、すぐに事務局 { $phone } へお電話ください。
mail-phone-dropped-subject = お電話番号はこれまでのままです
mail-phone-dropped-1 = { $association }の在宅当番で、頼まれていたお電話番号の変更を取りやめました。これまでの番号にお電話します。
mail-phone-dropped-2 = ご不明な点は、事務局 { $phone } へお電話ください。
mail-ledger-chase-subject = 報告・確認のお願い（受付{ $case } など{ $count }件）
mail-ledger-chase-1 = { $period }の件のうち、{ $count }件（受付{ $case } など）の対応報告か確認が、まだ届いていません。
mail-ledger-chase-2 = 届くまでは補助の対象にできません。お手数ですが、画面から入れるか、事務局へファクスか電話でお知らせください。
mail-ledger-chase-button = 画面を開く
mail-ledger-chase-3 = もう出されたときは、行き違いです。このままで結構です。
