//! A JPEG walked from segment to segment: it has a size, image data and an end. Nothing is decoded.

use super::kinds::Unfit;

/// What the walk finds.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    pub width: u32,
    pub height: u32,
    /// Four: inks, for print.
    pub components: u8,
    /// Where the image ends; telephones put films and maps of depth behind it.
    pub end: usize,
}

/// Walks the whole file.
///
/// # Errors
/// It is cut off, or no JPEG.
pub fn walk(bytes: &[u8]) -> Result<Shape, Unfit> {
    let mut at = 2;
    let mut size = None;
    loop {
        let marker = next_marker(bytes, &mut at).ok_or_else(cut_off)?;
        match marker {
            // Without a length: restarts, and the start again.
            0x01 | 0xD0..=0xD8 => {}
            0xD9 => {
                let (width, height, components) = size.ok_or_else(no_image)?;
                return Ok(Shape { width, height, components, end: at });
            }
            0xDA => {
                size.ok_or_else(no_image)?;
                skip(bytes, &mut at)?;
                // Entropy-coded data, up to a marker that is none of its own.
                loop {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let step = rest.iter().position(|b| *b == 0xFF).ok_or_else(cut_off)?;
                    match rest.get(step + 1) {
                        None => return Err(cut_off()),
                        Some(0x00 | 0xD0..=0xD7) => at += step + 2,
                        Some(0xFF) => at += step + 1,
                        Some(_) => {
                            at += step;
                            break;
                        }
                    }
                }
            }
            // Start of frame, whatever the coding.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let number = |from: usize| {
                    let pair = bytes.get(at + from..at + from + 2)?;
                    <[u8; 2]>::try_from(pair).ok().map(|pair| u32::from(u16::from_be_bytes(pair)))
                };
                let (height, width) = number(3).zip(number(5)).ok_or_else(cut_off)?;
                let components = *bytes.get(at + 7).ok_or_else(cut_off)?;
                if width == 0 || height == 0 {
                    return Err(no_image());
                }
                size = Some((width, height, components));
                skip(bytes, &mut at)?;
            }
            _ => skip(bytes, &mut at)?,
        }
    }
}

/// The next marker; fill bytes before it are allowed.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    if *bytes.get(*at)? != 0xFF {
        return None;
    }
    while *bytes.get(*at)? == 0xFF {
        *at += 1;
    }
    let marker = *bytes.get(*at)?;
    *at += 1;
    Some(marker)
}

fn skip(bytes: &[u8], at: &mut usize) -> Result<(), Unfit> {
    let length = bytes.get(*at..*at + 2).and_then(|pair| <[u8; 2]>::try_from(pair).ok()).map(u16::from_be_bytes);
    let length = length.filter(|length| *length >= 2).ok_or_else(cut_off)?;
    *at += usize::from(length);
    if *at > bytes.len() { Err(cut_off()) } else { Ok(()) }
}

fn cut_off() -> Unfit {
    let message = "La photo est incomplète : elle a été coupée en route, ou mal enregistrée. Renvoyez l'original.";
    Unfit::new("truncated", message)
}

fn no_image() -> Unfit {
    Unfit::new("damaged", "Ce fichier JPEG ne contient pas d'image : ouvrez-le, exportez-le de nouveau et renvoyez-le.")
}
