//! Files made for tests, here and of the whole program: small, valid, and bent where a test wants them bent.

use std::io::Write as _;

/// A stream of a PDF, as an object.
pub fn stream(head: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {head} /Length {} >>\nstream\n", data.len()).into_bytes();
    object.extend_from_slice(data);
    object.extend_from_slice(b"\nendstream");
    object
}

pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A PDF of one empty page and of these objects more; `trailer` is added to its last dictionary.
pub fn pdf(more: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let own: [&[u8]; 3] = [
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit] >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ];
    let mut places = Vec::new();
    for object in own.into_iter().chain(more.iter().map(Vec::as_slice)) {
        places.push(bytes.len());
        bytes.extend_from_slice(format!("{} 0 obj\n", places.len()).as_bytes());
        bytes.extend_from_slice(object);
        bytes.extend_from_slice(b"\nendobj\n");
    }
    let table = bytes.len();
    bytes.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).as_bytes());
    for place in &places {
        bytes.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let size = places.len() + 1;
    bytes.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n").as_bytes(),
    );
    bytes
}

/// A photo, its points coloured by their place; `turned` is the orientation its EXIF data tell.
pub fn jpeg(width: u32, height: u32, turned: Option<u8>, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb(colour(x, y)));
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).unwrap();
    if let Some(orientation) = turned {
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let segment = [&[0xFF, 0xE1], &length[..], &exif[..]].concat();
        bytes.splice(2..2, segment);
    }
    bytes
}

pub fn png(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let picture = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba(colour(x, y)));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The same with another size in its header, its checksum made right again: nothing of the data is that large.
pub fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(2, 2, |_, _| [0, 0, 0, 255]);
    bytes.splice(16..24, [width.to_be_bytes(), height.to_be_bytes()].concat());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes.splice(29..33, crc.sum().to_be_bytes());
    bytes
}

/// A JPEG whose frame claims another size.
pub fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = jpeg(16, 16, None, |_, _| [9, 9, 9]);
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes.splice(frame + 5..frame + 9, [height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes
}
