"""Energy on a driver's counter, and without one."""

from math import isnan
from types import SimpleNamespace

import pytest
import torch

from coconut_study.training import meter
from coconut_study.training import meter as energy

GPU = torch.device("cuda", 0)


class Driver:
    """A driver whose GPU has used some millijoules; `failing` names a call that fails."""

    def __init__(self, millijoules, failing=None):
        self.millijoules, self.failing, self.asked = millijoules, failing, []

    def nvmlInit_v2(self):
        return 1 if self.failing == "init" else 0

    def nvmlDeviceGetHandleByUUID(self, name, handle):
        self.asked.append(name)
        return 2 if self.failing == "handle" else 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, found):
        found._obj.value = self.millijoules
        return 3 if self.failing == "energy" else 0


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    """A GPU by name."""
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="ab-12"))


def test_the_counter_of_the_gpu_itself_is_read_in_joules():
    driver = Driver(2_500)
    assert meter.counted(GPU, lambda name: driver) == 2.5
    assert driver.asked == [b"GPU-ab-12"]


@pytest.mark.parametrize("failing", ["init", "handle", "energy"])
def test_a_driver_that_does_not_tell_leaves_it_missing(failing):
    assert isnan(meter.counted(GPU, lambda name: Driver(2_500, failing)))


def test_without_a_gpu_or_its_driver_it_is_missing():
    def load(name):
        raise OSError(name)

    assert isnan(meter.counted(GPU, load))
    assert isnan(meter.counted(torch.device("cpu"), lambda name: Driver(2_500)))
    assert isnan(meter.Meter(torch.device("cpu"), 5.0).joules)


def test_a_meter_shows_what_was_used_since_and_before(monkeypatch):
    shown = iter([100.0, 130.0])
    monkeypatch.setattr(energy, "counted", lambda device: next(shown))
    assert meter.Meter(GPU, before=7.0).joules == 37.0


def test_energy_before_that_is_missing_stays_missing(monkeypatch):
    monkeypatch.setattr(energy, "counted", lambda device: 100.0)
    assert isnan(meter.Meter(GPU, before=float("nan")).joules)
