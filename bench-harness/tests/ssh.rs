//! A run on another machine: this one, behind an `sshd` on a free port of the loopback, with a key made for the purpose.
//! The `ssh` is the system's, with a configuration of the test's in front.

#![cfg(unix)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bench_harness::read::read;
use bench_harness::summary::Run;
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd"; // it wants to be started by its whole name

/// A machine that can be reached by `ssh board`.
struct Board {
    directory: TempDir,
    sshd: Child,
}

impl Board {
    fn new() -> Self {
        let [sshd, ssh] = [Path::new(SSHD), Path::new("/usr/bin/ssh")].map(Path::exists);
        assert!(sshd && ssh, "{SSHD} or ssh is not installed; on Debian and Ubuntu: apt-get install openssh-server");
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        for name in ["host", "user"] {
            let mut keygen = Command::new("ssh-keygen");
            assert!(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &at(name)]).status().unwrap().success());
        }
        // There, programs go where this test sees them; and `uname` is one that it can replace.
        for name in ["there", "bin", "tools"] {
            fs::create_dir(at(name)).unwrap();
        }
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap(); // which an init system would have made
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin"));
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\n\
             SetEnv TMPDIR={} PATH={path}\n",
            at("host"),
            at("user.pub"),
            at("there")
        );
        fs::write(at("sshd_config"), config).unwrap();
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
        let config = format!(
            "Host board\nHostName 127.0.0.1\nPort {port}\nUser {user}\nIdentityFile {}\nIdentitiesOnly yes\n\
             UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\nLogLevel ERROR\n",
            at("user")
        );
        fs::write(at("ssh_config"), config).unwrap();
        tool(&directory.path().join("tools/ssh"), &format!("exec /usr/bin/ssh -F '{}' \"$@\"", at("ssh_config")));
        let log = fs::File::create(at("log")).unwrap();
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f", &at("sshd_config")]).stdin(Stdio::null()).stderr(log).process_group(0);
        let mut board = Self { sshd: command.spawn().unwrap(), directory };
        let late = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let gone = board.sshd.try_wait().unwrap().is_some();
            assert!(!gone && Instant::now() < late, "sshd does not listen:\n{}", board.log());
            thread::sleep(Duration::from_millis(20));
        }
        board
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// The program, which measures there.
    fn command(&self, options: &str) -> Command {
        self.command_on("ssh:board", options)
    }

    fn command_on(&self, place: &str, options: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
        command.args(["run", "--on", place, "--output"]).arg(self.path("out")).args(options.split_whitespace());
        self.with_tools(&mut command);
        command
    }

    fn with_tools<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = format!("{}:{}", self.path("tools").display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
    }

    /// A fleet of it and this host.
    fn fleet(&self) -> (Option<i32>, String, String) {
        let file = format!(
            "options = ['--preset', 'smoke', '--lock', 'ticket', '--cores', '1', '--repeats', '1']\n\
             [[place]]\nname = 'here'\non = 'host'\n\
             [[place]]\nname = 'there'\non = 'ssh:board'\noptions = ['--binary', '{}']\n",
            env!("CARGO_BIN_EXE_bench-harness")
        );
        fs::write(self.path("fleet.toml"), file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
        command.arg("fleet").arg(self.path("fleet.toml")).arg("--output").arg(self.path("out"));
        ended(self.with_tools(&mut command).spawn().unwrap())
    }

    fn run(&self, options: &str) -> (Option<i32>, String, String) {
        ended(self.command(options).spawn().unwrap())
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.path("out")) else { return vec![] };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
        files
    }

    fn records(&self) -> Run {
        let [file] = &self.files()[..] else { panic!("{:?}", self.files()) };
        read(file).unwrap().run
    }

    /// Waits until `text` is in the records.
    fn wait_for(&self, text: &str) {
        let late = Instant::now() + Duration::from_secs(60);
        let has = |file: &PathBuf| fs::read_to_string(file).unwrap().contains(text);
        while !self.files().iter().any(has) {
            assert!(Instant::now() < late, "there is no {text}; {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether nothing of the program's is there any more, files or processes, or will be soon.
    fn is_clean(&self) -> bool {
        (0..1500).any(|_| {
            thread::sleep(Duration::from_millis(20));
            let nothing = fs::read_dir(self.path("there")).unwrap().next().is_none();
            nothing && !commands().iter().any(|command| command.contains(self.path("there").to_str().unwrap()))
        })
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn tool(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), out, err)
}

/// The command lines of all processes.
fn commands() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok()).collect()
}

/// This program: what is built for another machine is a test of its own, below.
fn own_binary() -> String {
    format!("--binary {}", env!("CARGO_BIN_EXE_bench-harness"))
}

/// Passes of a second: there is time to do something to them.
const LONG: &str = "--lock ticket --strategy merged --workload pair --cores 1 --time 1s --repeats 50";

#[test]
fn what_ran_there_is_a_run_like_any_other_here_and_nothing_is_left_there() {
    let board = Board::new();
    let (status, out, err) =
        board.run(&format!("--preset smoke --lock ticket --workload pair --place pack {}", own_binary()));
    assert_eq!(status, Some(0), "{out}{err}{}", board.log());
    assert!(out.contains("Records: ") && out.contains("Page: ") && out.contains("ns/op"), "{out}");
    assert!(err.contains("ssh:board: Linux"), "{err}");
    let run = board.records();
    assert!(run.complete() && !run.cells.is_empty() && run.clock.is_some());
    let header = &run.header;
    assert_eq!((&*header.place, header.emulated, header.machine.cores > 0), ("ssh:board", false, true));
    assert_eq!(header.placement.as_ref().map(|placed| &*placed.placement), Some("pack"));
    assert!(header.hz.is_some() && header.command.iter().any(|word| word == "ssh:board"), "{:?}", header.command);
    assert!(board.is_clean());
}

