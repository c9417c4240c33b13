//! Commands of mail: how it stands, and sending resumed after a restore.

use clap::{Args, Subcommand};

use super::command::{Failure, build, say};
use crate::config::Config;
use crate::invitations;
use crate::kernel::french;
use crate::platform::db::lives;
use crate::platform::mail;

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// Dire ce qui attend, et si l'envoi est retenu
    Status,
    /// Laisser partir les courriels d'une base restaurée, une fois vérifié ce qui était parti depuis la sauvegarde
    Resume(ResumeArgs),
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// Rouvrir aussi les liens d'avant la restauration, y compris ceux retirés depuis la sauvegarde
    #[arg(long)]
    keep_links: bool,
    /// Annuler d'abord ce qui attend de partir : parti depuis la sauvegarde, il partirait deux fois
    #[arg(long)]
    cancel_queued: bool,
}

pub(super) fn run(config: Config, command: &MailCommand) -> Result<(), Failure> {
    let app = build(config)?;
    app.prepare_database(false)?;
    match command {
        MailCommand::Status => {
            let (life, backlog) = app.db.read(|tx| Ok((lives::current(tx)?, mail::overview(tx)?)))?;
            let sending = if !app.postman.rules.sending {
                "coupé (mail.sending = off)"
            } else if life.released {
                "en cours"
            } else {
                "retenu : la base a été restaurée (ent-backoffice mail resume)"
            };
            say(&format!("Envoi : {sending}, par {}", app.postman.transport().name()));
            for (state, count) in backlog.waiting {
                say(&format!("  {state} : {count}"));
            }
            if let Some(age) = backlog.oldest_due_seconds {
                say(&format!("  le plus ancien attend depuis {age} secondes"));
            }
        }
        MailCommand::Resume(args) => {
            let (released, adopted, cancelled) = app.db.write(|tx| {
                let adopted = if args.keep_links { invitations::adopt(tx)? } else { 0 };
                let why = "Annulé à la reprise de l'envoi : il était peut-être parti depuis la sauvegarde.";
                let cancelled = if args.cancel_queued { mail::cancel_waiting(tx, why)? } else { 0 };
                Ok((lives::release(tx, "ligne de commande")?, adopted, cancelled))
            })?;
            if args.cancel_queued {
                say(&format!("{}.", french::count(cancelled, "courriel annulé")));
            }
            say(if released { "Les courriels partent de nouveau." } else { "Rien ne retenait l'envoi." });
            if args.keep_links {
                say(&format!("{} de nouveau.", french::count(adopted, "lien ouvert")));
            }
        }
    }
    Ok(())
}
