//! The routes themselves, written once for every kind of thing: a room mounts them with its own words and permissions.

/// Mounts the attachments of one kind of thing: a module with a function `routes`.
///
/// ```text
/// attachment_routes! {
///     mod of_conventions, tag "Conventions", key ConventionId, room ROOM, read Read, write RecordSignatures,
///         admits "what the form may say";
///     "attach_to_convention", "list_convention_attachments" at "/conventions/{id}/attachments";
///     …
/// }
/// ```
#[macro_export]
macro_rules! attachment_routes {
    (
        mod $module:ident, tag $tag:tt, key $key:ty, room $room:expr, read $read:ty, write $write:ty, admits $admits:tt;
        $attach:tt, $list:tt at $all:tt;
        $get:tt at $one:tt;
        $content:tt at $content_at:tt;
        $source:tt at $source_at:tt;
        $transitions:tt, $transition:tt at $transitions_at:tt;
    ) => {
        mod $module {
            use actix_web::{get, post, web};
            use utoipa_actix_web::service_config::ServiceConfig;

            use super::*;
            use $crate::access::{Can, refusal};
            use $crate::attachments::{
                self, AttachmentAction, AttachmentForm, AttachmentId, AttachmentState, AttachmentTransitionRequest, AttachmentView,
                ListQuery, Position,
            };
            use $crate::platform::attachments::{Desk, Given};
            use $crate::attachments::codes::{ALREADY_ATTACHED, ATTACHMENT_STATE};
            use $crate::kernel::refused::{CONCURRENT_CHANGE, NOT_FOUND};
            use $crate::platform::attachments as files;
            use $crate::platform::web::docs::Answers;
            use $crate::platform::web::problem::INTEGRITY_FAULT;
            use $crate::platform::web::{Answer, Body, CallContext, Key, PageView, Params, State, TransitionsView};

            pub fn routes(cfg: &mut ServiceConfig<'_>) {
                cfg.service(attach).service(list).service(content).service(source);
                cfg.service(transitions).service(transition).service(one);
            }

            /// Joindre une pièce
            ///
            /// Un PDF, ou une photo JPEG ou PNG, gardé tel quel ; plusieurs photos, dans l'ordre des pages, sont réunies en un PDF
            /// A4 redressé, et gardées à côté. Le type est reconnu au contenu : un document Word, une photo HEIC, un PDF protégé
            /// ou qui contient un script sont refusés, avec ce qu'il faut faire.
            #[utoipa::path(
                operation_id = $attach, tag = $tag, params(("id" = $key, Path)),
                request_body(content_type = "multipart/form-data", content = AttachmentForm, description = $admits),
                responses((status = 201, body = AttachmentView, description = "La pièce jointe")),
                extensions(("x-answers" = json!(Answers::refuse(files::CODES).or_refuse(&[&NOT_FOUND, &ALREADY_ATTACHED])))),
                security(("bearer" = []))
            )]
            #[post($all)]
            async fn attach(
                state: State,
                can: Can<$write>,
                Key(id): Key<$key>,
                call: CallContext,
                desk: web::Data<Desk>,
                request: actix_web::HttpRequest,
                given: Given,
            ) -> Answer {
                let at = request.path().to_owned();
                attachments::attaching(&$room, (id, at), (state, can.actor, call), desk, given).await
            }

            /// Lister les pièces jointes, détachées comprises
            #[utoipa::path(
                operation_id = $list, tag = $tag, params(("id" = $key, Path), ListQuery),
                responses((status = 200, body = PageView<AttachmentView>, description = "Une page")),
                extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
                security(("bearer" = []))
            )]
            #[get($all)]
            async fn list(state: State, _can: Can<$read>, Key(id): Key<$key>, Params(query): Params<ListQuery>) -> Answer {
                attachments::listed(&$room, id, state, query).await
            }

            /// Lire une pièce jointe
            #[utoipa::path(
                operation_id = $get, tag = $tag, params(("id" = $key, Path), ("attachment_id" = AttachmentId, Path)),
                responses((status = 200, body = AttachmentView, description = "La pièce")),
                extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))),
                security(("bearer" = []))
            )]
            #[get($one)]
            async fn one(
                state: State,
                _can: Can<$read>,
                Key(id): Key<$key>,
                Key(attachment): Key<AttachmentId>,
            ) -> Answer {
                attachments::one(&$room, (id, attachment), state).await
            }

            /// Télécharger le contenu d'une pièce
            ///
            /// Toujours à enregistrer, jamais affiché par le navigateur ; `ETag` est l'empreinte, vérifiée à chaque lecture. Le
            /// contenu d'une pièce détachée n'est lu que par un gestionnaire ou un administrateur.
            #[utoipa::path(
                operation_id = $content, tag = $tag, params(("id" = $key, Path), ("attachment_id" = AttachmentId, Path)),
                responses((status = 200, description = "Le fichier")),
                extensions(("x-answers" = json!(
                    Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT])
                        .versioned()
                        .files(&["application/pdf", "image/jpeg", "image/png"])
                ))),
                security(("bearer" = []))
            )]
            #[get($content_at)]
            async fn content(
                state: State,
                can: Can<$read>,
                Key(id): Key<$key>,
                Key(attachment): Key<AttachmentId>,
            ) -> Answer {
                attachments::content(&$room, (id, attachment), (state, can.role)).await
            }

            /// Télécharger une des photos réunies, telle qu'envoyée
            #[utoipa::path(
                operation_id = $source, tag = $tag,
                params(("id" = $key, Path), ("attachment_id" = AttachmentId, Path), ("position" = i64, Path, description = "Rang de la page", minimum = 1, maximum = 40)),
                responses((status = 200, description = "La photo")),
                extensions(("x-answers" = json!(
                    Answers::refuse(&[&NOT_FOUND, &INTEGRITY_FAULT]).versioned().files(&["image/jpeg", "image/png"])
                ))),
                security(("bearer" = []))
            )]
            #[get($source_at)]
            async fn source(
                state: State,
                can: Can<$read>,
                Key(id): Key<$key>,
                Key(attachment): Key<AttachmentId>,
                Key(position): Key<Position>,
            ) -> Answer {
                attachments::source(&$room, (id, attachment, position), (state, can.role)).await
            }

            /// Lister les actions possibles sur une pièce, et pourquoi les autres ne le sont pas
            #[utoipa::path(
                operation_id = $transitions, tag = $tag, params(("id" = $key, Path), ("attachment_id" = AttachmentId, Path)),
                responses(
                    (status = 200, body = TransitionsView<AttachmentState, AttachmentAction>, description = "Les actions")
                ),
                extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND])))),
                security(("bearer" = []))
            )]
            #[get($transitions_at)]
            async fn transitions(
                state: State,
                can: Can<$read>,
                Key(id): Key<$key>,
                Key(attachment): Key<AttachmentId>,
            ) -> Answer {
                let by_role = refusal::<$write>(can.role);
                attachments::transitions(&$room, (id, attachment), state, by_role).await
            }

            /// Détacher une pièce qui n'est pas de cet objet
            ///
            /// La pièce reste, avec qui l'a détachée, quand et pourquoi.
            #[utoipa::path(
                operation_id = $transition, tag = $tag, params(("id" = $key, Path), ("attachment_id" = AttachmentId, Path)),
                request_body = AttachmentTransitionRequest,
                responses((status = 200, body = AttachmentView, description = "La pièce après l'action")),
                extensions(("x-answers" = json!(
                    Answers::refuse(&[&NOT_FOUND, &ATTACHMENT_STATE, &CONCURRENT_CHANGE]).versioned().version_optional()
                ))),
                security(("bearer" = []))
            )]
            #[post($transitions_at)]
            async fn transition(
                state: State,
                can: Can<$write>,
                Key(id): Key<$key>,
                Key(attachment): Key<AttachmentId>,
                call: CallContext,
                body: Body<AttachmentTransitionRequest>,
            ) -> Answer {
                attachments::transition(&$room, (id, attachment), (state, can.actor, call), body).await
            }
        }
    };
}
