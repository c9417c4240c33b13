//! `retention`: what is past its time, and its elimination on a signed list.

use std::io::Write as _;

use clap::Args;
use serde_json::json;

use super::command::{Failure, build, refused_value, say};
use crate::app::{App, personal};
use crate::config::Config;
use crate::kernel::french;
use crate::kernel::text::Note;
use crate::oversight::{self, Eliminated, Line, Order, Signed};
use crate::platform::Error;
use crate::platform::retention::{Entry, Register, Terms};

/// Keys shown of an entry to a person; a program has them all.
const SHOWN: usize = 5;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["dry_run", "eliminate"]))]
pub(super) struct RetentionArgs {
    /// Lister ce qui a dépassé sa durée ; rien n'est écrit
    #[arg(long)]
    dry_run: bool,
    /// Éliminer ce qui a dépassé sa durée
    #[arg(long, requires_all = ["signed_by", "reason"])]
    eliminate: bool,
    /// Qui signe la liste : « Prénom NOM, qualité »
    #[arg(long, value_name = "SIGNATAIRE", requires = "eliminate")]
    signed_by: Option<String>,
    /// Pourquoi, avec la référence du visa des Archives s'il y a lieu
    #[arg(long, value_name = "MOTIF", requires = "eliminate")]
    reason: Option<String>,
    /// Une entrée du registre seulement (docs/retention.md)
    #[arg(long, value_name = "ENTRÉE")]
    entry: Option<String>,
    /// Répondre en JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Config, args: &RetentionArgs) -> Result<(), Failure> {
    let (register, terms) = (personal(), config.retention.terms());
    let chosen = chosen(&register, args.entry.as_deref())?;
    let order = match (&args.signed_by, &args.reason) {
        (Some(signed_by), Some(reason)) => Some(Order {
            signed: Signed::parse(signed_by).map_err(|fault| refused_value("--signed-by", &fault))?,
            reason: Note::parse(reason).map_err(|fault| refused_value("--reason", &fault))?,
        }),
        _ => None,
    };
    let app = build(config)?;
    app.prepare_database(false)?;
    match order {
        Some(order) if args.eliminate => eliminate(&app, &register, &terms, &chosen, &order, args),
        _ => dry_run(&app, &register, &terms, &chosen, args.json),
    }
}

/// The entries asked for: those the program can look through.
fn chosen(register: &Register, key: Option<&str>) -> Result<Vec<&'static Entry>, Failure> {
    let own = || register.entries().filter(|entry| entry.end.rows().is_some());
    let Some(key) = key else { return Ok(own().collect()) };
    let found: Vec<_> = own().filter(|entry| entry.key == key).collect();
    if found.is_empty() {
        let known: Vec<&str> = own().map(|entry| entry.key).collect();
        let message = format!("--entry : « {key} » n'est pas une entrée ; entrées : {}.", known.join(", "));
        return Err(Failure { code: 2, message });
    }
    Ok(found)
}

