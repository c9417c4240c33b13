//! The problem codes of tasks.

use crate::problem_codes;

problem_codes! {
    TASK_STATE = "task_state", 409, "Tâche dans un autre état",
        "L'action n'est pas possible dans l'état de la tâche ; `allowed_actions` dit lesquelles le sont.";
    TASK_OPEN_ALREADY = "task_open_already", 409, "Même tâche déjà ouverte",
        "Une tâche plus récente est ouverte pour la même raison : continuer sur celle-là.";
}
