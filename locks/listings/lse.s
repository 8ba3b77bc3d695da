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
    cbnz x8, .L6
    str xzr, [x0, #8]
    mov w8, #1
    mov x10, sp
    casl x10, x8, [x0]
    mov x8, xzr
    cmp x10, x9
    b.eq .L6
    mov x8, sp
    ldar x8, [x8]
    cbnz x8, .L6
    mov x9, xzr
    mov x10, sp
.L7:
    sevl
.L8:
    wfe
    ldaxr x8, [x10]
    cmp x8, x9
    b.eq .L8
    cbz x8, .L7
.L6:
    mov x0, x8
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret

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
    mov w14, #1
    strh w8, [x9, #16]
    add x8, x0, #2
    strh wzr, [x12]
    strh w14, [x12, #2]
    swpalh w13, w16, [x8]
    cbz w16, .L3
    sub w15, w16, #1
    cmp w16, #17
    ubfx w8, w15, #2, #14
    b.hs .L4
    add x8, x11, x8, lsl #6
    and x15, x15, #0x3
    add x15, x8, x15, lsl #2
    add x8, x12, #2
    stlrh w13, [x15]
    ldarh w15, [x8]
    cbz w15, .L3
.L5:
    sevl
.L6:
    wfe
    ldaxrh w16, [x8]
    cmp w16, w15
    b.eq .L6
    ands w15, w16, #0xffff
    b.ne .L5
    b .L3
.L7:
    mov w8, wzr
    mov w9, #1
    casah w8, w9, [x0]
    cmp w8, #0
    b.eq .L8
.L2:
    ldarh w8, [x0]
    cbz w8, .L7
.L9:
    sevl
.L10:
    wfe
    ldaxrh w9, [x0]
    cmp w9, w8
    b.eq .L10
    ands w8, w9, #0xffff
    b.ne .L9
    b .L7
.L11:
    mov w8, wzr
    casah w8, w14, [x0]
    cbz w8, .L12
.L3:
    ldarh w8, [x0]
    cbz w8, .L11
.L13:
    sevl
.L14:
    wfe
    ldaxrh w15, [x0]
    cmp w15, w8
    b.eq .L14
    ands w8, w15, #0xffff
    b.ne .L13
    b .L11
.L1:
    mov w8, #1
    b .L15
.L16:
    mov w9, wzr
    casah w9, w8, [x0]
    cmp w9, #0
    b.eq .L8
.L15:
    ldarh w9, [x0]
    cbz w9, .L16
.L17:
    sevl
.L18:
    wfe
    ldaxrh w10, [x0]
    cmp w10, w9
    b.eq .L18
    ands w9, w10, #0xffff
    b.ne .L17
    b .L16
.L8:
    ldr x30, [sp], #16
    ret
.L12:
    ldarh w8, [x12]
    cbz w8, .L19
.L20:
    and w12, w8, #0xffff
    sub w8, w8, #1
    ubfx w0, w8, #2, #14
    cmp w12, #17
    b.hs .L21
    add x11, x11, x0, lsl #6
    and x8, x8, #0x3
    add x8, x11, x8, lsl #2
    strh wzr, [x8, #2]
.L22:
    strh w10, [x9, #16]
    ldr x30, [sp], #16
    ret
.L19:
    add x8, x0, #2
    mov w14, w13
    cash w14, wzr, [x8]
    cmp w14, w13, uxth
    b.eq .L22
    ldarh w8, [x12]
    cbnz w8, .L20
    mov w13, wzr
.L23:
    sevl
.L24:
    wfe
    ldaxrh w8, [x12]
    cmp w8, w13
    b.eq .L24
    tst w8, #0xffff
    b.eq .L23
    b .L20
.L21:
    adrp x2, .L25
    add x2, x2, :lo12:.L25
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check
.L4:
    adrp x2, .L25
    add x2, x2, :lo12:.L25
    mov x0, x8
    mov w1, #4
    bl _RNvNtCs3g5Gb6bJpu0_4core9panicking18panic_bounds_check

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
    mov x0, xzr
    ret
.L1:
    b _ZN9hyp_locks3mcs12Mcs$LT$W$GT$9lock_slow

mcs_try_lock:
    ldr x8, [x0]
    cbz x8, .L1
    mov x0, xzr
    mov x1, xzr
    ret
.L1:
    mov w9, #1
    mov x1, xzr
    casa x8, x9, [x0]
    cmp x8, #0
    cset w0, eq
    ret

mcs_unlock:
    cbz x1, .L1
.L2:
    add x8, x1, #8
    stlr wzr, [x8]
.L3:
    ret
.L1:
    mov w8, #1
    casl x8, xzr, [x0]
    cmp x8, #1
    b.eq .L3
    add x8, x0, #8
    ldar x1, [x8]
    cbnz x1, .L2
    mov x9, xzr
.L4:
    sevl
.L5:
    wfe
    ldaxr x1, [x8]
    cmp x1, x9
    b.eq .L5
    cbz x1, .L4
    b .L2

qspin_lock:
    ldrh w8, [x0, #2]
    cbnz w8, .L1
    mov w9, #1
    casah w8, w9, [x0]
    cmp w8, #0
    b.ne .L1
    ret
.L1:
    b _ZN9hyp_locks5qspin18QSpin$LT$C$C$W$GT$9lock_slow

qspin_try_lock:
    ldrh w8, [x0]
    cbz w8, .L1
    mov w0, wzr
    ret
.L1:
    mov w9, #1
    casah w8, w9, [x0]
    cmp w8, #0
    cset w0, eq
    ret

qspin_unlock:
    stlrh wzr, [x0]
    ret

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

timed_tas_try_lock_until:
    mov w9, #1
    b .L1
.L2:
    cmp x11, x1
    b.hs .L3
.L4:
    cmp w10, #0
    cset w8, ne
    ldaxrb w10, [x0]
    cmp w10, w8
    b.ne .L5
    msr S0_3_C1_C0_0, x1
.L5:
.L1:
    mrs x11, CNTVCT_EL0
    ldarb w10, [x0]
    ldrb w8, [x0]
    cbnz w8, .L2
    casab w8, w9, [x0]
    cmp w8, #0
    cset w8, eq
    cmp x11, x1
    b.hs .L6
    tbz w8, #0, .L4
.L6:
    mov w0, w8
    ret
.L3:
    mov w8, wzr
    mov w0, w8
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
