//! Writes XML that is well-formed whatever the names in it are: all text passes through [`Xml`].
//! A writer from a library would escape what can be escaped; names of symbols may also hold what XML
//! has no place for.

use std::fmt::{Display, Write};

/// Attributes of an element: names of ours, values of anybody's.
pub type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A document that grows.
pub struct Xml {
    text: String,
    open: Vec<&'static str>,
    /// Text came last: a line break here would be seen.
    inline: bool,
}

impl Xml {
    /// Nothing yet.
    pub fn new() -> Self {
        Xml {
            text: String::new(),
            open: Vec::new(),
            inline: true,
        }
    }

    /// Begins an element.
    pub fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push('>');
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push('>');
            self.inline = false;
        }
    }

    /// An element without content.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push_str("/>");
    }

    /// An element with text only.
    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close();
    }

    /// An element with text only, in the midst of text.
    pub fn inline(&mut self, name: &'static str, text: &str) {
        self.inline = true;
        self.element(name, &[], text);
        self.inline = true;
    }

    /// Text in the element that is open.
    pub fn text(&mut self, text: &str) {
        escape(text, &mut self.text);
        self.inline = true;
    }

    /// A style sheet of ours, which may have `>` in it but nothing that anybody else wrote.
    pub fn style(&mut self, css: &str) {
        self.open("style", &[]);
        self.text.push_str(css);
        self.close();
    }

    /// The document, with all its elements ended.
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

/// What XML 1.0 has no place for, escaped or not, and what would turn the text around it.
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
