# Words of the office that stand in several pages and mails, under the codes of the data.
product = 在宅当番
## Specialties (診療科); the list is the association's, these are the usual ones
word-specialty-internal = 内科
word-specialty-dermatology = 皮膚科
word-specialty-gynaecology = 婦人科
word-specialty-psychiatry = 精神科
word-specialty-orthopedics = 整形外科
word-specialty-urology = 泌尿器科
word-specialty-ophthalmology = 眼科
word-specialty-otolaryngology = 耳鼻咽喉科
word-specialty-neurosurgery = 脳神経外科
word-specialty-neurology = 脳神経内科
word-specialty-surgery = 外科
word-specialty-cardiology = 循環器内科
word-specialty-palliative = 緩和ケア
word-specialty-dentistry = 歯科

## What is wished for, and agreed to
word-wish-advice = 助言がほしい
word-wish-visit = 助言と、必要なら往診
word-terms-plain = 引き受け
word-terms-advice = 助言のみ
word-terms-visit = 往診も可

## By when
word-by-now = 今すぐ（電話で）
word-by-today = 今日中
word-by-tomorrow_noon = 明日の正午
word-by-three_days = 3日以内
word-by-own = 日時を決める

## The patient, without a name
word-decade-0 = 10歳未満
word-decade-10 = 10代
word-decade-20 = 20代
word-decade-30 = 30代
word-decade-40 = 40代
word-decade-50 = 50代
word-decade-60 = 60代
word-decade-70 = 70代
word-decade-80 = 80代
word-decade-90 = 90代
word-decade-100 = 100歳以上
word-sex-female = 女性
word-sex-male = 男性
word-sex-other = その他・答えない
word-condition-wound = 褥瘡・創傷
word-condition-skin = 皮膚の症状
word-condition-gynecological = 婦人科の症状
word-condition-mental = こころの症状
word-condition-dementia = 認知症の症状
word-condition-pain = 痛み
word-condition-breathing = 息の症状
word-condition-urinary = 排尿の症状
word-condition-neurological = 神経の症状
word-condition-movement = 骨・関節・動き
word-condition-medicine = お薬のこと
word-condition-device = 管・機器のこと
word-condition-other = その他
word-travel-no = 通院できない
word-travel-with_help = 助けがあれば通院できる
word-travel-yes = 通院できる

## People and places
word-role-physician = 在宅医
word-role-specialist = 協力医
word-role-nurse_station = 訪問看護ステーション
word-role-care_office = 居宅介護支援事業所
word-role-city_observer = 市（合計のみ）
word-role-clerk = 事務局
word-role-coordinator = 調整担当
word-role-officer = 担当理事
word-role-administrator = 管理者
word-institution-clinic = 診療所
word-institution-clinic_with_beds = 有床診療所
word-institution-home_care_clinic = 在宅療養支援診療所
word-institution-home_care_hospital = 在宅療養支援病院
word-institution-hospital = 病院
word-institution-nursing_station = 訪問看護ステーション
word-institution-association = 医師会
word-title-doctor = { $name } 先生
word-title-staff = { $name } さん

## Where a request stands
word-request-state-choosing = 選んでいただく番です
word-request-state-open = 受付中
word-request-state-exhausted = 引き受け手を探しています
word-request-state-taken = 引き受けあり
word-request-state-reported = お答えあり
word-request-state-closed = 終わりました
word-request-state-refused = 見送りました
word-request-state-withdrawn = 取り下げ
word-request-state-expired = 期限切れ
word-offer-state-pending = これから送ります
word-offer-state-asked = 返事待ち
word-offer-state-raised = 手挙げ
word-offer-state-accepted = 引き受け
word-offer-state-declined = お断り
word-offer-state-lapsed = 返事なし
word-offer-state-unreachable = 連絡がつきません
word-offer-state-full = ほかの先生が引き受け
word-offer-state-withdrawn = 取り下げ
word-offer-state-released = 引き受けを取り消し
word-offer-state-held = 保留中
word-attempt-waiting = メール送信待ち
word-attempt-sent = メール送信済み
word-attempt-retrying = メール再送中
word-attempt-failed = メールが届きません
word-attempt-none = 連絡先なし
word-next-wave = { $time }に次の{ $n }名へ
word-next-step = { $time }に次の手順へ
word-next-coordinator = { $time }に調整担当へ知らせます
word-next-release = { $time }までにお答えがなければ、ほかの先生へ
word-next-reminder = { $time }にもう一度お知らせします
word-next-expiry = { $time }に受付が終わります
word-since = { $time }から
word-until = { $time }まで

## Why somebody could not take it
word-rule-not_active = ご登録が止まっています。事務局へお電話ください。
word-rule-own_request = ご自分の相談は引き受けられません。
word-rule-monthly_cap = 今月お引き受けいただく数に達しています。
word-rule-no_visits = 往診のご登録がありません。助言のみでお願いします。
word-rule-wrong_terms = この依頼には合わないお返事です。もう一度お選びください。