#[test]
fn named_scenarios_are_a_file_each_and_the_program_is_copied_once() {
    let board = Board::new();
    let options = "--lock ticket --cores 1 --time 1ms --sample-time 1ms --warmup 1ms --repeats 1 --no-html";
    let (status, out, err) = board.run(&format!("--scenario light,saturated {options} {}", own_binary()));
    assert_eq!(status, Some(0), "{out}{err}");
    assert_eq!((board.files().len(), err.matches("copying").count()), (2, 1), "{err}");
    let mut names: Vec<_> =
        board.files().iter().map(|file| read(file).unwrap().run.header.scenario.unwrap().name).collect();
    names.sort();
    assert_eq!(names, ["light", "saturated"]);
    assert!(board.is_clean());
}

#[test]
fn ctrl_c_ends_the_run_there_and_keeps_what_there_is() {
    let board = Board::new();
    let child = board.command(&format!("{LONG} {}", own_binary())).process_group(0).spawn().unwrap();
    board.wait_for("\"pass\"");
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let (status, out, err) = ended(child);
    assert_eq!(status, Some(130), "{out}{err}");
    let run = board.records();
    assert_eq!((run.cells.len(), run.end.unwrap().why.as_deref()), (1, Some("interrupted")));
    assert!(board.is_clean());
}

#[test]
fn a_connection_that_breaks_is_told_and_the_run_there_ends() {
    let board = Board::new();
    let child = board.command(&format!("{LONG} {}", own_binary())).spawn().unwrap();
    board.wait_for("\"pass\"");
    // Those that sshd has started for its connection; it goes on listening.
    let sshd = board.sshd.id();
    let sessions = fs::read_to_string(format!("/proc/{sshd}/task/{sshd}/children")).unwrap();
    assert!(Command::new("kill").arg("-KILL").args(sessions.split_whitespace()).status().unwrap().success());
    let (status, out, err) = ended(child);
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(err.contains("error: ssh:board: the connection is lost"), "{err}");
    let run = board.records();
    assert!(!run.complete() && run.cells.len() == 1);
    assert!(board.is_clean());
}

#[test]
fn what_cannot_be_is_said_with_what_to_do() {
    let board = Board::new();
    let own = own_binary();
    let nobody = ended(board.command_on("ssh:board:1", &own).spawn().unwrap());
    let program = board.path("program");
    let bring = |script: &str| {
        tool(&program, script);
        board.run(&format!("--preset smoke --binary {}", program.display()))
    };
    for (ran, expected, says) in [
        (
            board.run(&format!("--lock broken --cores 1 {own}")),
            2,
            "ssh:board refuses:\n  | error: nothing of that can run",
        ),
        (board.run("--preset smoke --binary /no/such/program"), 1, "cannot open /no/such/program"),
        (
            bring("echo 'cannot execute: wrong machine' >&2; exit 126"),
            1,
            "with status 126; it says:\n  | cannot execute",
        ),
        (bring("echo hello"), 1, "ssh:board: no record"),
        (nobody, 1, "ssh does not get into board"),
    ] {
        let (status, out, err) = ran;
        assert!(status == Some(expected) && err.contains(says), "{status:?} {says}: {out}{err}");
    }
    tool(&board.path("bin/uname"), "echo Linux riscv64");
    let (status, _, err) = board.run("--preset smoke");
    assert!(status == Some(2) && err.contains("\"Linux riscv64\" is neither") && err.contains("--binary"), "{err}");
    assert!(board.files().is_empty() && board.is_clean());

    // For a machine of which the compiler's target is not here.
    tool(&board.path("bin/uname"), "echo Linux aarch64");
    tool(&board.path("tools/rustup"), "echo x86_64-unknown-linux-gnu");
    let (status, _, err) = board.run("--preset smoke");
    assert!(status == Some(2) && err.contains("rustup target add aarch64-unknown-linux-musl"), "{err}");
    let mut command = board.command("--preset smoke");
    let (status, _, err) = ended(command.env("PATH", "/no/such/directory").spawn().unwrap());
    assert!(status == Some(2) && err.contains("apt-get install openssh-client"), "{err}");
}

#[test]
fn a_fleet_may_have_it_beside_this_host() {
    let board = Board::new();
    let (status, out, err) = board.fleet();
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.contains("scenarios on ssh:board\n") && out.contains("scenarios on host\n"), "{out}");
    let header = out.lines().find(|line| line.starts_with("lock")).unwrap();
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["lock", "strategy", "here", "there"]);
    assert!(board.is_clean());
}

#[test]
fn the_program_that_is_built_for_there_is_static_and_runs() {
    let board = Board::new();
    let mut command = board.command("--preset smoke --lock ticket --workload pair --no-html");
    // Built quickly: nothing is timed. In a directory of its own, so that nobody takes it for the real one.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256");
    let (status, out, err) = ended(command.spawn().unwrap());
    assert_eq!(status, Some(0), "{out}{err}{}", board.log());
    let run = board.records();
    assert!(run.complete() && run.header.build.target.ends_with("-linux-musl"), "{:?}", run.header.build);
    let program = fs::read(target.join(&run.header.build.target).join("release/bench-harness")).unwrap();
    assert!(!program.windows(3).any(|part| part == b"/ld"), "it asks for a dynamic linker");
}
