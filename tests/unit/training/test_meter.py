"""Time, and energy on a driver's counter and without one."""

from math import isnan
from types import SimpleNamespace

import pynvml
import pytest
import torch

from coconut_study.training import meter

GPU = torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def driver(monkeypatch):
    """Makes a driver whose GPU has used some millijoules; `failing` names a function that fails."""

    def make(millijoules, failing=None):
        uuids = []

        def called(name, result, argument=None):
            if name == failing:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
            uuids.extend([argument] * name.endswith("UUID"))
            return result

        monkeypatch.setattr(pynvml, "nvmlInit", lambda: called("nvmlInit", None))
        for name, result in (
            ("nvmlDeviceGetHandleByUUID", "handle"),
            ("nvmlDeviceGetTotalEnergyConsumption", millijoules),
        ):
            monkeypatch.setattr(pynvml, name, lambda one, name=name, result=result: called(name, result, one))
        return uuids

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="ab-12"))
    return make


def test_the_counter_of_the_gpu_itself_is_read_in_joules(driver):
    uuids = driver(2_500)
    assert meter.energy_used(GPU) == 2.5
    assert uuids == ["GPU-ab-12"]


@pytest.mark.parametrize(
    "failing", ["nvmlInit", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetTotalEnergyConsumption"]
)
def test_a_driver_that_does_not_tell_leaves_it_missing(driver, failing):
    driver(2_500, failing)
    assert isnan(meter.energy_used(GPU))


def test_without_a_gpu_it_is_missing(driver):
    driver(2_500)
    assert isnan(meter.energy_used(torch.device("cpu")))
    assert isnan(meter.Meter(torch.device("cpu"), joules=5.0).joules)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a driver")
def test_without_a_driver_it_is_missing():
    assert isnan(meter.energy_used(GPU))


def test_a_meter_shows_what_was_used_since_and_before(monkeypatch):
    joules, seconds = iter([100.0, 130.0]), iter([10.0, 12.0])
    monkeypatch.setattr(meter, "energy_used", lambda device: next(joules))
    monkeypatch.setattr(meter, "perf_counter", lambda: next(seconds))
    used = meter.Meter(GPU, seconds=3.0, joules=7.0)
    assert (used.joules, used.seconds) == (37.0, 5.0)


def test_energy_before_that_is_missing_stays_missing(monkeypatch):
    monkeypatch.setattr(meter, "energy_used", lambda device: 100.0)
    assert isnan(meter.Meter(GPU, joules=float("nan")).joules)
