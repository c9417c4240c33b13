//! Typed identifiers: a UUIDv7 that knows what it names.

/// Declares a typed id stored as text.
#[macro_export]
macro_rules! entity_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow, utoipa::ToSchema,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid, example = "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e")]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// Reads an id from a path or a filter.
            ///
            /// # Errors
            /// `id_format`.
            pub fn parse(raw: &str) -> Result<Self, $crate::kernel::FieldFault> {
                uuid::Uuid::try_parse(raw).map(Self).map_err(|_| {
                    $crate::kernel::FieldFault::new("id_format", "Identifiant attendu sous la forme d'un UUID.")
                })
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            for<'c> DB: diesel::backend::Backend<BindCollector<'c> = diesel::query_builder::bind_collector::RawBytesBindCollector<DB>>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                use std::io::Write as _;
                write!(out, "{}", self.0)?;
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let raw = String::from_sql(bytes)?;
                uuid::Uuid::try_parse(&raw).map(Self).map_err(|_| format!("{} « {raw} »", stringify!($name)).into())
            }
        }
    )+};
}

entity_id!(
    /// A user account.
    UserId,
    /// A collectivité.
    CollectiviteId,
    /// A campaign.
    CampaignId,
    /// An enrolment of a school in a campaign.
    EnrolmentId,
    /// A convention.
    ConventionId,
    /// One version of what a convention makes due.
    ParticipationId,
    /// A perception title.
    TitleId,
    /// An accounting batch.
    BatchId,
    /// A queued job.
    JobId,
    /// An entry of the journal.
    AuditEventId,
);
