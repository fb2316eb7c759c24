//! What can be typed: commands, options, their help in both languages. What a command does stands in its
//! own file.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::ledger_args::LedgerCommand;
use super::rota_args::{RotaCommand, WhoArgs};
use crate::app::access::Scope;
use crate::config::shell_language;
use crate::domain::people::sheet::Kind;
use crate::domain::people::{INSTITUTION_KINDS, Role};
use crate::i18n::Lang;

/// Home-care duty, consults and the subsidy ledger of a district medical association
#[derive(Debug, Parser)]
#[command(name = "touban", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service until it is asked to stop (SIGTERM, Ctrl-C)
    Serve(ConfigArg),
    /// Try it out: an invented association on this machine, gone at the end
    Demo(DemoArgs),
    /// Bring the database up to date; `serve` does it too when it starts
    Migrate(ReportArgs),
    /// Look at configuration, database, keys, clock and mail, and say what to fix
    Doctor(ReportArgs),
    /// Recompute the audit chain and check every request and every line of the ledger
    Verify(ReportArgs),
    /// Make the first accounts and keys, also while `serve` runs
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Read a list of members or institutions from an Excel or CSV file; whole or not at all
    Import(ImportArgs),
    /// Write the members or institutions into a file
    Export(ExportArgs),
    /// Months of the subsidy ledger: look at them, make, close, correct and take them out
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Say who is on duty, now or at any moment, as known now or then
    Who(WhoArgs),
    /// Read in, write out, check, fill and publish the rota
    #[command(subcommand)]
    Rota(RotaCommand),
    /// Play pretended offices with faults and check every promise after every command
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// How many histories
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub seeds: u64,
    /// The first seed; the same seed plays the same history
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub first: u64,
    /// Plant each known mistake and say which seed found it
    #[cfg(feature = "planted")]
    #[arg(long)]
    pub planted: bool,
}

#[derive(Debug, Args)]
pub struct ConfigArg {
    /// Configuration file; without it touban.toml of this folder, if there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub config: ConfigArg,
    /// Report as one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where to listen; the next free port when it is taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Begin at this moment and not on a Wednesday evening
    #[arg(long)]
    pub now: bool,
    /// The sounds of the phone, as `scripts/prompts` makes them; without: the voice of the browser
    #[arg(long, value_name = "FOLDER")]
    pub sounds: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an association
    CreateAssociation(AssociationArgs),
    /// Add an institution to an association
    CreateInstitution(InstitutionArgs),
    /// Add a member, with a PIN that is shown once
    CreateMember(MemberArgs),
    /// Make a key for the API; its secret is shown once
    CreateKey(KeyArgs),
    /// Give a member a new PIN; their devices and sessions end
    SetPin(PinArgs),
    /// Take the Cabinet Office's list of holidays, or change days of the association's own; without either:
    /// show them
    Holidays(HolidaysArgs),
    /// Say how the association counts night, holidays and year-end; without a file: show it
    Calendar(CalendarArgs),
    /// Keep a case, or everything, from being destroyed; without a reason: show what is kept
    Hold(HoldArgs),
    /// Show or set how long texts are kept, or destroy now what is past its time
    Retention(RetentionArgs),
    /// Print a link by which somebody of the office sets up how they sign in: for the first one, and where
    /// nobody else can help
    StaffLink(StaffArgs),
    /// Print a new link to the set-up, while there is no association
    SetupLink(ReportArgs),
}

/// What every `admin` command of one association takes.
#[derive(Debug, Args)]
pub struct At {
    #[command(flatten)]
    pub report: ReportArgs,
    /// Code of the association, such as aoba
    #[arg(long, value_name = "CODE")]
    pub association: String,
}

#[derive(Debug, Args)]
pub struct AssociationArgs {
    #[command(flatten)]
    pub report: ReportArgs,
    /// Short name for commands and sign-in: a-z, 0-9 and hyphens
    #[arg(long)]
    pub code: String,
    /// Name as people read it
    #[arg(long)]
    pub name: String,
    /// Time zone, such as Asia/Tokyo
    #[arg(long, default_value = "Asia/Tokyo")]
    pub zone: chrono_tz::Tz,
    /// Telephone number of the office, shown where people get stuck
    #[arg(long, value_name = "NUMBER")]
    pub office_phone: String,
    /// Language of its mails
    #[arg(long, default_value = "ja", value_parser = langs())]
    pub lang: Lang,
}

