//! Plans that read by an index, whatever the statistics say.

use pgrx::pg_sys;

/// The ways to read a table or to join two that cost as much as the tables are long.
#[derive(Clone, Copy)]
struct Ways {
    seqscan: bool,
    bitmapscan: bool,
    hashjoin: bool,
    mergejoin: bool,
    material: bool,
    jit: bool,
    /// Whether a plan is made for the arguments at hand, or once for all.
    cache_mode: i32,
}

impl Ways {
    /// Sets the ways that the planner may take, and returns those of before.
    fn set(self) -> Ways {
        // SAFETY: plain variables of the backend, read and written on its only thread.
        unsafe {
            let before = Ways {
                seqscan: pg_sys::enable_seqscan,
                bitmapscan: pg_sys::enable_bitmapscan,
                hashjoin: pg_sys::enable_hashjoin,
                mergejoin: pg_sys::enable_mergejoin,
                material: pg_sys::enable_material,
                jit: pg_sys::jit_enabled,
                cache_mode: pg_sys::plan_cache_mode,
            };
            pg_sys::enable_seqscan = self.seqscan;
            pg_sys::enable_bitmapscan = self.bitmapscan;
            pg_sys::enable_hashjoin = self.hashjoin;
            pg_sys::enable_mergejoin = self.mergejoin;
            pg_sys::enable_material = self.material;
            pg_sys::jit_enabled = self.jit;
            pg_sys::plan_cache_mode = self.cache_mode;
            before
        }
    }
}

/// The ways that were allowed before.
struct Before(Ways);

impl Drop for Before {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Runs `work`, whose statements find each row by an index. A plan that a backend makes while a queue is
/// empty stays in use when the queue is long. The server would plan a statement with a LIMIT for each
/// call, because it expects more of an unknown number than of a known one; so plans are made once. For the
/// same reason it would compile them, which takes longer than to run them. Setting the variables of the
/// settings themselves costs nothing beside a statement, and an error restores them too.
pub fn by_index<R>(work: impl FnOnce() -> R) -> R {
    let none = Ways {
        seqscan: false,
        bitmapscan: false,
        hashjoin: false,
        mergejoin: false,
        material: false,
        jit: false,
        cache_mode: pg_sys::PlanCacheMode::PLAN_CACHE_MODE_FORCE_GENERIC_PLAN as i32,
    };
    let _before = Before(none.set());
    work()
}
