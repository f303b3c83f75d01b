"""What was written once is read for ten years: documents of the first version, kept as they were made."""

from pathlib import Path

import msgspec

from bidding.evidence import bundle as check
from bidding.evidence.reading import read_bundle
from bidding.evidence.sinks import read_heads
from kernel.signatures import Keyring
from tests.bidding.evidence.test_receipts import proves_itself

GOLDEN = Path(__file__).parent / "golden"


def test_a_bundle_of_the_first_version_verifies() -> None:
    bundle = read_bundle((GOLDEN / "bundle.json").read_bytes())
    assert check.faults(bundle, bundle.keys, read_heads(GOLDEN / "anchors.jsonl")) == []


def test_a_receipt_of_the_first_version_proves_itself() -> None:
    keyring = Keyring.make()
    bundle = read_bundle((GOLDEN / "bundle.json").read_bytes())
    keyring.keys |= {key.key_id: key for key in bundle.keys}
    receipt = msgspec.json.decode((GOLDEN / "ack.json").read_bytes())["receipt"]
    assert receipt["path"], "a batch of several events"
    assert proves_itself(receipt, keyring)
