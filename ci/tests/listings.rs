//! The assembly of the locks is what somebody has read: `locks/listings/*.s`, without LSE and with it.
//!
//! ```text
//! cargo test -p ci --test listings               # compare
//! BLESS=1 cargo test -p ci --test listings       # write them anew, to be read
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TARGET: &str = "aarch64-unknown-none-softfloat";

/// Instructions and labels, by function, in the order of the source.
struct Listing(Vec<(String, Vec<String>)>);

impl Listing {
    /// Builds `targets/listings` with these flags, and reads what the compiler says of it.
    fn build(flags: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["rustc", "--quiet", "--package", "listings", "--profile", "measured", "--target", TARGET]);
        cargo.arg("--target-dir").arg(directory.path()).env("RUSTFLAGS", flags).current_dir(ROOT);
        cargo.args(["--", "--emit", "asm", "-C", "debuginfo=0"]);
        assert!(cargo.status().unwrap().success(), "if there is no such target: rustup target add {TARGET}");
        let built = directory.path().join(TARGET).join("measured/deps");
        let file = built.read_dir().unwrap().map(|file| file.unwrap().path()).find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("listings") && name.ends_with(".s")
        });
        Self::parse(&std::fs::read_to_string(file.expect("an assembly file")).unwrap())
    }

    /// The text of an assembly file, without directives, with its labels numbered by function.
    fn parse(text: &str) -> Self {
        let mut functions: Vec<(String, Vec<String>)> = vec![];
        let mut labels = BTreeMap::new();
        let mut inside = false;
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or_default().trim();
            if line.starts_with(".Lfunc_end") {
                inside = false;
            } else if let Some(label) = line.strip_suffix(':') {
                if label.starts_with(".L") {
                    let label = numbered(&mut labels, label);
                    if let Some((_, body)) = functions.last_mut().filter(|_| inside) {
                        body.push(format!("{label}:"));
                    }
                } else if inside {
                    functions.last_mut().unwrap().1.push(format!("{label}:")); // of inline assembly
                } else {
                    functions.push((without_hash(label), vec![]));
                    (inside, labels) = (true, BTreeMap::new());
                }
            } else if inside && !line.is_empty() && !line.starts_with(['.', '#']) {
                let words = line.split_whitespace().map(|word| match word.split_once(".L") {
                    Some((before, label)) => before.to_owned() + &numbered(&mut labels, &format!(".L{label}")),
                    None => without_hash(word),
                });
                functions.last_mut().unwrap().1.push(words.collect::<Vec<_>>().join(" "));
            }
        }
        functions.retain(|(_, body)| body.iter().any(|line| !line.ends_with(':'))); // not data
        Self(functions)
    }

    fn text(&self) -> String {
        let mut text =
            String::from("// Written by `BLESS=1 cargo test -p ci --test listings`. To be read when it changes.\n");
        for (name, body) in &self.0 {
            write!(text, "\n{name}:\n").unwrap();
            for line in body {
                let indent = if line.ends_with(':') { "" } else { "    " };
                writeln!(text, "{indent}{line}").unwrap();
            }
        }
        text
    }

    fn body(&self, name: &str) -> &[String] {
        let found = self.0.iter().find(|(found, _)| found == name);
        &found.unwrap_or_else(|| panic!("there is no {name} in the listing")).1
    }
}

/// A word without what differs from build to build in the mangled name in it: `17h`, sixteen digits, `E`.
fn without_hash(word: &str) -> String {
    match word.find("_ZN").and_then(|start| Some(start + word[start..].rfind("17h")?)) {
        Some(at) if word[at..].len() >= 20 => [&word[..at], &word[at + 20..]].concat(),
        _ => word.to_owned(),
    }
}

fn numbered(labels: &mut BTreeMap<String, usize>, label: &str) -> String {
    let next = labels.len() + 1;
    format!(".L{}", labels.entry(label.to_owned()).or_insert(next))
}

/// The instructions that begin with one of these.
fn count(body: &[String], mnemonics: &[&str]) -> usize {
    body.iter().filter(|line| mnemonics.iter().any(|mnemonic| line.starts_with(mnemonic))).count()
}

const EXCLUSIVE: &[&str] = &["ldxr", "ldaxr", "stxr", "stlxr"];
const LSE: &[&str] = &["cas", "swp", "ldadd", "ldset", "ldclr", "stadd"];
const BARRIERS: &[&str] = &["dmb", "dsb", "isb", "sev "];

