//! How big a zip archive becomes once unzipped, told before unzipping.
//!
//! Ten megabytes can hold ten gigabytes. The sizes announced by the archive's directory are added up here; the
//! unzipping library stops a part that grows past what its entry announces, so the sum is a true bound.

/// Signature and length of the record that ends an archive, and of the entries of its directory.
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LONGEST_COMMENT: usize = 65_535;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|two| u16::from_le_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_le_bytes(*four))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|size| usize::try_from(size).ok())
}

/// Sum of the announced sizes; none when the directory is not plain.
///
/// Archives above 4 GB, cut in volumes, or put behind other bytes have other layouts: no spreadsheet of the size
/// accepted here needs them, and leaving them out makes sure that both readers see the same directory.
pub(super) fn unzipped(archive: &[u8]) -> Option<u64> {
    let search_from = archive.len().saturating_sub(END_LENGTH + LONGEST_COMMENT);
    let tail = archive.get(search_from..)?;
    let end = search_from + tail.windows(END.len()).rposition(|window| window == END)?;
    let (entries, length, start) =
        (u16_at(archive, end + 10)?, size_at(archive, end + 12)?, size_at(archive, end + 16)?);
    let comment = usize::from(u16_at(archive, end + 20)?);
    if end + END_LENGTH + comment != archive.len() || start.checked_add(length)? != end {
        return None;
    }
    let directory = archive.get(start..end)?;
    let (mut at, mut sum) = (0_usize, 0_u64);
    for _ in 0..entries {
        if !directory.get(at..)?.starts_with(ENTRY) {
            return None;
        }
        sum += u64::from(u32_at(directory, at + 24)?);
        let (name, extra, comment) =
            (u16_at(directory, at + 28)?, u16_at(directory, at + 30)?, u16_at(directory, at + 32)?);
        at += ENTRY_LENGTH + usize::from(name) + usize::from(extra) + usize::from(comment);
    }
    (at == directory.len()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_directory_is_added_up() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        workbook.add_worksheet().write_string(0, 0, "insee").unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        assert!(unzipped(&bytes).unwrap() > u64::try_from(bytes.len()).unwrap());
        assert_eq!(unzipped(bytes.get(..bytes.len() - 1).unwrap()), None);
        assert_eq!(unzipped(b"PK\x03\x04"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), places in proptest::collection::vec(0usize..200, 0..6)) {
            let mut bytes = bytes;
            for place in places {
                let at = place.min(bytes.len());
                bytes.splice(at..at, END.iter().copied());
            }
            let _ = unzipped(&bytes);
        }
    }
}
