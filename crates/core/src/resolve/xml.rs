//! A small XML reader for the few bodies that name resources: elements and text, UTF-8, no attributes but `xmlns`.
//! Comments, CDATA, DOCTYPE and processing instructions are refused: no SDK sends them, and parsers differ about them.

use super::malformed;
use crate::denial::Denial;
use crate::limits::XML_ELEMENTS_MAX;

/// One step through a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Start(String),
    /// Unescaped character data; never empty.
    Text(String),
    End,
}

/// Reads a whole document, or refuses it.
pub(crate) fn events(body: &[u8]) -> Result<Vec<Event>, Denial> {
    let text = str::from_utf8(body).map_err(|_| malformed("the XML body is not UTF-8"))?;
    read(text).ok_or_else(|| malformed("the XML body is not a plain document of elements and text"))
}

fn read(text: &str) -> Option<Vec<Event>> {
    let mut rest = declaration(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let mut out = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let (mut closed, mut elements) = (false, 0);
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        characters(before, open.is_empty(), &mut out)?;
        let (inside, after) = tag.get(1..)?.split_once('>')?;
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            if open.pop()? != name.trim_end_matches(is_space) {
                return None;
            }
            out.push(Event::End);
        } else if closed && open.is_empty() {
            return None;
        } else {
            elements += 1;
            let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
            let name = element(inside, open.is_empty())?;
            out.push(Event::Start(name.to_owned()));
            if empty {
                out.push(Event::End);
            } else {
                open.push(name);
            }
        }
        closed = open.is_empty();
        if elements > XML_ELEMENTS_MAX {
            return None;
        }
    }
    characters(rest, true, &mut out)?;
    (closed && open.is_empty()).then_some(out)
}

/// Skips `<?xml version="1.0" encoding="UTF-8"?>` (XML 1.0, production `XMLDecl`); any other encoding is refused.
fn declaration(text: &str) -> Option<&str> {
    let Some(rest) = text.strip_prefix("<?xml") else { return Some(text) };
    let (mut inside, rest) = rest.split_once("?>")?;
    let version = attribute(&mut inside, "version")?;
    let encoding = attribute(&mut inside, "encoding").unwrap_or("utf-8");
    let standalone = attribute(&mut inside, "standalone").unwrap_or("no");
    let known = version == "1.0" && encoding.eq_ignore_ascii_case("utf-8") && ["yes", "no"].contains(&standalone);
    (known && inside.chars().all(is_space)).then_some(rest)
}

/// The value of the next attribute if it has this name; `inside` then begins behind it.
fn attribute<'a>(inside: &mut &'a str, name: &str) -> Option<&'a str> {
    let rest = inside.strip_prefix(is_space)?.trim_start_matches(is_space).strip_prefix(name)?;
    let rest = rest.trim_start_matches(is_space).strip_prefix('=')?.trim_start_matches(is_space);
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let (value, rest) = rest.strip_prefix(quote)?.split_once(quote)?;
    *inside = rest;
    Some(value)
}

/// The name of a start tag, which has no attributes but a namespace on the root.
fn element(inside: &str, root: bool) -> Option<&str> {
    let (name, attributes) = inside.split_once(is_space).unwrap_or((inside, ""));
    let legal = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let attributes = attributes.trim_matches(is_space);
    let namespace = attributes.is_empty() || (root && is_namespace(attributes));
    (legal && namespace).then_some(name)
}

fn is_namespace(attributes: &str) -> bool {
    let Some(value) = attributes.strip_prefix("xmlns=") else { return false };
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    let plain = |v: &str| !v.contains(['"', '\'', '<', '&']) && v.chars().all(is_char);
    // Those of the W3C are bound to prefixes of their own (Namespaces in XML, section 3).
    quoted('"').or_else(|| quoted('\'')).is_some_and(|v| plain(v) && !v.starts_with("http://www.w3.org/"))
}

