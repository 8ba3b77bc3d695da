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
    mov x9, sp
    ldar x8, [x9]
    cbz x8, .L6
.L7:
    mov x0, x8
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L6:
    str xzr, [x0, #8]
.L8:
    ldxr x8, [x0]
    cmp x8, x9
    b.ne .L9
    mov w8, #1
    stlxr w10, x8, [x0]
    cbnz w10, .L8
    tbz w8, #0, .L10
.L11:
    mov x8, xzr
    mov x0, x8
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
.L2:
    add x9, x0, #8
    mov x10, sp
    stlr x10, [x9]
    orr x9, x10, #0x8
    ldar w9, [x9]
    cbnz w9, .L4
    b .L3
.L9:
    mov w8, wzr
    clrex
    tbnz w8, #0, .L11
.L10:
    mov x8, sp
    ldar x8, [x8]
    cbnz x8, .L7
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
    b .L7

_ZN9hyp_locks5qspin18QSpin$LT$C$C$W$GT$9lock_slow:
    str x30, [sp, #-16]!
    mrs x8, TPIDR_EL2
    cmp x8, #4
    b.hs .L1
    adrp x11, _ZN68_$LT$listings..aarch64..Tpidr$u20$as$u20$hyp_locks..qspin..Nodes$GT$5nodes5NODES
    add x11, x11, :lo12:_ZN68_$LT$listings..aarch64..Tpidr$u20$as$u20$hyp_locks..qspin..Nodes$GT$5nodes5NODES
    add x9, x11, x8, lsl #6
    ldrh w10, [x9, #16]
    cmp w10, #3
    b.hi .L2
    lsl w12, w8, #2
    add w8, w10, #1
    add w13, w8, w12
    and w14, w13, #0xffff
    cmp w14, w12, uxth
    b.lo .L2
    add x12, x9, x10, lsl #2
    strh w8, [x9, #16]
    mov w8, #1
    add x14, x0, #2
    add x15, x12, #2
    strh wzr, [x12]
    strh w8, [x12, #2]
.L3:
    ldaxrh w16, [x14]
    stlxrh w8, w13, [x14]
    cbnz w8, .L3
    cbz w16, .L4
    sub w17, w16, #1
    cmp w16, #17
    ubfx w8, w17, #2, #14
    b.hs .L5
    add x8, x11, x8, lsl #6
    and x16, x17, #0x3
    add x8, x8, x16, lsl #2
    stlrh w13, [x8]
    ldarh w8, [x15]
    cbz w8, .L4
.L6:
    sevl
.L7:
    wfe
    ldaxrh w16, [x15]
    cmp w16, w8
    b.eq .L7
    ands w8, w16, #0xffff
    b.ne .L6
.L4:
    mov w8, #1
    ldarh w15, [x0]
    cbz w15, .L8
.L9:
    sevl
.L10:
    wfe
    ldaxrh w16, [x0]
    cmp w16, w15
    b.eq .L10
    ands w15, w16, #0xffff
    b.ne .L9
.L8:
    ldaxrh w15, [x0]
    cbnz w15, .L11
    stxrh w15, w8, [x0]
    cbz w15, .L12
    b .L8
.L11:
    clrex
    ldarh w15, [x0]
    cbnz w15, .L9
    b .L8
.L1:
    mov w8, #1
    ldarh w9, [x0]
    cbz w9, .L13
.L14:
    sevl
.L15:
    wfe
    ldaxrh w10, [x0]
    cmp w10, w9
    b.eq .L15
    ands w9, w10, #0xffff
    b.ne .L14
.L13:
    ldaxrh w9, [x0]
    cbnz w9, .L16
    stxrh w9, w8, [x0]
    cbz w9, .L17
    b .L13
.L16:
    clrex
    ldarh w9, [x0]
    cbnz w9, .L14
    b .L13
.L12:
    ldarh w8, [x12]
    cbz w8, .L18
.L19:
    and w12, w8, #0xffff
    sub w8, w8, #1
    ubfx w0, w8, #2, #14
    cmp w12, #17
    b.hs .L20
    add x11, x11, x0, lsl #6
    and x8, x8, #0x3
    add x8, x11, x8, lsl #2
    strh wzr, [x8, #2]
    strh w10, [x9, #16]
    ldr x30, [sp], #16
    ret
.L18:
    ldxrh w8, [x14]
    cmp w8, w13, uxth
    b.ne .L21
    stxrh w8, wzr, [x14]
    cbnz w8, .L18
    strh w10, [x9, #16]
    ldr x30, [sp], #16
    ret
.L22:
    clrex
.L2:
    ldarh w8, [x0]
    cbz w8, .L23
.L24:
    sevl
.L25:
    wfe
    ldaxrh w9, [x0]
    cmp w9, w8
    b.eq .L25
    ands w8, w9, #0xffff
    b.ne .L24
.L23:
    ldaxrh w8, [x0]
    cbnz w8, .L22
    mov w8, #1
    stxrh w9, w8, [x0]
    cbnz w9, .L23
.L17:
    ldr x30, [sp], #16
    ret
.L5:
    adrp x2, .L26
    add x2, x2, :lo12:.L26
    mov x0, x8
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check
.L20:
    adrp x2, .L26
    add x2, x2, :lo12:.L26
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check
.L21:
    clrex
    ldarh w8, [x12]
    cbnz w8, .L19
    mov w13, wzr
.L27:
    sevl
.L28:
    wfe
    ldaxrh w8, [x12]
    cmp w8, w13
    b.eq .L28
    tst w8, #0xffff
    b.eq .L27
    b .L19

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

bakery_lock:
    str x30, [sp, #-80]!
    stp x26, x25, [sp, #16]
    stp x24, x23, [sp, #32]
    stp x22, x21, [sp, #48]
    stp x20, x19, [sp, #64]
    mrs x19, TPIDR_EL2
    cmp x19, #3
    b.hi .L1
    add x21, x0, x19, lsl #7
    mov x20, x0
    add x22, x0, #128
    add x23, x0, #256
    add x24, x0, #384
    mov w25, #1
    b .L2
.L3:
    mov x0, x21
    bl _ZN9hyp_locks6bakery4open
.L4:
    isb
.L2:
    ldrb w8, [x21, #4]
    cbnz w8, .L4
    strb w25, [x21, #4]
    ldr w8, [x21]
    cbnz w8, .L3
    mov w26, #1
    str w26, [x21]
    dc civac, x21
    dsb sy
    dmb ish
    cbz x19, .L5
    dc civac, x20
    dsb sy
    ldr w8, [x20]
    cmp w8, #1
    csinc w26, w8, wzr, hi
    cmp x19, #1
    b.eq .L6
.L5:
    dc civac, x22
    dsb sy
    ldr w8, [x22]
    cmp w8, w26
    csel w26, w8, w26, hi
    cmp x19, #2
    b.eq .L7
.L6:
    dc civac, x23
    dsb sy
    ldr w8, [x23]
    cmp w8, w26
    csel w26, w8, w26, hi
    cmp x19, #3
    b.eq .L8
.L7:
    dc civac, x24
    dsb sy
    ldr w8, [x24]
    cmp w8, w26
    csel w26, w8, w26, hi
.L8:
    cmn w26, #1
    b.ne .L9
    mov x0, x21
    str wzr, [x21]
    bl _ZN9hyp_locks6bakery4open
    dc civac, x21
    dsb sy
    mov x10, xzr
    mov x8, xzr
.L10:
    cmp x8, #512
    b.eq .L2
    add x9, x10, #1
    mov x11, x8
    cmp x10, x19
    add x8, x8, #128
    mov x10, x9
    b.eq .L10
    add x11, x20, x11
    dc civac, x11
    dsb sy
    ldar w10, [x11]
    cmn w10, #1
    mov x10, x9
    b.ne .L10
.L11:
    isb
    dc civac, x11
    dsb sy
    ldar w10, [x11]
    cmn w10, #1
    b.eq .L11
    mov x10, x9
    b .L10
.L9:
    add w22, w26, #1
    mov x0, x21
    str w22, [x21]
    bl _ZN9hyp_locks6bakery4open
    dc civac, x21
    dsb sy
    mov x8, xzr
    mov x9, xzr
    dmb ish
.L12:
    cmp x9, #512
    b.eq .L13
    mov x11, x9
    mov x10, x8
    cmp x8, x19
    add x9, x9, #128
    add x8, x8, #1
    b.eq .L12
    add x11, x20, x11
    dc civac, x11
    dsb sy
    ldar w12, [x11]
    cbz w12, .L12
.L14:
    cmp x10, x19
    cset w13, hs
    cmp w12, w26
    cset w14, hi
    cmp w12, w22
    csel w12, w13, w14, eq
    tbnz w12, #0, .L12
    isb
    dc civac, x11
    dsb sy
    ldar w12, [x11]
    cbnz w12, .L14
    b .L12
.L13:
    mov w0, w19
    ldp x20, x19, [sp, #64]
    ldp x22, x21, [sp, #48]
    ldp x24, x23, [sp, #32]
    ldp x26, x25, [sp, #16]
    ldr x30, [sp], #80
    ret
.L1:
    adrp x2, .L15
    add x2, x2, :lo12:.L15
    mov x0, x19
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check

bakery_try_lock:
    stp x30, x21, [sp, #-32]!
    stp x20, x19, [sp, #16]
    dc civac, x0
    dsb sy
    ldr w8, [x0]
    cmp w8, #1
    b.hi .L1
    add x10, x0, #128
    dc civac, x10
    dsb sy
    ldr w8, [x0, #128]
    cmp w8, #1
    b.hi .L1
    add x9, x0, #256
    dc civac, x9
    dsb sy
    ldr w8, [x0, #256]
    cmp w8, #1
    b.hi .L1
    add x8, x0, #384
    dc civac, x8
    dsb sy
    ldr w11, [x0, #384]
    cmp w11, #1
    b.hi .L1
    mrs x19, TPIDR_EL2
    cmp x19, #3
    b.hi .L2
    add x20, x0, x19, lsl #7
    ldrb w11, [x20, #4]
    cbz w11, .L3
.L1:
    mov w0, wzr
    mov w1, w19
    ldp x20, x19, [sp, #16]
    ldp x30, x21, [sp], #32
    ret
.L3:
    mov w11, #1
    strb w11, [x20, #4]
    ldr w12, [x20]
    cbz w12, .L4
    mov x0, x20
    bl _ZN9hyp_locks6bakery4open
    mov w0, wzr
    mov w1, w19
    ldp x20, x19, [sp, #16]
    ldp x30, x21, [sp], #32
    ret
.L4:
    str w11, [x20]
    dc civac, x20
    dsb sy
    dmb ish
    cbz x19, .L5
    dc civac, x0
    dsb sy
    ldr w11, [x0]
    cmp w11, #1
    csinc w11, w11, wzr, hi
    cmp x19, #1
    b.eq .L6
.L5:
    dc civac, x10
    dsb sy
    ldr w10, [x10]
    cmp w10, w11
    csel w11, w10, w11, hi
    cmp x19, #2
    b.eq .L7
.L6:
    dc civac, x9
    dsb sy
    ldr w9, [x9]
    cmp w9, w11
    csel w11, w9, w11, hi
    cmp x19, #3
    b.eq .L8
.L7:
    dc civac, x8
    dsb sy
    ldr w8, [x8]
    cmp w8, w11
    csel w11, w8, w11, hi
.L8:
    cmp w11, #1
    b.ne .L9
    mov w8, #2
    mov x21, x0
    mov x0, x20
    str w8, [x20]
    bl _ZN9hyp_locks6bakery4open
    dc civac, x20
    dsb sy
    mov x8, x21
    mov x9, xzr
    mov w10, #512
    dmb ish
    b .L10
.L11:
    b.lo .L12
.L13:
    add x8, x8, #128
    sub x10, x10, #128
    add x9, x9, #1
.L10:
    cbz x10, .L14
    cmp x19, x9
    b.eq .L13
    dc civac, x8
    dsb sy
    ldar w11, [x8]
    cbz w11, .L13
    cmp w11, #2
    b.ne .L11
    cmp x9, x19
    b.hs .L13
.L12:
    mov x0, x20
    str wzr, [x20]
    bl _ZN9hyp_locks6bakery4open
    dc civac, x20
    dsb sy
    mov w0, wzr
    mov w1, w19
    ldp x20, x19, [sp, #16]
    ldp x30, x21, [sp], #32
    ret
.L9:
    mov x0, x20
    str wzr, [x20]
    bl _ZN9hyp_locks6bakery4open
    dc civac, x20
    dsb sy
    mov w0, wzr
    mov w1, w19
    ldp x20, x19, [sp, #16]
    ldp x30, x21, [sp], #32
    ret
.L14:
    mov w0, #1
    mov w1, w19
    ldp x20, x19, [sp, #16]
    ldp x30, x21, [sp], #32
    ret
.L2:
    adrp x2, .L15
    add x2, x2, :lo12:.L15
    mov x0, x19
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check

bakery_unlock:
    mov x8, x0
    cmp w1, #4
    mov w0, w1
    b.hs .L1
    add x8, x8, x0, lsl #7
    stlr wzr, [x8]
    dc civac, x8
    dsb sy
    ret
.L1:
    str x30, [sp, #-16]!
    adrp x2, .L2
    add x2, x2, :lo12:.L2
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check

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
    mov x0, xzr
    ret
.L2:
    mov w8, wzr
    clrex
    tbnz w8, #0, .L4
.L3:
    b _ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow

mcs_try_lock:
    ldr x8, [x0]
    cbz x8, .L1
    mov x0, xzr
    mov x1, xzr
    ret
.L1:
    ldaxr x8, [x0]
    cbnz x8, .L2
    mov w8, #1
    stxr w9, x8, [x0]
    cbnz w9, .L1
    mov w0, w8
    mov x1, xzr
    ret
.L2:
    mov w8, wzr
    clrex
    mov w0, w8
    mov x1, xzr
    ret

mcs_unlock:
    cbz x1, .L1
.L2:
    add x8, x1, #8
    stlr wzr, [x8]
.L3:
    ret
.L1:
    ldxr x8, [x0]
    cmp x8, #1
    b.ne .L4
    stlxr w8, xzr, [x0]
    cbnz w8, .L1
    mov w8, #1
    tbnz w8, #0, .L3
.L5:
    add x8, x0, #8
    ldar x1, [x8]
    cbnz x1, .L2
    mov x9, xzr
.L6:
    sevl
.L7:
    wfe
    ldaxr x1, [x8]
    cmp x1, x9
    b.eq .L7
    cbz x1, .L6
    b .L2
.L4:
    clrex
    b .L5

qspin_lock:
    ldrh w8, [x0, #2]
    cbnz w8, .L1
    mov w8, #1
.L2:
    ldaxrh w9, [x0]
    cbnz w9, .L3
    stxrh w9, w8, [x0]
    cbnz w9, .L2
    ret
.L3:
    clrex
.L1:
    b _ZN9hyp_locks5qspin18QSpin$LT$C$C$W$GT$9lock_slow

qspin_try_lock:
    ldrh w8, [x0]
    cbz w8, .L1
    mov w8, wzr
    mov w0, w8
    ret
.L1:
    ldaxrh w8, [x0]
    cbnz w8, .L2
    mov w8, #1
    stxrh w9, w8, [x0]
    cbnz w9, .L1
    mov w0, w8
    ret
.L2:
    mov w8, wzr
    clrex
    mov w0, w8
    ret

qspin_unlock:
    stlrh wzr, [x0]
    ret

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

timed_tas_try_lock_until:
    b .L1
.L2:
    cmp x10, x1
    b.hs .L3
.L4:
    cmp w9, #0
    cset w8, ne
    ldaxrb w9, [x0]
    cmp w9, w8
    b.ne .L5
    msr S0_3_C1_C0_0, x1
.L5:
.L1:
    mrs x10, CNTVCT_EL0
    ldarb w9, [x0]
    ldrb w8, [x0]
    cbnz w8, .L2
.L6:
    ldaxrb w8, [x0]
    cbnz w8, .L7
    mov w8, #1
    stxrb w11, w8, [x0]
    cbnz w11, .L6
    cmp x10, x1
    b.hs .L8
.L9:
    tbz w8, #0, .L4
    b .L8
.L7:
    mov w8, wzr
    clrex
    cmp x10, x1
    b.lo .L9
    b .L8
.L3:
    mov w8, wzr
.L8:
    mov w0, w8
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