## What has happened
word-happened-made = 相談を受け付けました
word-happened-asked = { $name }にお願いしました
word-happened-asked_n = { $n }名にお願いしました
word-happened-undeliverable = { $name }へのメールが届きませんでした
word-happened-accepted = { $name }が引き受けました
word-happened-declined = { $name }がお断りしました
word-happened-held = { $name }が保留しました
word-happened-released = { $name }が引き受けを取り消しました
word-happened-lapsed = { $name }からお返事がありませんでした
word-happened-reminded = { $name }にもう一度お知らせしました
word-happened-opened = { $name }が患者さんの情報を開きました
word-happened-answered = { $name }がお答えしました
word-happened-exhausted = お願いできる先生がいなくなりました
word-happened-alarmed = 調整担当に知らせました
word-happened-seen = { $name }が確認しました
word-happened-withdrawn = { $name }が取り下げました
word-happened-expired = 期限が過ぎました
word-happened-closed = { $name }が相談を閉じました
word-alarm-exhausted = { $no } 引き受ける先生が見つかりません
word-alarm-expired = { $no } 期限が過ぎました
word-alarm-undeliverable = { $no } メールが届かない先生がいます
word-alarm-silent = { $no } 引き受けたあと、お答えがありません
word-alarm-other = { $no } お確かめください
word-alarm-pin_locked = { $name } 暗証番号が続けて合いませんでした
word-alarm-mail = メールを送れません。設定をお確かめください
word-alarm-system = 自動の処理が止まりました。管理者にお知らせください

## The four questions
word-avoided-yes = 避けられた
word-avoided-no = 避けられなかった
word-avoided-unclear = わからない
word-yes = はい
word-no = いいえ
word-helpful-1 = 役に立たなかった
word-helpful-2 = あまり
word-helpful-3 = ふつう
word-helpful-4 = 役に立った
word-helpful-5 = とても役に立った

## The ledger
word-side-requester = 依頼側
word-side-acceptor = 受諾側
word-side-standby = 待機
word-yen = { $amount }円
word-reason-out_of_dates = 期間外です
word-reason-membership_lapsed = 会員資格がありません
word-reason-same_institution = 同じ医療機関です
word-reason-no_report = 報告がありません
word-reason-not_confirmed = 依頼側の確認がまだです
word-reason-duplicate = 同じ内容が二度あります
word-reason-over_cap = 上限を超えています
word-reason-budget_spent = 予算が終わりました
word-reason-other_subsidy = ほかの補助があります
word-reason-wrong_band = 時間帯が違います
word-reason-outside_area = 区域の外です
word-reason-withdrawn_before_start = 始まる前に取り下げられました
word-reason-test_call = 試験の呼出です
word-reason-training = 研修です
word-reason-manual_by_officer = 理事の判断です
word-reason-below_minimum = 時間が足りません
word-needs-not_a_test = 試験ではない
word-needs-not_training = 研修ではない
word-needs-not_withdrawn_before_start = 始まる前に取り下げていない
word-needs-in_dates = 補助の期間内
word-needs-in_band = 対象の時間帯
word-needs-requester_active = 依頼側が会員
word-needs-acceptor_active = 受諾側が会員
word-needs-different_institution = 医療機関が異なる
word-needs-report = 報告がある
word-needs-report_within = { $n }時間以内に報告がある
word-needs-confirmed = 依頼側が確認した
word-needs-not_excluded = 理事が対象外としていない
word-needs-in_area = 対象の市町村の住民
word-needs-standby_active = 当番の人が会員
word-needs-hours_at_least = { $n }時間以上
word-needs-attempts = 呼出の記録がある
word-needs-household = 患家へ事前に説明した
word-needs-night_card = 夜間カードを開いた
word-needs-minutes = 対応した時間が分かる
word-needs-no_other_subsidy = ほかの補助を受けていない
word-needs-not_duplicate = 同じ日をまだ数えていない
word-needs-within_cap = 上限の内
word-needs-within_budget = 予算の内

## What is wrong with a field
word-wrong-missing = 必須の項目です
word-wrong-too_long = 長すぎます
word-wrong-not_text = 使えない文字や書き方があります
word-wrong-not_a_choice = 選べる値ではありません
word-wrong-too_soon = 過ぎているか、近すぎる日時です（お急ぎのときは電話をお使いください）
word-wrong-too_late = 先すぎる日時です
word-wrong-out_of_range = 範囲の外です
word-wrong-unknown = 見つかりません
word-wrong-taken = すでに使われています
word-wrong-kind_not_yet = この種類の依頼はまだ受け付けられません。今は consult（専門相談）だけです
word-wrong-not_an_id = { $prefix }_ で始まる番号にしてください
word-wrong-not_a_key = 空白のない英数字と記号で、1～255 文字にしてください
word-wrong-not_a_pin = 数字 4 桁にしてください
word-wrong-not_the_taker = この依頼を引き受けている方ではありません
word-wrong-not_the_asker = この依頼の依頼者ではありません
