//! A mail as it leaves: its parts, its headers, its bytes.

use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};

use super::kind::File;
use super::rules::Letterhead;
use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::EmailId;
use crate::kernel::text::Line;

/// Everything a mail says, and to whom.
#[derive(Debug, Clone)]
pub struct Letter {
    pub email: EmailId,
    pub message_id: String,
    pub date: Instant,
    pub from: Letterhead,
    pub to: EmailAddress,
    pub to_name: Option<Line>,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub files: Vec<File>,
    /// What no copy and no word of a server keeps.
    pub secrets: Vec<String>,
    /// Where refusals come back to.
    pub bounce: Option<EmailAddress>,
}

/// A mail ready to be handed over. It has one recipient: what a server says is said of that one.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub email: EmailId,
    pub message_id: String,
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
    pub secrets: Vec<String>,
}

/// Why a mail cannot be written; in English, for the log.
pub(super) type Unwritable = String;

fn address(from: &EmailAddress) -> Result<Address, Unwritable> {
    from.as_str().parse().map_err(|cause| format!("{from}: {cause}"))
}

fn mailbox(name: Option<&Line>, at: &EmailAddress) -> Result<Mailbox, Unwritable> {
    Ok(Mailbox::new(name.map(ToString::to_string), address(at)?))
}

/// A header whose value is ours: ASCII, short.
fn raw(name: &'static str, value: String) -> Result<HeaderValue, Unwritable> {
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|cause| format!("{name}: {cause}"))?;
    Ok(HeaderValue::new(name, value))
}

impl Letter {
    /// Writes it.
    ///
    /// # Errors
    /// An address or a type that the library refuses.
    pub fn outgoing(self) -> Result<Outgoing, Unwritable> {
        let domain = self.from.address.as_str().split_once('@').map_or("", |(_, domain)| domain).to_owned();
        let builder = Message::builder()
            .message_id(Some(format!("<{}>", self.message_id)))
            .date(self.date.system())
            .from(mailbox(Some(&self.from.name), &self.from.address)?)
            .to(mailbox(self.to_name.as_ref(), &self.to)?)
            .subject(self.subject)
            // RFC 3834: no answering machine answers; RFC 2919: rules of the recipient can name them.
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned())?)
            .raw_header(raw("List-Id", format!("<ent-ecole.{domain}>"))?);
        let builder = match &self.from.reply_to {
            Some(reply_to) => builder.reply_to(mailbox(None, reply_to)?),
            None => builder,
        };
        // The library draws boundaries by chance: the same mail is the same bytes.
        let boundary = |part: &str| format!("{part}-{}", self.email);
        let texts = MultiPart::alternative()
            .boundary(boundary("texts"))
            .singlepart(SinglePart::plain(self.text))
            .singlepart(SinglePart::html(self.html));
        let message = if self.files.is_empty() {
            builder.multipart(texts)
        } else {
            let mut mixed = MultiPart::mixed().boundary(boundary("files")).multipart(texts);
            for File { name, media_type, bytes } in self.files {
                let kind = ContentType::parse(media_type).map_err(|cause| format!("{media_type}: {cause}"))?;
                mixed = mixed.singlepart(Attachment::new(name).body(bytes, kind));
            }
            builder.multipart(mixed)
        };
        let message = message.map_err(|cause| cause.to_string())?;
        let (from, to) = (address(self.bounce.as_ref().unwrap_or(&self.from.address))?, address(&self.to)?);
        // Only what the library checked may stand in the envelope.
        Envelope::new(Some(from.clone()), vec![to.clone()]).map_err(|cause| cause.to_string())?;
        Ok(Outgoing {
            email: self.email,
            message_id: self.message_id,
            from,
            to,
            bytes: message.formatted(),
            secrets: self.secrets,
        })
    }
}
