// Written by `BLESS=1 cargo test -p ci --test listings`. To be read when it changes.

_ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    sub x9, sp, #112
    and sp, x9, #0xffffffffffffffc0
    mov x10, sp
    mov w9, #1
    str xzr, [sp]
    orr x8, x10, #0x8
    str w9, [sp, #8]
.L1:
    ldaxr x9, [x0]
    stlxr w11, x10, [x0]
    cbnz w11, .L1
    cmp x9, #1
    b.eq .L2
    cbz x9, .L3
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbz w9, .L3
.L4:
    sevl
.L5:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L5
    mov w9, w10
    cbnz w10, .L4
.L3:
    mov x8, sp
    ldar x9, [x8]
    cbz x9, .L6
.L7:
    str x9, [x0, #8]
.L8:
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L6:
    str xzr, [x0, #8]
.L9:
    ldxr x9, [x0]
    cmp x9, x8
    b.ne .L10
    mov w9, #1
    stlxr w10, x9, [x0]
    cbnz w10, .L9
    tbnz w9, #0, .L8
.L11:
    mov x8, sp
    ldar x9, [x8]
    cbnz x9, .L7
    mov x8, xzr
    mov x10, sp
.L12:
    sevl
.L13:
    wfe
    ldaxr x9, [x10]
    cmp x9, x8
    b.eq .L13
    cbz x9, .L12
    b .L7
.L2:
    add x9, x0, #8
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbnz w9, .L4
    b .L3
.L10:
    mov w9, wzr
    clrex
    tbnz w9, #0, .L8
    b .L11

_ZN9hyp_locks6queued15Queued$LT$W$GT$9lock_slow:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    sub x9, sp, #112
    and sp, x9, #0xffffffffffffffc0
    mov x10, sp
    mov w9, #1
    str xzr, [sp]
    orr x8, x10, #0x8
    str w9, [sp, #8]
.L1:
    ldaxr x9, [x0]
    stlxr w11, x10, [x0]
    cbnz w11, .L1
    cbz x9, .L2
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbz w9, .L2
.L3:
    sevl
.L4:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L4
    mov w9, w10
    cbnz w10, .L3
.L2:
    add x8, x0, #8
    mov w9, #1
    ldar w10, [x8]
    cbz w10, .L5
.L6:
    sevl
.L7:
    wfe
    ldaxr w11, [x8]
    cmp w11, w10
    b.eq .L7
    mov w10, w11
    cbnz w11, .L6
.L5:
    ldaxr w10, [x8]
    cbnz w10, .L8
    stxr w10, w9, [x8]
    cbz w10, .L9
    b .L5
.L8:
    clrex
    ldar w10, [x8]
    cbnz w10, .L6
    b .L5
.L9:
    mov x9, sp
    ldar x8, [x9]
    cbz x8, .L10
.L11:
    str wzr, [x8, #8]
.L12:
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L10:
    ldxr x8, [x0]
    cmp x8, x9
    b.ne .L13
    stxr w8, xzr, [x0]
    cbnz w8, .L10
    mov w8, #1
    tbnz w8, #0, .L12
.L14:
    mov x8, sp
    ldar x8, [x8]
    cbnz x8, .L11
    mov x9, xzr
    mov x10, sp
.L15:
    sevl
.L16:
    wfe
    ldaxr x8, [x10]
    cmp x8, x9
    b.eq .L16
    cbz x8, .L15
    b .L11
.L13:
    clrex
    b .L14

irq_ticket_lock:
    mrs x8, DAIF
    msr DAIFSet, #2
.L1:
    ldxr w1, [x0]
    add w9, w1, #1
    stxr w10, w9, [x0]
    cbnz w10, .L1
    add x9, x0, #4
    ldar w10, [x9]
    cmp w1, w10
    b.eq .L2
.L3:
    sevl
.L4:
    wfe
    ldaxr w11, [x9]
    cmp w11, w10
    b.eq .L4
    mov w10, w11
    cmp w1, w11
    b.ne .L3
.L2:
    mov x0, x8
    ret

irq_ticket_try_lock:
    mrs x9, DAIF
    msr DAIFSet, #2
    add x10, x0, #4
    ldar w11, [x10]
    add w12, w11, #1
.L1:
    ldxr w10, [x0]
    cmp w10, w11
    b.ne .L2
    stxr w13, w12, [x0]
    cbnz w13, .L1
    str x9, [x8, #8]
    mov w9, #1
    str w10, [x8, #16]
    str x9, [x8]
    ret
.L2:
    clrex
    msr DAIF, x9
    str xzr, [x8]
    ret

irq_ticket_unlock:
    add w8, w2, #1
    add x9, x0, #4
    stlr w8, [x9]
    msr DAIF, x1
    ret

mcs_lock:
.L1:
    ldaxr x8, [x0]
    cbnz x8, .L2
    mov w8, #1
    stxr w9, x8, [x0]
    cbnz w9, .L1
    tbz w8, #0, .L3
.L4:
    ret
.L2:
    mov w8, wzr
    clrex
    tbnz w8, #0, .L4
.L3:
    b _ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow

mcs_try_lock:
    ldr x9, [x0]
    cbz x9, .L1
    mov w0, wzr
    ret
.L1:
    mov x8, x0
.L2:
    ldaxr x9, [x8]
    cbnz x9, .L3
    mov w0, #1
    stxr w9, x0, [x8]
    cbnz w9, .L2
    ret
.L3:
    mov w0, wzr
    clrex
    ret

mcs_unlock:
    add x8, x0, #8
    ldar x9, [x8]
    cbz x9, .L1
.L2:
    add x8, x9, #8
    stlr wzr, [x8]
.L3:
    ret
.L1:
    ldxr x9, [x0]
    cmp x9, #1
    b.ne .L4
    stlxr w9, xzr, [x0]
    cbnz w9, .L1
    mov w9, #1
    tbnz w9, #0, .L3
.L5:
    ldar x9, [x8]
    cbnz x9, .L2
    mov x10, xzr
.L6:
    sevl
.L7:
    wfe
    ldaxr x9, [x8]
    cmp x9, x10
    b.eq .L7
    cbz x9, .L6
    b .L2
.L4:
    clrex
    b .L5

queued_lock:
    ldr x8, [x0]
    cbnz x8, .L1
    add x8, x0, #8
    mov w9, #1
.L2:
    ldaxr w10, [x8]
    cbnz w10, .L3
    stxr w10, w9, [x8]
    cbnz w10, .L2
    ret
.L3:
    clrex
.L1:
    b _ZN9hyp_locks6queued15Queued$LT$W$GT$9lock_slow

queued_try_lock:
    ldr w8, [x0, #8]
    cbz w8, .L1
    mov w0, wzr
    ret
.L1:
    add x8, x0, #8
.L2:
    ldaxr w9, [x8]
    cbnz w9, .L3
    mov w0, #1
    stxr w9, w0, [x8]
    cbnz w9, .L2
    ret
.L3:
    mov w0, wzr
    clrex
    ret

queued_unlock:
    add x8, x0, #8
    stlr wzr, [x8]
    ret

tas_lock:
    mov w8, #1
.L1:
    ldaxrb w9, [x0]
    cbnz w9, .L2
    stxrb w9, w8, [x0]
    cbnz w9, .L1
.L3:
    ret
.L2:
    mov w8, #1
.L4:
    clrex
    ldarb w9, [x0]
    cbz w9, .L5
.L6:
    sevl
.L7:
    wfe
    ldaxrb w9, [x0]
    cmp w9, w8
    b.eq .L7
    cbnz w9, .L6
.L5:
    ldaxrb w9, [x0]
    cbnz w9, .L4
    stxrb w9, w8, [x0]
    cbz w9, .L3
    b .L5

tas_try_lock:
    ldrb w8, [x0]
    cbz w8, .L1
    mov w8, wzr
    mov w0, w8
    ret
.L1:
    ldaxrb w8, [x0]
    cbnz w8, .L2
    mov w8, #1
    stxrb w9, w8, [x0]
    cbnz w9, .L1
    mov w0, w8
    ret
.L2:
    mov w8, wzr
    clrex
    mov w0, w8
    ret

tas_unlock:
    stlrb wzr, [x0]
    ret

ticket_lock:
    mov x8, x0
.L1:
    ldxr w0, [x8]
    add w9, w0, #1
    stxr w10, w9, [x8]
    cbnz w10, .L1
    add x8, x8, #4
    ldar w9, [x8]
    cmp w0, w9
    b.eq .L2
.L3:
    sevl
.L4:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L4
    mov w9, w10
    cmp w0, w10
    b.ne .L3
.L2:
    ret

ticket_try_lock:
    add x8, x0, #4
    ldar w8, [x8]
    add w9, w8, #1
.L1:
    ldxr w1, [x0]
    cmp w1, w8
    b.ne .L2
    stxr w10, w9, [x0]
    cbnz w10, .L1
    mov w0, #1
    ret
.L2:
    mov w0, wzr
    clrex
    ret

ticket_unlock:
    add w8, w1, #1
    add x9, x0, #4
    stlr w8, [x9]
    ret

ttas_lock:
    mov w8, #1
    ldarb w9, [x0]
    cbz w9, .L1
.L2:
    sevl
.L3:
    wfe
    ldaxrb w9, [x0]
    cmp w9, w8
    b.eq .L3
    cbnz w9, .L2
.L1:
    ldaxrb w9, [x0]
    cbnz w9, .L4
    stxrb w9, w8, [x0]
    cbz w9, .L5
    b .L1
.L4:
    clrex
    ldarb w9, [x0]
    cbnz w9, .L2
    b .L1
.L5:
    ret

ttas_try_lock:
    ldrb w8, [x0]
    cbz w8, .L1
    mov w8, wzr
    mov w0, w8
    ret
.L1:
    ldaxrb w8, [x0]
    cbnz w8, .L2
    mov w8, #1
    stxrb w9, w8, [x0]
    cbnz w9, .L1
    mov w0, w8
    ret
.L2:
    mov w8, wzr
    clrex
    mov w0, w8
    ret

ttas_unlock:
    stlrb wzr, [x0]
    ret
