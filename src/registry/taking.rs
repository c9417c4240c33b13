//! Brings who answers for a collectivité, and where, to what is known of it. Pure.
//!
//! What is not told changes nothing, with one exception: when the surname or the first name is another's, it is another
//! person, who must not inherit the civility and the first name of the one before. The capacity is the office's and stays.
//! What a person wrote stays too, and a finding says so. An address is taken whole, for half of one and half of another is
//! nobody's: only a street that is not told leaves the one known.

use super::collectivite::{Collectivite, Representative};
use super::import::administrations::Told;
use super::import::contact_fields::Contact;
use crate::kernel::Finding;
use crate::kernel::text::{Line, fold};

/// Brings what a file tells to a collectivité.
pub(super) fn bring(found: &mut Collectivite, told: &Told, findings: &mut Vec<Finding>) {
    let Told { contact, address } = told;
    let person = &found.person_fields;
    let said = &mut found.said;
    let representative = succeeded(&said.representative, contact);
    Collectivite::take(person, "representative", &mut said.representative, &representative, shown, findings);
    let (email, phone) = (&contact.email, &contact.phone);
    if email.is_some() {
        Collectivite::take(person, "contact_email", &mut said.contact_email, email, |v| text(v.as_ref()), findings);
    }
    if phone.is_some() {
        Collectivite::take(person, "contact_phone", &mut said.contact_phone, phone, |v| text(v.as_ref()), findings);
    }
    if let Some(address) = address {
        let mut address = address.clone();
        if address.line1.is_none() && address.line2.is_none() {
            (address.line1, address.line2) = (said.address.line1.clone(), said.address.line2.clone());
        }
        let known = said.address.clone();
        Collectivite::take(person, "address", &mut said.address, &address, |a| a.known(None), findings);
        if said.address != known {
            found.departement = Collectivite::departement_of(said).or(found.departement.take());
        }
    }
}

