//! Which payers an act in number takes: a filter goes through the query of `GET /collectivites`, so that the list and
//! the act select the same; a key may be a former SIRET.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::campaigns::bulk::{BulkItem, Selection};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::SearchText;
use crate::kernel::{Departement, InseeCode, Siret};
use crate::platform::{Outcome, Tx};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{self, CollectiviteFilter};

/// Les payeurs d'un acte en nombre ; les champs sont ceux de `GET /collectivites`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayerSelection {
    /// Département du payeur.
    #[serde(default)]
    pub departement: Option<Departement>,
    #[serde(default)]
    pub kind: Option<CollectiviteKind>,
    #[serde(default)]
    pub insee_code: Option<InseeCode>,
    #[serde(default)]
    pub collectivite: Option<Siret>,
    #[serde(default)]
    pub q: Option<SearchText>,
}

/// The payers asked for.
pub enum Payers {
    All,
    /// Those a filter takes.
    Among(HashSet<CollectiviteId>),
    /// Those named, each once and with the key that named it.
    Named(Vec<(CollectiviteId, String)>),
}

/// The payers a filter takes.
pub fn among(tx: &mut Tx<'_>, f: PayerSelection) -> Outcome<HashSet<CollectiviteId>> {
    let filter = CollectiviteFilter {
        departement: f.departement,
        kind: f.kind,
        insee_code: f.insee_code,
        collectivite: f.collectivite,
        q: f.q,
        updated_since: None,
    };
    registry::select_collectivites(tx, &filter)
}

/// Reads a selection; keys that name nobody become refused items at once.
pub fn chosen(tx: &mut Tx<'_>, selection: Selection<PayerSelection>) -> Outcome<(Payers, Vec<BulkItem>)> {
    let mut refused = Vec::new();
    let payers = match selection {
        Selection::All => Payers::All,
        Selection::Filter(filter) => Payers::Among(among(tx, filter)?),
        Selection::Keys(keys) => {
            let known = registry::sirets(tx)?;
            let (mut named, mut seen) = (Vec::new(), HashSet::new());
            for key in keys {
                match Siret::parse(&key).map(|siret| (known.get(&siret), siret)) {
                    Ok((Some(id), siret)) => {
                        if seen.insert(*id) {
                            named.push((*id, siret.to_string()));
                        }
                    }
                    Ok((None, _)) => {
                        refused.push(BulkItem::refused(key, "payer_unknown", "Collectivité inconnue sous ce SIRET."));
                    }
                    Err(fault) => refused.push(BulkItem::refused(key, fault.code, fault.message)),
                }
            }
            Payers::Named(named)
        }
    };
    Ok((payers, refused))
}
