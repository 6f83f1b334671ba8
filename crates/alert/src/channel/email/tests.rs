//! Letters, to a server of mail that follows a script.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;
use crate::channel::tests::notification;

fn mailbox(url: &str, to: &[&str]) -> Result<Mailbox, String> {
    let to: Vec<String> = to.iter().map(ToString::to_string).collect();
    Mailbox::new(&Secret::from(url), "catat <catat@example.org>", &to)
}

/// Answers one connection; `refused` names a command and the answer to it. Gives what the client said.
fn server(refused: Option<(&'static str, &'static str)>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        converse(stream, refused)
    });
    (port, thread)
}

fn converse(mut stream: TcpStream, refused: Option<(&str, &str)>) -> Vec<String> {
    let mut said = Vec::new();
    let reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let greeting = refused.filter(|(command, _)| command.is_empty()).map_or("220 test", |(_, answer)| answer);
    let _ = write!(stream, "{greeting}\r\n");
    let mut is_data = false;
    for line in reader.lines().map_while(Result::ok) {
        said.push(line.clone());
        let refusal = refused.filter(|(command, _)| !command.is_empty() && line.starts_with(command));
        let answer = match refusal {
            Some((_, answer)) => answer,
            None if is_data && line == "." => {
                is_data = false;
                "250 taken"
            }
            None if is_data => continue,
            None if line == "DATA" => {
                is_data = true;
                "354 go on"
            }
            None if line.starts_with("EHLO") => "250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            None if line == "QUIT" => "221 bye",
            None if line.starts_with("AUTH") => "235 welcome",
            None => "250 ok",
        };
        if write!(stream, "{answer}\r\n").is_err() {
            break;
        }
    }
    said
}

#[test]
fn a_letter_says_what_happened_where_and_where_to_look() {
    let (port, thread) = server(None);
    let mailbox =
        mailbox(&format!("smtp://user%40x:pass%3Aword@127.0.0.1:{port}"), &["ops@example.org", "me@example.org"])
            .expect("a mailbox");
    mailbox.deliver(&notification("firing"), false).expect("it is delivered");
    let said = thread.join().expect("the server ends");
    let has = |line: &str| said.iter().any(|one| one == line);
    assert!(
        has("MAIL FROM:<catat@example.org>") && has("RCPT TO:<ops@example.org>") && has("RCPT TO:<me@example.org>"),
        "{said:#?}"
    );
    // user@x and pass:word, as RFC 4616 packs them.
    assert!(has("AUTH PLAIN AHVzZXJAeABwYXNzOndvcmQ="), "{said:#?}");
    assert!(has("Message-ID: <0123456789abcdef0123456789abcdef@example.org>"), "{said:#?}");
    assert!(said.iter().any(|line| line.starts_with("References: <catat-")), "{said:#?}");
    assert!(
        said.iter().any(|line| line.starts_with("Subject: [FIRING] errors: 3 errors in <app/a> & more  Bcc:")),
        "{said:#?}"
    );
    // What stands in a rule's text or a log line makes no header of its own.
    assert!(!said.iter().any(|line| line.starts_with("Bcc")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("disk <!channel> on fire")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("http://127.0.0.1:22828/")), "{said:#?}");
}

#[test]
fn what_a_server_of_mail_refuses_for_now_is_tried_again_and_for_good_is_not() {
    let again = |error: &PostError| matches!(error, PostError::Retry { .. });
    for (command, answer, is_later) in [
        ("", "421 too busy", true),
        ("", "554 nobody here", false),
        ("MAIL", "451 try later", true),
        ("RCPT", "550 no such person", false),
        ("DATA", "452 disk full", true),
        ("AUTH", "535 wrong password", false),
    ] {
        let (port, thread) = server(Some((command, answer)));
        let mailbox = mailbox(&format!("smtp://u:hush@127.0.0.1:{port}"), &["ops@example.org"]).expect("a mailbox");
        let error = mailbox.deliver(&notification("firing"), false).expect_err("it is refused");
        assert_eq!(again(&error), is_later, "{command} {answer}: {error:?}");
        assert!(!error.to_string().contains("hush"), "{error}");
        drop(thread.join());
    }
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let mailbox = mailbox(&format!("smtp://127.0.0.1:{closed}"), &["ops@example.org"]).expect("a mailbox");
    assert!(mailbox.deliver(&notification("firing"), false).is_err_and(|error| again(&error)));
}

#[test]
fn servers_and_addresses_are_checked_before_anything_is_sent() {
    let one = ["ops@example.org"];
    let refusal = |url: &str, to: &[&str]| mailbox(url, to).expect_err("it is refused");
    assert_eq!(refusal("https://mail.example.org", &one), "url must begin with smtp:// or smtps://");
    assert_eq!(refusal("smtp://169.254.169.254", &one), "url points to a link-local or metadata address");
    assert_eq!(refusal("smtp://[fe80::1]", &one), "url points to a link-local or metadata address");
    assert_eq!(refusal("smtp://mail.example.org", &[]), "to is missing");
    assert!(refusal("smtp://mail.example.org", &["ops@example.org\r\nRCPT TO:<all@example.org>"]).starts_with("to: "));
    let encryption = |url: &str| {
        let mailbox = mailbox(url, &one).expect("a mailbox");
        (mailbox.port, mailbox.encryption)
    };
    assert_eq!(encryption("smtps://mail.example.org"), (465, Encryption::Wrapped));
    assert_eq!(encryption("smtp://mail.example.org"), (587, Encryption::Required));
    assert_eq!(encryption("smtp://[::1]:2525"), (2525, Encryption::Offered));
}

#[test]
fn a_server_without_encryption_gets_nothing_where_it_is_asked_for() {
    let (port, thread) = server(None);
    let mut mailbox = mailbox(&format!("smtp://u:hush@127.0.0.1:{port}"), &["ops@example.org"]).expect("a mailbox");
    mailbox.encryption = Encryption::Required;
    mailbox.deliver(&notification("firing"), false).expect_err("there is no STARTTLS");
    let said = thread.join().expect("the server ends");
    assert!(!said.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{said:#?}");
}

#[test]
fn a_report_has_its_own_words_and_its_file() {
    let (port, thread) = server(None);
    let mailbox = mailbox(&format!("smtp://127.0.0.1:{port}"), &["boss@example.org"]).expect("a mailbox");
    let report = serde_json::json!({
        "id": "7", "rule": "daily", "status": "firing", "labels": {}, "starts_at": "2026-11-25T07:00:00Z",
        "annotations": {"summary": "Payments\r\nBcc: all@example.org", "message": "See the file.\n"},
        "report": {"name": "daily", "due": 1}, "enclosure": {"name": "daily.html", "html": "<p>pay</p>"},
    });
    mailbox.deliver(&report, false).expect("it is delivered");
    let said = thread.join().expect("the server ends");
    let has = |text: &str| said.iter().any(|line| line.contains(text));
    assert!(has("Subject: Payments  Bcc: all@example.org") && has("See the file."), "{said:#?}");
    assert!(has("Content-Type: multipart/mixed") && has("attachment; filename=\"daily.html\""), "{said:#?}");
    assert!(has("<p>pay</p>") && !said.iter().any(|line| line.starts_with("Bcc")), "{said:#?}");
}
