//! The problem codes of acts that nobody waits for.

use crate::problem_codes;

problem_codes! {
    JOB_STATE = "job_state", 409, "Travail dans un autre état",
        "Le travail a commencé ou s'est terminé : il ne s'annule plus ; ou n'est pas fait : il n'a pas de résultat.";
}
