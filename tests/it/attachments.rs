//! What people attach: recognised by content, kept as given, served inert, untied with a trace; whatever a file tries.
//!
//! What is taken and what is refused, file by file, is tested beside the code (`platform/attachments/tests.rs`); here is
//! what callers see of it, on both databases.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use ent_backoffice::kernel::Role;
use ent_backoffice::platform::db::blobs::digest;
use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::operations as contract;
use crate::support::samples;
use crate::support::year::{open_campaign, register_seed};
use crate::support::{Base, PASSWORD, Program, TestApp};

/// A convention just issued: the address of its attachments, and its number.
fn issued(app: &TestApp) -> (String, String) {
    register_seed(app);
    open_campaign(app, "issue");
    app.forget_jobs();
    let g = app.gestionnaire();
    g.post("/campaigns/2025-2026/conventions", json!({})).expect(200);
    let convention = g.get("/conventions").json["data"][0].clone();
    let number = convention["number"].as_str().unwrap().to_owned();
    (format!("/conventions/{}/attachments", convention["id"].as_str().unwrap()), number)
}

fn kept(app: &TestApp) -> String {
    let count = "SELECT CAST(count(*) AS TEXT) AS line FROM";
    ["attachments", "stored_files", "stored_file_parts"]
        .map(|t| text_rows(&app.db, &format!("{count} {t}")).remove(0))
        .join(" ")
}

fn history(app: &TestApp, number: &str) -> Vec<Value> {
    let events = app.admin().get(&format!("/audit-events?subject={number}&sort=at")).expect(200).json["data"].clone();
    let of = |event: &&Value| event["action"].as_str().unwrap().starts_with("attachment.");
    events.as_array().unwrap().iter().filter(of).cloned().collect()
}

