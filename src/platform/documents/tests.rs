//! The renderer alone, with templates of three lines.

use super::*;

fn renderer() -> Renderer {
    Renderer::new(None).unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 5).unwrap()
}

fn template(body: &str) -> Template {
    Template::new(
        "essai.typ",
        format!(
            "#let d = json(\"input.json\")\n#set document(title: \"Essai\")\n\
             #set text(lang: \"fr\", font: \"Libertinus Serif\")\n{body}"
        ),
    )
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_document_is_archivable_and_accessible() {
    let pdf = renderer().render(&template("= Titre\n#d.name"), br#"{"name":"Nimes"}"#, day(), "N-1").unwrap();
    assert!(pdf.starts_with(b"%PDF-1."));
    for mark in [
        "<pdfaid:part>3</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "/StructTreeRoot",
        "/Outlines",
        "2025-06-05",
    ] {
        assert!(contains(&pdf, mark), "{mark}");
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_from_any_thread() {
    let renderer = renderer();
    let template = template("= Titre\n#d.name #datetime.today().display()");
    let make = || renderer.render(&template, br#"{"name":"Nimes"}"#, day(), "N-1").unwrap();
    let first = make();
    std::thread::scope(|scope| {
        let others = [scope.spawn(make), scope.spawn(make)];
        for other in others {
            assert_eq!(other.join().unwrap(), first);
        }
    });
    let other = renderer.render(&template, br#"{"name":"Nimes"}"#, day(), "N-2").unwrap();
    assert_ne!(other, first, "the identity is part of the document");
}

#[test]
fn a_fault_names_the_line_of_the_template() {
    let fault = renderer().render(&template("= Titre\n#d.nom"), br#"{"name":"x"}"#, day(), "N-1").unwrap_err();
    assert!(matches!(fault, RenderFault::Template { .. }));
    let problem = fault.problems().first().unwrap();
    assert_eq!(problem.line, Some(5));
    assert!(fault.to_string().contains("essai.typ"), "{fault}");
}

#[test]
fn a_warning_is_a_fault() {
    let fault = renderer().render(&template("#set text(font: \"Absente\")\n= Titre"), b"{}", day(), "N-1").unwrap_err();
    assert!(fault.to_string().contains("absente"), "{fault}");
}

#[test]
fn a_character_without_glyph_is_a_fault_and_is_named_beforehand() {
    let renderer = renderer();
    assert_eq!(renderer.unsupported_char("Cœur d’Hérault, 1\u{202F}234,50 €\n«\u{A0}œuvre\u{A0}» — n°"), None);
    assert_eq!(renderer.unsupported_char("École 漢字"), Some('漢'));
    assert_eq!(renderer.unsupported_char("a\tb"), Some('\t'));
    assert_eq!(renderer.unsupported_char("a\u{200B}b"), Some('\u{200B}'));
    assert_eq!(renderer.unsupported_char("\u{E000}"), Some('\u{E000}'));
    let fault =
        renderer.render(&template("= Titre\n#d.name"), r#"{"name":"漢"}"#.as_bytes(), day(), "N-1").unwrap_err();
    assert!(matches!(fault, RenderFault::Standard { .. }), "{fault}");
}

#[test]
fn a_template_reaches_no_file_and_no_network() {
    for line in ["#read(\"/etc/hostname\")", "#image(\"../logo.png\")", "#import \"@preview/cetz:0.3.0\""] {
        assert!(renderer().render(&template(line), b"{}", day(), "N-1").is_err(), "{line}");
    }
}

#[test]
fn a_document_without_title_is_refused() {
    let bare = Template::new("nu.typ", "#set text(lang: \"fr\")\n= Titre");
    let fault = renderer().render(&bare, b"{}", day(), "N-1").unwrap_err();
    assert!(matches!(fault, RenderFault::Standard { .. }), "{fault}");
}

#[test]
fn a_wrong_font_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Renderer::new(Some(folder.path())), Err(FontFault::NoFont { .. })));
    std::fs::write(folder.path().join("faux.ttf"), b"rien").unwrap();
    assert!(matches!(Renderer::new(Some(folder.path())), Err(FontFault::NotAFont { .. })));
    assert!(matches!(Renderer::new(Some(&folder.path().join("absent"))), Err(FontFault::Folder { .. })));
}

#[test]
fn a_font_folder_comes_before_the_bundled_fonts() {
    let folder = tempfile::tempdir().unwrap();
    let data = typst_assets::fonts().next().unwrap();
    std::fs::write(folder.path().join("a.otf"), data).unwrap();
    let with = Renderer::new(Some(folder.path())).unwrap();
    assert_eq!(with.fonts.len(), renderer().fonts.len() + 1);
}

fn stamp(void: bool) -> Stamp {
    Stamp { words: "CONVENTION ANNULÉE le 1er juin 2025 — sans effet".into(), mark: "annulee", void }
}

#[test]
fn a_stamp_is_printed_over_each_page_of_any_template() {
    let renderer = renderer();
    let stamp = stamp(true);
    let dress = Dress { attached: false, stamp: Some(&stamp) };
    for body in ["#set page(background: none)\n= Titre\n#pagebreak()\nSuite", "= Titre"] {
        let made = renderer.render_dressed(&template(body), b"{}", day(), "N-1", dress).unwrap();
        assert_ne!(made, renderer.render(&template(body), b"{}", day(), "N-1").unwrap());
        assert_eq!(made, renderer.render_dressed(&template(body), b"{}", day(), "N-1", dress).unwrap());
    }
    // One that would hide it makes no paper, and one that is broken still names its own line.
    let hides = template("#set page(foreground: none)\n= Titre");
    let fault = renderer.render_dressed(&hides, b"{}", day(), "N-1", dress).unwrap_err();
    assert!(matches!(fault, RenderFault::Stamp { .. }), "{fault}");
    let fault = renderer.render_dressed(&template("= Titre\n#d.nom"), b"{}", day(), "N-1", dress).unwrap_err();
    assert_eq!(fault.problems().first().unwrap().line, Some(5));
}

#[test]
fn the_attached_input_is_the_one_whose_digest_is_read() {
    let renderer = renderer();
    let dress = Dress { attached: true, stamp: None };
    let body = template("= Titre\n#d.digest");
    let make = || renderer.render_dressed(&body, br#"{"name": "Nimes"}"#, day(), "N-1", dress).unwrap();
    assert_eq!(make(), make());
    assert!(contains(&make(), "donnees.json") && contains(&make(), "/AFRelationship"));
    assert!(matches!(renderer.render_dressed(&body, b"{", day(), "N-1", dress), Err(RenderFault::Input(_))));
    // Nothing of it is there for a template that stands alone.
    for file in ["donnees.json", "estampille.json", "estampille.typ"] {
        let line = format!("#read(\"{file}\")");
        assert!(renderer.render(&template(&line), b"{}", day(), "N-1").is_err(), "{file}");
    }
}

/// What changes the bytes of a paper changes the name of its maker: papers made before are not compared with it.
#[test]
fn the_maker_is_named_for_the_compiler_it_is() {
    let lock = include_str!("../../../Cargo.lock");
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let expected = format!("typst {}/", version("typst"));
    assert!(MAKERS.last().is_some_and(|maker| maker.starts_with(&expected)), "{MAKERS:?}: add « {expected}1 »");
    assert_eq!(version("typst"), version("typst-pdf"));
    assert!(Renderer::is_maker(renderer().maker()) && !Renderer::is_maker("typst 0.1.0/1, fonts 00"));
}
