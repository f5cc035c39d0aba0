//! What a downloaded picture says of itself: an XMP packet (ISO 16684-1) with the words it was made from,
//! in the properties of the IPTC Photo Metadata Standard 2025.1.

use bytes::Bytes;
use img_parts::{
    jpeg::{Jpeg, JpegSegment, markers},
    png::{Png, PngChunk},
};
use xmp_writer::{CustomNamespace, Namespace, XmpWriter};

/// What a downloaded picture says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// The words that it was made from.
    pub prompt: &'a str,
    /// For example `gpt-image-2`.
    pub model: &'a str,
    /// Drawn by rules that nobody trained.
    pub by_rules: bool,
}

/// A JPEG segment holds 65,533 bytes. The prompt is in there twice, and a character takes up to six.
const LONGEST_IN_JPEG: usize = 5_000;

/// The namespaces before an XMP packet in a JPEG, and of its chunk in a PNG (XMP Specification, part 3).
const JPEG_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const PNG_HEADER: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";

/// Returns the picture with the caption in it; unchanged if it is neither PNG nor JPEG. In a JPEG the prompt
/// is cut off after 5,000 characters.
pub fn captioned(picture: Bytes, caption: Caption<'_>) -> Bytes {
    if let Ok(mut png) = Png::from_bytes(picture.clone()) {
        let packet = [PNG_HEADER, caption.packet().as_bytes()].concat();
        // Behind the header, before the pixels.
        png.chunks_mut()
            .insert(1, PngChunk::new(*b"iTXt", packet.into()));
        return png.encoder().bytes();
    }
    if let Ok(mut jpeg) = Jpeg::from_bytes(picture.clone()) {
        let end = caption.prompt.char_indices().nth(LONGEST_IN_JPEG);
        let prompt = end.map_or(caption.prompt, |(end, _)| &caption.prompt[..end]);
        let packet = Caption { prompt, ..caption }.packet();
        let packet = [JPEG_HEADER, packet.as_bytes()].concat();
        // Behind the JFIF header, which comes first.
        let after = jpeg
            .segments()
            .iter()
            .take_while(|segment| segment.marker() == markers::APP0)
            .count();
        let segment = JpegSegment::new_with_contents(markers::APP1, packet.into());
        jpeg.segments_mut().insert(after, segment);
        return jpeg.encoder().bytes();
    }
    picture
}

impl Caption<'_> {
    fn packet(self) -> String {
        const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
        const SOURCE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype";
        let iptc = || {
            let namespace = CustomNamespace::new("IPTC Extension", "Iptc4xmpExt", IPTC);
            Namespace::Custom(Box::new(namespace))
        };
        let source = if self.by_rules {
            "algorithmicMedia"
        } else {
            "trainedAlgorithmicMedia"
        };
        let mut xmp = XmpWriter::new();
        xmp.creator_tool("Atelier");
        xmp.description([(None, self.prompt)]);
        for (name, value) in [
            ("DigitalSourceType", format!("{SOURCE}/{source}").as_str()),
            ("AIPromptInformation", self.prompt),
            ("AISystemUsed", self.model),
        ] {
            xmp.element(name, iptc()).value(value);
        }
        xmp.finish(None)
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader};
    use std::io::Cursor;

    use super::*;

    fn read(format: ImageFormat, prompt: &str) -> (DynamicImage, String) {
        let mut plain = Cursor::new(Vec::new());
        let picture = DynamicImage::new_rgb8(20, 10);
        picture.write_to(&mut plain, format).unwrap();
        let caption = Caption {
            prompt,
            model: "model-1",
            by_rules: false,
        };
        let told = captioned(plain.into_inner().into(), caption);
        let mut decoder = ImageReader::with_format(Cursor::new(&told), format)
            .into_decoder()
            .unwrap();
        let packet = decoder.xmp_metadata().unwrap().unwrap_or_default();
        let picture = DynamicImage::from_decoder(decoder).unwrap();
        (picture, String::from_utf8(packet).unwrap())
    }

    #[test]
    fn pictures_carry_their_words() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let (picture, packet) = read(format, "a <röd> boat & a \"fox\"");
            assert_eq!(picture.width(), 20, "{format:?}");
            assert!(packet.contains("a &lt;röd&gt; boat &amp; a"), "{packet}");
            assert!(packet.contains("<Iptc4xmpExt:AISystemUsed>model-1<"));
            assert!(packet.contains("digitalsourcetype/trainedAlgorithmicMedia"));
        }
    }

    #[test]
    fn the_longest_prompt_fits() {
        let longest = "\"ä".repeat(16_000);
        let (_, packet) = read(ImageFormat::Png, &longest);
        assert!(packet.len() > 2 * longest.len());
        let (_, packet) = read(ImageFormat::Jpeg, &longest);
        assert!(packet.len() < 65_000 && packet.contains("AISystemUsed"));
    }

    #[test]
    fn other_files_stay_as_they_are() {
        let caption = Caption {
            prompt: "a boat",
            model: "m",
            by_rules: true,
        };
        assert_eq!(captioned("RIFF".into(), caption), "RIFF");
    }
}
