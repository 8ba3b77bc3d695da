//! What a pool with a ticket lock costs: an image that has its calls and nothing else, to be weighed and never run.
//!
//! ```text
//! cargo test -p ci --test footprint -- --nocapture
//! ```
//!
//! builds it for AArch64 with `opt-level = "s"`, without whatever nothing refers to, and prints how large it is. The calls
//! are those of a C hypervisor: init, alloc, get, put, split, count. On a host it is an empty program.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod image {
    use hyp_locks::Ticket;
    use hyp_pool::{HypPool, Pfn, PfnRange, TableWord, table_words};

    const PAGES: usize = 16384;

    static TABLE: [TableWord; table_words(PAGES)] = [const { TableWord::VACANT }; table_words(PAGES)];
    static POOL: HypPool<Ticket> = HypPool::new(&TABLE);

    // SAFETY: no other symbol has this name: it is the only one of the image that nobody else defines.
    #[unsafe(no_mangle)]
    extern "C" fn _start(call: usize, argument: usize) -> usize {
        let pfn = Pfn::new(argument);
        match call {
            0 => pool_init(argument),
            1 => pool_alloc(argument as u8),
            2 => usize::from(POOL.get_page(pfn).is_err()),
            3 => usize::from(POOL.put_page(pfn).is_err()),
            4 => usize::from(POOL.split_page(pfn).is_err()),
            5 => POOL.page_count(pfn).map_or(0, |count| count as usize),
            #[cfg(feature = "extras")]
            _ => extras::call(call, pfn),
            #[cfg(not(feature = "extras"))]
            _ => usize::MAX,
        }
    }

    fn pool_init(start: usize) -> usize {
        usize::from(POOL.init(PfnRange::new(Pfn::new(start), PAGES), 0).is_err())
    }

    fn pool_alloc(order: u8) -> usize {
        POOL.alloc_pages(order).map_or(usize::MAX, Pfn::get)
    }

    #[cfg(feature = "extras")]
    mod extras {
        use super::POOL;
        use hyp_locks::Ticket;
        use hyp_pool::{Magazine, Pfn};

        /// A magazine, an owner, and the calls for many blocks.
        pub(super) fn call(call: usize, pfn: Pfn) -> usize {
            let mut pages = [pfn; 8];
            let done = match call {
                6 => {
                    let mut magazine = Magazine::<Ticket>::new(&POOL);
                    magazine.alloc_pages(0).is_ok_and(|page| magazine.put_page(page).is_ok())
                }
                7 => POOL.owner().is_some_and(|mut owner| owner.get_page(pfn).is_ok() && owner.put_page(pfn).is_ok()),
                8 => POOL.alloc_bulk(0, &mut pages).is_ok(),
                _ => POOL.put_bulk(&pages).is_ok(),
            };
            usize::from(!done)
        }
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
