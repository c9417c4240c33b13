//! Commands about accounts: `user add`, `user invite`, `user reset`.

use std::io::{BufRead as _, Write as _};

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::command::{Failure, build, refused_value, say};
use crate::access::password_actions::{self, IssuedCode};
use crate::access::passwords::{self, Owner};
use crate::access::{self, Delegation, NewPassword, NewUser, User};
use crate::config::Config;
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Line;
use crate::kernel::{Actor, Role};

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Créer un compte ; le mot de passe est lu sur l'entrée standard (premier administrateur, essais)
    Add(AddArgs),
    /// Créer un compte et afficher le code par lequel la personne choisit son mot de passe
    Invite(PersonArgs),
    /// Remettre un mot de passe à zéro, clore les sessions et afficher un nouveau code
    Reset {
        #[arg(long, value_name = "COURRIEL")]
        email: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    person: PersonArgs,
    /// Lire le mot de passe sur l'entrée standard (12 caractères au moins)
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct PersonArgs {
    #[arg(long, value_name = "COURRIEL")]
    email: String,
    /// lecteur, gestionnaire, ordonnateur, comptable ou admin
    #[arg(long, value_name = "RÔLE")]
    role: String,
    #[arg(long, value_name = "PRÉNOM")]
    first_name: String,
    #[arg(long, value_name = "NOM")]
    last_name: String,
    /// Qualité imprimée sous la signature
    #[arg(long, value_name = "QUALITÉ")]
    capacity: Option<String>,
    /// Référence de la délégation de signature
    #[arg(long, value_name = "RÉFÉRENCE", requires = "delegation_published_on")]
    delegation: Option<String>,
    /// Jour de publication de la délégation (AAAA-MM-JJ)
    #[arg(long, value_name = "DATE", requires = "delegation")]
    delegation_published_on: Option<NaiveDate>,
    /// Dernier jour de la délégation (AAAA-MM-JJ)
    #[arg(long, value_name = "DATE", requires = "delegation")]
    delegation_ends_on: Option<NaiveDate>,
}

impl PersonArgs {
    /// The account they ask for, without a password.
    fn read(self) -> Result<NewUser, Failure> {
        let line = |option: &str, raw: &str| Line::parse(raw).map_err(|fault| refused_value(option, &fault));
        let delegation = match (&self.delegation, self.delegation_published_on) {
            (Some(reference), Some(published_on)) => Some(Delegation {
                reference: line("--delegation", reference)?,
                published_on,
                ends_on: self.delegation_ends_on,
            }),
            _ => None,
        };
        Ok(NewUser {
            email: email(&self.email)?,
            role: Role::parse(&self.role).map_err(|fault| refused_value("--role", &fault))?,
            first_name: line("--first-name", &self.first_name)?,
            last_name: line("--last-name", &self.last_name)?,
            capacity: self.capacity.as_deref().map(|raw| line("--capacity", raw)).transpose()?,
            delegation,
            password_hash: None,
        })
    }
}

fn email(raw: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(raw).map_err(|fault| refused_value("--email", &fault))
}

fn actor() -> Actor {
    Actor::program("ligne de commande")
}

pub(super) fn run(config: Config, command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add(args) => add(config, args),
        UserCommand::Invite(args) => invite(config, args),
        UserCommand::Reset { email } => reset(config, &email),
    }
}

fn add(config: Config, args: AddArgs) -> Result<(), Failure> {
    let new = args.person.read()?;
    let password = read_password()?;
    let owner = Owner { email: &new.email, first_name: &new.first_name, last_name: &new.last_name };
    password.suits(owner).map_err(|fault| refused_value("--password-stdin", &fault))?;

    let app = build(config)?;
    app.prepare_database(false)?;
    let password_hash = Some(passwords::hash(&password, app.db.ids().secret())?);
    let new = NewUser { password_hash, ..new };
    let user = app.db.write(|tx| access::actions::create_user(tx, &actor(), new))?;
    say(&format!("Compte créé : {} ({}, {}).", user.email, user.full_name(), user.role));
    Ok(())
}

fn invite(config: Config, args: PersonArgs) -> Result<(), Failure> {
    let (new, life) = (args.read()?, config.access.code_life());
    let app = build(config)?;
    app.prepare_database(false)?;
    let (user, issued) = app.db.write(|tx| password_actions::invite(tx, &actor(), new, life))?;
    say(&format!("Compte créé, en attente d'un mot de passe : {} ({}, {}).", user.email, user.full_name(), user.role));
    hand_over(&user, &issued)
}

fn reset(config: Config, raw: &str) -> Result<(), Failure> {
    let (email, life) = (email(raw)?, config.access.code_life());
    let app = build(config)?;
    app.prepare_database(false)?;
    let (user, issued) = app.db.write(|tx| {
        let user = access::actions::find_by_email(tx, &email)?;
        password_actions::reset(tx, &actor(), user.id, life)
    })?;
    say(&format!("Mot de passe remis à zéro, sessions closes : {} ({}).", user.email, user.full_name()));
    hand_over(&user, &issued)
}

/// The code alone on standard output, so that a program may take it; what to do with it beside.
fn hand_over(user: &User, issued: &IssuedCode) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{}", issued.code)?;
    say(&format!(
        "Ce code est montré une seule fois et sert une fois, jusqu'au {} UTC. À remettre à {} et à personne d'autre :\n  \
         POST /api/v1/auth/password {{\"code\": \"…\", \"new_password\": \"…\"}}",
        issued.expires_at.utc().format("%d/%m/%Y %H:%M"),
        user.full_name(),
    ));
    Ok(())
}

fn read_password() -> Result<NewPassword, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    NewPassword::parse(line.trim_end_matches(['\r', '\n'])).map_err(|fault| refused_value("--password-stdin", &fault))
}
