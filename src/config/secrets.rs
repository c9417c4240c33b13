//! Secrets: they live in files of their own or in the environment, are read here, and never printed.

use super::masked::split_user;
use super::{Config, ConfigFault};
use crate::platform::files::{folder_of, private_folder};
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where the generated key is kept when none is configured.
pub const GENERATED_KEY_FILE: &str = "./data/signing.key";
/// Bytes of a generated key, and the least a configured file may hold.
pub const KEY_BYTES: usize = 32;

/// A key that signs or verifies access tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// Makes sure that `path` holds a key, writing 32 random bytes in hexadecimal (mode 0600) when it does
/// not exist. Two processes starting together end with the same key: the file appears complete or not
/// at all, and the first one wins. `fill` brings the randomness.
///
/// # Errors
/// What the file system refused.
pub fn ensure_signing_key(path: &Path, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let folder = folder_of(path);
    private_folder(folder)?;
    let mut key = [0; KEY_BYTES];
    fill(&mut key);
    let mut text = String::new();
    for byte in key {
        write!(text, "{byte:02x}").map_err(io::Error::other)?;
    }
    // A temporary file has mode 0600 from its creation on.
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(written, "{text}")?;
    written.as_file().sync_all()?;
    match written.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(refused) => Err(refused.error),
    }
}

impl Config {
    /// The keys: the first signs, all verify. Without a configured file, and on a loopback address only,
    /// [`GENERATED_KEY_FILE`] is made when missing; `fill` brings the randomness.
    ///
    /// # Errors
    /// One fault per file that cannot be used, or the missing setting.
    pub fn signing_keys(&self, fill: &mut dyn FnMut(&mut [u8])) -> Result<Vec<SigningKey>, Vec<ConfigFault>> {
        if let Some(fault) = self.missing_signing_key() {
            return Err(vec![fault]);
        }
        let mut files = self.access.signing_key_files.clone();
        if files.is_empty() {
            let generated = PathBuf::from(GENERATED_KEY_FILE);
            ensure_signing_key(&generated, fill).map_err(|error| {
                vec![ConfigFault::error(
                    "access.signing_key_files",
                    format!(
                        "la clé de signature ne peut pas être créée dans {GENERATED_KEY_FILE} ({})",
                        crate::kernel::system::said(&error)
                    ),
                    "Donnez au programme le droit d'écrire dans le dossier ./data, ou désignez une clé existante.",
                )]
            })?;
            files.push(generated);
        }
        let (keys, faults): (Vec<_>, Vec<_>) = files.iter().map(|path| read_key(path)).partition(Result::is_ok);
        let faults: Vec<_> = faults.into_iter().filter_map(Result::err).collect();
        if faults.is_empty() { Ok(keys.into_iter().filter_map(Result::ok).collect()) } else { Err(faults) }
    }

    /// The address of the database, with the password of `database.password_file` put in.
    ///
    /// # Errors
    /// The file cannot be read, or the address has no user to give the password to.
    pub fn database_url(&self) -> Result<String, ConfigFault> {
        let Some(path) = &self.database.password_file else {
            return Ok(self.database.url.clone());
        };
        let password = fs::read_to_string(path).map_err(|error| {
            ConfigFault::error(
                "database.password_file",
                format!("{} ne peut pas être lu ({})", path.display(), crate::kernel::system::said(&error)),
                "Corrigez le chemin, ou donnez au compte du programme le droit de lire ce fichier.",
            )
        })?;
        with_password(&self.database.url, password.trim_end_matches(['\r', '\n'])).ok_or_else(|| {
            ConfigFault::error(
                "database.password_file",
                "l'adresse de la base n'a pas la place d'un mot de passe",
                "Écrivez « database.url » sous la forme postgres://utilisateur@hôte/base, sans mot de passe.",
            )
        })
    }

    pub(super) fn missing_signing_key(&self) -> Option<ConfigFault> {
        let exposed = !self.server.listen.ip().is_loopback() && self.access.signing_key_files.is_empty();
        exposed.then(|| {
            ConfigFault::error(
                "access.signing_key_files",
                format!(
                    "le programme écoute sur {}, au-delà de cette machine, sans clé de signature",
                    self.server.listen
                ),
                "Créez une clé (openssl rand -hex 32 > signing.key ; chmod 600 signing.key) et écrivez \
                 signing_key_files = [\"/chemin/signing.key\"], ou écoutez sur 127.0.0.1.",
            )
        })
    }
}

pub(super) fn read_key(path: &Path) -> Result<SigningKey, ConfigFault> {
    let key = "access.signing_key_files";
    let bytes = fs::read(path).map_err(|error| {
        ConfigFault::error(
            key,
            format!("{} ne peut pas être lu ({})", path.display(), crate::kernel::system::said(&error)),
            "Corrigez le chemin, ou donnez au compte du programme le droit de lire ce fichier.",
        )
    })?;
    let bytes = bytes.trim_ascii();
    if bytes.len() < KEY_BYTES {
        return Err(ConfigFault::error(
            key,
            format!("{} tient en {} octets : une clé en demande au moins {KEY_BYTES}", path.display(), bytes.len()),
            "Créez-la par : openssl rand -hex 32 > signing.key ; chmod 600 signing.key",
        ));
    }
    Ok(SigningKey(bytes.to_vec()))
}

fn with_password(url: &str, password: &str) -> Option<String> {
    let (scheme, user, rest) = split_user(url)?;
    if user.contains(':') {
        return None;
    }
    let mut encoded = String::new();
    for byte in password.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").ok()?;
        }
    }
    Some(format!("{scheme}://{user}:{encoded}@{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_generated_key_is_private_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/signing.key");
        ensure_signing_key(&path, &mut |bytes| bytes.fill(0xab)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", "ab".repeat(32)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        ensure_signing_key(&path, &mut |_| panic!("the key exists")).unwrap();
    }

    #[test]
    fn the_first_of_two_processes_that_start_together_decides() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        let other = path.clone();
        ensure_signing_key(&path, &mut |bytes| {
            ensure_signing_key(&other, &mut |bytes| bytes.fill(1)).unwrap();
            bytes.fill(2);
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), "01".repeat(32));
    }

    #[test]
    fn configured_keys_are_read_in_order_and_a_short_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old, short) = (folder.path().join("new"), folder.path().join("old"), folder.path().join("short"));
        fs::write(&new, format!("{}\n", "n".repeat(64))).unwrap();
        fs::write(&old, "o".repeat(32)).unwrap();
        fs::write(&short, "s").unwrap();
        let mut config = Config::default();
        config.access.signing_key_files = vec![new, old];
        let keys = config.signing_keys(&mut |_| panic!("not needed")).unwrap();
        assert_eq!(keys.iter().map(|key| key.as_bytes().len()).collect::<Vec<_>>(), [64, 32]);
        assert_eq!(format!("{:?}", keys.first().unwrap()), "SigningKey(***)");
        config.access.signing_key_files = vec![short, folder.path().join("absent")];
        assert_eq!(config.signing_keys(&mut |_| {}).unwrap_err().len(), 2);
    }

    #[test]
    fn the_password_of_a_file_enters_the_address_encoded() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "p@ss/é\n").unwrap();
        let mut config = Config::default();
        config.database.url = "postgres://ent@db:5432/ent".into();
        config.database.password_file = Some(file);
        assert_eq!(config.database_url().unwrap(), "postgres://ent:p%40ss%2F%C3%A9@db:5432/ent");
        config.database.url = "sqlite://./x.sqlite".into();
        assert!(config.database_url().unwrap_err().remedy.contains("postgres://"));
    }
}