#[derive(Debug, Args)]
pub struct InstitutionArgs {
    #[command(flatten)]
    pub at: At,
    /// Name as people read it
    #[arg(long)]
    pub name: String,
    /// What it is
    #[arg(long, default_value = "clinic", value_parser = INSTITUTION_KINDS.to_vec())]
    pub kind: String,
    /// Coarse area, such as 青葉北
    #[arg(long)]
    pub area: String,
    /// Code of the municipality
    #[arg(long, value_name = "DIGITS", default_value = "")]
    pub city_code: String,
    /// Telephone number; stored encrypted
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
}

#[derive(Debug, Args)]
pub struct MemberArgs {
    #[command(flatten)]
    pub at: At,
    /// Name as people read it
    #[arg(long)]
    pub name: String,
    /// Name in kana, for sorting
    #[arg(long, default_value = "")]
    pub kana: String,
    /// Address for mails
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Telephone number; stored encrypted
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
    /// Institution they work at, by name or id
    #[arg(long, value_name = "NAME-OR-ID")]
    pub institution: Option<String>,
    /// What they do; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = roles())]
    pub roles: Vec<Role>,
    /// What they volunteer for, such as dermatology:visit:青葉北,青葉中央 (advice only without `visit`, every
    /// area without areas); may be given several times
    #[arg(long = "specialty", value_name = "SPECIALTY[:visit][:AREAS]")]
    pub specialties: Vec<String>,
    /// Language of their mails; the association's without it
    #[arg(long, value_parser = langs())]
    pub lang: Option<Lang>,
    /// Read the PIN (four digits) from standard input and do not make one
    #[arg(long)]
    pub pin_stdin: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What the rows are
    #[arg(value_parser = sheet_kinds())]
    pub kind: Kind,
    /// Excel (.xlsx) or CSV (UTF-8 or Shift_JIS)
    pub file: PathBuf,
    #[command(flatten)]
    pub at: At,
    /// Sheet of the workbook; the first with anything in it without this
    #[arg(long, value_name = "NAME", default_value = "")]
    pub sheet: String,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out the rows that cannot be taken; otherwise such a file is not taken at all
    #[arg(long)]
    pub leave_out: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What the rows are
    #[arg(value_parser = sheet_kinds())]
    pub kind: Kind,
    /// Where to write; it must not exist yet
    pub file: PathBuf,
    #[command(flatten)]
    pub at: At,
    /// xlsx, csv (UTF-8 for Excel) or csv-sjis (Shift_JIS)
    #[arg(long, default_value = "xlsx", value_parser = ["xlsx", "csv", "csv-sjis"])]
    pub format: String,
    /// Write 〓 for characters that Shift_JIS does not have
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(flatten)]
    pub at: At,
    /// What the key is for
    #[arg(long)]
    pub label: String,
    /// What it may do; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scopes())]
    pub scopes: Vec<Scope>,
}

#[derive(Debug, Args)]
pub struct PinArgs {
    #[command(flatten)]
    pub at: At,
    /// Id of the member (mem_…)
    #[arg(long, value_name = "ID")]
    pub member: String,
    /// Read the PIN (four digits) from standard input and do not make one
    #[arg(long)]
    pub pin_stdin: bool,
}

#[derive(Debug, Args)]
pub struct HolidaysArgs {
    #[command(flatten)]
    pub at: At,
    /// The Cabinet Office's CSV (syukujitsu.csv)
    #[arg(value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Only say what would change
    #[arg(long, requires = "list")]
    pub dry_run: bool,
    /// A holiday of the association's own; may be given several times
    #[arg(long = "add", value_name = "DAY=NAME", conflicts_with = "list")]
    pub adds: Vec<String>,
    /// A day that is no holiday here; may be given several times
    #[arg(long = "remove", value_name = "DAY", conflicts_with = "list")]
    pub removes: Vec<String>,
    /// A day that is again as list and law say; may be given several times
    #[arg(long = "forget", value_name = "DAY", conflicts_with = "list")]
    pub forgets: Vec<String>,
}