fn characters(raw: &str, outside: bool, out: &mut Vec<Event>) -> Option<()> {
    if outside {
        return raw.chars().all(is_space).then_some(());
    }
    if raw.is_empty() {
        return Some(());
    }
    // Line ends become line feeds before references are read (XML 1.0, 2.11); of a carriage return that stands alone
    // not every parser makes one, and nobody writes it.
    let raw = raw.replace("\r\n", "\n");
    if raw.contains('\r') {
        return None;
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';')?;
        text.push_str(before);
        text.push(entity(name)?);
        rest = after;
    }
    text.push_str(rest);
    // `]]>` may not stand in text, so no bare `>` is taken.
    if raw.contains('>') || text.chars().any(|c| !is_char(c)) {
        return None;
    }
    out.push(Event::Text(text));
    Some(())
}

fn entity(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = code.strip_prefix('x').map_or((code, 10), |hex| (hex, 16));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|c| is_char(*c))
}

/// XML 1.0, production `Char`; 1.1 allows more, S3 reads 1.0.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::{Event, events};
    use crate::limits::XML_ELEMENTS_MAX;

    fn text(body: &str) -> Option<String> {
        let join =
            |all: Vec<Event>| all.into_iter().filter_map(|e| if let Event::Text(t) = e { Some(t) } else { None });
        events(body.as_bytes()).ok().map(|all| join(all).collect())
    }

    #[test]
    fn references_and_line_ends_are_read_as_xml_says() {
        assert_eq!(text("<a>&lt;&amp;&#65;&#x42;&quot;&apos;&gt;</a>").as_deref(), Some("<&AB\"'>"));
        assert_eq!(text("<a>x\r\nyz&#13;</a>").as_deref(), Some("x\nyz\r"));
        assert_eq!(
            text("\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<a xmlns=\"u/\"><b/>t</a>\n").as_deref(),
            Some("t")
        );
    }

    #[test]
    fn a_declaration_is_read_as_xml_says() {
        for declaration in [
            "",
            "<?xml version='1.0'?>",
            "<?xml version = \"1.0\" encoding='utf-8' ?>",
            "<?xml\tversion=\"1.0\"\nstandalone='yes'?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>",
        ] {
            assert_eq!(text(&format!("{declaration}<a>t</a>")).as_deref(), Some("t"), "{declaration}");
        }
    }

    #[test]
    fn what_parsers_may_read_differently_is_refused() {
        for bad in [
            "",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>x\ry</a>",
            "<a>x\r&lt;</a>",
            "<a>x\r&#10;</a>",
            "<a>&nbsp;</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&#+65;</a>",
            "<a>&amp</a>",
            "<a><!-- c --></a>",
            "<a><![CDATA[x]]></a>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
            "<?xml version=\"1.0\"?><?php x?><a/>",
            "<?xml?><a/>",
            "<?xml ?><a/>",
            "<?xml verl version='1.0'?><a/>",
            "<?xml version='1.0' x='1'?><a/>",
            "<?xml version='1.1'?><a/>",
            "<?xml version='1.0\"?><a/>",
            "<?xml version=1.0?><a/>",
            "<?xml encoding='UTF-8' version='1.0'?><a/>",
            "<?xml version='1.0' encoding='UTF-8' encoding='UTF-16'?><a/>",
            "<?xml version='1.0' encoding='UTF-8'standalone='no'?><a/>",
            "<?xml version='1.0' standalone='perhaps'?><a/>",
            "<?xmlversion='1.0'?><a/>",
            "<a b=\"c\"/>",
            "<a xmlns=\"u\u{15}\"/>",
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns='u'b='c'/>",
            "<1a/>",
            "<a><2/></a>",
            "<a><b xmlns=\"u\"/></a>",
            "<s:a/>",
            "<a>]]></a>",
            "<a>\u{1}</a>",
            "< a/>",
            "<a></ a>",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
        assert!(events(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn elements_are_counted() {
        let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n));
        assert!(events(many(XML_ELEMENTS_MAX - 1).as_bytes()).is_ok());
        assert!(events(many(XML_ELEMENTS_MAX).as_bytes()).is_err());
    }
}
