//! What the device tree says: cores, memory, console, interrupt controller, kernel command line.

use super::cores::MAX_CORES;
use core::fmt;
use core::ops::Range;
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property, ToCellInt};

/// Where RAM starts, and where QEMU leaves the device tree of an ELF image, which is told nothing in `x0`
/// (seen with QEMU 7.2; a raw image is told, as Linux is).
pub(crate) const RAM_BASE: usize = 0x4000_0000;

/// Where a device tree may start: the RAM that the page table maps.
const MAPPED: Range<u64> = RAM_BASE as u64..RAM_BASE as u64 + (1 << 30);

/// The first word of a device tree, as a little-endian load sees it.
const MAGIC: u32 = 0xd00d_feed_u32.swap_bytes();

/// What an image needs to know of the machine it is on.
pub struct Machine {
    /// The kernel command line: `/chosen/bootargs`, QEMU's `-append`.
    pub bootargs: &'static str,
    /// The first byte of RAM and the number of bytes.
    pub memory: (u64, u64),
    /// Cores in the device tree; an image uses at most [`MAX_CORES`] of them.
    pub cores_listed: usize,
    /// MPIDR affinities in the order of the tree.
    pub(crate) mpidrs: [u64; MAX_CORES],
    /// The registers of the PL011 that `/chosen/stdout-path` names.
    pub(crate) uart: usize,
    /// The GICv3's distributor, and its first redistributor.
    pub(crate) gic: (usize, usize),
}

/// Why the device tree will not do.
#[derive(Debug)]
pub(crate) enum DtError {
    /// No device tree can be where the boot protocol's `x0` points.
    Astray(u64),
    /// There is none at that address.
    Missing(usize),
    /// It is damaged, or lacks that.
    Unusable(&'static str),
    /// The interrupt controller is not a GICv3.
    NoGicV3,
}

impl fmt::Display for DtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Astray(x0) => {
                let Range { start, end } = MAPPED;
                write!(
                    f,
                    "x0 is {x0:#x}, and not 0 or a multiple of 8 in {start:#x}..{end:#x}: no device tree is there"
                )
            }
            Self::Missing(at) => write!(f, "there is no device tree at {at:#x}"),
            Self::Unusable(what) => write!(f, "the device tree has no usable {what}"),
            Self::NoGicV3 => write!(f, "the device tree has no GICv3: start QEMU with -machine virt,gic-version=3"),
        }
    }
}

impl Machine {
    /// Reads the device tree at `x0`, or where QEMU leaves it if that is 0.
    ///
    /// # Safety
    ///
    /// `x0` is as the boot protocol left it: if it points into RAM, then to what nobody writes while the image runs,
    /// and to a device tree if it begins as one.
    pub(crate) unsafe fn find(x0: u64) -> Result<Self, DtError> {
        let at = match x0 {
            0 => RAM_BASE,
            _ if x0.is_multiple_of(8) && MAPPED.contains(&x0) => x0 as usize,
            _ => return Err(DtError::Astray(x0)),
        };
        let dtb = at as *const u8;
        // SAFETY: `at` is mapped as RAM and aligned to 8, as was just checked, and nobody writes there, by the
        // contract of this function.
        if unsafe { dtb.cast::<u32>().read_volatile() } != MAGIC {
            return Err(DtError::Missing(at));
        }
        // SAFETY: the magic number says that a tree starts here, by the contract of this function a whole one that
        // nobody writes to or moves while the image runs. QEMU keeps it: image and stacks lie above (`memory.ld`).
        let tree = unsafe { Fdt::from_raw(dtb) }.map_err(|_| DtError::Unusable("structure"))?;
        Self::read(tree)
    }

    fn read(tree: Fdt<'static>) -> Result<Self, DtError> {
        let memory = tree.find_node("/memory").and_then(|node| register(node, 0));
        let gic = tree
            .root()
            .children()
            .find(|node| node.is_compatible("arm,gic-v3"))
            .and_then(|node| Some((register(node, 0)?.0 as usize, register(node, 1)?.0 as usize)));
        let mut machine = Self {
            bootargs: chosen(tree, "bootargs").unwrap_or(""),
            memory: memory.ok_or(DtError::Unusable("memory"))?,
            cores_listed: 0,
            mpidrs: [0; MAX_CORES],
            uart: uart(tree).ok_or(DtError::Unusable("PL011 as stdout-path"))?,
            gic: gic.ok_or(DtError::NoGicV3)?,
        };
        machine.list_cores(tree).ok_or(DtError::Unusable("list of cores"))?;
        Ok(machine)
    }

    fn list_cores(&mut self, tree: Fdt<'static>) -> Option<()> {
        for cpu in tree.cpus().ok()?.cpus() {
            let mpidr = cpu.ids().ok()?.next()?.to_int().ok()?;
            if let Some(slot) = self.mpidrs.get_mut(self.cores_listed) {
                *slot = mpidr;
            }
            self.cores_listed += 1;
        }
        (self.cores_listed != 0).then_some(())
    }

    /// Cores that the image uses.
    pub(crate) fn cores(&self) -> usize {
        self.cores_listed.min(MAX_CORES)
    }
}

fn chosen(tree: Fdt<'static>, property: &str) -> Option<&'static str> {
    let node = tree.find_node("/chosen")?;
    node.properties().find(|p| p.name() == property)?.value_as().ok()
}

fn uart(tree: Fdt<'static>) -> Option<usize> {
    let path = chosen(tree, "stdout-path")?;
    let node = tree.find_node(path.split(':').next()?)?; // "path:speed" is allowed
    node.is_compatible("arm,pl011").then_some(register(node, 0)?.0 as usize)
}

/// Address and size number `index` of the node's `reg`.
fn register(node: FdtNode<'static>, index: usize) -> Option<(u64, u64)> {
    let reg = node.reg().ok()??.nth(index)?;
    Some((reg.address().ok()?, reg.size().ok()?))
}
