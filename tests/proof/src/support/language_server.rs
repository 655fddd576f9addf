//! A language server, asked as an editor asks it: JSON on its standard input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{anyhow, Context, Result};
use serde_json::{json, Value};

/// A running server.
pub struct LanguageServer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    language: &'static str,
    asked: u64,
    /// Whether it answers when asked for diagnostics; else it publishes them once.
    answers: bool,
    /// The diagnostics that it has published, each with its file's URI.
    published: Vec<Value>,
}

impl LanguageServer {
    /// Starts it for a folder, with its own settings.
    pub fn start(
        command: &mut Command,
        folder: &Path,
        language: &'static str,
        settings: &Value,
    ) -> Result<Self> {
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the language server")?;
        let to = child.stdin.take().context("no stdin")?;
        let from = child.stdout.take().context("no stdout")?;
        let mut server = LanguageServer {
            child,
            to,
            from: BufReader::new(from),
            language,
            asked: 0,
            answers: false,
            published: Vec::new(),
        };
        let parameters = json!({
            "processId": null,
            "rootUri": uri(folder),
            "capabilities": { "experimental": { "serverStatusNotification": true } },
            "initializationOptions": settings,
        });
        let answer = server.ask("initialize", &parameters)?;
        server.answers = !answer["capabilities"]["diagnosticProvider"].is_null();
        server.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }))?;
        Ok(server)
    }

    /// Opens a file.
    pub fn open(&mut self, file: &Path) -> Result<()> {
        let document = json!({
            "uri": uri(file),
            "languageId": self.language,
            "version": 1,
            "text": std::fs::read_to_string(file)?,
        });
        self.send(&json!({
            "jsonrpc": "2.0",
            "method": "textDocument/didOpen",
            "params": { "textDocument": document },
        }))
    }

    /// Waits until rust-analyzer has read its project.
    pub fn wait_until_quiescent(&mut self) -> Result<()> {
        loop {
            let message = self.read()?;
            if message["method"] == "experimental/serverStatus"
                && message["params"]["quiescent"] == true
            {
                return Ok(());
            }
        }
    }

    /// The errors of a file.
    pub fn errors(&mut self, file: &Path) -> Result<Vec<String>> {
        let all = self.diagnostics(file)?;
        let all = all.as_array().context("no list of diagnostics")?;
        let errors = all.iter().filter(|it| it["severity"] == 1);
        Ok(errors.map(|it| it["message"].to_string()).collect())
    }

    fn diagnostics(&mut self, file: &Path) -> Result<Value> {
        let uri = uri(file);
        if self.answers {
            let document = json!({ "textDocument": { "uri": uri } });
            return Ok(self.ask("textDocument/diagnostic", &document)?["items"].take());
        }
        loop {
            let of_file = self.published.iter().find(|it| it["uri"] == uri);
            if let Some(found) = of_file {
                return Ok(found["diagnostics"].clone());
            }
            self.read()?;
        }
    }

    /// The file in which the first occurrence of a word is defined.
    pub fn definition(&mut self, file: &Path, word: &str) -> Result<PathBuf> {
        let text = std::fs::read_to_string(file)?;
        let found = text
            .lines()
            .enumerate()
            .find_map(|(line, text)| Some((line, text.find(word)?)));
        let (line, character) = found.with_context(|| format!("no {word} in the file"))?;
        let place = json!({
            "textDocument": { "uri": uri(file) },
            // In its last name.
            "position": { "line": line, "character": character + word.len() - 1 },
        });
        let answer = self.ask("textDocument/definition", &place)?;
        let first = answer
            .get(0)
            .with_context(|| format!("no definition of {word}"))?;
        let found = first["targetUri"].as_str().or(first["uri"].as_str());
        let found = found.and_then(|found| found.strip_prefix("file://"));
        let found = found.with_context(|| format!("{answer}"))?;
        let path = percent_encoding::percent_decode_str(found).decode_utf8()?;
        Ok(PathBuf::from(&*path))
    }

    /// Sends a request, and returns the answer.
    fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }))?;
        loop {
            let message = self.read()?;
            if message["id"] == id && message["method"].is_null() {
                return match message.get("error") {
                    Some(error) => Err(anyhow!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        Ok(self.to.flush()?)
    }

    /// The next message; requests of the server's are answered with nothing.
    fn read(&mut self) -> Result<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line)? == 0 {
                return Err(anyhow!("the language server ended: {}", self.child.wait()?));
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut text = vec![0; length];
        self.from.read_exact(&mut text)?;
        let message: Value = serde_json::from_slice(&text)?;
        if message["method"] == "textDocument/publishDiagnostics" {
            self.published.push(message["params"].clone());
        }
        if !message["method"].is_null() && !message["id"].is_null() {
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }))?;
        }
        Ok(message)
    }
}

impl Drop for LanguageServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
