"""`auction bench bids` and `fanout` end to end, too short to prove anything but that they tell the truth."""

from pathlib import Path

import msgspec
import pytest

from app.bench import fanout, nchan
from app.bench.bids import Options, main_bench_bids
from app.bench.client import TEXT, masked, read_frames
from app.bench.watchers import NEVER, Chunk, Look, Sent, Watchers
from app.cli import main

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

FIELDS = {
    *("accepted_per_s", "decided_per_s", "accepted_share", "lost", "baseline_per_s", "ratio", "p50_ms", "p99_ms"),
    *("lots", "bidders", "watchers", "rate", "limits"),
}


def open_to_postgres(tmp_path: Path) -> None:
    """PostgreSQL runs as another account when root runs the tests."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)


@pytest.mark.slow
def test_the_last_line_says_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_to_postgres(tmp_path)
    options = Options(lots=2, bidders=8, watchers=2, seconds=1, warm_up_s=0.5, data_dir=str(tmp_path))
    assert main_bench_bids(options) == 0
    report = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
    assert set(report) >= FIELDS
    assert (report["lots"], report["bidders"], report["watchers"], report["lost"]) == (2, 8, 2, 0)
    assert report["accepted_per_s"] > 0
    assert report["acknowledged"] >= report["accepted_per_s"]
    assert report["watched_events"] > 0
    assert report["settings"] == DURABLE
    assert "fewer than 128 bidders" in report["void"], "a run as short as this proves nothing"
    assert list(tmp_path.iterdir()) == [], "its database is gone"


@pytest.mark.parametrize("wrong", [["--bidders", "0"], ["--rate", "-1"], ["--seconds", "x"], ["--cores", "2"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "bids", *wrong])
    assert ended.value.code == 2


FANOUT_FIELDS = {
    *("watchers", "cpu_us_per_message", "p50_ms", "p99_ms", "memory_kib_per_socket", "nchan_cpu_us_per_message"),
    *("last_p99_ms", "ratio_to_nchan", "frames", "gaps", "missing", "lost", "limits", "void"),
}


@pytest.mark.slow
def test_a_small_fanout_says_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_to_postgres(tmp_path)
    options = fanout.Options(watchers=40, bidders=3, rate=5, seconds=3, warm_up_s=0.5, data_dir=str(tmp_path))
    assert fanout.main_bench_fanout(options) == 0
    report = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
    assert set(report) >= FANOUT_FIELDS
    assert (report["watchers"], report["gaps"], report["missing"], report["lost"]) == (40, 0, 0, 0)
    assert report["accepted"] > 0
    assert report["frames"] >= 40 * report["messages"] * 0.9, "each message came to each watcher"
    assert report["cpu_us_per_message"] > 0
    assert 0 < report["p50_ms"] <= report["p99_ms"] <= report["last_p99_ms"] * 1.01
    assert report["settings"] == DURABLE
    assert "fewer than 5000 watchers" in report["void"], "a run as small as this proves nothing"
    assert (report["nchan"] is None) == (nchan.installed() is None)
    if report["nchan"] is not None:
        assert report["nchan"]["missing"] == 0
        assert report["nchan"]["frames"] == 40 * report["messages"]
    assert list(tmp_path.iterdir()) == [], "its database is gone"


@pytest.mark.parametrize("wrong", [["--watchers", "0"], ["--rate", "0"]])
def test_a_fanout_to_nobody_or_of_nothing_is_refused(wrong: list[str]) -> None:
    assert main(["bench", "fanout", *wrong]) == 2


def frame(text: bytes) -> bytes:
    return bytes((TEXT, len(text))) + text


def event(first: int, last: int) -> bytes:
    return frame(b'{"t":"events","from":%d,"to":%d,"events":[]}' % (first, last))


def test_a_watcher_sees_gaps_and_what_is_missing() -> None:
    """Two watchers, one of which is told of event 3 before event 2; frames cut anywhere are put together again."""
    watchers = Watchers(Look(host="", port=0, path="", sockets=2))
    for at, (fd, data) in enumerate(
        [
            (1, event(1, 1)),
            (2, event(1, 1)),
            (1, event(2, 2) + event(3, 3)[:5]),
            (1, event(3, 3)[5:]),
            (2, event(3, 3)),
            (2, frame(b'{"t":"tick","seq":3}')),
        ]
    ):
        watchers._take(fd, data, float(at))
    seen = watchers.sum_up(Sent(0.0, 10.0, {1: 0.0, 2: 1.0, 3: 1.0}))
    assert (seen.gaps, seen.missing, seen.frames) == (1, 1, 6)
    assert seen.last_p99_ms == 3_000.0
    assert [size for _, size in seen.messages] == [len(event(1, 1)) - 2] * 3 + [20]


def test_a_gap_inside_one_chunk_is_a_gap() -> None:
    payloads = [payload for _, payload in read_frames(event(1, 1) + event(3, 3))[0]]
    assert Chunk(payloads, numbered=False).first == NEVER


def test_frames_are_masked_and_read_back_by_hand() -> None:
    sent = masked(TEXT, b"hello")
    assert (sent[0], sent[1], len(sent)) == (TEXT, 0x85, 11)
    long = bytes((TEXT, 126)) + (300).to_bytes(2, "big") + b"x" * 300
    assert read_frames(long + frame(b"y") + long[:100]) == ([(TEXT, b"x" * 300), (TEXT, b"y")], len(long) + 3)
