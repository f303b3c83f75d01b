// What a bid may be, seen from the page. The server decides; these mirror its rules (R-BID-08, R-PRIO-02, jump guard), so
// that the page offers nothing that is bound to be refused and asks before it sends what cannot be taken back.

const JUMP_INCREMENTS = 50;

/** The lowest price this bidder could offer now; the leader's price where a priority purchaser may match it. */
export function lowest(lot, own) {
  if (lot.price_fen === null) return lot.start_price_fen;
  return mayMatch(lot, own) ? lot.price_fen : lot.price_fen + lot.increment_fen;
}

/** Whether this bidder's rank lets an equal price lead. */
export function mayMatch(lot, own) {
  if (lot.price_fen === null || !own?.priority_rank || own.code === lot.leader) return false;
  return lot.leader_rank === null || own.priority_rank < lot.leader_rank;
}

/** How many whole increments `price` lies above the current price (or the start price); null off the grid. */
export function increments(lot, price) {
  const above = price - (lot.price_fen ?? lot.start_price_fen);
  return (price - lot.start_price_fen) % lot.increment_fen === 0 ? above / lot.increment_fen : null;
}

/** The nearest prices on the grid around `price`, none below the lowest that may be bid. */
export function neighbours(lot, own, price) {
  const down = price - ((price - lot.start_price_fen) % lot.increment_fen);
  return [down, down + lot.increment_fen].filter((candidate) => candidate >= lowest(lot, own));
}

/** Why a bid must be confirmed with its amount a second time: `own-lead`, `jump`, or null. */
export function mustConfirm(lot, own, price) {
  if (own && lot.leader === own.code) return "own-lead";
  const base = lot.price_fen ?? lot.start_price_fen;
  return price - base > JUMP_INCREMENTS * lot.increment_fen || price * 2 > base * 3 ? "jump" : null;
}

/** Own standing in words' keys: `leading`, `outbid`, `none`. */
export function stance(lot, own, events) {
  if (!own?.code) return "none";
  if (lot.leader === own.code) return "leading";
  return events.some(({ kind, code }) => kind === "bid" && code === own.code) ? "outbid" : "none";
}
