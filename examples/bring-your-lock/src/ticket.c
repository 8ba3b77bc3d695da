/* A ticket lock with a C ABI: two words, both 0 when it is free. */

#include <stdatomic.h>

struct ticket {
	_Atomic unsigned next, owner;
};

void ticket_lock(struct ticket *lock)
{
	unsigned own = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->owner, memory_order_acquire) != own)
		;
}

void ticket_unlock(struct ticket *lock)
{
	unsigned own = atomic_load_explicit(&lock->owner, memory_order_relaxed);

	atomic_store_explicit(&lock->owner, own + 1, memory_order_release);
}