/// `QSpin`'s compiler fences have no instruction, and so no mutant: that a handler finds a node taken before it is touched,
/// and done with before it is given back, is seen here. (`taken` is what is loaded plainly, before anything is stored.)
fn takes_its_node_first_and_gives_it_back_last(listing: &Listing) {
    let (_, body) = listing.0.iter().find(|(name, _)| name.contains("qspin") && name.contains("lock_slow")).unwrap();
    let address = |line: &String| Some(line[line.find('[')?..].to_owned());
    let taken = body.iter().find(|line| line.starts_with("ldrh ")).and_then(address).expect("S15");
    let ours = |line: &String| line.starts_with("strh ") && address(line).as_ref() == Some(&taken);
    let touches = |line: &&String| line.contains("[x") && !ours(line);
    let stores = |line: &String| count(std::slice::from_ref(line), &["st", "swp", "cas"]) > 0 && !line.contains("[sp");
    let first = body.iter().find(|line| stores(line)).expect("S16");
    assert!(ours(first), "qspin: {first}, and the node is not taken: {body:#?}");
    let given_back: Vec<_> = body.iter().enumerate().filter(|(_, line)| ours(line)).skip(1).map(|(at, _)| at).collect();
    assert!(!given_back.is_empty(), "qspin: a node is not given back: {body:#?}");
    for at in given_back {
        let rest = body[at..].iter().take_while(|line| *line != "ret");
        assert_eq!(rest.filter(touches).count(), 0, "qspin: a node in use is given back: {body:#?}");
    }
}

/// What is promised of every listing.
fn promises(listing: &Listing, lse: bool) {
    for (name, body) in &listing.0 {
        if name.contains("bakery") {
            let exclusives = count(body, EXCLUSIVE) + count(body, LSE);
            assert_eq!(exclusives, 0, "{name}: not a load or store, where caches are off: {body:#?}");
        } else {
            assert_eq!(count(body, BARRIERS), 0, "{name}: a barrier");
        }
    }
    for lock in ["tas", "ttas", "ticket", "queued", "qspin"] {
        let unlock = listing.body(&format!("{lock}_unlock"));
        assert_eq!(count(unlock, &["stlr"]), 1, "{lock}: a release is one store-release: {unlock:#?}");
        assert_eq!(count(unlock, EXCLUSIVE) + count(unlock, LSE), 0, "{lock}: and no read-modify-write: {unlock:#?}");
    }
    for lock in ["tas", "ttas", "ticket", "queued", "qspin", "mcs"] {
        // In the function, or in its slow half, whose mangled name has that of the module.
        let (own, module) = (format!("{lock}_lock"), format!("{}{lock}", lock.len()));
        let waits = listing.0.iter().any(|(name, body)| {
            (*name == own || name.contains(&module)) && count(body, &["wfe"]) > 0 && count(body, &["ldaxr"]) > 0
        });
        assert!(waits, "{lock}: a wait is LDAXR and WFE");
        let try_lock = listing.body(&format!("{lock}_try_lock"));
        assert_eq!(count(try_lock, LSE) > 0, lse, "{lock}: {try_lock:#?}");
        assert_eq!(count(try_lock, EXCLUSIVE) == 0, lse, "{lock}: {try_lock:#?}");
    }
    takes_its_node_first_and_gives_it_back_last(listing);
    let timed = listing.body("timed_tas_try_lock_until");
    assert_eq!(
        [count(timed, &["ldaxrb"]), count(timed, &["wfet", "msr S0_3_C1_C0_0"])].map(|n| n > 0),
        [true; 2],
        "{timed:#?}"
    );
    let unlock = listing.body("bakery_unlock");
    assert!(count(unlock, &["dsb", "dc "]) > 0, "bakery: what caches do not make seen: {unlock:#?}");
    let pair = |lock: &str| {
        let instructions = |body: &[String]| body.iter().filter(|line| !line.ends_with(':')).count();
        instructions(listing.body(&format!("{lock}_lock"))) + instructions(listing.body(&format!("{lock}_unlock")))
    };
    let added = pair("irq_ticket") - pair("ticket");
    assert!(added <= 4, "IrqSave adds {added} instructions to a pair");
}

fn compare(name: &str, flags: &str, lse: bool) {
    let listing = Listing::build(flags);
    promises(&listing, lse);
    let path = Path::new(ROOT).join("locks/listings").join(name);
    let text = listing.text();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((nth, (was, is))) = golden.lines().zip(text.lines()).enumerate().find(|(_, (was, is))| was != is) {
        panic!(
            "{}, line {}: `{was}` is `{is}` now; write it anew with BLESS=1, and read the difference",
            path.display(),
            nth + 1
        );
    }
    assert_eq!(golden.len(), text.len(), "{} is of another length: write it anew with BLESS=1", path.display());
}

#[test]
fn without_lse() {
    compare("llsc.s", "", false);
}

#[test]
fn with_lse() {
    compare("lse.s", "-C target-feature=+lse", true);
}
