//! Who sends the mails: the kinds of every room, their texts, the way out.

use super::StartFault;
use crate::capability::Capability;
use crate::config::Config;
use crate::mailroom;
use crate::platform::mail::{Kind, Postman, Templates};
use crate::platform::telemetry::Metrics;

/// The one who sends, as the configuration has it.
pub(super) fn postman(config: &Config, rooms: &[Capability], metrics: &Metrics) -> Result<Postman, StartFault> {
    let kinds: Vec<&'static Kind> = rooms.iter().flat_map(|room| room.mails).copied().collect();
    let texts = Templates::read(config.mail.template_dir.as_deref(), &kinds).map_err(|bad| StartFault::Papers {
        problem: format!("Le texte de courriel {} : {}", bad.path.display(), bad.problem),
        remedy: "Corriger le fichier, ou l'enlever pour le texte livré.".into(),
    })?;
    let rules = config.mail.rules(&config.server.public_url).ok_or_else(|| StartFault::Papers {
        problem: "L'expéditeur des courriels (mail.sender) ne se lit pas".into(),
        remedy: "Lancer check-config, qui dit ce qui manque.".into(),
    })?;
    let counted = metrics.clone();
    Ok(Postman::new(kinds, texts, rules, config.mail.way())
        .measured(move |outcome| counted.mail_tried(outcome))
        .followed(mailroom::after))
}
