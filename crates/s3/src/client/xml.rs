//! Answers of a store: a small tree of elements and text, read by the library's pull parser and bounded.

use hallpass_core::limits::{S3_DOCUMENT_BYTES_MAX, S3_DOCUMENT_DEPTH_MAX};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// One element: its name without prefix, its text, what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads a document; `None` when it is not one, is larger than [`S3_DOCUMENT_BYTES_MAX`] or deeper than
    /// [`S3_DOCUMENT_DEPTH_MAX`], or declares entities of its own.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        if document.len() > S3_DOCUMENT_BYTES_MAX {
            return None;
        }
        let mut reader = Reader::from_str(str::from_utf8(document).ok()?);
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    if root.is_some() || open.len() == S3_DOCUMENT_DEPTH_MAX {
                        return None;
                    }
                    open.push(Self::named(start.local_name().as_ref())?);
                }
                Event::Empty(start) => {
                    let element = Self::named(start.local_name().as_ref())?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None if root.is_none() => root = Some(element),
                        None => return None,
                    }
                }
                Event::End(_) => {
                    let element = open.pop()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => root = Some(element),
                    }
                }
                Event::Text(text) => push(&mut open, &text.decode().ok()?)?,
                Event::CData(text) => push(&mut open, &text.decode().ok()?)?,
                Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                    Some(c) => push(&mut open, c.encode_utf8(&mut [0; 4]))?,
                    None => push(&mut open, resolve_predefined_entity(&reference.decode().ok()?)?)?,
                },
                Event::DocType(_) => return None,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return root.filter(|_| open.is_empty()),
            }
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        Some(Self { name: str::from_utf8(name).ok()?.to_owned(), ..Self::default() })
    }

    /// Its own text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// True when any text in it has this character.
    pub(crate) fn holds(&self, c: char) -> bool {
        self.text.contains(c) || self.children.iter().any(|child| child.holds(c))
    }

    /// All elements, in order.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter()
    }

    /// The elements of that name, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of that name.
    pub(crate) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of that name, if it is not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.first(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The same as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.trim().parse().ok()
    }

    /// True where the element says `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.value(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }
}

fn push(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

/// Appends text as XML character data. Characters that XML 1.0 cannot hold are for the caller to refuse.
pub(crate) fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would read these raw as a plain space or line feed (XML 1.0, 2.11).
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}

/// False for what XML 1.0 (2.2) cannot hold at all.
pub(crate) fn is_xml_text(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r') || !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
}

/// Undoes `encoding-type=url`; `None` when an escape is broken or the bytes are no text. `plus`: a `+` is a space.
pub(crate) fn percent_decoded(text: &str, plus: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'%' => {
                let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
                out.push(u8::try_from(digit(i + 1)? * 16 + digit(i + 2)?).ok()?);
                i += 3;
            }
            b'+' if plus => {
                out.push(b' ');
                i += 1;
            }
            b => {
                out.push(b);
                i += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{S3_DOCUMENT_BYTES_MAX, S3_DOCUMENT_DEPTH_MAX};

    use super::{Element, is_xml_text, percent_decoded, push_text};

    #[test]
    fn text_entities_and_cdata_are_one_text() {
        let document =
            b"<?xml version=\"1.0\"?>\n<a xmlns=\"x\"><k>x &amp; &#x79;<![CDATA[<z>]]> </k><e/><k>2</k></a>\n";
        let root = Element::parse(document).expect("a document");
        assert_eq!(root.value("k"), Some("x & y<z> "));
        assert_eq!(root.all("k").count(), 2);
        assert_eq!((root.name.as_str(), root.value("e")), ("a", None));
    }

    #[test]
    fn what_is_no_document_is_none() {
        let bomb = b"<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>".as_slice();
        for bad in [b"".as_slice(), b"ok", b"<a>", b"<a></b>", b"<a/><b/>", b"<a/>x", b"\xff", b"<a>&nope;</a>", bomb] {
            assert_eq!(Element::parse(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_document_is_no_deeper_and_no_larger_than_the_limits() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(Element::parse(nested(S3_DOCUMENT_DEPTH_MAX).as_bytes()).is_some());
        assert!(Element::parse(nested(S3_DOCUMENT_DEPTH_MAX + 1).as_bytes()).is_none());
        let sized = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes - 7));
        assert!(Element::parse(sized(S3_DOCUMENT_BYTES_MAX).as_bytes()).is_some());
        assert!(Element::parse(sized(S3_DOCUMENT_BYTES_MAX + 1).as_bytes()).is_none());
    }

    #[test]
    fn text_comes_back_as_it_went_in() {
        let key = "a<b>&\"c\r\n\td 'é \u{1f600}";
        let mut document = "<k><v>".to_owned();
        push_text(&mut document, key);
        document.push_str("</v></k>");
        assert_eq!(Element::parse(document.as_bytes()).expect("a document").value("v"), Some(key));
        assert!(is_xml_text(key) && !is_xml_text("a\u{1}") && !is_xml_text("\u{ffff}"));
    }

    #[test]
    fn url_encoding_is_undone_or_refused() {
        assert_eq!(percent_decoded("a+b%2Bc%20%C3%BC", true).as_deref(), Some("a b+c \u{fc}"));
        assert_eq!(percent_decoded("a+b", false).as_deref(), Some("a+b"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decoded(bad, true), None, "{bad}");
        }
    }
}
