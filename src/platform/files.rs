//! Files and folders that only the program's own account reads, whatever the umask it was started with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

/// Makes a folder, and those above it that are missing, with mode 0700. One that is there is left as it is.
///
/// # Errors
/// What the file system refused.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)
}

/// Makes a new file with mode 0600, open for writing.
///
/// # Errors
/// `AlreadyExists`, or what the file system refused.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}

/// Writes a file anew, with mode 0600.
///
/// # Errors
/// What the file system refused.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    private_file(path)?.write_all(bytes)
}

/// Takes from group and others what they may do with a file; true when they could do something.
///
/// # Errors
/// The file belongs to somebody else.
#[cfg(unix)]
pub fn close_to_others(path: &Path) -> io::Result<bool> {
    let mode = path.metadata()?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))?;
    Ok(true)
}

/// Elsewhere access is not told by a mode.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn close_to_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The folder a file stands in: a bare name stands in the current one.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes sure that a new name in a folder outlives a power cut.
///
/// # Errors
/// What the file system refused.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        private_folder(&deep).unwrap();
        assert_eq!((mode(&deep), mode(&folder.path().join("a"))), (0o700, 0o700));
        private_folder(&deep).unwrap();
        let file = deep.join("f");
        write_private(&file, b"1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&file, b"2").unwrap();
        assert_eq!((mode(&file), fs::read(&file).unwrap()), (0o600, b"2".to_vec()));
        assert_eq!(private_file(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_was_open_to_others_is_closed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o664)).unwrap();
        assert!(close_to_others(file.path()).unwrap());
        assert_eq!(mode(file.path()), 0o600);
        assert!(!close_to_others(file.path()).unwrap());
    }
}
