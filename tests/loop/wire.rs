//! A wire between a program and the server, which counts the program's statements and can be cut at one of
//! them. So the program can be killed at any statement without its help.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;
use xtask::address::Address;

/// The number in the name of the socket.
pub const PORT: u16 = 5432;

/// The moment at which a wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The statement does not reach the server.
    Before,
    /// The server has carried it out, and the program does not hear the answer.
    Unheard,
}

/// SIGKILL, with which a program is killed at a cut.
pub const KILL: i32 = 9;

/// The number of a statement, from 1, and the moment.
pub type Cut = (usize, Moment);

/// The protocol sends a type and a length before each message, and a length alone before the first.
const SYNC: u8 = b'S';
const SIMPLE_QUERY: u8 = b'Q';
const READY: u8 = b'Z';

pub struct Wire {
    folder: TempDir,
    statements: Arc<AtomicUsize>,
    cut: Receiver<()>,
}

impl Wire {
    /// A wire for one connection.
    pub fn new(server: &Address, cut: Option<Cut>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(socket(folder.path(), PORT))?;
        let target = socket(server.socket_folder(), server.port());
        let statements = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = mpsc::channel();
        let ends = Ends { cut, statements: Arc::clone(&statements), reached: Mutex::new(sender) };
        thread::spawn(move || {
            // Fails only if a side of the wire is gone.
            let _ = relay(&listener, &target, &ends);
        });
        Ok(Self { folder, statements, cut: receiver })
    }

    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// The number of statements so far.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    /// Whether the wire has been cut since the last call.
    pub fn is_cut(&self) -> bool {
        self.cut.try_recv().is_ok()
    }
}

fn socket(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// What both directions share.
struct Ends {
    cut: Option<Cut>,
    statements: Arc<AtomicUsize>,
    reached: Mutex<Sender<()>>,
}

impl Ends {
    /// Whether the wire is cut at this moment of a statement.
    fn cuts(&self, statement: usize, moment: Moment) -> bool {
        let is_cut = self.cut == Some((statement, moment));
        if is_cut && let Ok(reached) = self.reached.lock() {
            // Fails only if the test has failed already.
            let _ = reached.send(());
        }
        is_cut
    }
}

fn relay(listener: &UnixListener, target: &Path, ends: &Ends) -> Result<()> {
    let (program, _) = listener.accept()?;
    let server = UnixStream::connect(target).context("cannot connect to the server")?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = answers(&server, &program, ends);
            let _ = program.shutdown(Shutdown::Both);
        });
        let _ = statements(&program, &server, ends);
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Carries statements from the program to the server. Ends when the program does.
fn statements(mut program: &UnixStream, mut server: &UnixStream, ends: &Ends) -> io::Result<()> {
    let mut waiting = message(&mut program, false)?.1;
    loop {
        server.write_all(&waiting)?;
        waiting.clear();
        loop {
            let (kind, bytes) = message(&mut program, true)?;
            waiting.extend(bytes);
            if kind == SYNC || kind == SIMPLE_QUERY {
                let number = ends.statements.fetch_add(1, Ordering::SeqCst) + 1;
                if ends.cuts(number, Moment::Before) {
                    return drain(&mut program);
                }
                break;
            }
            if kind == b'X' {
                break;
            }
        }
    }
}

/// Carries answers from the server to the program.
fn answers(mut server: &UnixStream, mut program: &UnixStream, ends: &Ends) -> io::Result<()> {
    let mut waiting = Vec::new();
    // The server is ready once before the first statement.
    let mut statement = 0;
    loop {
        let (kind, bytes) = message(&mut server, true)?;
        waiting.extend(bytes);
        if kind == READY {
            if ends.cuts(statement, Moment::Unheard) {
                return drain(&mut server);
            }
            statement += 1;
        }
        // Else the answer of the statement at which the wire is cut would be heard in part.
        if kind == READY || ends.cut != Some((statement, Moment::Unheard)) {
            program.write_all(&waiting)?;
            waiting.clear();
        }
    }
}

/// Reads to the end, without doing anything with it.
fn drain(stream: &mut &UnixStream) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(|_| ())
}

/// The type of a message, and all its bytes.
fn message(stream: &mut &UnixStream, has_type: bool) -> io::Result<(u8, Vec<u8>)> {
    let mut bytes = vec![0; if has_type { 5 } else { 4 }];
    stream.read_exact(&mut bytes)?;
    let start = bytes.len() - 4;
    let length = bytes[start..].try_into().map(u32::from_be_bytes).unwrap_or_default() as usize;
    let kind = bytes[0];
    bytes.resize(start + length.max(4), 0);
    stream.read_exact(&mut bytes[start + 4..])?;
    Ok((kind, bytes))
}
