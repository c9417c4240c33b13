//! From a file and the environment to a [`Config`]: merge, and refuse unknown names.

use super::{Config, ConfigFault};
use config::builder::DefaultState;
use config::{ConfigBuilder, FileFormat};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables, by name.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "ENT__";
const CONFIG_VARIABLE: &str = "ENT_CONFIG";
const URL_VARIABLE: &str = "DATABASE_URL";
/// Between the elements of a list given in a variable: addresses contain commas.
const LIST_SEPARATOR: char = '|';

/// The environment of this process; the one place that reads it. Values that are not UTF-8 are left out.
#[must_use]
pub fn process_environment() -> Environment {
    #[expect(clippy::disallowed_methods, reason = "the single door through which the environment comes in")]
    let variables = std::env::vars_os();
    variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// This program, to be started again by itself: the one that runs, even when another has taken its place on the disk.
///
/// # Errors
/// The system does not tell.
pub fn own_program() -> std::io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

impl Config {
    /// Reads `path` (else the file named by `ENT_CONFIG`, else no file), then the variables.
    ///
    /// # Errors
    /// Every fault of reading that could be found at once: unreadable file, unknown setting, value of
    /// another kind, password written in the file. Call [`Config::check`] on the result.
    pub fn load(path: Option<&Path>, env: &Environment) -> Result<Self, Vec<ConfigFault>> {
        let named = env.get(CONFIG_VARIABLE).filter(|name| !name.is_empty());
        let text = match path.or(named.map(Path::new)) {
            None => String::new(),
            Some(path) => read_file(path).map_err(|fault| vec![fault])?,
        };
        Self::from_text(&text, env)
    }

    fn from_text(text: &str, env: &Environment) -> Result<Self, Vec<ConfigFault>> {
        let known = known_settings().map_err(|fault| vec![fault])?;
        let file = config::File::from_str(text, FileFormat::Toml);
        let tree = config::Config::builder()
            .add_source(file.clone())
            .build()
            .and_then(config::Config::try_deserialize::<Value>)
            .map_err(|error| vec![unreadable(&error)])?;
        let mut faults = Vec::new();
        refuse_unknown(&tree, &known, "", &mut faults);
        refuse_password_in_file(&tree, &mut faults);

        let mut builder = config::Config::builder();
        for (section, value) in known.as_object().into_iter().flatten() {
            let value: config::Value = serde_json::from_value(value.clone()).map_err(|error| vec![internal(&error)])?;
            builder = builder.set_default(section, value).map_err(|error| vec![unreadable(&error)])?;
        }
        builder = builder.add_source(file);
        builder = override_from(env, &known, builder, &mut faults)?;
        let merged = builder.build().map_err(|error| vec![unreadable(&error)])?;

        // Each section is read even when another one is faulty, so that one run tells everything.
        let mut section = Sections { merged: &merged, faults };
        let server = section.read("server");
        let database = section.read("database");
        let access = section.read("access");
        let imports = section.read("imports");
        let attachments = section.read("attachments");
        let documents = section.read("documents");
        let jobs = section.read("jobs");
        let mail = section.read("mail");
        let metrics = section.read("metrics");
        let small_claims = section.read("small_claims");
        let retention = section.read("retention");
        let texts = section.read("texts");
        if section.faults.is_empty() {
            Ok(Self {
                server,
                database,
                access,
                imports,
                attachments,
                documents,
                jobs,
                mail,
                metrics,
                small_claims,
                retention,
                texts,
            })
        } else {
            Err(section.faults)
        }
    }
}

fn read_file(path: &Path) -> Result<String, ConfigFault> {
    std::fs::read_to_string(path).map_err(|error| {
        ConfigFault::error(
            path.display().to_string(),
            format!("le fichier de configuration ne peut pas être lu ({})", crate::kernel::system::said(&error)),
            "Vérifiez le chemin donné par --config ou ENT_CONFIG et les droits de lecture ; \
             sans fichier, le programme démarre avec ses réglages par défaut.",
        )
    })
}

/// The defaults as a tree: its names are the known settings.
pub(super) fn known_settings() -> Result<Value, ConfigFault> {
    serde_json::to_value(Config::default()).map_err(|error| internal(&error))
}

fn internal(error: &dyn std::fmt::Display) -> ConfigFault {
    ConfigFault::error(
        "(interne)",
        format!("réglages par défaut illisibles ({error})"),
        "Signalez ce défaut du programme.",
    )
}

fn unreadable(error: &config::ConfigError) -> ConfigFault {
    ConfigFault::error(
        "(fichier de configuration)",
        format!("ce n'est pas du TOML valide : {error}"),
        "Corrigez la ligne citée ; config/ent-backoffice.toml montre chaque réglage.",
    )
}

struct Sections<'a> {
    merged: &'a config::Config,
    faults: Vec<ConfigFault>,
}

