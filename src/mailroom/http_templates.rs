//! Routes of the texts of mails: read, tried on a dossier, edited.

use actix_web::{get, post, put, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::codes::MAIL_TEMPLATE_REFUSED;
use super::http_emails::RunMailRoom;
use crate::access::{Can, Read, refusal};
use crate::conventions;
use crate::kernel::ids::ConventionId;
use crate::kernel::refused::NOT_FOUND;
use crate::kernel::text::Note;
use crate::kernel::version::PRECONDITION_FAILED;
use crate::kernel::{FieldFault, Instant, Refused};
use crate::path_keys;
use crate::platform::mail::{self, Dossier, Kind, Postman, TemplateVersion};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallContext, Key, Problem, Reply, State};
use crate::platform::{Outcome, Tx};
use crate::{string_newtype, text_enum};

string_newtype!(
    /// Genre d'un courriel : deux mots anglais joints par un point.
    MailKind, example: "invitations.invitation", pattern: r"^[a-z_]+\.[a-z_]+$", max: 60
);

impl MailKind {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if raw.len() <= 60 && raw.split_once('.').is_some_and(|(room, reason)| word(room) && word(reason)) {
            Ok(raw.to_owned())
        } else {
            Err(FieldFault::new(
                "mail_kind_format",
                "Genre attendu : deux mots joints par un point, « invitations.invitation ».",
            ))
        }
    }
}

path_keys!(MailKind => "kind");

text_enum!(
    /// D'où vient le texte en vigueur : `program` du programme, `folder` du dossier `mail.template_dir`, `edited` modifié ici.
    TemplateOrigin { Program => "program", Folder => "folder", Edited => "edited" }
);

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(preview).service(one).service(edit);
}

/// Un genre de courriel, et d'où vient son texte.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailTemplateView {
    #[schema(example = "invitations.invitation")]
    kind: String,
    /// Ce que c'est.
    #[schema(example = "Invitation")]
    name: String,
    origin: TemplateOrigin,
    /// 0 tant que personne ne l'a modifié ici.
    version: i64,
    author: Option<String>,
    updated_at: Option<Instant>,
}

/// Une version d'un texte.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailTemplateVersionView {
    version: i64,
    source: String,
    reason: String,
    author: String,
    created_at: Instant,
}

/// Le texte d'un courriel : ce qui est en vigueur, ce que le programme donne, les noms admis, l'histoire.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailTemplateDetailView {
    #[serde(flatten)]
    template: MailTemplateView,
    /// Le texte en vigueur.
    source: String,
    /// Celui du programme ou du dossier, qui vaut tant que personne n'en a écrit d'autre.
    given: String,
    /// Valeurs d'exemple : les noms que le texte peut imprimer.
    #[schema(value_type = Object)]
    sample: Value,
    /// La dernière d'abord.
    history: Vec<MailTemplateVersionView>,
}

fn known(postman: &Postman, kind: &MailKind) -> Result<&'static Kind, Refused> {
    postman.kind(kind.as_str()).ok_or_else(|| Refused::not_found("Genre de courriel", kind))
}

fn view(postman: &Postman, kind: &'static Kind, last: Option<&TemplateVersion>) -> MailTemplateView {
    let own = postman.templates.of(kind) != kind.source.0;
    MailTemplateView {
        kind: kind.name.to_owned(),
        name: kind.french.to_owned(),
        origin: match (last, own) {
            (Some(_), _) => TemplateOrigin::Edited,
            (None, true) => TemplateOrigin::Folder,
            (None, false) => TemplateOrigin::Program,
        },
        version: last.map_or(0, |last| last.version),
        author: last.map(|last| last.author.clone()),
        updated_at: last.map(|last| last.created_at),
    }
}

fn detail(tx: &mut Tx<'_>, postman: &Postman, kind: &'static Kind) -> Outcome<Reply> {
    let history = mail::versions(tx, kind.name)?;
    let given = postman.templates.of(kind).to_owned();
    let view = MailTemplateDetailView {
        template: view(postman, kind, history.first()),
        source: history.first().map_or_else(|| given.clone(), |last| last.source.clone()),
        given,
        sample: (kind.sample)(),
        history: history
            .into_iter()
            .map(|v| MailTemplateVersionView {
                version: v.version,
                source: v.source,
                reason: v.reason,
                author: v.author,
                created_at: v.created_at,
            })
            .collect(),
    };
    let version = view.template.version;
    Reply::versioned(&view, version)
}

/// Lister les genres de courriels
#[utoipa::path(
    operation_id = "list_mail_templates", tag = "Courriels",
    responses((status = 200, body = Vec<MailTemplateView>, description = "Tous les genres")),
    extensions(("x-answers" = json!(Answers::usual()))),
    security(("bearer" = []))
)]
#[get("/mail-templates")]
async fn list(state: State, _can: Can<Read>, postman: web::Data<Postman>) -> Answer {
    let reply = state
        .read(move |tx| {
            let latest = mail::latest(tx)?;
            let all: Vec<_> =
                postman.kinds().into_iter().map(|kind| view(&postman, kind, latest.get(kind.name))).collect();
            Reply::ok(&all)
        })
        .await?;
    Ok(reply.into_response())
}