/// The names of the fields that two files, or two rows, say differently.
pub(super) fn differing(one: &Told, other: &Told) -> Vec<&'static str> {
    let named = |contact: &Contact| {
        (contact.civility, contact.first_name.clone(), contact.last_name.clone(), contact.capacity.clone())
    };
    let differs = [
        ("address", one.address != other.address),
        ("contact_email", one.contact.email != other.contact.email),
        ("contact_phone", one.contact.phone != other.contact.phone),
        ("representative", named(&one.contact) != named(&other.contact)),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

/// The representative with what the row says; another name is another person.
fn succeeded(known: &Representative, row: &Contact) -> Representative {
    let differs = |old: &Option<Line>, new: &Option<Line>| {
        old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| fold(old.as_str()) != fold(new.as_str()))
    };
    let other = differs(&known.last_name, &row.last_name) || differs(&known.first_name, &row.first_name);
    let base = if other {
        // Without a surname in the row, the one known still names the family rather than nobody.
        let last_name = if row.last_name.is_some() { None } else { known.last_name.clone() };
        Representative { last_name, title: known.title.clone(), ..Representative::default() }
    } else {
        known.clone()
    };
    Representative {
        civility: row.civility.or(base.civility),
        first_name: row.first_name.clone().or(base.first_name),
        last_name: row.last_name.clone().or(base.last_name),
        title: row.capacity.clone().or(base.title),
    }
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

fn shown(r: &Representative) -> String {
    let parts = [r.civility.map(|c| c.to_string()), r.first_name.as_ref().map(ToString::to_string)];
    let more = [r.last_name.as_ref().map(ToString::to_string), r.title.as_ref().map(ToString::to_string)];
    parts.into_iter().chain(more).flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::contact::{Civility, EmailAddress, Phone, PostalCode};
    use crate::kernel::ids::CollectiviteId;
    use crate::kernel::{Instant, Siret};
    use crate::registry::collectivite::{Address, Chorus, CollectiviteIdentity};
    use crate::registry::kinds::CollectiviteKind;

    fn line(text: &str) -> Option<Line> {
        (!text.is_empty()).then(|| Line::parse(text).unwrap())
    }

    fn row(civility: Option<Civility>, first: &str, last: &str, title: &str) -> Contact {
        let (first_name, last_name, capacity) = (line(first), line(last), line(title));
        Contact { civility, first_name, last_name, capacity, ..Contact::default() }
    }

    fn known() -> Representative {
        Representative {
            civility: Some(Civility::Madame),
            first_name: line("Marie"),
            last_name: line("Durand"),
            title: line("Maire"),
        }
    }

    #[test]
    fn a_blank_row_changes_nobody() {
        assert_eq!(succeeded(&known(), &row(None, "", "", "")), known());
        assert_eq!(succeeded(&known(), &row(None, "", "Durand", "")), known());
    }

    #[test]
    fn a_successor_inherits_the_office_and_nothing_else() {
        let expected =
            Representative { civility: None, first_name: None, last_name: line("Petit"), title: line("Maire") };
        assert_eq!(succeeded(&known(), &row(None, "", "Petit", "")), expected);
        let son = succeeded(&known(), &row(None, "Paul", "Durand", "Président"));
        assert_eq!((son.civility, son.first_name, son.title), (None, line("Paul"), line("Président")));
    }

    fn collectivite(person: &[&str]) -> Collectivite {
        let siret = Siret::parse("21300278500011").unwrap();
        let said = CollectiviteIdentity {
            siret,
            kind: CollectiviteKind::Commune,
            name: Line::parse("Saint-Laurent").unwrap(),
            insee_code: None,
            address: Address { line1: line("1 rue Exemple"), ..Address::default() },
            representative: known(),
            contact_email: None,
            contact_phone: None,
            chorus: Chorus::default(),
            closed_on: None,
        };
        let now = Instant::parse("2025-06-05T08:00:00Z").unwrap();
        let mut new = Collectivite::imported(CollectiviteId::new(uuid::Uuid::nil()), said, None, now);
        new.person_fields = person.iter().map(|field| (*field).to_owned()).collect();
        new
    }

    fn told(street: &str, email: Option<&str>, last: &str) -> Told {
        let address = Address {
            line1: line(street),
            line2: None,
            postal_code: Some(PostalCode::parse("30126").unwrap()),
            city: line("Saint-Laurent"),
        };
        let email = email.map(|email| EmailAddress::parse(email).unwrap());
        let phone = Some(Phone::parse("04 65 71 00 01").unwrap());
        Told { contact: Contact { last_name: line(last), email, phone, ..Contact::default() }, address: Some(address) }
    }

    #[test]
    fn a_persons_word_stays_and_is_told() {
        let fields = ["address", "contact_email", "contact_phone", "representative"];
        let (mut found, mut findings) = (collectivite(&fields), Vec::new());
        let before = found.clone();
        bring(&mut found, &told("2 rue Exemple", Some("a@b.fr"), "Petit"), &mut findings);
        assert_eq!(found, before);
        assert!(findings.len() == 4 && findings.iter().all(|finding| finding.code == "kept_manual"), "{findings:?}");
    }

    #[test]
    fn a_street_that_is_not_told_leaves_the_one_known() {
        let mut found = collectivite(&[]);
        bring(&mut found, &told("", None, ""), &mut Vec::new());
        let address = &found.said.address;
        assert_eq!(address.known(None), "1 rue Exemple, 30126 Saint-Laurent");
        assert_eq!(found.departement.as_ref().map(ToString::to_string).as_deref(), Some("30"));
        bring(&mut found, &told("2 rue Exemple", None, ""), &mut Vec::new());
        assert_eq!(found.said.address.known(None), "2 rue Exemple, 30126 Saint-Laurent");
    }

    proptest! {
        #[test]
        fn what_is_brought_twice_changes_nothing_more(
            street in "([1-9] rue [a-z]{1,4})?", email in proptest::option::of("[a-c]{1,2}@[a-c]{1,2}\\.fr"),
            last in "[A-Z]{0,4}", person in proptest::collection::vec(0_usize..4, 0..3),
        ) {
            let fields = ["address", "contact_email", "contact_phone", "representative"];
            let person: Vec<&str> = person.into_iter().map(|n| fields[n]).collect();
            let told = told(&street, email.as_deref(), &last);
            let mut found = collectivite(&person);
            let (mut first, mut second) = (Vec::new(), Vec::new());
            bring(&mut found, &told, &mut first);
            let once = found.clone();
            bring(&mut found, &told, &mut second);
            prop_assert_eq!(&found, &once);
            prop_assert_eq!(first, second);
            prop_assert!(differing(&told, &told).is_empty());
        }
    }
}
