//! Which core a worker is on: as the system counts them, near each other, far apart, or as somebody says.
//!
//! ```text
//!  two packages of two cores of two threads:   package 0 (core 0: 0 4) (core 1: 1 5)   package 1 (core 0: 2 6) (core 1: 3 7)
//!
//!  system   0 1 2 3 4 5 6 7     as they are numbered
//!  pack     0 4 1 5 2 6 3 7     threads of a core, then cores of a cluster, then clusters of a package
//!  spread   0 2 1 3 4 6 5 7     one thread of a core in each package in turn; second threads when all cores have one
//! ```
//!
//! Two workers that are packed contend through a cache that they share; spread, through whatever is between packages. A lock
//! that is best for the one may not be for the other.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// How workers are placed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Placement {
    /// In the order in which the system numbers cores; from repeat to repeat, all of them take their turn.
    #[default]
    System,
    /// Near each other.
    Pack,
    /// Far apart.
    Spread,
    /// On these cores, in this order.
    Order(Vec<usize>),
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "system" => Ok(Self::System),
            "pack" => Ok(Self::Pack),
            "spread" => Ok(Self::Spread),
            _ => {
                let numbers: Result<Vec<usize>, _> = text.split('-').map(str::parse).collect();
                let numbers = numbers.map_err(|_| "system, pack, spread, or numbers of cores: 0-2-1-3".to_owned())?;
                let twice = numbers.iter().enumerate().find(|(i, core)| numbers[..*i].contains(core));
                twice.map_or(Ok(()), |(_, core)| Err(format!("core {core} twice")))?;
                Ok(Self::Order(numbers))
            }
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Pack => f.write_str("pack"),
            Self::Spread => f.write_str("spread"),
            Self::Order(cores) => {
                for (i, core) in cores.iter().enumerate() {
                    write!(f, "{}{core}", if i == 0 { "" } else { "-" })?;
                }
                Ok(())
            }
        }
    }
}

/// Where a core is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct At {
    package: u32,
    cluster: u32,
    core: u32,
}

impl At {
    /// As Linux tells it under `cpus` (`/sys/devices/system/cpu`); all zero where it does not, or there is none.
    fn read(cpus: &Path, id: usize) -> Self {
        let number = |name: &str| {
            let text = fs::read_to_string(cpus.join(format!("cpu{id}/topology/{name}"))).ok()?;
            text.trim().parse::<i64>().ok().and_then(|number| u32::try_from(number).ok()) // -1: there is none
        };
        let [package, cluster, core] =
            ["physical_package_id", "cluster_id", "core_id"].map(|name| number(name).unwrap_or(0));
        Self { package, cluster, core }
    }
}

impl Placement {
    /// The order of `available` cores, by the topology under `cpus`.
    ///
    /// # Errors
    ///
    /// A core that was asked for is not available.
    pub fn order(&self, available: &[usize], cpus: &Path) -> Result<Vec<usize>, String> {
        let mut order = available.to_vec();
        match self {
            Self::System => {}
            Self::Pack => order.sort_by_key(|&id| (At::read(cpus, id), id)),
            Self::Spread => {
                let at: Vec<(At, usize)> = available.iter().map(|&id| (At::read(cpus, id), id)).collect();
                order.sort_by_key(|&id| {
                    let own = At::read(cpus, id);
                    // How many threads of its core come before it, and how many cores of its package before its core.
                    let threads = at.iter().filter(|(other, other_id)| *other == own && *other_id < id).count();
                    let mut cores: Vec<At> = at.iter().map(|(other, _)| *other).collect();
                    cores.retain(|other| other.package == own.package && *other < own);
                    cores.sort_unstable();
                    cores.dedup();
                    (threads, cores.len(), own.package, id)
                });
            }
            Self::Order(cores) => {
                if let Some(core) = cores.iter().find(|core| !available.contains(core)) {
                    return Err(format!("there is no core {core} here, or this process may not use it"));
                }
                order.clone_from(cores);
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two packages of two cores of two threads; see above.
    fn eight() -> tempfile::TempDir {
        let cpus = tempfile::tempdir().unwrap();
        for id in 0..8 {
            let directory = cpus.path().join(format!("cpu{id}/topology"));
            fs::create_dir_all(&directory).unwrap();
            let write = |name: &str, number: i32| fs::write(directory.join(name), format!("{number}\n")).unwrap();
            write("physical_package_id", id / 2 % 2);
            write("cluster_id", -1);
            write("core_id", id % 2);
        }
        cpus
    }

    #[test]
    fn near_far_and_as_somebody_says() {
        let cpus = eight();
        let all: Vec<usize> = (0..8).collect();
        let order = |text: &str| text.parse::<Placement>().unwrap().order(&all, cpus.path()).unwrap();
        assert_eq!(order("system"), all);
        assert_eq!(order("pack"), [0, 4, 1, 5, 2, 6, 3, 7]);
        assert_eq!(order("spread"), [0, 2, 1, 3, 4, 6, 5, 7]);
        assert_eq!(order("7-0-3"), [7, 0, 3]);
        assert_eq!("7-0-3".parse::<Placement>().unwrap().to_string(), "7-0-3");
        let some = Placement::Pack.order(&[1, 3, 5], cpus.path()).unwrap();
        assert_eq!(some, [1, 5, 3], "of those that this process may use");
        let nowhere = Placement::Spread.order(&all, Path::new("/no/such/place")).unwrap();
        assert_eq!(nowhere, all, "where the system does not tell, as it numbers them");
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        assert!("near".parse::<Placement>().unwrap_err().contains("pack, spread, or numbers"));
        assert!("0-1-0".parse::<Placement>().unwrap_err().contains("core 0 twice"));
        assert!(Placement::Order(vec![0, 9]).order(&[0, 1], Path::new("/")).unwrap_err().contains("no core 9 here"));
    }
}