on_both_databases! {
    fn a_scan_is_kept_as_given_and_served_inert(app: &TestApp) {
        let (path, number) = issued(app);
        let g = app.gestionnaire();
        let scan = samples::pdf(&[], "");
        // Neither the name nor the announced type says what it is; the name is a text.
        let created = g.attach(&path, "signature", &[("C:\\\\scan\\\\Convention signée.exe", &scan)], &[]).expect(201);
        let view = created.json.clone();
        let place = format!("{path}/{}", view["id"].as_str().unwrap());
        assert_eq!((created.header("location"), created.header("etag")), (format!("/api/v1{place}").as_str(), "\"1\""));
        assert_eq!((&view["media_type"], &view["file_name"]), (&json!("application/pdf"), &json!("Convention signée.exe")));
        assert_eq!((&view["sha256"], &view["length"]), (&json!(digest(&scan)), &json!(scan.len())));
        assert_eq!((&view["status"], &view["scan"], &view["sources"]), (&json!("attached"), &json!("none"), &json!([])));
        assert_eq!(g.get(&place).expect(200).json, view);
        assert_eq!(g.get(&path).expect(200).json["data"], json!([view]));
        for reader in [app.lecteur(), app.ordonnateur(), app.admin()] {
            let out = reader.get(&format!("{place}/content")).expect(200);
            assert_eq!(out.bytes, scan);
            assert_eq!(out.header("content-type"), "application/pdf");
            assert_eq!(out.header("etag"), format!("\"{}\"", digest(&scan)));
            assert_eq!(out.header("x-content-type-options"), "nosniff");
            assert_eq!(out.header("content-security-policy"), "sandbox; default-src 'none'; frame-ancestors 'none'");
            assert_eq!(out.header("cache-control"), "no-store");
            let short = &digest(&scan)[..8];
            let named = format!("attachment; filename=\"{number} convention signee {short}.pdf\"; filename*=UTF-8''");
            assert!(out.header("content-disposition").starts_with(&named), "{}", out.header("content-disposition"));
            assert!(!out.header("content-disposition").contains("exe"));
        }
        app.comptable().get(&format!("{place}/content")).problem(403, "forbidden");
        g.get(&format!("{place}/sources/1")).problem(404, "not_found");
        let [told] = &history(app, &number)[..] else { panic!() };
        assert_eq!((&told["action"], &told["data"]["sha256"]), (&json!("attachment.attached"), &json!(digest(&scan))));
        assert_eq!(told["data"]["file_name"], "Convention signée.exe");
    }

    fn photos_become_one_upright_pdf_and_stay(app: &TestApp) {
        let (path, _) = issued(app);
        let g = app.gestionnaire();
        // As a telephone held upright stores it: lying, with a word that says so. Red is up.
        let held = samples::jpeg(800, 600, Some(6), |x, _| if x < 400 { [220, 20, 20] } else { [20, 20, 220] });
        let lying = samples::png(400, 200, |_, _| [20, 180, 20, 255]);
        let view = g.attach(&path, "signature", &[("IMG_1.JPG", &held), ("IMG_2.PNG", &lying)], &[]).expect(201).json;
        assert_eq!((&view["media_type"], &view["file_name"]), (&json!("application/pdf"), &Value::Null));
        let given = |n: usize| (view["sources"][n]["position"].clone(), view["sources"][n]["sha256"].clone());
        assert_eq!((given(0), given(1)), ((json!(1), json!(digest(&held))), (json!(2), json!(digest(&lying)))));
        let place = format!("{path}/{}", view["id"].as_str().unwrap());
        let first = g.get(&format!("{place}/sources/1")).expect(200);
        assert_eq!((first.header("content-type"), &first.bytes), ("image/jpeg", &held));
        assert_eq!(g.get(&format!("{place}/sources/2")).expect(200).bytes, lying);
        g.get(&format!("{place}/sources/3")).problem(404, "not_found");
        let made = g.get(&format!("{place}/content")).expect(200).bytes;
        assert!(!made.windows(4).any(|w| w == b"Exif"), "what telephones write of place and time stays out");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("made.pdf");
        std::fs::write(&file, &made).unwrap();
        let info = Command::new("pdfinfo").args(["-f", "1", "-l", "9"]).arg(&file).output().unwrap();
        let info = String::from_utf8(info.stdout).unwrap();
        let sizes: Vec<&str> = info.lines().filter(|l| l.starts_with("Page ") && l.contains("size:")).map(|l| l.split("size:").nth(1).unwrap().trim()).collect();
        assert!(sizes.len() == 2 && sizes[0].starts_with("595 x 842 pts") && sizes[1].starts_with("842 x 595 pts"), "{info}");
        let drawn = Command::new("pdftoppm").args(["-r", "36", "-png"]).arg(&file).arg(folder.path().join("p")).status().unwrap();
        assert!(drawn.success());
        let page = |n: usize| image::open(folder.path().join(format!("p-{n}.png"))).unwrap().to_rgb8();
        let at = |page: &image::RgbImage, tenth: u32| page.get_pixel(page.width() / 2, page.height() * tenth / 10).0;
        let (one, two) = (page(1), page(2));
        assert!(at(&one, 3)[0] > 180 && at(&one, 3)[2] < 80, "red is up: {:?}", at(&one, 3));
        assert!(at(&one, 7)[2] > 180 && at(&one, 7)[0] < 80, "blue is down: {:?}", at(&one, 7));
        assert!(at(&two, 5)[1] > 140 && at(&two, 5)[0] < 80, "{:?}", at(&two, 5));
    }

    fn a_wrong_piece_is_detached_with_a_trace(app: &TestApp) {
        let (path, number) = issued(app);
        let g = app.gestionnaire();
        let letter = samples::pdf(&[], "/Info 3 0 R");
        let view = g.attach(&path, "refusal", &[("lettre.pdf", &letter)], &[]).expect(201).json;
        g.attach(&path, "refusal", &[("la même.pdf", &letter)], &[]).problem(409, "already_attached");
        // The same paper may show something else.
        g.attach(&path, "signature", &[("lettre.pdf", &letter)], &[]).expect(201);
        let place = format!("{path}/{}", view["id"].as_str().unwrap());
        let moves = format!("{place}/transitions");
        assert_eq!(g.get(&moves).json["actions"][0], json!({"action": "detach", "allowed": true, "code": null, "reason": null}));
        assert_eq!(app.lecteur().get(&moves).json["actions"][0]["code"], "forbidden");
        let detach = json!({"action": "detach", "reason": "lettre d'une autre commune"});
        let stale = g.json("POST", &moves, &[("if-match", "\"2\"")], &detach);
        stale.problem(412, "precondition_failed");
        let after = g.json("POST", &moves, &[("if-match", "\"1\"")], &detach).expect(200);
        assert_eq!((after.header("etag"), &after.json["status"]), ("\"2\"", &json!("detached")));
        assert_eq!(after.json["detached"]["reason"], "lettre d'une autre commune");
        let refused = g.post(&moves, detach.clone()).problem(409, "attachment_state");
        assert_eq!((&refused.json["current_state"], &refused.json["allowed_actions"]), (&json!("detached"), &json!([])));
        // Everybody sees that it was there; its content is for those who look into it.
        assert_eq!(app.lecteur().get(&place).expect(200).json, after.json);
        for role in [Role::Lecteur, Role::Ordonnateur] {
            app.client(role).get(&format!("{place}/content")).problem(403, "forbidden");
        }
        for role in [Role::Gestionnaire, Role::Admin] {
            assert_eq!(app.client(role).get(&format!("{place}/content")).expect(200).bytes, letter);
        }
        let status = |status: &str| g.get(&format!("{path}?status={status}")).expect(200).json["data"].as_array().unwrap().len();
        assert_eq!((status("attached"), status("detached")), (1, 1));
        assert_eq!(g.get(&format!("{path}?purpose=refusal")).json["data"].as_array().unwrap().len(), 1);
        g.get(&format!("{path}?purpose=autre")).problem(422, "invalid_value");
        // Once detached it may be attached again: that is another fact.
        g.attach(&path, "refusal", &[("lettre.pdf", &letter)], &[]).expect(201);
        let actions: Vec<Value> = history(app, &number).iter().map(|e| e["action"].clone()).collect();
        let (tied, untied) = ("attachment.attached", "attachment.detached");
        assert_eq!(json!(actions), json!([tied, tied, untied, tied]));
        assert_eq!(history(app, &number)[2]["data"]["reason"], "lettre d'une autre commune");
        // It is of this convention only.
        let other = path.replace("/conventions/", "/conventions/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/../");
        assert!(g.get(&other).status >= 400);
        g.get("/conventions/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/attachments").problem(404, "not_found");
    }

    fn a_form_sent_again_under_its_key_acts_once(app: &TestApp) {
        let (path, _) = issued(app);
        let g = app.gestionnaire();
        let (scan, other) = (samples::pdf(&[], ""), samples::pdf(&[], "/Info 3 0 R"));
        let keyed = [("idempotency-key", "piece-1")];
        let first = g.attach(&path, "signature", &[("a.pdf", &scan)], &keyed).expect(201);
        let again = g.attach(&path, "signature", &[("a.pdf", &scan)], &keyed).expect(201);
        assert_eq!((first.json, first.headers.get("location")), (again.json, again.headers.get("location")));
        g.attach(&path, "signature", &[("a.pdf", &other)], &keyed).problem(422, "idempotency_key_reused");
        g.attach(&path, "refusal", &[("a.pdf", &scan)], &keyed).problem(422, "idempotency_key_reused");
        assert_eq!(g.get(&path).json["data"].as_array().unwrap().len(), 1);
    }

    fn what_is_not_taken_says_what_to_do_and_leaves_nothing(app: &TestApp) {
        let (path, _) = issued(app);
        let g = app.gestionnaire();
        let photo = samples::jpeg(20, 20, None, |_, _| [0; 3]);
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
        let refused = g.attach(&path, "signature", &[("IMG_1.heic", heic)], &[]).problem(422, "attachment_refused");
        let error = &refused.json["errors"][0];
        assert_eq!((&error["pointer"], &error["code"], &error["value"]), (&json!("file/0"), &json!("heic"), &json!("IMG_1.heic")));
        assert!(error["message"].as_str().unwrap().contains("JPEG"), "{error}");
        let second = g.attach(&path, "signature", &[("a.jpg", &photo), ("b.jpg", &photo[..60])], &[]);
        assert_eq!(second.problem(422, "attachment_refused").json["errors"][0]["pointer"], "file/1");
        g.attach(&path, "signature", &[], &[]).problem(400, "bad_form");
        let purposes = g.attach(&path, "convention", &[("a.jpg", &photo)], &[]).problem(422, "invalid_value");
        assert!(purposes.json["errors"][0]["message"].as_str().unwrap().contains("signature, refusal"), "{}", purposes.text());
        let many: Vec<(&str, &[u8])> = vec![("a.jpg", &photo); 41];
        g.attach(&path, "signature", &many, &[]).problem(400, "bad_form");
        let large = vec![b' '; 20 * 1024 * 1024 + 1];
        g.attach(&path, "signature", &[("a.pdf", &large)], &[]).problem(413, "payload_too_large");
        // Cut on its way: in a file, in the line that ends it, before the first.
        let (kind, whole) = contract::attachment("signature", &[("a.jpg", &photo), ("b.jpg", &photo)]);
        for length in [20, 200, 500, whole.len() / 2, whole.len() - 4, whole.len() - 12] {
            let cut = whole[..length].to_vec();
            g.send("POST", &format!("/api/v1{path}"), &[("content-type", kind)], cut).problem(400, "bad_form");
        }
        assert_eq!(kept(app), "0 0 0");
    }

    fn a_large_file_is_stored_in_parts_once_and_checked_when_served(app: &TestApp) {
        let (path, number) = issued(app);
        let g = app.gestionnaire();
        let noise: Vec<u8> = (0..3_000_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
        let scan = samples::pdf(&[samples::stream("", &noise)], "");
        let view = g.attach(&path, "signature", &[("a.pdf", &scan)], &[]).expect(201).json;
        g.attach(&path, "refusal", &[("a.pdf", &scan)], &[]).expect(201);
        assert_eq!(kept(app), "2 1 3");
        let content = format!("{path}/{}/content", view["id"].as_str().unwrap());
        assert!(g.get(&content).expect(200).bytes == scan);
        let part = "SELECT part_sha256 AS line FROM stored_file_parts ORDER BY position";
        let part = text_rows(&app.db, part).remove(1);
        let false_bytes = if app.db.is_sqlite() { "CAST('FAUX' AS BLOB)" } else { "'FAUX'::bytea" };
        app.tamper("blobs", &format!("UPDATE blobs SET bytes = {false_bytes} WHERE sha256 = '{part}'"));
        let fault = g.get(&content).problem(500, "integrity_fault");
        assert!(!fault.text().contains("FAUX"));
        let alarms = app.admin().get("/audit-events?action=integrity.fault").json["data"].clone();
        assert_eq!((&alarms[0]["subject_kind"], &alarms[0]["subject_key"]), (&json!("convention"), &json!(number)), "{alarms}");
        // Who brings the right bytes again does not believe them kept.
        g.attach(&path, "signature", &[("b.pdf", &scan)], &[]).problem(500, "integrity_fault");
        // Parts in another order are not the file either.
        app.tamper("blobs", &format!("UPDATE blobs SET bytes = (SELECT bytes FROM blobs WHERE sha256 <> '{part}' AND length = 1048576 LIMIT 1) WHERE sha256 = '{part}'"));
        g.get(&content).problem(500, "integrity_fault");
        assert_eq!(history(app, &number).len(), 2);
    }
}

/// A picture upright, as a camera held another way stores it: the orientation its EXIF data tell puts it right again.
fn held(orientation: u8, (width, height): (u32, u32), colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let (across, down) = if orientation > 4 { (height, width) } else { (width, height) };
    samples::jpeg(across, down, Some(orientation), |x, y| {
        let (right, low) = (width - 1, height - 1);
        match orientation {
            2 => colour(right - x, y),
            3 => colour(right - x, low - y),
            4 => colour(x, low - y),
            5 => colour(y, x),
            6 => colour(right - y, x),
            7 => colour(right - y, low - x),
            8 => colour(y, low - x),
            _ => colour(x, y),
        }
    })
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [name.as_slice(), body].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&named);
    [&u32::try_from(body.len()).unwrap().to_be_bytes(), named.as_slice(), &crc.sum().to_be_bytes()].concat()
}

