//! What the base holds from before is read as it was, and what is written now has the same shape: the words of a request
//! may change, those that are stored do not.

use ent_backoffice::campaigns::texts::CampaignTexts;
use ent_backoffice::campaigns::{CampaignRequest, CampaignTerms};
use ent_backoffice::registry::{CollectiviteIdentity, CollectiviteRequest, SaidSchool, SchoolRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::TestApp;
use crate::support::year::{open_campaign, register_seed};

/// The terms of a campaign in the journal, as a program of before wrote them.
const TERMS: &str = r#"{"school_year":"2025-2026","tariff":{"unit":"school","unit_amount":"40.00","tiers":[],"tier_mode":null,"minimum":null,"cap":null,"first_year_free":false,"exemptions":[]},"convention_date":"2025-06-05","ends_on":"2026-09-05","response_deadline":"2025-10-15","small_claims":{"threshold":"50.00","policy":"issue"},"countersign_policy":"record","texts":null}"#;
const COLLECTIVITE: &str = r#"{"siret":"21300278500011","kind":"commune","name":"Saint-Laurent-des-Arbres","insee_code":"30278","address":{"line1":"2 place de la Mairie","line2":null,"postal_code":"30126","city":null},"representative":{"civility":"madame","first_name":"Sylvie","last_name":"BARRIEU VIGNAL","title":"Maire"},"contact_email":"mairie@exemple.invalid","contact_phone":null,"chorus":{"service_code":null,"commitment_number":null,"third_party_number":null},"closed_on":null}"#;
const SCHOOL: &str = r#"{"uai":"0301023Z","name":"Ecole élémentaire Charles Odoyer","kind":"elementaire","sector":"public","insee_code":"30278","commune_name":"Saint-Laurent-des-Arbres","pupils":120,"classes":null,"opened_on":"1977-03-14","closed_on":null,"first_school_year":"2017-2018"}"#;
/// The column `campaigns.texts` of a base of before.
const TEXTS: &str = r#"{"document_kind":"demande","has_portal":true,"legal_basis":null,"transfer_clause":null,"issuer":{"name":"Région académique Occitanie","aliases":["Académie de Montpellier"],"address_lines":["31, rue de l'Université","34064 Montpellier Cedex 2"],"service":"DRANE","contact_email":"ent@ac-montpellier.fr","contact_phone":"04 67 91 47 00","website":"https://www.ac-montpellier.fr"},"signatory":{"civility":"Madame","first_name":"Carole","last_name":"Drucker-Godard","title":"Rectrice","place":"Montpellier","delegation":null},"comptable_assignataire":{"name":"DRFiP","address_lines":[]},"comptable_recouvrement":{"rule":"celui du domicile du débiteur","name":null,"address_lines":[]},"courts":{"convention":"tribunal administratif de Montpellier","title_recourse_text":null,"validated_by":null,"validated_on":null},"dpo":{"name":null,"email":"dpd@ac-montpellier.fr"},"imputation":{"domaine_fonctionnel":null,"centre_financier":null,"centre_couts":null,"activite":null,"compte_general":null,"groupe_marchandises":null,"fonds":null}}"#;

/// Through a request to what the house knows, and as that is written.
fn written<R: DeserializeOwned, K: From<R> + Serialize>(said: &str) -> String {
    serde_json::to_string(&K::from(serde_json::from_str::<R>(said).unwrap())).unwrap()
}

#[test]
fn the_journal_is_written_as_before() {
    assert_eq!(written::<CampaignRequest, CampaignTerms>(TERMS), TERMS);
    assert_eq!(written::<CollectiviteRequest, CollectiviteIdentity>(COLLECTIVITE), COLLECTIVITE);
    let said = SaidSchool::from(serde_json::from_str::<SchoolRequest>(SCHOOL).unwrap());
    assert_eq!(serde_json::to_string(&said.identity).unwrap(), SCHOOL);
    // What is known becomes a request again, for a merge, without loss.
    let back = |identity: CollectiviteIdentity| serde_json::to_string(&CollectiviteRequest::from(identity)).unwrap();
    assert_eq!(back(serde_json::from_str::<CollectiviteRequest>(COLLECTIVITE).unwrap().into()), COLLECTIVITE);
    assert_eq!(serde_json::to_string(&SchoolRequest::from(said.identity)).unwrap(), SCHOOL);
}

on_both_databases! {
    fn texts_of_before_are_read_and_kept_byte_for_byte(app: &TestApp) {
        let read: CampaignTexts = serde_json::from_str(TEXTS).unwrap();
        // What they did not know yet is empty; all else is as it was.
        let known = TEXTS.replace(r#""transfer_clause":null,"#, r#""transfer_clause":null,"return_instructions":[],"#);
        assert_eq!(serde_json::to_string(&read).unwrap(), known);
        register_seed(app);
        open_campaign(app, "issue");
        app.sql(&format!("UPDATE campaigns SET texts = '{}'", TEXTS.replace('\'', "''"))).unwrap();
        let g = app.gestionnaire();
        assert_eq!(g.get("/campaigns/2025-2026").expect(200).json["texts"]["issuer"]["service"], "DRANE");
        // Another change leaves them as they were, to the byte.
        g.json("PATCH", "/campaigns/2025-2026", &[("if-match", "*")], &serde_json::json!({"response_deadline": "2025-11-01"})).expect(200);
        assert_eq!(crate::support::databases::text_rows(&app.db, "SELECT texts AS line FROM campaigns"), [TEXTS]);
    }
}