fn dry_run(
    app: &App,
    register: &Register,
    terms: &Terms,
    chosen: &[&'static Entry],
    as_json: bool,
) -> Result<(), Failure> {
    let (day, lines) = app.db.read(|tx| Ok((tx.today(), oversight::dry_run(tx, register, terms)?)))?;
    let lines: Vec<Line> =
        lines.into_iter().filter(|line| chosen.iter().any(|entry| entry.key == line.entry)).collect();
    let mut out = std::io::stdout();
    if as_json {
        let whole = json!({ "day": day, "entries": lines });
        writeln!(out, "{}", serde_json::to_string_pretty(&whole).map_err(Error::from)?)?;
        return Ok(());
    }
    writeln!(out, "Données personnelles au {} : ce qui a dépassé sa durée de conservation\n", french::date_long(day))?;
    for line in &lines {
        write!(out, "{}", told(line))?;
    }
    let due: usize = lines.iter().filter(|line| !line.with_the_file).map(|line| line.due).sum();
    writeln!(out, "\nÀ éliminer : {}. Rien n'a été écrit.", french::count(due, "ligne"))?;
    Ok(())
}

fn told(line: &Line) -> String {
    let mut text = format!("{:<20} {}\n", line.entry, line.what);
    let mut add = |words: String| text.push_str(&format!("{:<20} {words}\n", ""));
    add(format!("conservé {}, à compter {}", line.term, line.from));
    if line.due == 0 && line.withheld == 0 {
        add("rien à éliminer".to_owned());
    }
    if let Some(oldest) = line.oldest {
        let rows = french::count(line.due, "ligne");
        let what =
            if line.with_the_file { "à proposer au visa des Archives, hors du programme" } else { "à éliminer" };
        add(format!("{rows} {what}, la plus ancienne du {}", french::date_long(oldest)));
    }
    if line.withheld > 0 {
        let until = line.withheld_until.map(|day| format!(", jusqu'au {} au plus", french::date_long(day)));
        let rows = french::count(line.withheld, "ligne");
        add(format!("{rows} : la comptabilité en a besoin{}", until.unwrap_or_default()));
    }
    if !line.keys.is_empty() {
        let shown: Vec<&str> = line.keys.iter().take(SHOWN).map(String::as_str).collect();
        let more = if line.keys.len() > SHOWN { " … (toutes par --json)" } else { "" };
        add(format!("clés : {}{more}", shown.join(", ")));
    }
    text
}

fn eliminate(
    app: &App,
    register: &Register,
    terms: &Terms,
    chosen: &[&'static Entry],
    order: &Order,
    args: &RetentionArgs,
) -> Result<(), Failure> {
    let mut refused = Vec::new();
    let mut told = Vec::new();
    for entry in chosen {
        let done = app.db.write(|tx| oversight::eliminate(tx, register, terms, entry, order)).map_err(not_the_owner)?;
        let words = match &done {
            Eliminated::Nothing => "rien à éliminer".to_owned(),
            Eliminated::Done { rows, withheld: 0 } => gone(*rows),
            Eliminated::Done { rows, withheld } => {
                format!("{}, {withheld} de plus gardées pour la comptabilité", gone(*rows))
            }
            Eliminated::WithTheFile { rows: 0 } => "rien à proposer".to_owned(),
            Eliminated::WithTheFile { rows } => {
                format!(
                    "{} à proposer au visa des Archives : le programme n'élimine pas un dossier",
                    french::count(*rows, "ligne")
                )
            }
            Eliminated::Withheld { rows, until } => {
                let until = until.map(|day| format!(" jusqu'au {} au plus", french::date_long(day)));
                let rows = french::count(*rows, "ligne");
                format!("refusé : la comptabilité a besoin de {rows}{}", until.unwrap_or_default())
            }
        };
        match &done {
            Eliminated::Withheld { .. } => refused.push(format!("{} : {words}", entry.key)),
            Eliminated::WithTheFile { rows } if *rows > 0 && args.entry.is_some() => {
                refused.push(format!("{} : {words}", entry.key));
            }
            _ => {}
        }
        if args.json {
            told.push(json!({ "entry": entry.key, "outcome": outcome(&done), "rows": rows(&done) }));
        } else {
            say(&format!("{:<20} {words}", entry.key));
        }
    }
    if args.json {
        let whole = serde_json::to_string_pretty(&json!({ "entries": told })).map_err(Error::from)?;
        writeln!(std::io::stdout(), "{whole}")?;
    }
    // Asked for by name, an entry that cannot go is a refusal; among all, it is told.
    if args.entry.is_some() && !refused.is_empty() {
        return Err(Failure { code: 1, message: refused.join("\n") });
    }
    Ok(())
}

fn gone(rows: usize) -> String {
    format!("{} {}", french::count(rows, "ligne"), french::agree(&rows, "éliminée"))
}

const fn outcome(done: &Eliminated) -> &'static str {
    match done {
        Eliminated::Nothing => "nothing_due",
        Eliminated::Withheld { .. } => "withheld",
        Eliminated::WithTheFile { .. } => "with_the_file",
        Eliminated::Done { .. } => "eliminated",
    }
}

const fn rows(done: &Eliminated) -> usize {
    match done {
        Eliminated::Nothing => 0,
        Eliminated::Withheld { rows, .. } | Eliminated::WithTheFile { rows } | Eliminated::Done { rows, .. } => *rows,
    }
}

/// On PostgreSQL the program's own role may not touch the journal.
fn not_the_owner(error: Error) -> Failure {
    if error.to_string().contains("permission denied") {
        let message = "Le rôle du programme ne peut éliminer ; rien n'a été écrit.\n  → Lancer cette commande avec le rôle \
                       propriétaire des tables (DATABASE_URL), comme « migrate ».";
        return Failure { code: 69, message: message.to_owned() };
    }
    error.into()
}