impl Sections<'_> {
    fn read<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let value = match self.merged.get::<config::Value>(name) {
            Ok(value) => value,
            Err(error) => {
                self.faults.push(unreadable(&error));
                return T::default();
            }
        };
        serde_path_to_error::deserialize(value).unwrap_or_else(|error| {
            let path = error.path().to_string();
            let key = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
            // An unknown name has been reported already, with a suggestion.
            if !self.faults.iter().any(|fault| fault.key.starts_with(&key)) {
                self.faults.push(ConfigFault::error(
                    key,
                    format!("valeur refusée ({})", error.inner()),
                    "Écrivez une valeur du genre attendu ; le commentaire de ce réglage dans \
                     config/ent-backoffice.toml donne l'unité et les bornes.",
                ));
            }
            T::default()
        })
    }
}

fn refuse_unknown(given: &Value, known: &Value, path: &str, faults: &mut Vec<ConfigFault>) {
    match (given, known) {
        (Value::Object(given), Value::Object(names)) => {
            for (name, value) in given {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match names.get(name) {
                    Some(known) => refuse_unknown(value, known, &below, faults),
                    None => faults.push(unknown_setting(&below)),
                }
            }
        }
        (Value::Array(given), Value::Array(models)) => {
            for (index, value) in given.iter().enumerate() {
                if let Some(model) = models.first() {
                    refuse_unknown(value, model, &format!("{path}[{index}]"), faults);
                }
            }
        }
        _ => {}
    }
}

fn unknown_setting(path: &str) -> ConfigFault {
    let mut names = Vec::new();
    if let Ok(known) = known_settings() {
        setting_paths(&known, "", &mut names);
    }
    let remedy = match nearest(path, &names) {
        Some(name) => format!("Vouliez-vous écrire « {name} » ? Sinon, retirez ce réglage."),
        None => "Retirez ce réglage ; config/ent-backoffice.toml montre ceux qui existent.".to_owned(),
    };
    ConfigFault::error(path, "réglage inconnu", remedy)
}

/// Every name of the tree, sections included, as dotted paths.
pub(super) fn setting_paths(tree: &Value, path: &str, names: &mut Vec<String>) {
    match tree {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                names.push(below.clone());
                setting_paths(member, &below, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| setting_paths(item, path, names)),
        _ => {}
    }
}

fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a String> {
    names.iter().min_by_key(|name| distance(wanted, name))
}

/// Levenshtein: how many letters to add, drop or change.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line.saturating_add(1);
        let mut next = vec![before];
        for (above, to) in row.iter().skip(1).zip(right.chars()) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            before = replaced.min(above.saturating_add(1)).min(before.saturating_add(1));
            next.push(before);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn refuse_password_in_file(tree: &Value, faults: &mut Vec<ConfigFault>) {
    let url = tree.pointer("/database/url").and_then(Value::as_str);
    if url.is_some_and(|url| super::masked::masked_url(url) != url) {
        faults.push(ConfigFault::error(
            "database.url",
            "l'adresse contient un mot de passe, or un secret ne s'écrit pas dans le fichier de configuration",
            "Retirez-le de l'adresse et donnez « database.password_file », ou donnez l'adresse entière par la \
             variable DATABASE_URL.",
        ));
    }
}

type Builder = ConfigBuilder<DefaultState>;

fn override_from(
    env: &Environment,
    known: &Value,
    mut builder: Builder,
    faults: &mut Vec<ConfigFault>,
) -> Result<Builder, Vec<ConfigFault>> {
    let mut settings = Vec::new();
    for (name, value) in env {
        if let Some(key) = name.strip_prefix(PREFIX) {
            settings.push((name.as_str(), key.to_lowercase().replace("__", "."), value));
        }
    }
    // Last, so that it wins over ENT__DATABASE__URL.
    if let Some(url) = env.get(URL_VARIABLE).filter(|url| !url.trim().is_empty()) {
        settings.push((URL_VARIABLE, "database.url".to_owned(), url));
    }
    for (variable, path, value) in settings {
        builder = match known.pointer(&format!("/{}", path.replace('.', "/"))) {
            Some(Value::Array(items)) if items.iter().any(Value::is_object) => {
                faults.push(ConfigFault::error(
                    variable,
                    "une table ne peut pas être donnée par une variable d'environnement",
                    format!("Écrivez « {path} » dans le fichier de configuration."),
                ));
                builder
            }
            Some(Value::Array(_)) => {
                let items: Vec<String> =
                    value.split(LIST_SEPARATOR).filter(|item| !item.is_empty()).map(str::to_owned).collect();
                builder.set_override(&path, items).map_err(|error| vec![unreadable(&error)])?
            }
            Some(Value::Object(_)) | None => {
                faults.push(ConfigFault { key: variable.to_owned(), ..unknown_setting(&path) });
                builder
            }
            Some(_) => builder.set_override(&path, value.as_str()).map_err(|error| vec![unreadable(&error)])?,
        };
    }
    Ok(builder)
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
