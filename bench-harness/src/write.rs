//! Writes the records of a run: each line whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::interrupt;
use crate::record::{self, Kind};

/// A file of records that grows.
#[derive(Debug)]
pub struct Records {
    file: File,
    path: PathBuf,
    /// Its length, up to the end of the last whole line.
    whole: u64,
    failed: bool,
}

impl Records {
    /// A new file in `directory`, which is made if there is none; its name says when, and where the run is.
    ///
    /// # Errors
    ///
    /// The directory or the file cannot be made.
    pub fn create(directory: &Path, started: jiff::Timestamp, place: &str) -> Result<Self> {
        if directory.exists() && !directory.is_dir() {
            bail!("{} is not a directory", directory.display());
        }
        fs::create_dir_all(directory).with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let stem = format!("{}-{place}", started.strftime("%Y%m%dT%H%M%SZ"));
        let mut path = directory.join(format!("{stem}.jsonl"));
        for again in 2.. {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { file, path, whole: 0, failed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && again < 100 => {
                    path = directory.join(format!("{stem}-{again}.jsonl"));
                }
                Err(error) => return Err(error).with_context(|| format!("cannot make {}", path.display())),
            }
        }
        unreachable!("the hundredth attempt returns")
    }

    /// The standard output instead of a file.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn to_stdout() -> Result<Self> {
        let file = duplicate(&io::stdout()).context("there is no standard output for the records")?;
        Ok(Self { file, path: "the standard output".into(), whole: 0, failed: false })
    }

    /// The file at `path`, shortened to its first `whole` bytes; what is written comes after those.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or not be shortened.
    pub fn reopen(path: &Path, whole: u64) -> Result<Self> {
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().append(true).open(path)?;
            file.set_len(whole)?;
            Ok(file)
        };
        let file = open().with_context(|| format!("cannot go on in {}", path.display()))?;
        Ok(Self { file, path: path.to_owned(), whole, failed: false })
    }

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a line could not be written.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Writes a line.
    ///
    /// # Errors
    ///
    /// It cannot be written; then the file ends with the last line that could.
    pub fn write<R: Kind>(&mut self, record: &R) -> Result<()> {
        let line = record::line(record);
        let _whole = interrupt::whole();
        let Err(error) = self.file.write_all(line.as_bytes()) else {
            self.whole += line.len() as u64;
            return Ok(());
        };
        self.failed = true;
        let kept = match self.file.set_len(self.whole) {
            Ok(()) => "it ends with its last whole line".to_owned(),
            Err(error) => format!("its last line is cut off, for it cannot be shortened either ({error})"),
        };
        Err(error).with_context(|| format!("cannot write to {}: {kept}", self.path.display()))
    }
}

/// What `stream` writes to, as a file: unbuffered.
#[cfg(unix)]
fn duplicate(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn duplicate(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    stream.as_handle().try_clone_to_owned().map(File::from)
}

/// Writes `text` to `path`: the whole of it, or nothing is there that was not there before.
///
/// # Errors
///
/// It cannot be written.
pub fn atomically(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask, like any file
        let mut file = builder.prefix(".report-").tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::End;

    #[test]
    fn two_runs_in_a_second_have_a_file_each() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        let started = jiff::Timestamp::UNIX_EPOCH;
        let names = [(); 3].map(|()| {
            let mut records = Records::create(&inner, started, "host").unwrap();
            records.write(&End::COMPLETE).unwrap();
            records.path().file_name().unwrap().to_str().unwrap().to_owned()
        });
        assert_eq!(names, ["", "-2", "-3"].map(|again| format!("19700101T000000Z-host{again}.jsonl")));
        let text = fs::read_to_string(inner.join(&names[0])).unwrap();
        assert_eq!(text, "{\"v\":1,\"kind\":\"end\",\"complete\":true,\"why\":null}\n");
    }

    #[test]
    fn a_page_is_there_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("page.html");
        atomically(&page, "one").unwrap();
        atomically(&page, "two").unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), "two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let error = atomically(&directory.path().join("no/page.html"), "three").unwrap_err();
        assert!(error.to_string().contains("no/page.html"));
    }
}
