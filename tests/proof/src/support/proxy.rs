//! An HTTP proxy that damages some answers, as a bad network would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use anyhow::{Context, Result};

/// How much of a damaged answer is intact.
const WELL: usize = 1 << 20;

/// What happens to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is cut off.
    Cut,
    /// One byte is changed.
    Damage,
}

/// A proxy on this machine, as long as this value exists.
pub struct Proxy {
    port: u16,
    damaged: Arc<AtomicUsize>,
}

impl Proxy {
    /// Damages the answers to requests with `word` in their address.
    pub fn start(word: &'static str, fault: Fault) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let damaged = Arc::new(AtomicUsize::new(0));
        let proxy = Proxy {
            port: listener.local_addr()?.port(),
            damaged: damaged.clone(),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let damaged = damaged.clone();
                // A client may close the connection.
                std::thread::spawn(move || drop(serve(client, word, fault, &damaged)));
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
        self.damaged.load(Ordering::SeqCst)
    }
}

/// One request, one answer, and the connection is closed.
fn serve(client: TcpStream, word: &str, fault: Fault, damaged: &AtomicUsize) -> Result<()> {
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

    if url.contains(word) && url.ends_with(".deb") {
        relay_damaged(&mut server, client, fault, damaged)
    } else {
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
    std::io::copy(&mut server.take(WELL as u64), &mut client)?;
    let mut next = [0];
    if server.read(&mut next)? == 0 {
        return Ok(()); // Too short to be damaged.
    }
    damaged.fetch_add(1, Ordering::SeqCst);
    if fault == Fault::Damage {
        client.write_all(&[!next[0]])?;
        std::io::copy(server, &mut client)?;
    }
    Ok(())
}
