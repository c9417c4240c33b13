//! PostgreSQL: the owner of the tables is not the program.
//!
//! ```text
//!   owner     migrate --grant-to ROLE      makes and changes tables, may do everything to them
//!   program   serve, work, import          reads and writes rows; of a frozen table it reads and adds, nothing else
//! ```
//! Who owns a table can disable its triggers: frozen rows would only be as frozen as the program is honest. What is
//! granted follows from the triggers themselves: a table that refuses every UPDATE gives no UPDATE. The journal, which lets
//! go of persons on a signed list, gives none either: an elimination is the owner's act.

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::{AnyConnection, Database, DatabaseFault};

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    refuses_update: bool,
    #[diesel(sql_type = Bool)]
    refuses_delete: bool,
}

#[derive(QueryableByName)]
struct Role {
    #[diesel(sql_type = Bool)]
    superuser: bool,
    #[diesel(sql_type = Bool)]
    owner: bool,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Owns {
    #[diesel(sql_type = Bool)]
    owns: bool,
}

/// What a role was given, table by table, for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    pub role: String,
    /// Tables whose rows it may change.
    pub changed: usize,
    /// Tables it reads and adds to only.
    pub frozen: usize,
}

/// `tgtype`: 8 = DELETE, 16 = UPDATE. A trigger with a condition or a list of columns refuses some changes, not all.
const TABLES: &str = "SELECT c.relname::text AS name, \
        EXISTS (SELECT 1 FROM refusing r WHERE r.tgrelid = c.oid AND r.tgtype & 16 <> 0) AS refuses_update, \
        EXISTS (SELECT 1 FROM refusing r WHERE r.tgrelid = c.oid AND r.tgtype & 8 <> 0) AS refuses_delete \
    FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace ORDER BY 1";
const REFUSING: &str = "WITH refusing AS (SELECT t.tgrelid, t.tgtype FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
    WHERE p.proname IN ('refuse_change', 'refuse_change_but_elimination') AND NOT t.tgisinternal AND t.tgqual IS NULL AND t.tgattr::text = '') ";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn fault(cause: &diesel::result::Error) -> DatabaseFault {
    DatabaseFault::new(
        format!("Les droits n'ont pas été donnés : {cause}"),
        "Lancer « migrate --grant-to » avec le rôle propriétaire des tables ; rien n'a été changé.",
    )
}

fn refuse_unfit(c: &mut PgConnection, role: &str) -> Result<(), DatabaseFault> {
    let found: Option<Role> = diesel::sql_query(
        "SELECT r.rolsuper AS superuser, EXISTS (SELECT 1 FROM pg_class c WHERE c.relkind IN ('r', 'p') \
            AND c.relnamespace = current_schema()::regnamespace AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owner \
         FROM pg_roles r WHERE r.rolname = $1",
    )
    .bind::<Text, _>(role)
    .get_result(c)
    .optional()
    .map_err(|e| fault(&e))?;
    match found {
        None => Err(DatabaseFault::new(
            format!("Le rôle « {role} » n'existe pas"),
            format!("Le créer d'abord : CREATE ROLE {} LOGIN PASSWORD '…'", quoted(role)),
        )),
        Some(Role { superuser: true, .. }) => Err(DatabaseFault::new(
            format!("Le rôle « {role} » est superutilisateur : rien ne lui serait refusé"),
            "Donner au programme un rôle à lui, sans attribut : CREATE ROLE … LOGIN.",
        )),
        Some(Role { owner: true, .. }) => Err(DatabaseFault::new(
            format!("Le rôle « {role} » possède les tables, ou est membre du rôle qui les possède"),
            "Lancer les migrations avec un rôle propriétaire, et donner au programme un autre rôle, qui n'en est pas membre.",
        )),
        Some(_) => Ok(()),
    }
}

fn grant(c: &mut PgConnection, role: &str) -> QueryResult<Grants> {
    let name = quoted(role);
    let here: Name = diesel::sql_query("SELECT current_schema()::text AS name").get_result(c)?;
    let schema = quoted(&here.name);
    c.batch_execute(&format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}, PUBLIC; \
         REVOKE CREATE ON SCHEMA {schema} FROM {name}, PUBLIC; GRANT USAGE ON SCHEMA {schema} TO {name}"
    ))?;
    let tables: Vec<Table> = diesel::sql_query(format!("{REFUSING}{TABLES}")).load(c)?;
    let mut given = Grants { role: role.to_owned(), changed: 0, frozen: 0 };
    for table in tables {
        // The list of migrations is the owner's.
        let own = table.name.starts_with("__");
        let mut rights = vec!["SELECT"];
        if !own {
            rights.push("INSERT");
        }
        if !own && !table.refuses_update {
            rights.push("UPDATE");
        }
        if !own && !table.refuses_delete {
            rights.push("DELETE");
        }
        if rights.contains(&"UPDATE") {
            given.changed += 1;
        } else {
            given.frozen += 1;
        }
        c.batch_execute(&format!("GRANT {} ON {} TO {name}", rights.join(", "), quoted(&table.name)))?;
    }
    Ok(given)
}

impl Database {
    /// Gives a role what the program needs, and takes back everything else it had; all of it or nothing.
    ///
    /// # Errors
    /// SQLite, which has no roles; a role that does not exist, owns the tables or is above all rules; a caller who is
    /// not the owner.
    pub fn grant_to(&self, role: &str) -> Result<Grants, DatabaseFault> {
        let mut session = self.writer().map_err(|e| super::migrations::fault(&e))?;
        let AnyConnection::Postgresql(c) = &mut session.conn else {
            return Err(DatabaseFault::new(
                "SQLite n'a pas de rôles",
                "Retirer --grant-to : le fichier de la base n'est lisible que par le compte du programme.",
            ));
        };
        refuse_unfit(c, role)?;
        c.transaction(|c| grant(c, role)).map_err(|e| fault(&e))
    }

    /// The roles a former `--grant-to` served: a migration that adds tables must not shut them out.
    ///
    /// # Errors
    /// The database's own words.
    pub fn granted_roles(&self) -> Result<Vec<String>, DatabaseFault> {
        let mut session = self.writer().map_err(|e| super::migrations::fault(&e))?;
        let AnyConnection::Postgresql(c) = &mut session.conn else { return Ok(Vec::new()) };
        let roles: Vec<Name> = diesel::sql_query(
            "SELECT DISTINCT r.rolname::text AS name FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a \
             JOIN pg_roles r ON r.oid = a.grantee WHERE c.oid = to_regclass('counters') \
             AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner ORDER BY 1",
        )
        .load(c)
        .map_err(|e| fault(&e))?;
        Ok(roles.into_iter().map(|role| role.name).collect())
    }

    /// Whether the program connects as somebody who may disable what freezes rows.
    ///
    /// # Errors
    /// The database's own words.
    pub fn owns_its_tables(&self) -> Result<bool, DatabaseFault> {
        let mut session = self.reader().map_err(|e| super::migrations::fault(&e))?;
        let AnyConnection::Postgresql(c) = &mut session.conn else { return Ok(false) };
        let found: Owns = diesel::sql_query(
            "SELECT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = to_regclass('audit_events') \
             AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns",
        )
        .get_result(c)
        .map_err(|e| fault(&e))?;
        Ok(found.owns)
    }
}
