//! Listens to the shell and wires the rooms together.

mod admin;
mod args;
mod demo;
mod demo_covers;
pub mod demo_data;
mod demo_rota;
mod doctor;
mod keep;
mod ledger;
mod ledger_args;
mod open;
mod rota;
mod rota_args;
mod rota_files;
mod serve;
mod sheets;
mod stop;
mod verify;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use args::Command;
pub use rota::who_json;
use stop::{Stop, in_words};

use crate::app::App;
use crate::i18n::Lang;
use crate::ids::{AssociationId, MemberId};

/// Puts the invented association of `touban demo` into an empty database, through the use cases: which it is, and its
/// members by the keys of [`demo_data`].
///
/// # Errors
/// What the command would say.
pub async fn demo_association(app: &App) -> Result<(AssociationId, BTreeMap<String, MemberId>), String> {
    let said = |stop| match stop {
        Stop::Failed(text) | Stop::Usage(text) => text,
        Stop::Found => "the data of the demo do not fit".to_owned(),
    };
    let data = demo_data::DemoData::built_in().map_err(|e| e.to_string())?;
    demo::seed(app, &data).await.map(|seeded| (seeded.who.association, seeded.members)).map_err(said)
}

/// Runs one command line, `typed` with the program's name first, and says how it ended. The exit codes are
/// in the help: 0 done, 1 failed, 2 wrong usage or configuration, 3 a check found problems.
#[must_use]
pub fn run(typed: impl IntoIterator<Item = OsString>) -> ExitCode {
    let lang = args::language(|name| std::env::var(name).ok());
    let cli = match args::parse(typed, lang) {
        Ok(cli) => cli,
        Err(asked) => {
            // Help goes to stdout, a complaint to stderr; a closed pipe is nobody's fault.
            let _ = asked.print();
            return ExitCode::from(u8::try_from(asked.exit_code()).unwrap_or(2));
        }
    };
    match done(cli.command, lang) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            match &stop {
                Stop::Failed(text) | Stop::Usage(text) => {
                    for line in text.lines() {
                        eprintln!("touban: {line}");
                    }
                }
                Stop::Found => {}
            }
            ExitCode::from(stop.code())
        }
    }
}

/// What a stopping process still has under way on threads of its own is cut after this.
const LAST_WAIT: Duration = Duration::from_millis(500);

fn done(command: Command, lang: Lang) -> Result<(), Stop> {
    if let Command::Simulate(arg) = &command {
        // Plays on runtimes of its own, one per history.
        return if simulate(arg) == 0 { Ok(()) } else { Err(Stop::Found) };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        match command {
            Command::Serve(arg) => serve::run(&open::config(arg.config.as_deref(), lang)?, lang).await,
            Command::Demo(arg) => demo::run(&arg, lang).await,
            Command::Migrate(arg) => migrate(&arg, lang).await,
            Command::Doctor(arg) => doctor::run(&arg, lang).await,
            Command::Verify(arg) => verify::run(&arg, lang).await,
            Command::Admin(command) => admin::run(command, lang).await,
            Command::Import(arg) => sheets::import(arg, lang).await,
            Command::Export(arg) => sheets::export(arg, lang).await,
            Command::Ledger(command) => ledger::run(command, lang).await,
            Command::Who(arg) => rota::who(arg, lang).await,
            Command::Rota(command) => rota::run(command, lang).await,
            Command::Simulate(_) => Ok(()),
        }
    });
    runtime.shutdown_timeout(LAST_WAIT);
    ended
}

fn simulate(arg: &args::SimulateArgs) -> i32 {
    #[cfg(feature = "planted")]
    if arg.planted {
        return crate::sim::cli_planted();
    }
    crate::sim::cli(arg.seeds, arg.first)
}

async fn migrate(arg: &args::ReportArgs, lang: Lang) -> Result<(), Stop> {
    let config = open::config(arg.config.config.as_deref(), lang)?;
    let db = open::database(&config, open::Missing::Make, lang).await?;
    let applied = db.migrate(open::real_world().0.now()).await?;
    db.close().await;
    if arg.json {
        println!("{}", serde_json::json!({ "applied": applied }));
    } else if applied.is_empty() {
        println!("{}", in_words(lang, "データベースは最新です", "the database is up to date"));
    } else {
        let numbers: Vec<String> = applied.iter().map(ToString::to_string).collect();
        let numbers = numbers.join(", ");
        println!(
            "{}",
            in_words(
                lang,
                format!("データベースを新しくしました（{numbers}）"),
                format!("the database was brought up to date ({numbers})")
            )
        );
    }
    Ok(())
}
