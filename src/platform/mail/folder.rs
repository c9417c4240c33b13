//! Mails written as `.eml` files, for a program that has no server to give them to: development and the demonstration.
//! They hold the links of the mails: the folder is its owner's alone.

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use super::letter::Outgoing;
use super::state::Stage;
use super::transport::{Sent, Session, Transport};

/// A folder of mails.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Transport for Folder {
    fn open(&self) -> Box<dyn Session> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "files"
    }
}

impl Session for Folder {
    fn send(&mut self, mail: &Outgoing) -> Sent {
        let unreachable = |cause: std::io::Error| Sent::Unreachable(Stage::Connect, cause.to_string());
        if let Err(cause) = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0) {
            return unreachable(cause);
        }
        let name = mail.message_id.split_once('@').map_or(mail.message_id.as_str(), |(name, _)| name);
        let path = self.0.join(format!("{name}.eml"));
        let written = tempfile::NamedTempFile::new_in(&self.0)
            .and_then(|mut file| file.write_all(&mail.bytes).map(|()| file))
            .and_then(|file| file.persist(&path).map_err(|refused| refused.error));
        match written {
            Ok(_) => Sent::Accepted(format!("250 écrit : {name}.eml")),
            Err(cause) => unreachable(cause),
        }
    }
}
