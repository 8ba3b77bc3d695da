//! Who else uses this machine meanwhile: a core that is lent to somebody else looks like a lock that is waited for.

use std::fs;

/// Time of all cores, in clock ticks of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy {
    all: u64,
    working: u64,
    stolen: u64,
    ours: u64,
}

/// How its notes begin.
const OTHERS: &str = "other programs used";
const HYPERVISOR: &str = "the hypervisor took";

/// From this part on it is worth a note.
const WORTH: f64 = 0.03;

impl Busy {
    /// Until now; `None` where the kernel does not tell.
    #[must_use]
    pub fn now() -> Option<Self> {
        let read = |path| fs::read_to_string(path).ok();
        Self::of(&read("/proc/stat")?, &read("/proc/self/stat")?)
    }

    fn of(stat: &str, own: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let times: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        // What guests use is in user and nice already.
        let &[user, nice, system, idle, iowait, irq, softirq, stolen, ..] = &times[..] else { return None };
        let working = user + nice + system + irq + softirq;
        // The name of the program may have spaces and parentheses in it; the third field comes after the last one.
        let own: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
        let ours = own.get(11)?.parse::<u64>().ok()? + own.get(12)?.parse::<u64>().ok()?;
        Some(Self { all: working + stolen + idle + iowait, working, stolen, ours })
    }

    /// What somebody who reads figures measured since `before` should know of it.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<String> {
        let all = self.all.saturating_sub(before.all).max(1) as f64;
        let working = self.working.saturating_sub(before.working);
        let others = working.saturating_sub(self.ours.saturating_sub(before.ours)) as f64 / all;
        let stolen = self.stolen.saturating_sub(before.stolen) as f64 / all;
        let mut notes = vec![];
        if others > WORTH {
            notes.push(format!(
                "{OTHERS} {:.0} % of this machine meanwhile: repeat it when it is quiet",
                others * 100.0
            ));
        }
        if stolen > WORTH {
            notes.push(format!("{HYPERVISOR} {:.0} % of the machine's time for others", stolen * 100.0));
        }
        notes
    }
}

/// Whether `note` is one of [`Busy::since`].
#[must_use]
pub fn is_told_by(note: &str) -> bool {
    note.starts_with(OTHERS) || note.starts_with(HYPERVISOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(stat: [u64; 8], ours: [u64; 2]) -> Busy {
        let stat = stat.map(|time| time.to_string()).join(" ");
        let own = format!("1 (a ) b) S 1 1 1 0 -1 0 1 0 0 0 {} {} 0 0", ours[0], ours[1]);
        Busy::of(&format!("cpu  {stat} 0 0\ncpu0 1 2 3\n"), &own).unwrap()
    }

    #[test]
    fn others_and_the_hypervisor_are_told_apart_from_us() {
        let before = busy([1000, 0, 100, 5000, 0, 0, 0, 10], [50, 5]);
        let quiet = busy([1090, 0, 110, 5100, 0, 0, 0, 10], [135, 19]);
        assert_eq!(quiet.since(&before), [""; 0]);
        let loud = busy([1090, 0, 110, 5050, 0, 0, 0, 60], [60, 5]);
        let notes = loud.since(&before);
        assert!(notes[0].starts_with("other programs used 45 %"), "{notes:?}");
        assert!(notes[1].starts_with("the hypervisor took 25 %"), "{notes:?}");
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_not_guessed() {
        assert_eq!(Busy::of("", "1 (x) S"), None);
        assert_eq!(Busy::of("cpu 1 2 3", "1 (x) S 1 1 1 0 -1 0 1 0 0 0 1 1"), None);
    }
}
