//! Tests of reading, beside `reading.rs`.

use super::*;
use crate::config::FaultLevel;
use std::path::PathBuf;

const SHIPPED: &str = include_str!("../../config/ent-backoffice.toml");

fn env(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<ConfigFault>> {
    Config::from_text(text, &env(variables))
}

fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<(String, String)> {
    read(text, variables).unwrap_err().into_iter().map(|fault| (fault.key, fault.remedy)).collect()
}

#[test]
fn without_any_setting_the_defaults_stand() {
    let config = Config::load(None, &Environment::new()).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.database.url, "sqlite://./data/ent-backoffice.sqlite");
}

#[test]
fn the_shipped_file_says_the_defaults() {
    assert_eq!(read(SHIPPED, &[]).unwrap(), Config::default());
}

#[test]
fn the_shipped_file_shows_every_setting_and_comments_each() {
    let shown: Value = config::Config::builder()
        .add_source(config::File::from_str(SHIPPED, FileFormat::Toml))
        .build()
        .unwrap()
        .try_deserialize()
        .unwrap();
    let paths = |tree: &Value| {
        let mut names = Vec::new();
        setting_paths(tree, "", &mut names);
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(paths(&shown), paths(&known_settings().unwrap()));
    let mut previous = "";
    for line in SHIPPED.lines().filter(|line| !line.trim().is_empty()) {
        let setting = line.starts_with(|letter: char| letter.is_ascii_lowercase());
        assert!(!setting || previous.starts_with('#'), "no comment above: {line}");
        previous = line;
    }
}

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ent.toml");
    std::fs::write(
        &path,
        "[server]\nworkers = 3\n[access]\nsigning_key_files = [\"/k\"]\n[texts.issuer]\nname = \"RA\"\naddress_lines = [\"a\"]\n\
         [small_claims]\nthresholds = [{ from = 2024-05-25, amount = \"50\" }]\n",
    )
    .unwrap();
    let config = Config::load(Some(&path), &Environment::new()).unwrap();
    let mut expected = Config::default();
    expected.server.workers = 3;
    expected.access.signing_key_files = vec![PathBuf::from("/k")];
    expected.texts.issuer.name = "RA".into();
    expected.texts.issuer.address_lines = vec!["a".into()];
    expected.small_claims.thresholds.remove(0);
    assert_eq!(config, expected);
    let named = env(&[("ENT_CONFIG", path.to_str().unwrap())]);
    assert_eq!(Config::load(None, &named).unwrap(), expected);
}

#[test]
fn variables_win_over_the_file_and_database_url_over_all() {
    let config = read(
        "[server]\nworkers = 3\n[database]\nurl = \"sqlite://file\"\n",
        &[
            ("ENT__SERVER__WORKERS", "5"),
            ("ENT__SERVER__LISTEN", "[::1]:9000"),
            ("ENT__DOCUMENTS__SPECIMEN", "true"),
            ("ENT__TEXTS__ISSUER__CONTACT_PHONE", "0465710000"),
            ("ENT__TEXTS__ISSUER__ADDRESS_LINES", "31, rue de l'Université|34064 Montpellier"),
            ("ENT__TEXTS__DPO__NAME", ""),
            ("ENT__DATABASE__URL", "sqlite://variable"),
            ("DATABASE_URL", "postgres://u:secret@h/b"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.workers, 5);
    assert_eq!(config.server.listen.port(), 9000);
    assert!(config.documents.specimen);
    assert_eq!(config.texts.issuer.contact_phone, "0465710000");
    assert_eq!(config.texts.issuer.address_lines, ["31, rue de l'Université", "34064 Montpellier"]);
    assert_eq!(config.texts.dpo.name, None);
    assert_eq!(config.database.url, "postgres://u:secret@h/b");
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_known_one() {
    let found = faults("[server]\nlisten_adress = \"x\"\n[texts.issuer]\nadress_lines = []\n[sever]\na = 1\n", &[]);
    let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys.len(), 3, "{found:?}");
    assert!(
        found.iter().any(
            |(key, remedy)| key == "texts.issuer.adress_lines" && remedy.contains("« texts.issuer.address_lines »")
        )
    );
    assert!(found.iter().any(|(key, remedy)| key == "sever" && remedy.contains("« server »")));
    let found = faults("", &[("ENT__SERVER__WORKER", "2")]);
    assert!(
        matches!(found.as_slice(), [(key, remedy)] if key == "ENT__SERVER__WORKER" && remedy.contains("« server.workers »"))
    );
    let found =
        faults("[[small_claims.thresholds]]\nfrm = \"2024-01-01\"\nfrom = \"2024-01-01\"\namount = \"1\"\n", &[]);
    assert!(matches!(found.as_slice(), [(key, _)] if key == "small_claims.thresholds[0].frm"), "{found:?}");
}

#[test]
fn a_value_of_another_kind_is_named_in_each_section_at_once() {
    let text = "[server]\nlisten = \"localhost\"\n[jobs]\nworkers = \"many\"\n\
                [small_claims]\nthresholds = [{ from = \"2024-05-25\", amount = \"50,00\" }]\n[texts]\ndocument_kind = \"facture\"\n";
    let keys: Vec<_> = faults(text, &[]).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["server.listen", "jobs.workers", "small_claims.thresholds[0].amount", "texts.document_kind"]);
}

#[test]
fn a_secret_in_the_file_is_refused() {
    let refused = read("[database]\nurl = \"postgres://u:secret@h/b\"\n", &[]).unwrap_err();
    assert!(matches!(refused.as_slice(), [fault] if fault.key == "database.url" && fault.level == FaultLevel::Error));
    assert!(!format!("{refused:?}").contains("secret@"));
}

#[test]
fn a_missing_or_broken_file_says_which() {
    let refused = Config::load(Some(Path::new("/nowhere/ent.toml")), &Environment::new()).unwrap_err();
    assert!(matches!(refused.as_slice(), [fault] if fault.key == "/nowhere/ent.toml"));
    assert!(read("[server\n", &[]).is_err());
}

#[test]
fn distance_counts_letters() {
    assert_eq!(distance("workers", "workers"), 0);
    assert_eq!(distance("worker", "workers"), 1);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("kitten", "sitting"), 3);
}

#[test]
fn proxies_are_named_by_address_or_network() {
    let config = read(
        "",
        &[("ENT__SERVER__TRUSTED_PROXIES", "127.0.0.1|2001:db8::/32"), ("ENT__SERVER__FORWARDED_HEADER", "forwarded")],
    );
    let server = config.unwrap().server;
    assert_eq!(
        server.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1/32", "2001:db8::/32"]
    );
    assert_eq!(server.forwarded_header, crate::platform::web::caller::ForwardedBy::Forwarded);
    for bad in ["[server]\ntrusted_proxies = [\"proxy.local\"]", "[server]\ntrusted_proxies = [\"10.0.0.0/33\"]"] {
        let refused = read(bad, &[]).unwrap_err();
        assert!(
            refused[0].key.starts_with("server.trusted_proxies") && refused[0].problem.contains("réseau"),
            "{refused:?}"
        );
    }
    assert_eq!(faults("[server]\nforwarded_header = \"x-real-ip\"", &[])[0].0, "server.forwarded_header");
}
