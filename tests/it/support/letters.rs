//! Mails as their recipient's program reads them: by a library that is not the one which wrote them.

use mail_parser::{MessageParser, MimeHeaders as _, PartType};

/// What a recipient sees.
#[derive(Debug, Clone)]
pub struct Received {
    pub to: String,
    pub from: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub raw: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.raw.split("\r\n\r\n").next()?;
        head.split("\r\n").find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// Paths of the links in it, once each, in their order.
    pub fn links(&self) -> Vec<String> {
        let found = self.text.lines().filter_map(|line| line.trim().find("/i/").map(|at| line.trim()[at..].to_owned()));
        found.collect()
    }
}

/// Reads a message, and holds it against what every mail must be.
pub fn read(bytes: &[u8]) -> Received {
    let raw = String::from_utf8(bytes.to_vec()).expect("a mail in ASCII");
    assert!(raw.is_ascii(), "bytes beyond ASCII travel badly");
    for line in raw.split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "RFC 5322, 2.1.1: {line}");
    }
    let message = MessageParser::default().parse(bytes).expect("a mail");
    let address = |list: Option<&mail_parser::Address<'_>>| {
        let one = list.and_then(|list| list.first()).unwrap();
        match one.name() {
            Some(name) => format!("{name} <{}>", one.address().unwrap()),
            None => one.address().unwrap().to_owned(),
        }
    };
    assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1));
    let files = message
        .attachments()
        .map(|part| {
            let bytes = match &part.body {
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.to_vec(),
                other => panic!("{other:?}"),
            };
            (part.attachment_name().unwrap().to_owned(), bytes)
        })
        .collect();
    let received = Received {
        to: address(message.to()),
        from: address(message.from()),
        subject: message.subject().unwrap().to_owned(),
        text: message.body_text(0).unwrap().replace("\r\n", "\n"),
        html: message.body_html(0).unwrap().replace("\r\n", "\n"),
        raw,
        files,
    };
    assert_eq!(received.header("Auto-Submitted"), Some("auto-generated"));
    assert!(received.header("List-Id").is_some() && received.header("Message-ID").is_some());
    // Nothing is fetched, nothing is followed.
    for bad in ["<img", "<script", "<link", "url(", "src="] {
        assert!(!received.html.contains(bad), "{bad}");
    }
    // Mails never look like dunning.
    for word in ["impayé", "relance", "mise en demeure", "majoration", " dû ", "retard"] {
        assert!(!received.text.to_lowercase().contains(word), "{word}: {}", received.text);
    }
    received
}
