//! Routes of the registry's imports: a file in, an account row by row out.

use actix_web::post;
use serde::{Deserialize, Deserializer};
use utoipa_actix_web::service_config::ServiceConfig;

use super::import::{communes, contacts as contacts_file, directory};
use super::import_view::ImportView;
use super::{
    ImportSchoolsOptions, import_collectivites, import_contacts, import_schools, read_collectivites, read_contacts,
    read_schools,
};
use crate::access::{Can, ManageRegistry};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{Departement, FieldFault};
use crate::platform::tabular;
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, CallContext, Params, Reply, State, Upload};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(collectivites).service(schools).service(contacts);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// `true` : même traitement, rien n'est écrit.
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportSchoolsQuery {
    /// `true` : même traitement, rien n'est écrit.
    dry_run: Option<bool>,
    /// Départements pour lesquels le fichier est complet, séparés par des virgules : leurs écoles absentes du fichier sont fermées.
    #[serde(default, deserialize_with = "departements")]
    #[param(value_type = Option<String>, example = "30,34")]
    complete_for: Vec<Departement>,
}

/// `30,34`: departments, each once.
fn departements<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Departement>, D::Error> {
    let raw = String::deserialize(d)?;
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    let parsed: Result<Vec<_>, FieldFault> = raw.split(',').map(Departement::parse).collect();
    let mut list = parsed.map_err(serde::de::Error::custom)?;
    list.sort();
    list.dedup();
    Ok(list)
}

/// Importer les communes
///
/// Colonnes `insee`, `siret`, `nom` ; facultatives : `siren`, `departement`, `codes_postaux`, `population`,
/// `anciens_codes_insee`, `nature`, `adresse_1`, `adresse_2`, `ville`. CSV ou XLSX. Un champ saisi à la main est conservé.
#[utoipa::path(
    operation_id = "import_collectivites", tag = "Registre", params(ImportQuery),
    request_body(content_type = "multipart/form-data", content = Object, description = "Champ `file`"),
    responses((status = 200, body = ImportView, description = "Compte rendu par ligne")),
    extensions(("x-answers" = json!(Answers::refuse(tabular::CODES).or_refuse(&[&CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[post("/collectivites/imports")]
async fn collectivites(
    state: State,
    can: Can<ManageRegistry>,
    Params(query): Params<ImportQuery>,
    call: CallContext,
    upload: Upload,
) -> Answer {
    let (actor, dry_run) = (can.actor, query.dry_run.unwrap_or(false));
    let (file, sha256) = upload.parsed(&state, &communes::LAYOUT, read_collectivites).await?;
    state
        .post(actor.principal, call.unless_dry(dry_run), sha256, move |tx| {
            Reply::ok(&import_collectivites(tx, &actor, file, dry_run)?)
        })
        .await
}

/// Importer l'annuaire des écoles
///
/// L'export de l'Annuaire de l'éducation, quel que soit son millésime. Le payeur est la commune dont le code INSEE,
/// actuel ou ancien, est celui de l'école, sauf si une personne en a désigné un autre.
#[utoipa::path(
    operation_id = "import_schools", tag = "Registre", params(ImportSchoolsQuery),
    request_body(content_type = "multipart/form-data", content = Object, description = "Champ `file`"),
    responses((status = 200, body = ImportView, description = "Compte rendu par ligne")),
    extensions(("x-answers" = json!(Answers::refuse(tabular::CODES).or_refuse(&[&CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[post("/schools/imports")]
async fn schools(
    state: State,
    can: Can<ManageRegistry>,
    Params(query): Params<ImportSchoolsQuery>,
    call: CallContext,
    upload: Upload,
) -> Answer {
    let actor = can.actor;
    let dry_run = query.dry_run.unwrap_or(false);
    let options = ImportSchoolsOptions { dry_run, complete_for: query.complete_for };
    let (file, sha256) = upload.parsed(&state, &directory::LAYOUT, read_schools).await?;
    state
        .post(actor.principal, call.unless_dry(dry_run), sha256, move |tx| {
            Reply::ok(&import_schools(tx, &actor, file, options)?)
        })
        .await
}

/// Importer les contacts
///
/// Une liste à soi : colonnes `siret` ou `insee`, puis `civilite`, `prenom`, `nom`, `qualite`, `courriel`, `telephone`. Ou
/// l'annuaire des administrations de l'État (DILA), reconnu à ses colonnes, en CSV ou en JSON, entier ou filtré : il donne
/// aux mairies et aux groupements adresse, courriel et téléphone, là où personne n'en a saisi. Annexes et mairies déléguées
/// sont ignorées ; de deux fiches qui diffèrent aucune n'est retenue, et une tâche `contacts.ambiguous` attend une personne.
/// Une cellule vide ne change rien.
#[utoipa::path(
    operation_id = "import_contacts", tag = "Registre", params(ImportQuery),
    request_body(content_type = "multipart/form-data", content = Object, description = "Champ `file`"),
    responses((status = 200, body = ImportView, description = "Compte rendu par ligne")),
    extensions(("x-answers" = json!(Answers::refuse(tabular::CODES).or_refuse(&[&CONCURRENT_CHANGE])))),
    security(("bearer" = []))
)]
#[post("/contacts/imports")]
async fn contacts(
    state: State,
    can: Can<ManageRegistry>,
    Params(query): Params<ImportQuery>,
    call: CallContext,
    upload: Upload,
) -> Answer {
    let (actor, dry_run) = (can.actor, query.dry_run.unwrap_or(false));
    let (file, sha256) = upload.parsed(&state, &contacts_file::LAYOUT, read_contacts).await?;
    state
        .post(actor.principal, call.unless_dry(dry_run), sha256, move |tx| {
            Reply::ok(&import_contacts(tx, &actor, file, dry_run)?)
        })
        .await
}