/// Lire le texte d'un courriel
///
/// La première ligne est l'objet (« Objet : … »). Ensuite : un paragraphe par bloc, « ## » un titre, « - » un point de liste,
/// « >> Libellé | adresse » un lien. Ce qui est entre doubles accolades est imprimé ; les noms admis sont ceux de `sample`.
#[utoipa::path(
    operation_id = "get_mail_template", tag = "Courriels", params(("kind" = String, Path, example = "invitations.invitation")),
    responses((status = 200, body = MailTemplateDetailView, description = "Le texte et son histoire")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
    security(("bearer" = []))
)]
#[get("/mail-templates/{kind}")]
async fn one(state: State, _can: Can<Read>, postman: web::Data<Postman>, Key(kind): Key<MailKind>) -> Answer {
    let known = known(&postman, &kind)?;
    let reply = state.read(move |tx| detail(tx, &postman, known)).await?;
    Ok(reply.into_response())
}

/// A text that its kind takes, judged on a thread that may take its time.
async fn judged(state: &State, kind: &'static Kind, source: String) -> Result<String, Problem> {
    state
        .read(move |_| {
            mail::check(kind, &source).map_err(|found| actions::refused(&found))?;
            Ok(source)
        })
        .await
}

/// Un nouveau texte.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MailTemplateRequest {
    /// Au plus 40 000 octets.
    source: String,
    reason: Note,
}

/// Modifier le texte d'un courriel
///
/// Une version de plus ; les courriels qui attendent partent avec elle. Revenir au texte du programme : le réécrire.
#[utoipa::path(
    operation_id = "edit_mail_template", tag = "Courriels",
    params(
        ("kind" = String, Path, example = "invitations.invitation"),
        ("If-Match" = String, Header, description = "`ETag` de la version lue", example = "\"0\""),
    ),
    request_body = MailTemplateRequest,
    responses((status = 200, body = MailTemplateDetailView, description = "Le texte et son histoire")),
    extensions(("x-answers" = json!(
        Answers::refuse(&[&NOT_FOUND, &MAIL_TEMPLATE_REFUSED]).versioned()
    ))),
    security(("bearer" = []))
)]
#[put("/mail-templates/{kind}")]
async fn edit(
    state: State,
    can: Can<RunMailRoom>,
    postman: web::Data<Postman>,
    Key(kind): Key<MailKind>,
    mut call: CallContext,
    body: Body<MailTemplateRequest>,
) -> Answer {
    let (known, version) = (known(&postman, &kind)?, call.expected_version()?);
    let actor = can.actor;
    let MailTemplateRequest { source, reason } = body.value;
    let source = judged(&state, known, source).await?;
    let reply = state
        .write(move |tx| {
            actions::edit(tx, &actor, known, &version, (&source, &reason))?;
            detail(tx, &postman, known)
        })
        .await?;
    Ok(reply.into_response())
}

/// Ce qu'il faut essayer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MailPreviewRequest {
    /// Le texte à essayer ; absent : celui en vigueur.
    #[serde(default)]
    source: Option<String>,
    /// Le dossier de cette convention ; absent : des valeurs d'exemple.
    #[serde(default)]
    convention_id: Option<ConventionId>,
}

/// Le courriel, tel qu'il partirait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailPreviewView {
    subject: String,
    text: String,
    html: String,
}

/// Essayer un texte, sans rien envoyer ni garder
///
/// Sur le dossier d'une convention, ou sur des valeurs d'exemple. Aucun lien n'est fait.
#[utoipa::path(
    operation_id = "preview_mail_template", tag = "Courriels", params(("kind" = String, Path, example = "invitations.invitation")),
    request_body = MailPreviewRequest,
    responses((status = 200, body = MailPreviewView, description = "Le courriel")),
    extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND, &MAIL_TEMPLATE_REFUSED, &crate::invitations::NOTHING_TO_OPEN, &PRECONDITION_FAILED])))),
    security(("bearer" = []))
)]
#[post("/mail-templates/{kind}/previews")]
async fn preview(
    state: State,
    can: Can<Read>,
    postman: web::Data<Postman>,
    Key(kind): Key<MailKind>,
    call: CallContext,
    body: Body<MailPreviewRequest>,
) -> Answer {
    call.versionless()?;
    let known = known(&postman, &kind)?;
    let MailPreviewRequest { source, convention_id } = body.value;
    let source = match source {
        None => None,
        Some(source) => {
            // Trying a text of one's own costs what its author likes: it is for who may edit it.
            refusal::<RunMailRoom>(can.role).map_or(Ok(()), Err)?;
            Some(judged(&state, known, source).await?)
        }
    };
    let reply = state
        .read(move |tx| {
            let (context, departement) = match (known.preview, convention_id) {
                (Some(preview), Some(id)) => {
                    let c = conventions::find(tx, id)?;
                    let of = Dossier { payer: c.collectivite_id, campaign: c.campaign_id };
                    (preview(tx, &postman.rules, of)?, c.party.departement)
                }
                _ => ((known.sample)(), None),
            };
            let source = match source {
                Some(source) => source,
                None => mail::versions(tx, known.name)?
                    .into_iter()
                    .next()
                    .map_or_else(|| postman.templates.of(known).to_owned(), |last| last.source),
            };
            let head = postman.rules.letterheads.for_departement(departement.as_ref());
            let words = mail::preview(&source, &context, head).map_err(|found| actions::refused(&found))?;
            Reply::ok(&MailPreviewView { subject: words.subject, text: words.text, html: words.html })
        })
        .await?;
    Ok(reply.into_response())
}
