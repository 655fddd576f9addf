//! The report as text, and the words and tables that it shares with the picture and the page.

pub mod tables;
pub mod text;
pub mod words;
