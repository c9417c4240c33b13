//! Mails through a real SMTP conversation on loopback: each stage refused, hanging or broken off, and what follows.

use std::sync::Arc;
use std::time::Duration;

use ent_backoffice::kernel::contact::EmailAddress;
use ent_backoffice::kernel::ids::EmailId;
use ent_backoffice::kernel::text::Line;
use ent_backoffice::platform::mail::{
    Letter, Letterhead, Outgoing, Security, Sent, Session, Smtp, SmtpSettings, Stage, Transport,
};

use crate::support::at;
use crate::support::letters;
use crate::support::smtp::{At, Do, Smtpd};

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        user: None,
        password_file: None,
        ca_file: None,
        hello: "essai".into(),
        timeout: Duration::from_secs(1),
        per_connection: 100,
        idle: Duration::from_secs(20),
    }
}

fn session(server: &Smtpd) -> Box<dyn Session> {
    Smtp::new(settings(server.port)).open()
}

fn letter(number: u32, text: &str) -> Outgoing {
    let letter = Letter {
        email: EmailId::parse("019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e").unwrap(),
        message_id: format!("essai.{number}@ac.invalid"),
        date: at("2025-06-05T08:00:00Z"),
        from: Letterhead {
            name: Line::parse("Rectorat d'Été").unwrap(),
            address: EmailAddress::parse("ent@ac.invalid").unwrap(),
            reply_to: Some(EmailAddress::parse("premier-degre@ac.invalid").unwrap()),
            phone: None,
            signature: Vec::new(),
        },
        to: EmailAddress::parse("mairie@commune.invalid").unwrap(),
        to_name: Some(Line::parse("Mairie de Lédenon, « le Vieux »").unwrap()),
        subject: "ENT-C-2025-2026-00001 - Lédenon : convention à signer".into(),
        text: text.to_owned(),
        html: format!("<p>{text}</p>"),
        files: Vec::new(),
        secrets: Vec::new(),
        bounce: None,
    };
    letter.outgoing().unwrap()
}

#[test]
fn what_arrives_is_what_was_written_dots_accents_and_long_lines() {
    let server = Smtpd::new();
    let mut session = session(&server);
    let text = format!("Été.\n.\n..deux\n{}", "mot ".repeat(400));
    for number in 0..3 {
        assert!(matches!(session.send(&letter(number, &text)), Sent::Accepted(_)));
    }
    assert_eq!(server.connections(), 1, "one connection carries them all");
    let read = letters::read(server.taken()[0].as_bytes());
    assert_eq!(read.text.trim_end(), text.trim_end());
    assert_eq!(read.subject, "ENT-C-2025-2026-00001 - Lédenon : convention à signer");
    assert_eq!(read.to, "Mairie de Lédenon, « le Vieux » <mairie@commune.invalid>");
    assert_eq!(read.from, "Rectorat d'Été <ent@ac.invalid>");
    assert_eq!(read.header("Reply-To"), Some("premier-degre@ac.invalid"));
    assert_eq!(read.header("Message-ID"), Some("<essai.0@ac.invalid>"));
}

