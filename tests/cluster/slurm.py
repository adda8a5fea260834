"""A Slurm of one machine and one user that is thrown away: nothing of the system's own is read or changed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
SYSTEM = ("/usr/sbin", "/sbin")  # where daemons are, which is not in every user's PATH


def missing() -> list[str]:
    """The programs that are not there."""
    path = os.pathsep.join([os.environ["PATH"], *SYSTEM])
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


class Slurm:
    """Eight cores that are not all there, and two GPUs that are none: /dev/null and /dev/zero."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir(parents=True)
        self.host = socket.gethostname().partition(".")[0]
        self.conf = folder / "slurm.conf"
        self.conf.write_text(self._configuration())
        (folder / "gres.conf").write_text(f"NodeName={self.host} Name=gpu File=/dev/null,/dev/zero\n")
        (folder / "cgroup.conf").write_text("")
        # The executor takes SLURM_CONF away from the srun that it calls.
        shim = folder / "bin" / "srun"
        shim.write_text(f'#!/bin/sh\nSLURM_CONF={self.conf} exec {shutil.which("srun")} "$@"\n')
        shim.chmod(0o755)
        path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"], *SYSTEM])
        self.environment = {"SLURM_CONF": str(self.conf), "PATH": path}

    def _configuration(self) -> str:
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        settings = {
            "ClusterName": "test",
            "SlurmctldHost": f"{self.host}(127.0.0.1)",
            "SlurmctldPort": _free_port(),
            "SlurmdPort": _free_port(),
            "SlurmUser": user,
            "SlurmdUser": user,
            "AuthType": "auth/none",
            "CredType": "cred/none",
            "StateSaveLocation": self.folder / "state",
            "SlurmdSpoolDir": self.folder / "spool",
            "SlurmctldPidFile": self.folder / "slurmctld.pid",
            "SlurmdPidFile": self.folder / "slurmd.pid",
            "SlurmctldLogFile": self.folder / "slurmctld.log",
            "SlurmdLogFile": self.folder / "slurmd.log",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none",
            "SwitchType": "switch/none",
            "MpiDefault": "none",
            "MailProg": shutil.which("true"),
            "ReturnToService": 2,
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "DefMemPerCPU": 100,
            "GresTypes": "gpu",
            "SlurmdParameters": "config_overrides",
            "SchedulerParameters": "sched_min_interval=0,batch_sched_delay=1",
            "MinJobAge": 3600,
        }
        node = f"NodeName={self.host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000 Gres=gpu:2 State=UNKNOWN"
        partition = f"PartitionName=all Nodes={self.host} Default=YES MaxTime=INFINITE State=UP"
        return "\n".join([*(f"{key}={value}" for key, value in settings.items()), node, partition, ""])

    def call(self, *command: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def start(self) -> str | None:
        """Start; what is wrong, where it cannot."""
        for daemon in (["slurmctld", "-c"], ["slurmd"]):
            self.call(*daemon)
        until = time.monotonic() + 20
        while self.call("sinfo", "--noheader", "--format=%T").strip() != "idle":
            if time.monotonic() > until:
                return "\n".join(path.read_text()[-500:] for path in sorted(self.folder.glob("*.log")))
            time.sleep(0.2)
        return None

    def stop(self) -> None:
        """Cancel what runs, and stop."""
        self.call("scancel", "--user", str(os.getuid()))
        until = time.monotonic() + 60
        while self.call("squeue", "--noheader").strip() and time.monotonic() < until:
            time.sleep(0.5)
        for name in ("slurmd", "slurmctld"):
            path = self.folder / f"{name}.pid"
            if path.exists() and (number := path.read_text().strip()):
                os.kill(int(number), 15)

    def jobs(self) -> list[dict[str, str]]:
        """All jobs that there were, oldest first, as `scontrol show job` has them."""
        records = self.call("scontrol", "--oneliner", "show", "job").splitlines()
        fields = [
            (field.partition("=")[::2] for field in record.split() if "=" in field) for record in records
        ]
        return sorted(map(dict, fields), key=lambda job: int(job["JobId"]))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