/// A PNG of sixteen bits a colour, with transparency, in Adam7's seven passes: all that makes one large and rare.
fn png_interlaced(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    let mut lines = Vec::new();
    for (left, top, across, down) in passes {
        for y in (top..height).step_by(down) {
            if left >= width {
                continue;
            }
            lines.push(0);
            for x in (left..width).step_by(across) {
                lines.extend(colour(x, y).into_iter().flat_map(|part| [part, part]));
            }
        }
    }
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let head = [size.as_slice(), &[16, 6, 0, 0, 1]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &head),
        chunk(b"IDAT", &samples::deflated(&lines)),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// Red and green above, blue and white below.
fn quarters(x: u32, y: u32) -> [u8; 3] {
    match (x < 40, y < 60) {
        (true, true) => [220, 20, 20],
        (false, true) => [20, 160, 20],
        (true, false) => [20, 20, 220],
        (false, false) => [250, 250, 250],
    }
}

/// The colours in the middle of the four quarters of a page.
fn seen(page: &image::RgbImage) -> Vec<&'static str> {
    let named = |[red, green, blue]: [u8; 3]| match (red > 128, green > 100, blue > 128) {
        (true, false, false) => "red",
        (false, true, false) => "green",
        (false, false, true) => "blue",
        (true, true, true) => "white",
        _ => "another",
    };
    let places = [(1, 1), (3, 1), (1, 3), (3, 3)];
    let at = |(x, y): (u32, u32)| page.get_pixel(page.width() * x / 4, page.height() * y / 4).0;
    places.into_iter().map(|place| named(at(place))).collect()
}