#[test]
fn each_stage_that_fails_is_told_for_what_it_means() {
    use Sent::{Accepted, Deferred, Refused, Uncertain, Unreachable};
    type Means = fn(&Sent) -> bool;
    let cases: &[(At, Do, Means)] = &[
        (At::Greeting, Do::Reply("554 no service"), |s| matches!(s, Unreachable(Stage::Connect, _))),
        (At::Greeting, Do::Hang, |s| matches!(s, Unreachable(Stage::Connect, _))),
        (At::Greeting, Do::Close, |s| matches!(s, Unreachable(Stage::Connect, _))),
        (At::Hello, Do::Close, |s| matches!(s, Unreachable(Stage::Connect, _))),
        (At::Mail, Do::Reply("421 closing"), |s| matches!(s, Unreachable(Stage::Sender, _))),
        (At::Mail, Do::Reply("550 sender unknown"), |s| matches!(s, Deferred(Stage::Sender, _))),
        (At::Mail, Do::Hang, |s| matches!(s, Unreachable(Stage::Sender, _))),
        (At::Rcpt, Do::Reply("550 no such user"), |s| matches!(s, Refused(Stage::Recipient, _))),
        (At::Rcpt, Do::Reply("450 greylisted"), |s| matches!(s, Deferred(Stage::Recipient, _))),
        (At::Rcpt, Do::Reply("421 too many"), |s| matches!(s, Deferred(Stage::Recipient, _))),
        (At::Rcpt, Do::Close, |s| matches!(s, Deferred(Stage::Recipient, _))),
        (At::Data, Do::Reply("451 later"), |s| matches!(s, Deferred(Stage::Data, _))),
        (At::Data, Do::Reply("554 no"), |s| matches!(s, Refused(Stage::Data, _))),
        (At::Data, Do::Hang, |s| matches!(s, Deferred(Stage::Data, _))),
        (At::End, Do::Reply("552 too big"), |s| matches!(s, Refused(Stage::End, _))),
        (At::End, Do::Reply("452 full"), |s| matches!(s, Deferred(Stage::End, _))),
        (At::End, Do::Reply("421 closing"), |s| matches!(s, Deferred(Stage::End, _))),
        (At::End, Do::Hang, |s| matches!(s, Uncertain(_))),
        (At::End, Do::Close, |s| matches!(s, Uncertain(_))),
        (At::End, Do::TakeAndClose, |s| matches!(s, Uncertain(_))),
        (At::End, Do::Reply("nonsense"), |s| matches!(s, Uncertain(_))),
    ];
    for (at, does, means) in cases {
        let server = Smtpd::new();
        let mut session = session(&server);
        server.script(*at, does.clone());
        let sent = session.send(&letter(1, "Bonjour."));
        assert!(means(&sent), "{at:?} {does:?}: {sent:?}");
        // Whatever happened, the next one leaves.
        let next = session.send(&letter(2, "Bonjour."));
        assert!(matches!(next, Accepted(_)), "after {at:?} {does:?}: {next:?}");
    }
}

#[test]
fn a_message_broken_off_before_its_end_was_certainly_not_taken() {
    let server = Smtpd::new();
    let mut session = session(&server);
    server.script(At::Inside, Do::Close);
    // Long enough not to fit into what the network holds for a reader that is gone.
    let sent = session.send(&letter(1, &"une ligne de texte assez longue \n".repeat(300_000)));
    assert!(matches!(sent, Sent::Deferred(Stage::Data, _)), "{sent:?}");
    assert_eq!(server.taken().len(), 0);
}

#[test]
fn a_connection_the_server_closed_meanwhile_is_opened_again_and_no_mail_is_sent_twice() {
    let server = Smtpd::new();
    server.per_connection(2);
    let mut session = session(&server);
    for number in 0..7 {
        let sent = session.send(&letter(number, "Bonjour."));
        assert!(matches!(sent, Sent::Accepted(_)), "{number}: {sent:?}");
    }
    assert_eq!((server.taken().len(), server.connections()), (7, 4));
}

#[test]
fn the_password_is_read_again_at_each_connection() {
    let server = Smtpd::new();
    server.password("second");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "first\n").unwrap();
    let with =
        SmtpSettings { user: Some("ent".into()), password_file: Some(file.path().to_owned()), ..settings(server.port) };
    let mut session = Smtp::new(with).open();
    assert!(matches!(session.send(&letter(1, "x")), Sent::Unreachable(Stage::Login, _)));
    std::fs::write(file.path(), "second\n").unwrap();
    assert!(matches!(session.send(&letter(1, "x")), Sent::Accepted(_)));
    std::fs::remove_file(file.path()).unwrap();
    let mut other = Smtp::new(SmtpSettings {
        user: Some("ent".into()),
        password_file: Some("/nowhere".into()),
        ..settings(server.port)
    })
    .open();
    assert!(matches!(other.send(&letter(1, "x")), Sent::Unreachable(Stage::Login, _)));
}

#[test]
fn where_tls_is_required_nothing_is_said_in_the_clear() {
    let server = Smtpd::new();
    for security in [Security::StartTls, Security::Implicit] {
        let mut session = Smtp::new(SmtpSettings { security, ..settings(server.port) }).open();
        let sent = session.send(&letter(1, "x"));
        assert!(matches!(sent, Sent::Unreachable(Stage::Tls | Stage::Connect, _)), "{sent:?}");
    }
    assert_eq!(server.taken().len(), 0);
    let _: Arc<dyn Transport> = Arc::new(Smtp::new(settings(server.port)));
}

#[test]
fn nobody_there_is_nobody_reached() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(matches!(Smtp::new(settings(port)).open().send(&letter(1, "x")), Sent::Unreachable(Stage::Connect, _)));
}
