//! Callers who never finish: bodies that stop, answers nobody reads, heads that trickle, connections by the thousand.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::support::operations::{document, operations};
use crate::support::{PASSWORD, Program, TestApp, raw};

const EMAIL: &str = "zoe.martin@exemple.invalid";

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A connection of a caller that takes in as little as the system allows.
fn narrow(url: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(&address(url).into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(address(url)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Everything up to the end of the connection, and how long that took.
fn to_the_end(mut stream: TcpStream) -> (String, Duration) {
    let started = Instant::now();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    (String::from_utf8_lossy(&bytes).into_owned(), started.elapsed())
}

/// Status and code of a raw answer.
fn refusal(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"));
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// This test holds more connections than a process usually may.
fn allow_descriptors(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum }).unwrap();
    }
}

fn closed_by(program: &Program, reason: &str) -> u64 {
    let text = program.client().send("GET", "/metrics", &[], Vec::new()).expect(200).text();
    let series = format!("ent_http_connections_closed_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or(0)
}

const NO_HTTP: (u16, &str) = (400, "malformed_request");
const TOO_SLOW: (u16, &str) = (408, "head_too_slow");
const TOO_LARGE: (u16, &str) = (431, "headers_too_large");

on_both_databases! {
    fn a_thousand_callers_of_each_kind_who_never_finish_do_not_stop_the_service(app: &TestApp) {
        app.add_user(EMAIL, ent_backoffice::kernel::Role::Lecteur);
        allow_descriptors(4_000);
        let mut program = Program::serve_limited(&app.database_url(), 1_024, &[]);
        let places = program.wait_for("the places", |line| line["connections"].as_u64());
        assert!((400..900).contains(&places), "{places}");
        let (_, before) = program.holds();
        let answers = |what: &str| {
            let asked = Instant::now();
            let client = program.client();
            client.send("GET", "/health/live", &[], Vec::new()).expect(200);
            client.post("/auth/login", json!({"email": EMAIL, "password": PASSWORD})).expect(200);
            assert!(asked.elapsed() < Duration::from_secs(10), "{what}: {:?}", asked.elapsed());
            let (descriptors, memory) = program.holds();
            assert!(descriptors < 1_000, "{what}: {descriptors} descriptors");
            assert!(memory.saturating_sub(before) < 150_000, "{what}: {memory} kB, {before} kB before");
            (descriptors, memory)
        };
        let heads = [
            "POST /api/v1/campaigns HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"school_year\":",
            "POST /api/v1/campaigns HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{\"",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"email\":",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{\"",
        ];
        let half: Vec<TcpStream> = (0..1_100).map(|n| {
            let mut stream = connect(&program.url);
            stream.write_all(heads[n % heads.len()].as_bytes()).unwrap();
            stream
        }).collect();
        let with_half_bodies = answers("half-sent bodies");
        let page = "GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8);
        let packed = "GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".repeat(8);
        let unread: Vec<TcpStream> = (0..1_100).map(|n| {
            let mut stream = narrow(&program.url);
            // Whoever is sent away at once cannot finish its request.
            let _ = stream.write_all(if n % 2 == 0 { &page } else { &packed }.as_bytes());
            stream
        }).collect();
        let with_unread_answers = answers("answers never read");
        println!("half bodies {with_half_bodies:?}, unread answers {with_unread_answers:?}, before {before} kB, {places} places");
        // Once their time is up, they are gone, and the next callers find an empty house.
        std::thread::sleep(Duration::from_secs(14));
        let (descriptors, _) = answers("afterwards");
        assert!(descriptors < 120, "{descriptors} descriptors are still open");
        assert!(closed_by(&program, "crowded") > 500 && closed_by(&program, "stalled") > 100);
        drop((half, unread));
        assert_eq!(program.stop().0, Some(0));
    }

    fn a_body_that_stops_or_trickles_is_given_up(app: &TestApp) {
        let settings = [("ENT__SERVER__STALL_TIMEOUT_SECONDS", "1"), ("ENT__SERVER__LEAST_BYTES_PER_SECOND", "200")];
        let program = Program::serve(&app.database_url(), &["--no-worker"], &settings);
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"email\":";
        let mut stopped = connect(&program.url);
        stopped.write_all(head.as_bytes()).unwrap();
        let (answer, took) = to_the_end(stopped);
        let (status, code) = refusal(&answer);
        assert_eq!((status, code.as_str()), (408, "body_too_slow"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        assert!((Duration::from_millis(900)..Duration::from_secs(6)).contains(&took), "{took:?}");
        // Never silent, yet too slow.
        let mut trickle = connect(&program.url);
        trickle.write_all(head.as_bytes()).unwrap();
        let (mut writer, started) = (trickle.try_clone().unwrap(), Instant::now());
        let sender = std::thread::spawn(move || {
            while started.elapsed() < Duration::from_secs(20) && writer.write_all(b" ").is_ok() {
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let (answer, took) = to_the_end(trickle);
        assert_eq!(refusal(&answer), (408, "body_too_slow".to_owned()), "{answer}");
        assert!(took < Duration::from_secs(8), "{took:?}");
        sender.join().unwrap();
        // Slow enough for a bad line, it is heard to the end.
        let body = format!("{{\"refresh_token\":\"{}\"}}", "x".repeat(1_200));
        let head = format!("POST /api/v1/auth/refresh HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut slow = connect(&program.url);
        slow.write_all(head.as_bytes()).unwrap();
        for piece in body.as_bytes().chunks(150) {
            std::thread::sleep(Duration::from_millis(400));
            slow.write_all(piece).unwrap();
        }
        assert_eq!(refusal(&to_the_end(slow).0).0, 401);
    }

    fn an_answer_nobody_reads_is_given_up_and_a_slow_reader_is_served(app: &TestApp) {
        let settings = [("ENT__SERVER__STALL_TIMEOUT_SECONDS", "1"), ("ENT__SERVER__LEAST_BYTES_PER_SECOND", "1000")];
        let program = Program::serve(&app.database_url(), &["--no-worker"], &settings);
        let ask = "GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(6);
        let mut unread = narrow(&program.url);
        unread.write_all(ask.as_bytes()).unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while closed_by(&program, "stalled") == 0 {
            assert!(Instant::now() < until, "it is still open");
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut rest = Vec::new();
        assert!(unread.read_to_end(&mut rest).is_err() || rest.len() < 1_000_000, "cut off, not finished");
        // Reads a little, often.
        let mut reader = narrow(&program.url);
        reader.write_all(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let (mut all, mut piece) = (Vec::new(), vec![0; 16_384]);
        loop {
            let read = reader.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            all.extend_from_slice(&piece[..read]);
            std::thread::sleep(Duration::from_millis(if all.len() < 200_000 { 100 } else { 1 }));
        }
        let text = String::from_utf8(all).unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        assert!(serde_json::from_str::<Value>(body).unwrap()["openapi"].is_string());
        assert_eq!(closed_by(&program, "stalled"), 1);
    }

    fn a_second_head_that_never_ends_is_hung_up_on(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[("ENT__SERVER__HEADER_TIMEOUT_SECONDS", "1")]);
        let mut stream = connect(&program.url);
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut first = [0; 4_096];
        let read = stream.read(&mut first).unwrap();
        assert!(first[..read].starts_with(b"HTTP/1.1 200"));
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
        let (rest, took) = to_the_end(stream);
        assert!(took < Duration::from_secs(12), "{took:?} {rest}");
    }

    fn a_refused_body_is_not_waited_for_and_its_connection_is_closed(app: &TestApp) {
        let token = app.token(ent_backoffice::kernel::Role::Gestionnaire);
        let mut kept = Vec::new();
        let mut ask = |method: &str, path: &str, headers: &str, expected: u16| {
            let framings = ["Content-Length: 900\r\n\r\n{\"half\":", "Transfer-Encoding: chunked\r\n\r\n100\r\n{\"half\":"];
            for framing in framings {
                let mut stream = connect(&app.url);
                stream.write_all(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}{framing}").as_bytes()).unwrap();
                let mut head = vec![0; 16_384];
                let asked = Instant::now();
                let read = stream.read(&mut head).unwrap();
                let answer = String::from_utf8_lossy(&head[..read]).to_lowercase();
                assert!(answer.starts_with(&format!("http/1.1 {expected} ")), "{method} {path}: {answer}");
                assert!(answer.contains("connection: close"), "{method} {path}: {answer}");
                assert!(asked.elapsed() < Duration::from_secs(3), "{method} {path}: {:?}", asked.elapsed());
                kept.push((format!("{method} {path} {framing}"), stream));
            }
        };
        for operation in operations(&document(app)).iter().filter(|o| ["POST", "PUT", "PATCH"].contains(&o.method.as_str())) {
            let path = operation.unknown_path();
            // No token: nothing of the body is waited for.
            if !operation.open {
                ask(&operation.method, &path, "Content-Type: application/json\r\n", 401);
            }
            ask(&operation.method, &path, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415);
        }
        let known = format!("Authorization: Bearer {token}\r\n");
        ask("POST", "/api/v1/campaigns", &format!("{known}Content-Type: text/plain\r\n"), 415);
        ask("POST", "/api/v1/users", &format!("{known}Content-Type: application/json\r\n"), 403);
        ask("POST", "/api/v1/nowhere", "Content-Type: application/json\r\n", 404);
        ask("POST", "/api/v1/me", &known, 405);
        for length in [1_100_000_u64, u64::MAX] {
            let mut stream = connect(&app.url);
            let head = format!("POST /api/v1/campaigns HTTP/1.1\r\nHost: x\r\n{known}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{");
            stream.write_all(head.as_bytes()).unwrap();
            let (answer, _) = to_the_end(stream);
            assert_eq!(refusal(&answer), (413, "payload_too_large".to_owned()), "{answer}");
        }
        // Nobody has sent the rest: each is closed all the same.
        for (what, stream) in kept {
            let (_, took) = to_the_end(stream);
            assert!(took < Duration::from_secs(8), "{what}: {took:?}");
        }
    }

    fn what_the_http_layer_refuses_by_itself_is_a_problem_document_too(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[("ENT__SERVER__HEADER_TIMEOUT_SECONDS", "1")]);
        let head = |line: &str, headers: &str| format!("{line}\r\n{headers}\r\n");
        let get = |target: &str| format!("GET {target} HTTP/1.1");
        let many: String = (0..120).map(|n| format!("X-{n}: a\r\n")).collect();
        let huge = format!("Host: x\r\nCookie: {}\r\n", "x".repeat(140_000));
        let cases = [
            (head(&get("/api/v1/schools?q=é"), "Host: x\r\n"), NO_HTTP),
            (head(&get("/api/v1/schools?q=\u{1}"), "Host: x\r\n"), NO_HTTP),
            (head("GET /api/v1/me HTTP/9.9", "Host: x\r\n"), NO_HTTP),
            (head("G@T /api/v1/me HTTP/1.1", "Host: x\r\n"), NO_HTTP),
            (head(&get("/api/v1/me"), ""), NO_HTTP),
            (head(&get("/api/v1/me"), "Host: x\r\nHost: y\r\n"), NO_HTTP),
            (head(&get("/api/v1/me"), "Host: x\r\nBad Header: y\r\n"), NO_HTTP),
            (head("POST /api/v1/auth/login HTTP/1.1", "Host: x\r\nContent-Length: +5\r\n"), NO_HTTP),
            (head(&get("/api/v1/me"), &format!("Host: x\r\n{many}")), TOO_LARGE),
            (head(&get("/api/v1/me"), &huge), TOO_LARGE),
            ("GET /api/v1/me HTTP/1.1\r\nHo".into(), TOO_SLOW),
        ];
        for (sent, (status, code)) in cases {
            let shown: String = sent.chars().take(80).collect();
            // Alone, and after a request that was answered on the same connection.
            let before = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
            let alone = raw(&program.url, &[(sent.as_bytes(), Duration::ZERO)]);
            let pair = (refusal(&alone), alone.to_lowercase());
            assert_eq!(pair.0, (status, code.to_owned()), "{shown}: {alone}");
            for header in ["content-type: application/problem+json", "connection: close", "x-request-id: ", "cache-control: no-store"] {
                assert!(pair.1.contains(header), "{shown}: {header} in {alone}");
            }
            let body: Value = serde_json::from_str(alone.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            assert!(pair.1.contains(&format!("x-request-id: {}", body["request_id"].as_str().unwrap())), "{alone}");
            if status == 408 {
                continue; // later heads have the room's time: the connection is closed without a word
            }
            let second = raw(&program.url, &[(before.as_bytes(), Duration::ZERO), (sent.as_bytes(), Duration::from_millis(300))]);
            let last = second.rfind("HTTP/1.1 ").map(|at| &second[at..]).unwrap();
            assert_eq!(refusal(last), (status, code.to_owned()), "{shown}: {second}");
        }
        // A body cut badly: the handler says so, once.
        let chunked = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n";
        let answer = raw(&program.url, &[(chunked.as_bytes(), Duration::ZERO)]);
        assert_eq!(refusal(&answer), (400, "malformed_json".to_owned()), "{answer}");
        program.stop();
    }

    fn what_is_no_http_alarms_nobody(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[]);
        let heads = ["GET /\u{e9} HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}", "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                     "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"];
        for head in heads {
            let answer = raw(&program.url, &[(head.as_bytes(), Duration::ZERO)]);
            assert_eq!(refusal(&answer), (400, "malformed_request".to_owned()), "{head}: {answer}");
        }
        for target in ["OPTIONS *", "CONNECT a:1", "GET http://elsewhere", "TRACE /", "GET /\"", "GET /|"] {
            let answer = raw(&program.url, &[(format!("{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(), Duration::ZERO)]);
            assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("not_found"), "{target}: {answer}");
        }
        let (code, log) = program.stop();
        assert_eq!(code, Some(0));
        let alarms: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR").collect();
        assert!(alarms.is_empty(), "{alarms:?}");
    }

    fn a_connection_serves_many_requests_one_after_the_other(app: &TestApp) {
        let mut stream = connect(&app.url);
        let body = json!({"refresh_token": "x"}).to_string();
        for _ in 0..3 {
            let request = format!("POST /api/v1/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = vec![0; 8_192];
            let read = stream.read(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
            assert!(answer.starts_with("http/1.1 401") && !answer.contains("connection: close"), "{answer}");
        }
    }
}

#[test]
fn few_descriptors_are_said_at_start_up() {
    let app = TestApp::new(crate::support::Base::sqlite());
    let said = |descriptors: u32, asked: &str| {
        let mut program =
            Program::serve_limited(&app.database_url(), descriptors, &[("ENT__SERVER__CONNECTIONS", asked)]);
        let line = program.wait_for("the places", |line| line["connections"].is_u64().then(|| line.clone()));
        assert_eq!(program.stop().0, Some(0));
        line
    };
    let few = said(150, "0");
    assert!(few["level"] == "WARN" && few["message"].as_str().unwrap().contains("150 descriptors"), "{few}");
    let lowered = said(1_024, "5000");
    assert!(lowered["level"] == "WARN" && lowered["message"].as_str().unwrap().contains("asks for 5000"), "{lowered}");
    assert!(lowered["connections"].as_u64().unwrap() < 700);
    let asked = said(1_024, "50");
    assert_eq!((&asked["level"], &asked["connections"]), (&json!("INFO"), &json!(50)));
}

#[test]
fn sixty_four_packed_bodies_cost_nothing() {
    let app = TestApp::new(crate::support::Base::sqlite());
    let program = Program::serve(&app.database_url(), &["--no-worker"], &[]);
    program.client().send("GET", "/health/ready", &[], Vec::new()).expect(200);
    let (_, before) = program.holds();
    let url = program.url.clone();
    let all: Vec<_> = (0..64)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || {
                let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                            Content-Encoding: gzip\r\nContent-Length: 389000\r\n\r\n";
                let body = vec![0x1f; 389_000];
                raw(&url, &[(head.as_bytes(), Duration::ZERO), (&body, Duration::ZERO)])
            })
        })
        .collect();
    let answers: Vec<String> = all.into_iter().map(|one| one.join().unwrap()).collect();
    // Whoever was still sending when it was answered may have lost the answer: nobody got another.
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 415")).count();
    assert!(refused > 0 && answers.iter().all(|answer| answer.is_empty() || answer.starts_with("HTTP/1.1 415")));
    let (_, after) = program.holds();
    assert!(after.saturating_sub(before) < 60_000, "{before} kB, then {after} kB");
}
