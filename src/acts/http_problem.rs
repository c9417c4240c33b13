//! A refusal as the call would have answered it.

use serde_json::Value;

use crate::kernel::Refused;
use crate::platform::Outcome;
use crate::platform::web::Problem;

pub(super) fn of(refused: Refused) -> Outcome<Value> {
    Ok(serde_json::to_value(Problem::from(refused).view())?)
}
