//! Structured columns: JSON text, typed on the way in and out.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::error::Outcome;

/// A value and the JSON text it is stored as.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Json<T: std::fmt::Debug> {
    pub value: T,
    text: String,
}

impl<T: Serialize + std::fmt::Debug> Json<T> {
    /// Writes the value down.
    pub fn new(value: T) -> Outcome<Self> {
        let text = serde_json::to_string(&value)?;
        Ok(Self { value, text })
    }
}

impl<T: PartialEq + std::fmt::Debug> Json<T> {
    /// What is stored, where it says the same in other words: an older version of the program may have written it.
    #[must_use]
    pub fn unless_said(self, stored: Self) -> Self {
        if self.value == stored.value { stored } else { self }
    }
}

impl<T: std::fmt::Debug> Json<T> {
    /// The text as stored.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<T, DB> ToSql<Text, DB> for Json<T>
where
    T: std::fmt::Debug,
    DB: Backend,
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.text.as_str().to_sql(out)
    }
}

impl<T, DB> FromSql<Text, DB> for Json<T>
where
    T: DeserializeOwned + std::fmt::Debug,
    DB: Backend,
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        match serde_json::from_str(&text) {
            Ok(value) => Ok(Self { value, text }),
            Err(e) => Err(format!("{} : {e}", std::any::type_name::<T>()).into()),
        }
    }
}
