//! The demonstration: the Gard's year 2025-2026 done on real public data, in a database file of its own.
//!
//! Schools and communes are real (Licence Ouverte 2.0, see `demo/data/README.md`); contacts, agents and signatures are
//! invented and mails end in `.invalid`; papers carry « SPÉCIMEN ». Everything goes through the commands the API calls.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant as Stopwatch;

use chrono::NaiveDate;

use crate::access::{self, Delegation, NewPassword, NewUser, User, passwords};
use crate::accounting::{self, Batch, Seal};
use crate::app::App;
use crate::campaigns::bulk::BulkView;
use crate::campaigns::texts::CampaignTexts;
use crate::campaigns::{self, CampaignAction, CampaignTerms, Enrol, Rests, SchoolSelection, SmallClaims, Tariff};
use crate::config::{Config, MailConfig};
use crate::conventions::{self, Convention, ConventionTransition, WhoSigned};
use crate::invitations::{self, Invite};
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Line;
use crate::kernel::{Actor, Departement, FieldFault, Money, Role, SchoolYear, french};
use crate::platform::tabular::{Layout, Table};
use crate::platform::{Error, Outcome, Tx, files, papers};
use crate::registry::import::{communes, contacts, directory};
use crate::registry::kinds::Sector;
use crate::registry::{self, ImportSchoolsOptions, ImportView};
use crate::titles::{self, Approve, Making, Prepare, TitleSelection};

const COMMUNES: &[u8] = include_bytes!("../demo/data/communes_gard.csv");
const SCHOOLS: &[u8] = include_bytes!("../demo/data/annuaire_gard.csv");
const MAYORS: &[u8] = include_bytes!("../demo/data/contacts_gard.csv");
const ADMINISTRATIONS: &[u8] = include_bytes!("../demo/data/administrations_gard.csv");

/// The demonstration's own database; no other is ever opened by it.
pub const DATABASE: &str = "./data/demo.sqlite";
/// Where it leaves papers and files to look at.
pub const FOLDER: &str = "./data/demo";

/// The commune whose papers and link are shown.
const SEED: &str = "21300278500011";

/// Settings of the demonstration: its own database, specimens, invented texts.
#[must_use]
pub fn settings(mut config: Config) -> Config {
    config.database.url = format!("sqlite://{DATABASE}");
    config.database.expected_id = None;
    config.documents.specimen = true;
    config.mail = MailConfig { folder: Path::new(FOLDER).join("mail"), ..MailConfig::default() };
    config.texts = texts();
    config
}

fn texts() -> CampaignTexts {
    let mut texts = CampaignTexts::default();
    let lines = |all: &[&str]| all.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    texts.return_instructions = lines(&[
        "La convention est signée en deux exemplaires par la personne habilitée, qui y porte son nom, sa qualité et la date.",
        "Y joindre la délibération, ou la décision prise sur délégation, qui autorise cette signature.",
        "Renvoyer le tout au service, à l'adresse ci-dessus ou par courriel, si possible avant le {date_limite}.",
    ]);
    texts.issuer.name = "Région académique Occitanie".into();
    texts.issuer.aliases = lines(&["Académie de Montpellier", "Académie de Toulouse"]);
    texts.issuer.address_lines = lines(&["31, rue de l'Université", "34064 Montpellier Cedex 2"]);
    texts.issuer.service = "Direction de région académique du numérique pour l'éducation".into();
    texts.issuer.contact_email = "ent-ecole@demonstration.invalid".into();
    texts.issuer.contact_phone = "04 65 71 00 00".into();
    texts.issuer.website = "https://demonstration.invalid".into();
    texts.signatory.civility = "Madame".into();
    texts.signatory.first_name = "Claude".into();
    texts.signatory.last_name = "FICTIF".into();
    texts.signatory.title = "Rectrice de la région académique (personne fictive)\nChancelière des universités".into();
    texts.signatory.place = "Montpellier".into();
    texts.comptable_assignataire.name = "Direction régionale des finances publiques (démonstration)".into();
    texts.comptable_assignataire.address_lines = lines(&["Place fictive", "34000 Montpellier"]);
    texts.comptable_recouvrement.rule = "Comptable public du domicile du débiteur".into();
    texts.comptable_recouvrement.address_lines = Vec::new();
    texts.courts.convention = "tribunal administratif de Montpellier".into();
    texts.dpo.email = "dpd@demonstration.invalid".into();
    texts
}

