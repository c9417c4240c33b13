//! A PNG walked from chunk to chunk: header first, data, end; each chunk whole, with its own checksum.

use super::kinds::Unfit;

/// Walks the whole file; gives width and height.
///
/// # Errors
/// It is cut off, damaged, or no PNG.
pub fn walk(bytes: &[u8]) -> Result<(u32, u32), Unfit> {
    let mut at = 8;
    let (mut size, mut data) = (None, false);
    loop {
        let length = number(bytes, at).ok_or_else(cut_off)?;
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let end = at.checked_add(8).and_then(|body| body.checked_add(length)).ok_or_else(damaged)?;
        let named = bytes.get(at + 4..end).ok_or_else(cut_off)?;
        let told = number(bytes, end).ok_or_else(cut_off)?;
        if crc(named) != told {
            return Err(damaged());
        }
        let (name, body) = named.split_at_checked(4).ok_or_else(cut_off)?;
        match (name, size) {
            (b"IHDR", None) => {
                let (width, height) = number(body, 0).zip(number(body, 4)).ok_or_else(damaged)?;
                if width == 0 || height == 0 {
                    return Err(damaged());
                }
                size = Some((width, height));
            }
            (_, None) | (b"IHDR", Some(_)) => return Err(damaged()),
            (b"IDAT", Some(_)) => data = true,
            (b"IEND", Some(size)) if data => return Ok(size),
            (b"IEND", _) => return Err(damaged()),
            _ => {}
        }
        at = end + 4;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    <[u8; 4]>::try_from(four).ok().map(u32::from_be_bytes)
}

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn cut_off() -> Unfit {
    let message = "L'image est incomplète : elle a été coupée en route, ou mal enregistrée. Renvoyez l'original.";
    Unfit::new("truncated", message)
}

fn damaged() -> Unfit {
    Unfit::new("damaged", "Cette image PNG est abîmée : ouvrez-la, exportez-la de nouveau et renvoyez-la.")
}
