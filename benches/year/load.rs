//! A load generator: connections kept alive, each on a thread, one request after the other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    pub per_second: f64,
    /// Milliseconds.
    pub median: f64,
    pub percentile_99: f64,
    pub requests: usize,
}

struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream, buffer: Vec::with_capacity(256 * 1024) }
    }

    /// Asks, and reads the whole answer; where its body starts.
    fn ask(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).unwrap();
        self.buffer.clear();
        let mut chunk = [0_u8; 64 * 1024];
        let mut whole = None;
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server hung up");
            self.buffer.extend_from_slice(&chunk[..read]);
            if whole.is_none()
                && let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                assert!(head.starts_with("http/1.1 200"), "{head}\n{}", String::from_utf8_lossy(&self.buffer));
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).expect("no length");
                whole = Some((end + 4, end + 4 + length.trim().parse::<usize>().unwrap()));
            }
            if let Some((start, whole)) = whole
                && self.buffer.len() >= whole
            {
                return start;
            }
        }
    }
}

fn request(address: &str, token: &str) -> Vec<u8> {
    format!("GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// One answer's body.
pub fn get(port: u16, address: &str, token: &str) -> String {
    let mut line = Line::new(port);
    let start = line.ask(&request(address, token));
    String::from_utf8_lossy(&line.buffer[start..]).into_owned()
}

/// Asks these addresses in turn, for a while.
pub fn ask(port: u16, addresses: &[String], token: &str, connections: usize, time: Duration) -> Answered {
    let requests: Vec<Vec<u8>> = addresses.iter().map(|address| request(address, token)).collect();
    let since = Instant::now();
    let mut took: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|rank| {
                let requests = &requests;
                scope.spawn(move || {
                    let mut line = Line::new(port);
                    let mut took = Vec::new();
                    for at in rank * 7.. {
                        if since.elapsed() > time {
                            break;
                        }
                        let asked = Instant::now();
                        line.ask(&requests[at % requests.len()]);
                        took.push(asked.elapsed().as_secs_f64() * 1_000.0);
                    }
                    took
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = since.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    Answered { per_second: took.len() as f64 / seconds, median: at(50), percentile_99: at(99), requests: took.len() }
}