/// Removes what an earlier demonstration left: its own database and nothing else.
///
/// # Errors
/// The file cannot be removed (another demonstration runs).
pub fn start_afresh() -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let path = PathBuf::from(format!("{DATABASE}{suffix}"));
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let mails = Path::new(FOLDER).join("mail");
    if mails.exists() {
        std::fs::remove_dir_all(mails)?;
    }
    files::private_folder(Path::new(FOLDER))
}

/// A person of the demonstration and the password made for her.
pub struct Person {
    pub user: User,
    pub password: String,
}

impl Person {
    fn actor(&self) -> Actor {
        Actor::staff(self.user.id, self.user.role, self.user.full_name(), None)
    }
}

/// What was done, for the screen.
pub struct Report {
    pub people: Vec<Person>,
    pub lines: Vec<String>,
}

fn fixed<T>(value: Result<T, FieldFault>) -> Outcome<T> {
    value.map_err(|fault| Error::Incident(format!("demonstration: {}", fault.message)))
}

fn person(app: &App, role: Role, first_name: &str, last_name: &str) -> Outcome<Person> {
    use std::fmt::Write as _;
    let mut password = String::new();
    for byte in app.db.ids().secret().iter().take(9) {
        let _ = write!(password, "{byte:02x}");
    }
    let hash = passwords::hash(&fixed(NewPassword::parse(&password))?, app.db.ids().secret())?;
    let signs = role == Role::Ordonnateur;
    let capacity = match role {
        Role::Ordonnateur => Some("Secrétaire générale de région académique"),
        Role::Gestionnaire => Some("Gestionnaire de l'ENT-école"),
        _ => None,
    };
    let new = NewUser {
        email: fixed(EmailAddress::parse(&format!("{role}@demonstration.invalid")))?,
        role,
        first_name: fixed(Line::parse(first_name))?,
        last_name: fixed(Line::parse(last_name))?,
        capacity: capacity.map(Line::parse).transpose().or_else(|f| fixed(Err(f)))?,
        delegation: match signs {
            true => Some(Delegation {
                reference: fixed(Line::parse("arrêté fictif R76-2025-03-14-00002"))?,
                published_on: day(2025, 3, 14),
                ends_on: None,
            }),
            false => None,
        },
        password_hash: Some(hash),
    };
    let user = app.db.write(|tx| access::actions::create_user(tx, &Actor::program("démonstration"), new))?;
    Ok(Person { user, password })
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn on_disk(bytes: &[u8]) -> Outcome<File> {
    let fail = |e: std::io::Error| Error::Incident(format!("demonstration file: {e}"));
    let mut file = tempfile::tempfile().map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    Ok(file)
}

/// Does the year; the database must be migrated and empty.
///
/// # Errors
/// Whatever a command refuses: the demonstration then shows a defect.
pub fn run(app: &App) -> Outcome<Report> {
    let year = fixed(SchoolYear::parse("2025-2026"))?;
    let people = vec![
        person(app, Role::Gestionnaire, "Dominique", "Garrigue")?,
        person(app, Role::Ordonnateur, "Camille", "Cévenol")?,
        person(app, Role::Comptable, "Alix", "Vidourle")?,
        person(app, Role::Lecteur, "Maxime", "Uzège")?,
        person(app, Role::Admin, "Sacha", "Camargue")?,
    ];
    let (Some(gestionnaire), Some(ordonnateur)) = (people.first().map(Person::actor), people.get(1).map(Person::actor))
    else {
        return Err(Error::Incident("demonstration without people".into()));
    };
    let mut lines = Vec::new();
    let mut done = |what: String, since: Stopwatch| lines.push(format!("{what}  ({} ms)", since.elapsed().as_millis()));

    let clock = Stopwatch::now();
    let registered = import(app, COMMUNES, &communes::LAYOUT, |tx, table| {
        registry::import_collectivites(tx, &gestionnaire, registry::read_collectivites(table)?, false)
    })?;
    let schools = import(app, SCHOOLS, &directory::LAYOUT, |tx, table| {
        registry::import_schools(tx, &gestionnaire, registry::read_schools(table)?, ImportSchoolsOptions::default())
    })?;
    // One door for both: the second file is told from the first by its columns.
    let told = |bytes| {
        import(app, bytes, &contacts::LAYOUT, |tx, table| {
            registry::import_contacts(tx, &gestionnaire, registry::read_contacts(table)?, false)
        })
    };
    let (mayors, reached) = (told(MAYORS)?, told(ADMINISTRATIONS)?);
    done(
        format!(
            "Registre : {} communes, {} écoles ({} lignes d'autres établissements ignorées), {} maires",
            registered.created, schools.created, schools.ignored, mayors.updated
        ),
        clock,
    );
    lines.push(format!(
        "Annuaire des administrations : {} mairies jointes, {} fiches ignorées, {} à départager (une tâche attend)",
        reached.updated, reached.ignored, reached.rejected
    ));
    let mut done = |what: String, since: Stopwatch| lines.push(format!("{what}  ({} ms)", since.elapsed().as_millis()));

    let clock = Stopwatch::now();
    let enrolled = app.db.write(|tx| {
        campaigns::create(tx, &gestionnaire, campaign(&year), &app.defaults.thresholds)?;
        let request = Enrol {
            filter: Some(SchoolSelection {
                departement: Some(fixed(Departement::parse("30"))?),
                sector: Some(Sector::Public),
                ..SchoolSelection::default()
            }),
            keys: None,
            dry_run: false,
            origin: None,
            requester: None,
            requested_on: None,
        };
        let enrolled = campaigns::enrol(tx, &gestionnaire, &year, request)?;
        let rests = Rests { defaults: &app.defaults, others: &crate::app::others() };
        campaigns::transition(tx, &gestionnaire, &year, None, (CampaignAction::Open, None), rests)?;
        Ok(enrolled)
    })?;
    done(format!("Campagne {year} ouverte : {} écoles publiques inscrites", enrolled.count("enrolled")), clock);

    let clock = Stopwatch::now();
    let issued = app.db.write(|tx| {
        let all = Prepare { filter: None, keys: None, dry_run: false };
        conventions::issue(tx, &gestionnaire, &year, all, &app.defaults, &app.templates)
    })?;
    let issued = issued.bulk;
    done(format!("Conventions émises : {}, {}", issued.count("issued"), euros(&issued)), clock);

    let clock = Stopwatch::now();
    let (invited, mails, link) = invite(app, &gestionnaire, &year)?;
    done(
        format!(
            "Invitations : {invited} communes, {mails} courriels dans {FOLDER}/mail ; un lien à ouvrir une fois le service lancé : {link}"
        ),
        clock,
    );

    let clock = Stopwatch::now();
    let (signed, countersigned) = sign_some(app, &gestionnaire, &year)?;
    done(format!("Signatures : {signed} communes, {countersigned} contreseings"), clock);

    let clock = Stopwatch::now();
    let prepared = app.db.write(|tx| {
        let all = Prepare { filter: None, keys: None, dry_run: false };
        titles::prepare(tx, &gestionnaire, &year, all, &app.defaults, &app.templates)
    })?;
    let prepared = prepared.bulk;
    done(format!("Titres préparés par la gestionnaire : {}, {}", prepared.count("prepared"), euros(&prepared)), clock);

    let clock = Stopwatch::now();
    let approved = app.db.write(|tx| {
        let filter = TitleSelection { campaign: Some(year.clone()), ..TitleSelection::default() };
        let request = Approve { filter: Some(filter), keys: None, dry_run: false };
        let making = Making { defaults: &app.defaults, templates: &app.templates };
        titles::approve(tx, &ordonnateur, request, &making)
    })?;
    done(format!("Titres approuvés par l'ordonnatrice : {}, {}", approved.count("approved"), euros(&approved)), clock);

    let clock = Stopwatch::now();
    let batch =
        app.db.write(|tx| accounting::seal(tx, &ordonnateur, &Seal { campaign: year.clone(), exercice: None }))?;
    done(
        format!("Bordereau {} scellé : {} titres, {}", batch.number, batch.count, french::euros(batch.total.cents())),
        clock,
    );

    let clock = Stopwatch::now();
    let papers = samples(app, &year, &batch, &approved)?;
    done(format!("À regarder : {}", papers.join(", ")), clock);
    Ok(Report { people, lines })
}

fn euros(view: &BulkView) -> String {
    french::euros(view.total.cents())
}

fn import(
    app: &App,
    bytes: &[u8],
    layout: &'static Layout,
    write: impl FnOnce(&mut Tx<'_>, &Table) -> Outcome<ImportView>,
) -> Outcome<ImportView> {
    let table = app.files.read(on_disk(bytes)?, layout)?;
    app.db.write(|tx| write(tx, &table))
}

fn campaign(year: &SchoolYear) -> CampaignTerms {
    CampaignTerms {
        school_year: year.clone(),
        tariff: Tariff::per_school(Money::from_cents(4000)),
        convention_date: day(2025, 6, 5),
        ends_on: day(2026, 9, 5),
        response_deadline: Some(day(2025, 10, 15)),
        small_claims: SmallClaims::default(),
        countersign_policy: campaigns::CountersignPolicy::Record,
        texts: None,
    }
}

/// The convention of the commune that is shown.
fn seed(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<Option<Convention>> {
    let campaign = campaigns::find(tx, year)?;
    Ok(conventions::of_campaign(tx, campaign.id)?.into_iter().find(|c| c.party.siret.as_str() == SEED))
}

/// Writes to every commune that has an address, into the demonstration's folder, and shows one link to open.
fn invite(app: &App, actor: &Actor, year: &SchoolYear) -> Outcome<(usize, usize, String)> {
    let all = Invite { filter: None, keys: None, dry_run: false, first: None };
    let view = app.db.write(|tx| invitations::invite(tx, actor, year, all))?;
    let link = app.db.write(|tx| {
        let seed = seed(tx, year)?.ok_or_else(|| Error::Incident("demonstration without its commune".into()))?;
        invitations::show(tx, actor, &seed, &app.postman.rules)
    })?;
    Ok((view.count("queued"), app.postman.drain(&app.db)?, link))
}

/// Most communes have answered, some have not, some wait for the rectorat: as in a real autumn.
fn sign_some(app: &App, actor: &Actor, year: &SchoolYear) -> Outcome<(usize, usize)> {
    let signatory = &app.defaults.texts.signatory;
    let rectrice = format!("{} {}", signatory.first_name, signatory.last_name);
    let others = crate::app::others();
    app.db.write(|tx| {
        let campaign = campaigns::find(tx, year)?;
        let (mut signed, mut countersigned) = (0, 0);
        for convention in conventions::of_campaign(tx, campaign.id)? {
            // One commune in five has not answered; of the others one in ten waits for the countersignature.
            if convention.rank % 5 == 0 {
                continue;
            }
            let mayor = mayor(&convention);
            let request = signature("sign", day(2025, 7, 25), &mayor, "Maire")?;
            conventions::transition(tx, actor, (convention.id, None), &request, &others)?;
            signed += 1;
            if convention.rank % 10 != 1 {
                let request = signature("countersign", day(2025, 8, 29), &rectrice, "Rectrice de région académique")?;
                conventions::transition(tx, actor, (convention.id, None), &request, &others)?;
                countersigned += 1;
            }
        }
        Ok((signed, countersigned))
    })
}

fn mayor(convention: &Convention) -> String {
    let who = &convention.party.representative;
    match (&who.first_name, &who.last_name) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        _ => "Maire en exercice".to_owned(),
    }
}

fn signature(action: &str, on: NaiveDate, name: &str, title: &str) -> Outcome<ConventionTransition> {
    Ok(ConventionTransition {
        signed_on: Some(on),
        signatory: Some(WhoSigned { name: fixed(Line::parse(name))?, title: fixed(Line::parse(title))? }),
        ..ConventionTransition::of(fixed(conventions::ConventionAction::parse(action))?)
    })
}

/// Leaves a convention, a demand and the accountant's files in the demonstration's folder.
fn samples(app: &App, year: &SchoolYear, batch: &Batch, approved: &BulkView) -> Outcome<Vec<String>> {
    let mut written = Vec::new();
    let mut keep = |name: String, bytes: &[u8]| -> Outcome<()> {
        let path = Path::new(FOLDER).join(name);
        files::write_private(&path, bytes).map_err(|e| Error::Incident(format!("{}: {e}", path.display())))?;
        written.push(path.display().to_string());
        Ok(())
    };
    if let Some(seed) = app.db.read(|tx| seed(tx, year))? {
        let paper = papers::serve(&app.db, &app.renderer, &conventions::PAPER, seed.id.as_str())?;
        keep(paper.file_name, &paper.bytes)?;
    }
    let first = approved.items.iter().find(|i| i.outcome == "approved").and_then(|i| i.id.clone());
    if let Some(id) = first {
        let paper = papers::serve(&app.db, &app.renderer, &titles::PAPER, &id)?;
        keep(paper.file_name, &paper.bytes)?;
    }
    for format in [accounting::FileFormat::Csv, accounting::FileFormat::Json] {
        let bytes = app.db.read(|tx| accounting::file(tx, &batch.number, format))?;
        keep(format!("{}.{format}", batch.number), &bytes)?;
    }
    Ok(written)
}
