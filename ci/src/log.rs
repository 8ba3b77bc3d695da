//! What the steps of one job print, in a file: both streams in the order in which they came, each command above its
//! output.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Stdio;

/// The log of one job.
#[derive(Debug)]
pub struct Log {
    file: File,
    shown: u64,
}

impl Log {
    /// An empty log at `path`; an older one there is gone.
    ///
    /// # Errors
    /// The file or its directory cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        File::create(path)?;
        Self::open(path)
    }

    /// The log that is at `path`.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Appending, as the children do: nobody's output overwrites another's.
        let file = File::options().append(true).read(true).open(path)?;
        Ok(Self { file, shown: 0 })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Writing failed, as on a full disk.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.file, "{text}")
    }

    /// For a child's output.
    ///
    /// # Errors
    /// The system has no more file descriptors.
    pub fn stdio(&self) -> io::Result<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    /// How many bytes there are by now.
    ///
    /// # Errors
    /// The file cannot be asked.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// What was added after the log had `start` bytes. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// Reading failed.
    pub fn since(&mut self, start: u64) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What was added since the last call.
    ///
    /// # Errors
    /// Reading failed.
    pub fn fresh(&mut self) -> io::Result<String> {
        let (start, end) = (self.shown, self.size()?);
        if start == end {
            return Ok(String::new());
        }
        self.shown = end;
        self.since(start)
    }

    /// The last `lines` lines.
    ///
    /// # Errors
    /// Reading failed.
    pub fn tail(&mut self, lines: usize) -> io::Result<Vec<String>> {
        const ENOUGH: u64 = 64 << 10; // a log may be long, a tail is not
        let text = self.since(self.size()?.saturating_sub(ENOUGH))?;
        let all: Vec<_> = text.lines().collect();
        Ok(all[all.len().saturating_sub(lines)..].iter().map(|&line| line.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, Log) {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::create(&directory.path().join("ci/a.log")).unwrap();
        (directory, log)
    }

    #[test]
    fn both_streams_of_a_child_come_in_order() {
        let (_directory, mut log) = log();
        log.line("$ sh").unwrap();
        let script = "echo 1; echo 2 >&2; echo 3";
        let mut child = std::process::Command::new("sh");
        child.args(["-c", script]).stdout(log.stdio().unwrap()).stderr(log.stdio().unwrap());
        assert!(child.status().unwrap().success());
        assert_eq!(log.since(0).unwrap(), "$ sh\n1\n2\n3\n");
        assert_eq!(log.tail(2).unwrap(), ["2", "3"]);
        assert_eq!(log.tail(9).unwrap().len(), 4);
    }

    #[test]
    fn fresh_output_comes_once() {
        let (_directory, mut log) = log();
        log.line("a").unwrap();
        assert_eq!(log.fresh().unwrap(), "a\n");
        assert_eq!(log.fresh().unwrap(), "");
        log.line("b").unwrap();
        assert_eq!(log.fresh().unwrap(), "b\n");
    }
}
