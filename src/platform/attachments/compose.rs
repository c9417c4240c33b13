//! Photos made one PDF: A4 pages in the order given, turned upright, light enough to send on.
//!
//! Runs in the process apart only: here strangers' pictures are decoded. The size of each is known from its header before
//! a pixel is, and one is held at a time.

use std::io::Cursor;

use chrono::{Datelike as _, NaiveDate};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{Size, Transform};
use krilla::image::Image;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::{Data, Document, SerializeSettings};

use super::kinds::{MediaType, Unfit};

/// Most pixels of one of several photos, which are decoded: the largest that telephones take without being asked to.
pub const MAX_PIXELS: u64 = 65_000_000;
/// Most pixels of a photo alone, which is decoded by its readers only: the largest that telephones take at all. What claims
/// more would make theirs fall over.
pub const MAX_PIXELS_ALONE: u64 = 250_000_000;
/// Most of one side.
const MAX_SIDE: u32 = 30_000;
/// A4 at 200 dots per inch: small print is legible, a page takes some hundreds of kilobytes.
const LONG_SIDE: u32 = 2_339;
const SHORT_SIDE: u32 = 1_654;
/// Quality of the pictures in the PDF, of 100.
const QUALITY: u8 = 80;
/// A4 in points.
const PAGE: (u32, u32) = (595, 842);
/// Around the picture, in points.
const MARGIN: u32 = 14;

/// Refuses a picture of more pixels than that, by the size its header claims.
///
/// # Errors
/// What to do.
pub fn bounded((width, height): (u32, u32), most: u64) -> Result<(), Unfit> {
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels <= most && width <= MAX_SIDE && height <= MAX_SIDE {
        return Ok(());
    }
    let message = format!(
        "La photo mesure {width} × {height} points, {} millions au plus : reprenez-la à la définition ordinaire de \
         l'appareil, ou envoyez un PDF.",
        most / 1_000_000
    );
    Err(Unfit::new("too_many_pixels", message))
}

/// A page ready to be set: the picture upright, no larger than needed, as JPEG without anything else.
fn page(bytes: &[u8], media_type: MediaType) -> Result<Vec<u8>, Unfit> {
    let format = if media_type == MediaType::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // What a picture of that many pixels takes, of the richest kind.
    limits.max_alloc = Some(MAX_PIXELS.saturating_mul(8));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| damaged())?;
    // What the decoder believes, which is what it will make room for.
    bounded(decoder.dimensions(), MAX_PIXELS)?;
    let orientation = decoder.orientation().map_err(|_| damaged())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| damaged())?;
    // Smaller first: turning takes as much again.
    let (width, height) = (picture.width(), picture.height());
    let most = if width > height { (LONG_SIDE, SHORT_SIDE) } else { (SHORT_SIDE, LONG_SIDE) };
    if width > most.0 || height > most.1 {
        picture = picture.thumbnail(most.0, most.1);
    }
    picture.apply_orientation(orientation);
    let flat = on_white(&picture);
    drop(picture);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&flat)
        .map_err(|_| Unfit::new("damaged", "La photo ne se laisse pas convertir : envoyez-la en PDF."))?;
    Ok(jpeg)
}

/// What shows through is paper.
fn on_white(picture: &DynamicImage) -> image::RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let clear = picture.to_rgba8();
    let mut flat = image::RgbImage::new(clear.width(), clear.height());
    for (to, from) in flat.pixels_mut().zip(clear.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let over = |colour: u8| {
            let mixed = (u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
            u8::try_from(mixed).unwrap_or(255)
        };
        to.0 = [over(red), over(green), over(blue)];
    }
    flat
}

/// One PDF (PDF/A-2b) of all the photos, made on a day.
///
/// # Errors
/// Which photo cannot be read, and what to do.
pub fn compose(
    photos: impl Iterator<Item = Result<(Vec<u8>, MediaType), Unfit>>,
    day: NaiveDate,
) -> Result<Vec<u8>, Unfit> {
    let cannot = || Unfit::new("damaged", "Les photos ne se laissent pas réunir : envoyez un PDF.");
    let configuration =
        ConfigurationBuilder::new().with_archival_validator(Archival::A2_B).finish().map_err(|_| cannot())?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    for (rank, photo) in photos.enumerate() {
        let (bytes, media_type) = photo?;
        let jpeg = page(&bytes, media_type).map_err(|unfit| unfit.at(rank))?;
        drop(bytes);
        let image = Image::from_jpeg(Data::from(jpeg), false).map_err(|_| cannot().at(rank))?;
        let (width, height) = image.size();
        let (across, down) = if width > height { (PAGE.1, PAGE.0) } else { PAGE };
        let (wide, high) = fit((width, height), (across - 2 * MARGIN, down - 2 * MARGIN));
        let (left, top) = ((across - wide) / 2, (down - high) / 2);
        let settings = PageSettings::from_wh(points(across), points(down)).ok_or_else(cannot)?;
        let size = Size::from_wh(points(wide), points(high)).ok_or_else(cannot)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        surface.push_transform(&Transform::from_translate(points(left), points(top)));
        surface.draw_image(image, size);
        surface.pop();
        surface.finish();
        page.finish();
    }
    let small = |number: u32| u8::try_from(number).unwrap_or(1);
    let made =
        DateTime::new(u16::try_from(day.year()).unwrap_or_default()).month(small(day.month())).day(small(day.day()));
    let about = Metadata::new().title("Photos réunies".to_owned()).language("fr".to_owned()).creation_date(made);
    document.set_metadata(about);
    document.finish().map_err(|_| cannot())
}

/// The largest size of these proportions within a room, in whole points, never nothing.
fn fit((width, height): (u32, u32), (across, down): (u32, u32)) -> (u32, u32) {
    let by = |side: u32, of: u32, room: u32| {
        u32::try_from(u64::from(side) * u64::from(room) / u64::from(of.max(1))).unwrap_or(room)
    };
    let high = by(height, width, across);
    let (wide, high) = if high <= down { (across, high) } else { (by(width, height, down), down) };
    (wide.max(1), high.max(1))
}

fn points(whole: u32) -> f32 {
    f32::from(u16::try_from(whole).unwrap_or(u16::MAX))
}

fn damaged() -> Unfit {
    Unfit::new("damaged", "La photo est abîmée : ouvrez-la, exportez-la de nouveau en JPEG et renvoyez-la.")
}
