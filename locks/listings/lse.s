// Written by `BLESS=1 cargo test -p ci --test listings`. To be read when it changes.

_ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    sub x9, sp, #112
    and sp, x9, #0xffffffffffffffc0
    mov w9, #1
    str xzr, [sp]
    mov x8, sp
    str w9, [sp, #8]
    swpal x8, x9, [x0]
    cmp x9, #1
    b.eq .L1
    cbz x9, .L2
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbnz w9, .L3
    b .L2
.L1:
    add x9, x0, #8
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbz w9, .L2
.L3:
    orr x8, x8, #0x8
.L4:
    sevl
.L5:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L5
    mov w9, w10
    cbnz w10, .L4
.L2:
    mov x9, sp
    ldar x8, [x9]
    cbz x8, .L6
.L7:
    str x8, [x0, #8]
.L8:
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L6:
    str xzr, [x0, #8]
    mov w8, #1
    mov x10, sp
    casl x10, x8, [x0]
    cmp x10, x9
    b.eq .L8
    mov x8, sp
    ldar x8, [x8]
    cbnz x8, .L7
    mov x9, xzr
    mov x10, sp
.L9:
    sevl
.L10:
    wfe
    ldaxr x8, [x10]
    cmp x8, x9
    b.eq .L10
    cbz x8, .L9
    b .L7

_ZN9hyp_locks6queued15Queued$LT$W$GT$9lock_slow:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    sub x9, sp, #112
    and sp, x9, #0xffffffffffffffc0
    mov w8, #1
    str xzr, [sp]
    mov x10, sp
    str w8, [sp, #8]
    swpal x10, x11, [x0]
    cbz x11, .L1
    orr x9, x10, #0x8
    stlr x10, [x11]
    ldar w10, [x9]
    cbz w10, .L1
.L2:
    sevl
.L3:
    wfe
    ldaxr w11, [x9]
    cmp w11, w10
    b.eq .L3
    mov w10, w11
    cbnz w11, .L2
.L1:
    add x9, x0, #8
    b .L4
.L5:
    mov w10, wzr
    casa w10, w8, [x9]
    cbz w10, .L6
.L4:
    ldar w10, [x9]
    cbz w10, .L5
.L7:
    sevl
.L8:
    wfe
    ldaxr w11, [x9]
    cmp w11, w10
    b.eq .L8
    mov w10, w11
    cbnz w11, .L7
    b .L5
.L6:
    mov x9, sp
    ldar x8, [x9]
    cbz x8, .L9
.L10:
    str wzr, [x8, #8]
.L11:
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L9:
    mov x8, sp
    cas x8, xzr, [x0]
    cmp x8, x9
    b.eq .L11
    mov x8, sp
    ldar x8, [x8]
    cbnz x8, .L10
    mov x9, xzr
    mov x10, sp
.L12:
    sevl
.L13:
    wfe
    ldaxr x8, [x10]
    cmp x8, x9
    b.eq .L13
    cbz x8, .L12
    b .L10

irq_ticket_lock:
    mov x8, x0
    mrs x0, DAIF
    msr DAIFSet, #2
    mov w9, #1
    ldadd w9, w1, [x8]
    add x8, x8, #4
    ldar w9, [x8]
    cmp w1, w9
    b.eq .L1
.L2:
    sevl
.L3:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L3
    mov w9, w10
    cmp w1, w10
    b.ne .L2
.L1:
    ret

irq_ticket_try_lock:
    mrs x9, DAIF
    msr DAIFSet, #2
    add x10, x0, #4
    ldar w11, [x10]
    add w12, w11, #1
    mov w10, w11
    cas w10, w12, [x0]
    cmp w10, w11
    b.ne .L1
    str x9, [x8, #8]
    mov w9, #1
    str w10, [x8, #16]
    str x9, [x8]
    ret
.L1:
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
    mov x8, xzr
    mov w9, #1
    casa x8, x9, [x0]
    cmp x8, #0
    b.ne .L1
    ret
.L1:
    b _ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow

mcs_try_lock:
    ldr x8, [x0]
    cbz x8, .L1
    mov w0, wzr
    ret
.L1:
    mov w9, #1
    casa x8, x9, [x0]
    cmp x8, #0
    cset w0, eq
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
    mov w9, #1
    casl x9, xzr, [x0]
    cmp x9, #1
    b.eq .L3
    ldar x9, [x8]
    cbnz x9, .L2
    mov x10, xzr
.L4:
    sevl
.L5:
    wfe
    ldaxr x9, [x8]
    cmp x9, x10
    b.eq .L5
    cbz x9, .L4
    b .L2

queued_lock:
    ldr x8, [x0]
    cbnz x8, .L1
    add x9, x0, #8
    mov w10, #1
    casa w8, w10, [x9]
    cmp w8, #0
    b.ne .L1
    ret
.L1:
    b _ZN9hyp_locks6queued15Queued$LT$W$GT$9lock_slow

queued_try_lock:
    ldr w8, [x0, #8]
    cbz w8, .L1
    mov w0, wzr
    ret
.L1:
    add x9, x0, #8
    mov w10, #1
    casa w8, w10, [x9]
    cmp w8, #0
    cset w0, eq
    ret

queued_unlock:
    add x8, x0, #8
    stlr wzr, [x8]
    ret

tas_lock:
    mov w9, wzr
    mov w8, #1
    casab w9, w8, [x0]
    cmp w9, #0
    b.ne .L1
.L2:
    ret
.L3:
    mov w9, wzr
    casab w9, w8, [x0]
    cbz w9, .L2
.L1:
    ldarb w9, [x0]
    cbz w9, .L3
.L4:
    sevl
.L5:
    wfe
    ldaxrb w9, [x0]
    cmp w9, w8
    b.eq .L5
    cbnz w9, .L4
    b .L3

tas_try_lock:
    ldrb w9, [x0]
    cbnz w9, .L1
    mov x8, x0
    mov w0, #1
    casab w9, w0, [x8]
    cbz w9, .L2
.L1:
    mov w0, wzr
.L2:
    ret

tas_unlock:
    stlrb wzr, [x0]
    ret

ticket_lock:
    mov x8, x0
    mov w9, #1
    ldadd w9, w0, [x0]
    add x8, x8, #4
    ldar w9, [x8]
    cmp w0, w9
    b.eq .L1
.L2:
    sevl
.L3:
    wfe
    ldaxr w10, [x8]
    cmp w10, w9
    b.eq .L3
    mov w9, w10
    cmp w0, w10
    b.ne .L2
.L1:
    ret

ticket_try_lock:
    add x8, x0, #4
    ldar w8, [x8]
    add w9, w8, #1
    mov w1, w8
    cas w1, w9, [x0]
    cmp w1, w8
    cset w0, eq
    ret

ticket_unlock:
    add w8, w1, #1
    add x9, x0, #4
    stlr w8, [x9]
    ret

ttas_lock:
    mov w8, #1
    b .L1
.L2:
    mov w9, wzr
    casab w9, w8, [x0]
    cmp w9, #0
    b.eq .L3
.L1:
    ldarb w9, [x0]
    cbz w9, .L2
.L4:
    sevl
.L5:
    wfe
    ldaxrb w9, [x0]
    cmp w9, w8
    b.eq .L5
    cbnz w9, .L4
    b .L2
.L3:
    ret

ttas_try_lock:
    ldrb w9, [x0]
    cbnz w9, .L1
    mov x8, x0
    mov w0, #1
    casab w9, w0, [x8]
    cbz w9, .L2
.L1:
    mov w0, wzr
.L2:
    ret

ttas_unlock:
    stlrb wzr, [x0]
    ret
