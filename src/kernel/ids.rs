//! Typed identifiers: a UUIDv7 that knows what it names.
//!
//! Held as its text, since text is what both databases, the paths and JSON carry.

/// Declares a typed id stored as text.
#[macro_export]
macro_rules! entity_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow, utoipa::ToSchema,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[schema(value_type = String, format = Uuid, example = "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e")]
        pub struct $name([u8; uuid::fmt::Hyphenated::LENGTH]);

        impl $name {
            /// Names a new thing.
            #[must_use]
            pub fn new(uuid: uuid::Uuid) -> Self {
                let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
                uuid.hyphenated().encode_lower(&mut text);
                Self(text)
            }
            #[must_use]
            pub fn as_str(&self) -> &str {
                // Written by `new`: always ASCII.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
            /// Reads an id from a path or a filter.
            ///
            /// # Errors
            /// `id_format`.
            pub fn parse(raw: &str) -> Result<Self, $crate::kernel::FieldFault> {
                uuid::Uuid::try_parse(raw).map(Self::new).map_err(|_| {
                    $crate::kernel::FieldFault::new("id_format", "Identifiant attendu sous la forme d'un UUID.")
                })
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let raw = <String as serde::Deserialize>::deserialize(d)?;
                Self::parse(&raw).map_err(serde::de::Error::custom)
            }
        }
        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let raw = String::from_sql(bytes)?;
                uuid::Uuid::try_parse(&raw).map(Self::new).map_err(|_| format!("{} « {raw} »", stringify!($name)).into())
            }
        }
    )+};
}

entity_id!(
    /// Un compte.
    UserId,
    /// Une session.
    SessionId,
    /// Une collectivité.
    CollectiviteId,
    /// Une campagne.
    CampaignId,
    /// An enrolment of a school in a campaign.
    EnrolmentId,
    /// Une convention.
    ConventionId,
    /// A refusal of a convention by its collectivité.
    RefusalId,
    /// One version of what a convention makes due.
    ParticipationId,
    /// Un titre de perception.
    TitleId,
    /// A return of a prepared title by the ordonnateur.
    ReturnId,
    /// Une décision de laisser une petite créance sans titre.
    DecisionId,
    /// The act that holds decisions taken together.
    SmallClaimActId,
    /// An accounting batch.
    BatchId,
    /// An invitation sent to a collectivité, and the link in it.
    InvitationId,
    /// Un courriel.
    EmailId,
    /// A queued job.
    JobId,
    /// Une tâche.
    TaskId,
    /// Un travail demandé par `Prefer: respond-async`.
    ActId,
    /// Une ligne du journal.
    AuditEventId,
);
