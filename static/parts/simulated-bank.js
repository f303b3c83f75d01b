// Paying at the simulated bank of the embedded default, as a bank's own page would.
import { command, read } from "../lib/api.js";

/** Transfer `fen` from the signed-in person's own account. */
export async function payAtSimulatedBank(accountNo, fen) {
  const me = await read("/api/me");
  await command("/api/simulated-bank/transfers", {
    from_account: simulatedAccount(me.id),
    payer_name: me.real_name,
    to_account_no: accountNo,
    amount_fen: fen,
  });
}

/** The account of a person at the simulated bank: always the same, so that a refund finds back. */
function simulatedAccount(personId) {
  const digits = BigInt(`0x${personId.replaceAll("-", "")}`) % 10n ** 14n;
  return `62220${String(digits).padStart(14, "0")}`;
}