#[derive(Debug, Args)]
pub struct CalendarArgs {
    #[command(flatten)]
    pub at: At,
    /// File of rules (TOML); an empty one takes them all back
    #[arg(value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct HoldArgs {
    #[command(flatten)]
    pub at: At,
    /// Number of the case, such as R8-0412; without it everything of the association
    #[arg(long, value_name = "NUMBER", requires = "reason")]
    pub case: Option<String>,
    /// Why it must be kept; stored encrypted
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Id of the hold to lift (hld_…)
    #[arg(long, value_name = "ID", conflicts_with = "reason")]
    pub lift: Option<String>,
}

#[derive(Debug, Args)]
pub struct RetentionArgs {
    #[command(flatten)]
    pub at: At,
    /// Years from the end of a case until the asker's texts go
    #[arg(long, value_name = "YEARS")]
    pub clinical: Option<u32>,
    /// Years from the end of a case until what takers told goes
    #[arg(long, value_name = "YEARS")]
    pub reports: Option<u32>,
    /// Years after which ledger and audit count as old
    #[arg(long, value_name = "YEARS")]
    pub ledger: Option<u32>,
    /// Destroy now what is past its time
    #[arg(long, conflicts_with_all = ["clinical", "reports", "ledger"])]
    pub run: bool,
}

#[derive(Debug, Args)]
pub struct StaffArgs {
    #[command(flatten)]
    pub at: At,
    /// Id (mem_…) or mail address of the member
    #[arg(long = "member", value_name = "ID-OR-ADDRESS")]
    pub whom: String,
}

/// One of `codes`, as `read` understands it; the help lists them.
fn one_of<T: Clone + Send + Sync + 'static>(
    codes: impl IntoIterator<Item = &'static str>,
    read: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(codes).try_map(move |code| read(&code).ok_or("?"))
}

fn sheet_kinds() -> impl TypedValueParser<Value = Kind> {
    one_of(Kind::ALL.map(Kind::code), Kind::from_code)
}

fn roles() -> impl TypedValueParser<Value = Role> {
    one_of(Role::ALL.map(Role::code), Role::from_code)
}

fn scopes() -> impl TypedValueParser<Value = Scope> {
    one_of(Scope::ALL.map(Scope::code), Scope::from_code)
}

fn langs() -> impl TypedValueParser<Value = Lang> {
    one_of([Lang::Ja.tag(), Lang::En.tag()], Lang::from_tag)
}

/// The language of the person at the shell.
#[must_use]
pub fn language(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let (lc_all, lc_messages, lang) = (variable("LC_ALL"), variable("LC_MESSAGES"), variable("LANG"));
    shell_language(lc_all.as_deref(), lc_messages.as_deref(), lang.as_deref())
}

/// The commands with their help in `lang`.
#[must_use]
pub fn command(lang: Lang) -> clap::Command {
    let plain = Cli::command();
    match lang {
        Lang::En => plain.after_help(
            "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a check found problems.\n\
             Messages are in Japanese where LANG asks for it (LANG=ja_JP.UTF-8).",
        ),
        Lang::Ja => in_japanese(plain, "").after_help(
            "終了コード：0 できた、1 できなかった、2 使い方か設定の誤り、3 点検で問題が見つかった\n\
             LANG が日本語でないときは英語で表示します。",
        ),
    }
}

