//! `/auth/password`: a person's own password, by a code or by the present one.

use actix_web::{HttpRequest, HttpResponse, post, put, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes::PasswordCode;
use super::http::{LoginService, in_turn, origin, wait};
use super::http_permission::{Any, Can};
use super::password_actions::{self, CodeLook, OwnPassword, owner};
use super::passwords::{self, NewPassword};
use super::problems::{PASSWORD_CODE_INVALID, TOO_MANY_ATTEMPTS};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::{FieldFault, Refused};
use crate::platform::web::docs::Answers;
use crate::platform::web::{Answer, Body, CallerAddress, Problem, State};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(set_password).service(change_password);
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SetPasswordRequest {
    code: PasswordCode,
    new_password: NewPassword,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePasswordRequest {
    #[schema(format = Password, max_length = 1000, example = "cheval-agrafe-pile-1825")]
    current_password: String,
    new_password: NewPassword,
}

/// A fault of one field, whose value is not repeated.
fn field(pointer: &str, fault: &FieldFault) -> Problem {
    Refused::field(pointer, fault, None).into()
}

fn bad_code() -> Problem {
    Problem::new(
        &PASSWORD_CODE_INVALID,
        "Le code n'est pas ou plus valable : en demander un autre à un administrateur.",
    )
}

/// Choisir son mot de passe avec un code
///
/// Le code, donné par un administrateur à l'invitation ou après une remise à zéro, sert une fois. Un mot de passe refusé ne
/// l'use pas. Aucune session n'est ouverte : se connecter ensuite. Des codes inconnus en nombre ralentissent ceux qui suivent
/// de la même adresse IP, pas les codes valables.
#[utoipa::path(
    operation_id = "set_password", tag = "Sessions", security(()), request_body = SetPasswordRequest,
    responses((status = 204, description = "Mot de passe enregistré ; le code ne vaut plus rien")),
    extensions(("x-answers" = json!(Answers::refuse(&[&PASSWORD_CODE_INVALID, &TOO_MANY_ATTEMPTS]))))
)]
#[post("/auth/password")]
async fn set_password(
    state: State,
    service: web::Data<LoginService>,
    caller: CallerAddress,
    request: HttpRequest,
    body: Body<SetPasswordRequest>,
) -> Answer {
    let SetPasswordRequest { code, new_password } = body.value;
    let (state, source) = (state.open_to_all(), caller.source());
    let asked = code.clone();
    let user = match state.read(move |tx| password_actions::look_at_code(tx, &asked, source)).await? {
        CodeLook::Good(user) => user,
        CodeLook::Wait { seconds } => return Err(wait(seconds)),
        CodeLook::Bad => {
            let (watch, origin) = (service.watch(), origin(&request, caller));
            state.write(move |tx| password_actions::count_bad_code(tx, &watch, &origin)).await?;
            return Err(bad_code());
        }
    };
    new_password.suits(owner(&user)).map_err(|fault| field("/new_password", &fault))?;
    let (turn, salt) = (service.turn(source).await?, state.machinery().ids().secret());
    let (hashed, _) = in_turn(turn, move || passwords::hash(&new_password, salt)).await?;
    let (hashed, origin) = (hashed?, origin(&request, caller));
    if state.write(move |tx| password_actions::set_by_code(tx, &code, &hashed, &origin)).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(bad_code())
    }
}

/// Changer son mot de passe
///
/// Le mot de passe présent est redemandé. Les autres sessions de la personne sont closes ; celle-ci reste.
#[utoipa::path(
    operation_id = "change_password", tag = "Sessions", request_body = ChangePasswordRequest,
    responses((status = 204, description = "Mot de passe changé")),
    extensions(("x-answers" = json!(Answers::refuse(&[&TOO_MANY_ATTEMPTS, &CONCURRENT_CHANGE]))))
)]
#[put("/auth/password")]
async fn change_password(
    can: Can<Any>,
    state: State,
    service: web::Data<LoginService>,
    caller: CallerAddress,
    request: HttpRequest,
    body: Body<ChangePasswordRequest>,
) -> Answer {
    let ChangePasswordRequest { current_password, new_password } = body.value;
    let id = can.user;
    let source = caller.source();
    let look = move |tx: &mut crate::platform::Tx<'_>| password_actions::own_password(tx, id, source);
    if let OwnPassword::Wait { seconds } = state.read(look).await? {
        return Err(wait(seconds));
    }
    let turn = service.turn(source).await?;
    let (user, seen) = match state.read(look).await? {
        OwnPassword::Wait { seconds } => return Err(wait(seconds)),
        OwnPassword::Verify { user, hash } => (user, hash),
    };
    if new_password.is(&current_password) {
        let message = "Le nouveau mot de passe est le même que l'ancien : en choisir un autre.";
        return Err(field("/new_password", &FieldFault::new("password_unchanged", message)));
    }
    new_password.suits(owner(&user)).map_err(|fault| field("/new_password", &fault))?;
    let salt = state.machinery().ids().secret();
    let work = move || {
        let right = passwords::verify(&current_password, seen.as_ref());
        (right.then(|| passwords::hash(&new_password, salt)), seen)
    };
    let ((hashed, seen), turn) = in_turn(turn, work).await?;
    let (Some(hashed), Some(seen)) = (hashed, seen) else {
        let (watch, origin) = (service.watch(), origin(&request, caller));
        let counted = state.write(move |tx| {
            password_actions::count_wrong_own(tx, &watch, &user, &origin)?;
            // Given back by the transaction: the next in line does not look before the failure is committed.
            Ok(turn)
        });
        drop(counted.await?);
        let message = "Ce n'est pas le mot de passe présent du compte.";
        return Err(field("/current_password", &FieldFault::new("password_wrong", message)));
    };
    let (hashed, origin) = (hashed?, origin(&request, caller));
    state
        .write(move |tx| password_actions::change_own(tx, &can.actor, &can.session, &user, (&seen, &hashed), &origin))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