#[test]
fn however_a_photo_was_taken_it_stands_upright_on_its_page() {
    let app = TestApp::new(Base::sqlite());
    let (path, _) = issued(&app);
    let mut photos: Vec<Vec<u8>> = (1..=8).map(|turned| held(turned, (80, 120), quarters)).collect();
    // An orientation that is none says nothing.
    photos.push(samples::jpeg(80, 120, Some(9), quarters));
    photos.push(include_bytes!("../data/photos/progressive.jpg").to_vec());
    let clear = |x, y| match quarters(x, y) {
        // Nothing there: paper shows through.
        [250, ..] => [0, 0, 0, 0],
        [red, green, blue] => [red, green, blue, 255],
    };
    photos.push(samples::png(80, 120, clear));
    photos.push(png_interlaced(80, 120, clear));
    let files: Vec<(&str, &[u8])> = photos.iter().map(|photo| ("page", photo.as_slice())).collect();
    let view = app.gestionnaire().attach(&path, "signature", &files, &[]).expect(201).json;
    let content = format!("{path}/{}/content", view["id"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.pdf");
    std::fs::write(&file, app.gestionnaire().get(&content).expect(200).bytes).unwrap();
    let drawn =
        Command::new("pdftoppm").args(["-r", "36", "-png"]).arg(&file).arg(folder.path().join("p")).status().unwrap();
    assert!(drawn.success());
    for n in 1..=photos.len() {
        let page = image::open(folder.path().join(format!("p-{n:02}.png"))).unwrap().to_rgb8();
        assert!(page.height() > page.width(), "page {n}");
        assert_eq!(seen(&page), ["red", "green", "blue", "white"], "page {n}");
    }
}

#[test]
fn photos_are_bounded_together_too() {
    let app = TestApp::with(Base::sqlite(), |config| {
        (config.attachments.file_limit_bytes, config.attachments.total_limit_bytes) = (300_000, 500_000);
    });
    let (path, _) = issued(&app);
    let photo = [samples::jpeg(20, 20, None, |_, _| [0; 3]), vec![0; 260_000]].concat();
    let g = app.gestionnaire();
    g.attach(&path, "signature", &[("a", &photo), ("b", &photo)], &[]).problem(413, "payload_too_large");
    assert_eq!(kept(&app), "0 0 0");
    g.attach(&path, "signature", &[("a", &photo)], &[]).expect(201);
}

/// A program of the house, for one test.
fn script(folder: &tempfile::TempDir, text: &str) -> Vec<String> {
    let path = folder.path().join("scan.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    vec![path.to_str().unwrap().to_owned(), "-".to_owned()]
}

fn scanned(text: &str, test: impl Fn(&TestApp, &tempfile::TempDir)) {
    scanned_in_turn(text, 10, test);
}

fn scanned_in_turn(text: &str, waiting: u64, test: impl Fn(&TestApp, &tempfile::TempDir)) {
    for base in [Base::sqlite(), Base::postgres()] {
        let folder = tempfile::tempdir().unwrap();
        let command = script(&folder, text);
        let app = TestApp::with(base, |config| {
            config.attachments.scan_command = command;
            config.attachments.scan_timeout_seconds = 1;
            config.attachments.at_once = 1;
            config.attachments.waiting_seconds = waiting;
        });
        test(&app, &folder);
    }
}

#[test]
fn the_antivirus_sees_each_file_that_was_given() {
    scanned("n=$(ls \"${0%/*}\" | wc -l); cat > \"${0%/*}/seen-$n\"", |app, folder| {
        let (path, _) = issued(app);
        let (one, two) = (samples::jpeg(20, 20, None, |_, _| [0; 3]), samples::png(20, 20, |_, _| [9; 4]));
        let view = app.gestionnaire().attach(&path, "signature", &[("a", &one), ("b", &two)], &[]).expect(201).json;
        assert_eq!(view["scan"], "clean");
        let seen = |n: usize| std::fs::read(folder.path().join(format!("seen-{n}"))).unwrap();
        assert!(seen(1) == one && seen(2) == two);
    });
}

#[test]
fn what_the_antivirus_refuses_is_told_and_not_kept() {
    scanned("echo 'stdin: Eicar-Test-Signature FOUND'; exit 1", |app, _| {
        let (path, number) = issued(app);
        let scan = samples::pdf(&[], "");
        let refused = app.gestionnaire().attach(&path, "signature", &[("a.pdf", &scan)], &[]);
        assert!(refused.problem(422, "attachment_infected").json["detail"].as_str().unwrap().starts_with("a.pdf"));
        assert_eq!(kept(app), "0 0 0");
        let [told] = &history(app, &number)[..] else { panic!() };
        assert_eq!((&told["action"], &told["data"]["sha256"]), (&json!("attachment.infected"), &json!(digest(&scan))));
        assert!(told["sentence"].as_str().unwrap().contains("Eicar-Test-Signature"), "{told}");
    });
}

#[test]
fn an_antivirus_that_does_not_answer_keeps_everything_out() {
    // Late (and so is what it started), killed, at a loss, absent.
    for text in ["sleep 30 & wait", "kill -9 $$", "echo 'no database' >&2; exit 2", "exec /nowhere"] {
        scanned(text, |app, _| {
            let (path, number) = issued(app);
            let refused = app.gestionnaire().attach(&path, "signature", &[("a.pdf", &samples::pdf(&[], ""))], &[]);
            assert_eq!(refused.problem(503, "scan_failed").header("retry-after"), "5");
            assert_eq!((kept(app).as_str(), history(app, &number).len()), ("0 0 0", 0));
        });
    }
}

#[test]
fn the_patience_with_the_antivirus_is_for_all_the_photos_together() {
    scanned("sleep 1.2", |app, _| {
        let (path, _) = issued(app);
        let (one, two) = (samples::jpeg(20, 20, None, |_, _| [0; 3]), samples::png(20, 20, |_, _| [9; 4]));
        let refused = app.gestionnaire().attach(&path, "signature", &[("a", &one), ("b", &two)], &[]);
        refused.problem(503, "scan_failed");
        assert_eq!(kept(app), "0 0 0");
    });
}

#[test]
fn a_program_that_is_not_there_keeps_everything_out() {
    let app =
        TestApp::with(Base::sqlite(), |config| config.attachments.scan_command = vec!["/nowhere/scan".to_owned()]);
    let (path, _) = issued(&app);
    let refused = app.gestionnaire().attach(&path, "signature", &[("a.pdf", &samples::pdf(&[], ""))], &[]);
    refused.problem(503, "scan_failed");
    assert_eq!(kept(&app), "0 0 0");
}

/// What becomes of three pieces given at once, of which one at a time is looked at.
fn three_at_once(app: &TestApp) -> Vec<u16> {
    let (path, _) = issued(app);
    let g = app.gestionnaire();
    std::thread::scope(|scope| {
        let sent: Vec<_> = (0..3_u8)
            .map(|shade| {
                let (g, path) = (g.clone(), path.clone());
                let photo = samples::jpeg(20, 20, None, move |_, _| [shade * 80; 3]);
                scope.spawn(move || {
                    let answer = g.attach(&path, "signature", &[("a.jpg", &photo)], &[]);
                    if answer.status == 201 {
                        return 201;
                    }
                    let busy = answer.problem(503, "attachment_reader_busy");
                    assert_eq!(busy.header("retry-after"), "5");
                    503
                })
            })
            .collect();
        sent.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn more_pieces_than_may_be_looked_at_at_once_wait_for_their_turn() {
    scanned("sleep 0.3", |app, _| assert_eq!(three_at_once(app), [201; 3]));
}

#[test]
fn who_waited_long_enough_is_told_to_come_back() {
    scanned_in_turn("sleep 0.8", 0, |app, _| {
        let answers = three_at_once(app);
        assert!(answers.contains(&201) && answers.contains(&503), "{answers:?}");
    });
}

#[test]
fn two_forms_of_the_same_files_at_once_make_one_piece() {
    for base in [Base::sqlite(), Base::postgres()] {
        let app = TestApp::new(base);
        let (path, _) = issued(&app);
        let (g, scan) = (app.gestionnaire(), samples::pdf(&[], ""));
        let mut answers: Vec<u16> = std::thread::scope(|scope| {
            let send = || scope.spawn(|| g.attach(&path, "signature", &[("a.pdf", &scan)], &[]).status);
            let sent: Vec<_> = (0..4).map(|_| send()).collect();
            sent.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        answers.sort_unstable();
        assert_eq!(answers, [201, 409, 409, 409]);
    }
}

/// Most that the process which serves may grow by, in kB, while 20 MB files go in and out.
const GROWTH: u64 = 60_000;

#[test]
fn the_process_that_serves_stays_small_whatever_is_attached() {
    let app = TestApp::new(Base::sqlite());
    let (path, _) = issued(&app);
    let email = "zoe.martin@exemple.invalid";
    app.add_user(email, Role::Gestionnaire);
    let program = Program::serve(&app.database_url(), &["--no-worker"], &[]);
    let session = program.client().post("/auth/login", json!({"email": email, "password": PASSWORD})).expect(200);
    let g = program.client().with_token(session.json["access_token"].as_str().unwrap());
    let first = samples::pdf(&[], "/Info 3 0 R");
    g.attach(&path, "refusal", &[("a.pdf", &first)], &[]).expect(201);
    let before = program.peak();
    let noise: Vec<u8> =
        (0..20_970_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let mut scan = samples::pdf(&[samples::stream("", &noise)], "");
    // The largest there is, to the byte.
    scan.resize(20 * 1024 * 1024, b'\n');
    let view = g.attach(&path, "signature", &[("a.pdf", &scan)], &[]).expect(201).json;
    let content = format!("{path}/{}/content", view["id"].as_str().unwrap());
    for _ in 0..3 {
        assert_eq!(g.get(&content).expect(200).bytes.len(), scan.len());
    }
    // What would take gigabytes in whoever believed it.
    let photo = samples::jpeg(20, 20, None, |_, _| [0; 3]);
    for (bomb, code) in
        [(samples::png_claiming(8_000, 8_000), "damaged"), (samples::jpeg_claiming(65_000, 65_000), "too_many_pixels")]
    {
        let refused = g.attach(&path, "signature", &[("a.jpg", &photo), ("b", &bomb)], &[]);
        assert_eq!(refused.problem(422, "attachment_refused").json["errors"][0]["code"], code);
    }
    let spaces = samples::deflated(&vec![b' '; 200_000_000]);
    let swollen = samples::pdf(&[samples::stream("/Type /ObjStm /Filter /FlateDecode", &spaces)], "");
    let refused = g.attach(&path, "signature", &[("a.pdf", &swollen)], &[]).problem(422, "attachment_refused");
    assert_eq!(refused.json["errors"][0]["code"], "inflates_too_much");
    let grown = program.peak() - before;
    println!("grown by {grown} kB");
    assert!(grown < GROWTH, "grown by {grown} kB");
}