/// Reads what was typed.
///
/// # Errors
/// The help that was asked for, or what was typed wrongly.
pub fn parse(typed: impl IntoIterator<Item = std::ffi::OsString>, lang: Lang) -> Result<Cli, clap::Error> {
    let mut command = command(lang);
    let matches = command.try_get_matches_from_mut(typed)?;
    Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

const JA_TEMPLATE: &str = "{about}\n\n使い方： {usage}\n\n{all-args}{after-help}";

fn in_japanese(command: clap::Command, path: &str) -> clap::Command {
    let commands: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let args: Vec<String> = command.get_arguments().map(|a| a.get_id().to_string()).collect();
    let mut command = command
        .about(japanese(path).unwrap_or_default())
        .help_template(JA_TEMPLATE)
        .subcommand_help_heading("コマンド")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            clap::Arg::new("help")
                .short('h')
                .long("help")
                .action(clap::ArgAction::Help)
                .help_heading("指定")
                .help("使い方を表示します"),
        );
    if path.is_empty() {
        command = command.arg(
            clap::Arg::new("version")
                .short('V')
                .long("version")
                .action(clap::ArgAction::Version)
                .help_heading("指定")
                .help("版を表示します"),
        );
    }
    for arg in args {
        let help = japanese(&format!("{path} --{arg}")).or_else(|| japanese(&format!("--{arg}")));
        command = command.mut_arg(arg, |a| a.help(help.unwrap_or_default()).help_heading("指定"));
    }
    for name in commands {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |c| in_japanese(c, &below));
    }
    command
}

