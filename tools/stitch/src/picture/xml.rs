//! Writes well-formed XML, whatever the symbol names are. XML libraries escape what can be escaped, but
//! names may also have characters that XML does not allow.

use std::fmt::{Display, Write};

/// Attributes of an element; the values are escaped.
pub type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A document being written.
pub struct Xml {
    text: String,
    open: Vec<&'static str>,
    /// Whether text came last, so that a line break would be visible.
    inline: bool,
}

impl Xml {
    pub fn new() -> Self {
        Xml {
            text: String::new(),
            open: Vec::new(),
            inline: true,
        }
    }

    pub fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push('>');
        self.open.push(name);
    }

    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push('>');
            self.inline = false;
        }
    }

    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push_str("/>");
    }

    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close();
    }

    pub fn inline(&mut self, name: &'static str, text: &str) {
        self.inline = true;
        self.element(name, &[], text);
        self.inline = true;
    }

    pub fn text(&mut self, text: &str) {
        escape(text, &mut self.text);
        self.inline = true;
    }

    /// A trusted style sheet, which is not escaped.
    pub fn style(&mut self, css: &str) {
        self.open("style", &[]);
        self.text.push_str(css);
        self.close();
    }

    /// Closes all elements, and returns the document.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text.push('\n');
        self.text
    }

    fn tag(&mut self, name: &str, attributes: Attributes<'_>) {
        if !self.inline {
            self.text.push('\n');
        }
        self.inline = false;
        self.text.push('<');
        self.text.push_str(name);
        let mut value = String::new();
        for (name, what) in attributes {
            value.clear();
            // Writing to a String cannot fail.
            let _ = write!(value, "{what}");
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(&value, &mut self.text);
            self.text.push('"');
        }
    }
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            '\n' => into.push('\n'),
            c => into.push(if forbidden(c) { '\u{fffd}' } else { c }),
        }
    }
}

/// Characters that XML 1.0 does not allow, and those that change the direction of the text.
fn forbidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{fffe}'
                | '\u{ffff}'
        )
}
