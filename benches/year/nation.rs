//! A nation made of Occitanie: its public files again and again, under other departments.
//!
//! 31,122 communes and 32,053 schools of seven copies, 16,702 conventions. Departments, INSEE codes, SIRENs, SIRETs and
//! UAIs are changed together and their control keys made anew, so that the program's own imports take them; schools of
//! a copy have no SIRET.

use std::io::Write as _;

/// How many Occitanies make a nation.
pub const COPIES: usize = 7;

const OCCITANIE: [&str; 13] = ["09", "11", "12", "30", "31", "32", "34", "46", "48", "65", "66", "81", "82"];
const UAI_KEYS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";

/// The department that stands for one of Occitanie's in a copy.
fn departement(of: &str, copy: usize) -> String {
    let rank = OCCITANIE.iter().position(|d| *d == of).unwrap_or_else(|| panic!("department {of}"));
    let others: Vec<String> = (1..=95)
        .filter(|n| *n != 20)
        .map(|n| format!("{n:02}"))
        .filter(|code| !OCCITANIE.contains(&code.as_str()))
        .collect();
    others[(copy - 1) * OCCITANIE.len() + rank].clone()
}

/// Digits, and the one that makes them pass Luhn's control.
fn luhn(digits: &str) -> String {
    let passes = |text: &str| {
        let sum: u32 = text
            .bytes()
            .rev()
            .enumerate()
            .map(|(rank, digit)| match (rank % 2, u32::from(digit - b'0')) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => digit * 2 - 9,
                (_, digit) => digit * 2,
            })
            .sum();
        sum.is_multiple_of(10)
    };
    (0..10).map(|key| format!("{digits}{key}")).find(|text| passes(text)).unwrap()
}

fn file(text: &str, mut change: impl FnMut(Vec<&str>) -> Vec<String>) -> std::fs::File {
    let mut out = tempfile::tempfile().unwrap();
    let mut lines = text.lines();
    writeln!(out, "{}", lines.next().unwrap()).unwrap();
    for line in lines {
        writeln!(out, "{}", change(line.split(';').collect()).join(";")).unwrap();
    }
    std::io::Seek::rewind(&mut out).unwrap();
    out
}

/// The file of communes of a copy: `insee;siren;siret;…;departement;…`.
pub fn communes(text: &str, copy: usize) -> std::fs::File {
    file(text, |cells| {
        let mut cells: Vec<String> = cells.into_iter().map(str::to_owned).collect();
        let (old, new) = (cells[4].clone(), departement(&cells[4], copy));
        // A commune's SIREN holds its department; those of other bodies get another beginning.
        let siren = match cells[1].strip_prefix(&format!("21{old}")) {
            Some(rest) => luhn(&format!("21{new}{}", &rest[..4])),
            None => luhn(&format!("{}{}", 30 + copy, &cells[1][2..8])),
        };
        cells[2] = luhn(&format!("{siren}{}", &cells[2][9..13]));
        cells[0] = format!("{new}{}", &cells[0][2..]);
        // Some schools are still known by the code of a commune that was merged.
        let former = cells[7].split('|').filter(|code| !code.is_empty());
        cells[7] =
            former.map(|code| format!("{}{}", departement(&code[..2], copy), &code[2..])).collect::<Vec<_>>().join("|");
        cells[1] = siren;
        cells[4] = new;
        cells
    })
}

/// The directory of a copy.
pub fn directory(text: &str, copy: usize) -> std::fs::File {
    let at = |name: &str| {
        let header = text.lines().next().unwrap();
        header.split(';').position(|cell| cell == name).unwrap_or_else(|| panic!("column {name}"))
    };
    let [postal, insee, departements, siret] =
        ["Code_postal", "Code_commune", "Code_departement", "SIREN_SIRET"].map(at);
    file(text, |cells| {
        let mut cells: Vec<String> = cells.into_iter().map(str::to_owned).collect();
        let new = departement(&cells[insee][..2], copy);
        let digits = format!("0{new}{}", &cells[0][3..7]);
        let key = UAI_KEYS[digits.parse::<usize>().unwrap() % UAI_KEYS.len()];
        cells[0] = format!("{digits}{}", char::from(key));
        for place in [postal, insee] {
            cells[place] = format!("{new}{}", cells[place].get(2..).unwrap_or_default());
        }
        cells[departements] = format!("0{new}");
        cells[siret].clear();
        cells
    })
}
