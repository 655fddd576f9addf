//! An HTTP proxy that damages some answers, as a bad network would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use anyhow::{Context, Result};

/// What happens to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is cut off after a megabyte.
    Cut,
    /// One byte is changed after a megabyte.
    Damage,
    /// One byte is changed after some kilobytes, where a list of packages has its checksums; nothing
    /// else is there.
    Forge,
}

impl Fault {
    /// How many bytes of an answer are intact.
    fn well(self) -> u64 {
        match self {
            Fault::Cut | Fault::Damage => 1 << 20,
            Fault::Forge => 8 << 10,
        }
    }
}

const NOT_FOUND: &[u8] =
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A proxy on this machine, as long as this value exists.
pub struct Proxy {
    port: u16,
    answers: Arc<Answers>,
}

/// How many there were.
#[derive(Default)]
struct Answers {
    damaged: AtomicUsize,
    intact: AtomicUsize,
}

impl Proxy {
    /// Damages the answers to requests with `word` in their path.
    pub fn start(word: &'static str, fault: Fault) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let answers = Arc::new(Answers::default());
        let proxy = Proxy {
            port: listener.local_addr()?.port(),
            answers: answers.clone(),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let answers = answers.clone();
                // A client may close the connection.
                std::thread::spawn(move || drop(serve(client, word, fault, &answers)));
            }
        });
        Ok(proxy)
    }

    /// What `http_proxy` is set to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many answers were damaged.
    pub fn damaged(&self) -> usize {
        self.answers.damaged.load(Ordering::SeqCst)
    }

    /// How many requests were for something else.
    pub fn intact(&self) -> usize {
        self.answers.intact.load(Ordering::SeqCst)
    }
}

/// One request, one answer, and the connection is closed.
fn serve(client: TcpStream, word: &str, fault: Fault, answers: &Answers) -> Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().context("no request")??;
    let mut words = request.split(' ');
    let (method, url) = (
        words.next().context("no method")?,
        words.next().context("no address")?,
    );
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .context("not plain HTTP")?;

    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut server = TcpStream::connect(address)?;
    write!(server, "{method} /{path} HTTP/1.1\r\nConnection: close\r\n")?;
    for header in lines {
        let header = header?;
        if header.is_empty() {
            break;
        }
        if !header.to_lowercase().starts_with("connection:") {
            write!(server, "{header}\r\n")?;
        }
    }
    write!(server, "\r\n")?;

    if path.contains(word) {
        relay_damaged(&mut server, client, fault, &answers.damaged)
    } else {
        answers.intact.fetch_add(1, Ordering::SeqCst);
        if fault == Fault::Forge {
            (&client).write_all(NOT_FOUND)?;
            return Ok(());
        }
        std::io::copy(&mut server, &mut &client)?;
        Ok(())
    }
}

fn relay_damaged(
    server: &mut TcpStream,
    mut client: TcpStream,
    fault: Fault,
    damaged: &AtomicUsize,
) -> Result<()> {
    std::io::copy(&mut server.take(fault.well()), &mut client)?;
    let mut next = [0];
    if server.read(&mut next)? == 0 {
        return Ok(()); // Too short to be damaged.
    }
    damaged.fetch_add(1, Ordering::SeqCst);
    if fault != Fault::Cut {
        // A letter or digit becomes another one.
        client.write_all(&[next[0] ^ 1])?;
        std::io::copy(server, &mut client)?;
    }
    Ok(())
}