/// The Japanese help of a command (`admin set-pin`) or an option (`demo --listen`, `--json` anywhere).
fn japanese(place: &str) -> Option<&'static str> {
    Some(match place {
        "" => "地区医師会の在宅当番・専門相談・補助金台帳",
        "serve" => "サービスを動かします（SIGTERM か Ctrl-C で止まります）",
        "demo" => "試してみる：架空の医師会をこのコンピューターに用意します（終わると消えます）",
        "migrate" => "データベースを新しい形にします（serve も起動のときに行います）",
        "doctor" => "設定・データベース・鍵・時計・メールを調べ、直すところを言います",
        "verify" => "記録の鎖を計算し直し、すべての依頼と台帳の行を点検します",
        "admin" => "はじめの登録と鍵をつくります（serve が動いていても使えます）",
        "import" => "会員や医療機関の表（Excel・CSV）を取り込みます（全部か、まったくなしか）",
        "export" => "会員や医療機関の表をファイルに書き出します",
        "import --file" => "Excel（.xlsx）か CSV（UTF-8・Shift_JIS）のファイル",
        "export --file" => "書き出す先。まだないファイル名にしてください",
        "import --kind" | "export --kind" => {
            "どの表か（members 会員、institutions 医療機関、windows ケアマネタイム）"
        }
        "--sheet" => "読むシートの名前。なければ最初の表",
        "import --dry_run" => "何が変わるかを表示するだけで、何も変えません",
        "--leave_out" => "取り込めない行を除いて取り込みます（なければ、そのようなファイルは取り込みません）",
        "--format" => "xlsx、csv（Excel 用 UTF-8）、csv-sjis（Shift_JIS）のどれか",
        "--replace" => "Shift_JIS にない文字を 〓 に置きかえます",
        "ledger" => "補助台帳の月：確かめる、作成する、締める、訂正する、書き出す",
        "ledger run" => "その月の内容（まだなら、いま締めたときの内容）を表示します。何も書きません",
        "ledger close" => {
            "月を作成します（--approve で、理事が承認して締めます。作成した人は承認できません）"
        }
        "ledger reverse" => "締めた明細の取消を出します（次に締める月にのります）",
        "ledger statement" => "医療機関の月次明細を表示します",
        "ledger export" => "締めた月の表をファイルに書き出します",
        "ledger verify" => "締めた明細の鎖を点検します",
        "ledger tariffs" => "補助基準を登録します（ファイルがなければ、いまのものを表示します）",
        "--month" => "どの月か（2026-05 など）",
        "--approve" => "作成された月を承認して締めます",
        "ledger reverse --line" => "締めた明細の番号（lin_…）",
        "--instead" => "代わりの金額（円）",
        "--note" => "理由",
        "ledger export --table" => "どの表か（details 明細、institutions 総括、tallies 集計、claims 請求）",
        "ledger export --file" => "書き出す先。まだないファイル名にしてください",
        "ledger export --format" => "xlsx、csv（Excel 用 UTF-8）、csv-sjis（Shift_JIS）、json のどれか",
        "--tariffs" => "補助基準のファイル（TOML）。まだ締めていないすべての月に使います",
        "who" => "当番の人を表示します（いま、またはある時点。その時点で分かっていたことでも）",
        "rota" => "当番表を読み込み、書き出し、調べ、埋め、公開します",
        "rota import" => {
            "当番表（JSON）、当番枠の型（TOML）、医師会でお使いの当番表・希望調査票（Excel・CSV）を読み込みます"
        }
        "rota export" => {
            "当番表をその経緯とともに JSON に、または期間の一覧・市へ出す一覧・カレンダーに書き出します"
        }
        "rota export --format" => {
            "json、xlsx、csv（Excel 用 UTF-8）、csv-sjis（Shift_JIS）、ics（カレンダー）"
        }
        "rota import --recorded_at" => {
            "当番枠の型、または公開済みの当番表（Excel・CSV）をいつから分かっていたものとするか"
        }
        "rota import --dry_run" => "何が変わるかを表示するだけで、何も変えません（Excel・CSV）",
        "--city" => "市へ出す一覧（医療機関と電話）にします",
        "--into" => "Excel・CSV の取り込み先（draft:番号 か round:番号）",
        "--new_draft" => "この名前の案を新しくつくって、Excel・CSV を取り込みます",
        "rota check" => "空き、重なり、規則に合わないところを調べます",
        "rota publish" => "当番表の案を公開します",
        "rota fill" => "案の空いている枠を埋めます（案がなければ新しくつくります）",
        "--moment" => "いつの当番か（2026-12-10T23:00:00+09:00）。なければいま",
        "--as_of" => "その時点で分かっていた当番。なければいま分かっている当番",
        "--duty_area" => "地区のキー。なければすべて（新しい案では最初の地区）",
        "--duty_role" => "primary（正）、deputy（副）、backing（控え）。なければすべて",
        "--rota_file" => "ファイル（書き出すときは、まだない名前）",
        "--recorded_at" => "当番枠の型をいつから分かっていたものとするか。なければいま",
        "--since" => "この日からの当番を決めるものだけ",
        "--draft" => "案の番号（drf_…）",
        "--first" => "はじめの日（2026-12-01）",
        "--last" => "おわりの日（2026-12-31）",
        "--accept_breaches" => "規則に合わなくても公開します（重なりは公開できません）",
        "simulate" => "でたらめな出来事を起こして、必ず守るべきことが守られるかを調べます",
        "admin create-association" => "医師会を登録します",
        "admin create-institution" => "医療機関を登録します",
        "admin create-member" => "会員を登録します（暗証番号は一度だけ表示します）",
        "admin create-key" => "API の鍵をつくります（鍵は一度だけ表示します）",
        "admin set-pin" => "会員の暗証番号を新しくします（端末とログインは切れます）",
        "admin holidays" => {
            "内閣府の祝日一覧を取りこむか、独自の休日を変えます（どちらもなければ表示します）"
        }
        "admin calendar" => "夜間・休日・年末年始の数えかたを決めます（ファイルがなければ表示します）",
        "admin hold" => "依頼、または全体の消去を止めます（理由がなければ表示します）",
        "admin retention" => "保存期間を表示・変更するか、期間の過ぎた本文をいま消去します",
        "--list" => "内閣府の CSV（syukujitsu.csv）",
        "--dry_run" => "何が変わるかだけを表示します",
        "--adds" => "独自の休日（2026-08-14=お盆 の形）。くり返し指定できます",
        "--removes" => "休日としない日。くり返し指定できます",
        "--forgets" => "一覧と法律のとおりに戻す日。くり返し指定できます",
        "--rules" => "数えかたのファイル（TOML）。空のファイルで元に戻します",
        "--case" => "受付番号（R8-0412 など）。なければ医師会の全体",
        "--reason" => "止める理由（暗号化して保存します）",
        "--lift" => "解除する保留の番号（hld_…）",
        "--clinical" => "依頼が終わってから、依頼側の本文を消すまでの年数",
        "--reports" => "依頼が終わってから、回答の本文を消すまでの年数",
        "--ledger" => "台帳と操作の記録を古いものとして数えるまでの年数",
        "--run" => "期間の過ぎた本文をいま消去します",
        "admin staff-link" => {
            "職員が入る手だてを登録するリンクを表示します（最初の一人と、ほかに助ける人がいないとき）"
        }
        "--whom" => "会員の番号（mem_…）かメールアドレス",
        "admin setup-link" => "初期設定の新しいリンクを表示します（医師会を登録する前だけ）",
        "--config" => "設定ファイル。なければこのフォルダーの touban.toml（あれば）",
        "--json" => "結果を JSON で表示します",
        "demo --listen" => "待ち受けるアドレス。使われていれば次の空いている番号",
        "demo --now" => "水曜日の夕方からではなく、いまの時刻から始めます",
        "demo --sounds" => {
            "電話の音声のフォルダー（scripts/prompts で作ったもの）。無ければ、ブラウザーの声で読みます"
        }
        "simulate --seeds" => "いくつ試すか",
        "simulate --planted" => "わざと入れた誤りを一つずつ見つけます",
        "simulate --first" => "はじめの番号",
        "--association" => "医師会のコード（aoba など）",
        "admin create-association --code" => "コマンドやログインで使う短い名前（a-z、0-9、ハイフン）",
        "--name" => "名前",
        "--zone" => "時間帯（Asia/Tokyo など）",
        "--office_phone" => "事務局の電話番号（困った人に案内します）",
        "admin create-association --lang" => "メールの言葉",
        "--kind" => "種類",
        "--area" => "おおまかな地域（青葉北 など）",
        "--city_code" => "全国地方公共団体コード",
        "--phone" => "電話番号（暗号化して保存します）",
        "--kana" => "よみがな（並べかえ用）",
        "--email" => "メールアドレス",
        "--institution" => "勤め先の医療機関（名前か番号）",
        "--roles" => "役割（くり返し指定できます）",
        "--specialties" => {
            "協力できる診療科。dermatology:visit:青葉北,青葉中央 の形（visit がなければ助言のみ、\
             地域がなければどこでも）。くり返し指定できます"
        }
        "admin create-member --lang" => "メールの言葉。なければ医師会と同じ",
        "--pin_stdin" => "暗証番号（4 けた）を標準入力から読みます（なければつくります）",
        "--label" => "何のための鍵か",
        "--scopes" => "できること（くり返し指定できます）",
        "--member" => "会員の番号（mem_…）",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(command: &clap::Command, path: &str, look: &mut impl FnMut(&str, &clap::Command)) {
        look(path, command);
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            every(below, path.trim_start(), look);
        }
    }

    #[test]
    fn the_commands_hang_together_in_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            command(lang).debug_assert();
        }
    }

    #[test]
    fn every_command_and_option_is_explained_in_japanese() {
        every(&command(Lang::Ja), "", &mut |path, c| {
            assert!(c.get_about().is_some_and(|a| !a.to_string().is_empty()), "{path}");
            for arg in c.get_arguments() {
                assert!(arg.get_help().is_some_and(|h| !h.to_string().is_empty()), "{path} {}", arg.get_id());
                let said = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!said.is_ascii(), "{path} {}: {said}", arg.get_id());
            }
        });
    }

    #[test]
    fn the_help_documents_the_exit_codes() {
        for (lang, words) in [(Lang::En, "3 a check found problems"), (Lang::Ja, "3 点検で問題が見つかった")]
        {
            assert!(command(lang).render_help().to_string().contains(words));
        }
    }

    #[test]
    fn what_is_typed_is_read_in_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            let typed =
                "touban admin create-key --association aoba --label x --scope read --scope request --json";
            let cli = parse(typed.split(' ').map(Into::into), lang).unwrap();
            let Command::Admin(AdminCommand::CreateKey(key)) = cli.command else { panic!() };
            assert_eq!(key.scopes, [Scope::Read, Scope::Request]);
            assert!(key.at.report.json);
            let wrong = parse(["touban".into(), "admin".into(), "create-keys".into()], lang).unwrap_err();
            assert_eq!(wrong.exit_code(), 2);
        }
    }
}
