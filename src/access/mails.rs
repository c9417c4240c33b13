//! The mail that brings a person the code by which they choose their password. The code is made when the mail leaves, one
//! per try, and replaces the one before: nobody else reads it.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::password_actions;
use super::problems::{ACCOUNT_INACTIVE, PASSWORD_SET};
use super::{actions, store};
use crate::kernel::ids::{EmailId, UserId};
use crate::kernel::{Actor, Refused};
use crate::platform::mail::{self, Composed, Draft, Kind, NewMail, Post, Posted, Rules, Source};
use crate::platform::{Error, Outcome, Tx};

/// The code of a first password, or of the next one after a reset.
pub static PASSWORD_CODE: Kind = Kind {
    name: "access.password_code",
    french: "Code pour choisir son mot de passe",
    source: Source(include_str!("mail_password_code.txt")),
    sample,
    accounts: true,
    preview: None,
    compose,
    settled: Kind::unfollowed,
};

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    user: UserId,
    by: Option<UserId>,
    label: String,
    life_minutes: i64,
}

/// Queues the mail of a person who has no password yet.
///
/// # Errors
/// `not_found`, `account_inactive`, `password_set`.
pub(super) fn post(tx: &mut Tx<'_>, actor: &Actor, id: UserId, life: Duration) -> Outcome<EmailId> {
    let user = actions::find_user(tx, id)?;
    if !user.active {
        return Err(Refused::new(&ACCOUNT_INACTIVE, "Le compte est désactivé : le réactiver d'abord.").into());
    }
    if user.password_set_at.is_some() {
        let detail = "La personne a choisi son mot de passe. S'il est oublié, le remettre à zéro d'abord.";
        return Err(Refused::new(&PASSWORD_SET, detail).into());
    }
    let payload = Payload { user: id, by: actor.user(), label: actor.label.clone(), life_minutes: life.num_minutes() };
    let new = NewMail {
        kind: &PASSWORD_CODE,
        to: user.email,
        payload: serde_json::to_string(&payload)?,
        dossiers: Vec::new(),
        by: actor.label.clone(),
        dedup_key: None,
        resent_of: None,
    };
    match mail::post(tx, new)? {
        Post::Queued(id) => Ok(id),
        Post::Already => Err(Error::Incident("a mail without a key was found written".into())),
    }
}

fn compose(tx: &mut Tx<'_>, rules: &Rules, posted: &[Posted]) -> Outcome<Vec<Composed>> {
    posted.iter().map(|posted| one(tx, rules, posted)).collect()
}

fn one(tx: &mut Tx<'_>, rules: &Rules, posted: &Posted) -> Outcome<Composed> {
    let payload: Payload = posted.read()?;
    let gone = |why: &str| Ok(Composed::Gone(why.to_owned()));
    // Held: a reset or a choice under way is over before the code is made.
    let user = match store::hold(tx, payload.user)? {
        None => return gone("Le compte n'est plus là."),
        Some(user) if !user.active => return gone("Le compte est désactivé."),
        Some(user) if user.password_set_at.is_some() => return gone("La personne a choisi son mot de passe."),
        Some(user) if user.email != posted.to => return gone("L'adresse du compte a changé."),
        Some(user) => user,
    };
    let life = Duration::minutes(payload.life_minutes);
    let issued = password_actions::issue_for(tx, user.id, life, (payload.by, &payload.label))?;
    let code = issued.code.to_string();
    let draft = Draft::of(&json!({
        "nom": user.full_name(),
        "code": code,
        "valable": issued.expires_at.french(),
        "adresse": rules.public_url,
        "par": payload.label,
    }))?;
    Ok(Composed::Owed(Box::new(Draft { secrets: vec![code], ..draft })))
}

fn sample() -> Value {
    json!({
        "nom": "Anne Durand",
        "code": "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG",
        "valable": "28 juillet 2025 à 11\u{a0}h\u{a0}30",
        "adresse": "https://ent.region-academique.invalid",
        "par": "Camille Le Admin",
    })
}
