use super::*;

#[test]
fn what_goes_in_comes_out() {
    let frame = TableWord::VACANT;
    assert_eq!(frame.state(), State::Vacant);
    assert!(frame.claim());
    assert!(!frame.claim());
    assert_eq!(frame.state(), State::Silent);
    let owners = [0, 1, MAX_OWNERS - 1].map(|id| Holder::Owner(OwnerId::new(id).unwrap()));
    let holders = [Holder::Number, Holder::Handle, Holder::Magazine, Holder::Scrub];
    let holders: std::vec::Vec<_> = holders.into_iter().chain(owners).collect();
    for order in Order::all() {
        for &holder in &holders {
            let word = Allocated::new(order, holder);
            frame.set_allocated(word);
            assert_eq!(frame.state(), State::Allocated(word));
            assert_eq!((word.order(), word.count()), (order, 1));
            for &other in &holders {
                assert_eq!(frame.held_by(other, Access::Get).is_ok(), other == holder);
            }
        }
    }
    frame.set_silent();
    assert_eq!(frame.state(), State::Silent);
    frame.vacate();
    assert_eq!(frame.state(), State::Vacant);
    assert_eq!(OwnerId::new(MAX_OWNERS), None);
}

#[test]
fn counts_stay_between_one_and_the_maximum() {
    let one = Allocated::new(Order::MAX, Holder::Handle);
    assert_eq!(one.less(1), None);
    assert_eq!(one.more(1).unwrap().less(1), Some(one));
    assert_eq!(one.more(1).unwrap().less(2), None);
    let most = one.with_count(MAX_COUNT);
    assert_eq!(one.more(MAX_COUNT - 1), Some(most));
    assert_eq!(one.more(MAX_COUNT), None);
    assert_eq!(one.more(u32::MAX), None);
    assert_eq!(most.more(1), None);
    assert_eq!(most.less(u32::MAX), None);
    let pinned = most.pinned();
    assert!(pinned.is_pinned() && !most.is_pinned());
    assert_eq!(pinned.more(1), None);
    assert_eq!(pinned.order(), Order::MAX);
    let frame = TableWord::VACANT;
    frame.set_allocated(pinned);
    assert_eq!(frame.held_by(Holder::Handle, Access::Get), Err(State::Allocated(pinned)));
    let kept = Allocated::in_magazine(Order::ZERO, MagazineId::nth(MAX_COUNT as usize - 1));
    assert!(kept.is_in_magazine() && !kept.is_pinned() && !most.is_in_magazine());
    assert_eq!(MagazineId::nth(MAX_COUNT as usize), MagazineId::nth(0));
}
