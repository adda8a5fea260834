"""States of unfinished training: damage is noticed, and signals are handled."""

import os
import signal

import pytest
import torch

from coconut_study.training import saver as saving
from coconut_study.training.saver import Saver


def saved(folder, n=2):
    saver = Saver(folder, minutes=0)
    for number in range(n):
        saver.save({"a": torch.full((3,), float(number)), "b": torch.tensor(1)}, {"said": number})
    return saver


def test_two_states_are_kept_and_the_newest_is_taken(tmp_path):
    saved(tmp_path, 5)
    saver = Saver(tmp_path, minutes=0)
    assert saver.numbers() == [4, 5]
    tensors, facts = saver.load(5)
    assert facts == {"number": 5, "said": 4}
    assert torch.equal(tensors["a"], torch.full((3,), 4.0))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_flipped_bit_is_noticed_anywhere_and_the_older_state_used(tmp_path, capsys, place):
    saved(tmp_path)
    newest = tmp_path / "process0-state0.safetensors"
    bytes_ = bytearray(newest.read_bytes())
    bytes_[place % len(bytes_)] ^= 1
    newest.write_bytes(bytes_)
    assert Saver(tmp_path, minutes=0).numbers() == [1]
    assert f"{newest}: this state is damaged" in capsys.readouterr().err
    assert not newest.exists()


def test_a_full_disk_leaves_the_state_before_and_says_so(tmp_path, monkeypatch, capsys):
    saver = saved(tmp_path, 2)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "save_file", full)
    saver.save({"a": torch.zeros(3)}, {})
    assert "cannot be saved" in capsys.readouterr().err
    assert Saver(tmp_path, minutes=0).numbers() == [1, 2]


def test_a_signal_handed_on_is_one_and_a_later_one_ends_the_process(tmp_path, monkeypatch):
    ends = []
    before = signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
    times = iter([0.0, 10.0, 10.001, 20.0])  # made, told, told again at once, told later
    monkeypatch.setattr(saving, "monotonic", lambda: next(times))
    with Saver(tmp_path, minutes=1) as saver:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (saver.stopped, ends) == ("SIGTERM", [])
        os.kill(os.getpid(), signal.SIGTERM)
        assert ends == [1]
    signal.signal(signal.SIGTERM, before)
