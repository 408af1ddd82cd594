#!/usr/bin/env python3
"""A SLURM of one node on this machine: install it, start it, run a command in it, stop it.

    python tests/slurm/cluster.py install               # Debian packages; needs root
    python tests/slurm/cluster.py run FOLDER COMMAND    # start, run the command, stop
    python tests/slurm/cluster.py start FOLDER          # or by hand ...
    python tests/slurm/cluster.py stop FOLDER

Without systemd, cgroups or an accounting database; the daemons listen on this machine only, and all
they keep is in FOLDER. A command inside finds `sbatch`, `squeue` and so on at work by
`SLURM_CONF` and PATH, which `environment` gives.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel", "munged")
#: What daemons are called by /proc, in the order in which they are stopped.
DAEMONS = ("slurmd", "slurmctld", "munged")

#: How a site without accounts or accounting, and with short jobs, adapts the workflow's profile.
SITE = {
    "slurm-no-account": True,
    "slurm-status-command": "squeue",
    "slurm-init-seconds-before-status-checks": 3,
    "latency-wait": 10,
    "jobs": 8,
}

CONF = """
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={port_d}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=5
DefMemPerCPU=512
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} \
ThreadsPerCore=1 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=1-00:00:00 DefaultTime=60 State=UP
"""


def why_not() -> str:
    """Say why there can be no SLURM here; '' if there can."""
    if missing := [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]:
        return f"SLURM is not installed (no {', '.join(missing)}): cluster.py install, as root"
    return ""


def can_install() -> str:
    """Say why SLURM cannot be installed here; '' if it can."""
    if os.geteuid() != 0:
        return "SLURM's Debian packages can be installed by root only"
    return "" if shutil.which("apt-get") else "SLURM is installed by apt-get, which is not here"


def install() -> None:
    """Install the Debian packages; no service is started."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:  # dpkg asks it, and starts nothing then
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120")
    try:
        for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run([*apt, *command], env=environment, check=True, stdout=sys.stderr)
    finally:
        if ours:
            policy.unlink()


def start(folder: Path, cpus: int | None = None) -> None:
    """Start munged, slurmctld and slurmd, and wait until the node takes jobs.

    Args:
        folder: where everything they write goes; made if it isn't there.
        cpus: of the node; by default, those of this machine.

    Raises:
        RuntimeError: the node isn't ready after half a minute; with the daemons' logs.
    """
    folder = folder.resolve()
    for name in ("run", "state", "spool", "log", "bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # munged refuses a socket in a folder that others can write to
    _key(folder / "munge.key")
    _configure(folder, cpus or os.cpu_count() or 1)
    munged = ["munged", "--force", f"--key-file={folder}/munge.key"]
    munged += [f"--socket={folder}/run/munge.socket", f"--pid-file={folder}/run/munged.pid"]
    munged += [f"--log-file={folder}/log/munged.log", f"--seed-file={folder}/munge.seed"]
    conf = f"{folder}/slurm.conf"
    node = socket.gethostname().split(".")[0]
    for command in (munged, ["slurmctld", "-f", conf], ["slurmd", "-f", conf, "-N", node]):
        subprocess.run(command, check=True, env=environment(folder), stdout=sys.stderr)
    _wait(folder)


def stop(folder: Path) -> None:
    """Cancel all jobs and stop the daemons that `start` started."""
    folder = folder.resolve()
    with contextlib.suppress(subprocess.SubprocessError):
        user = f"--user={os.geteuid()}"
        subprocess.run(["scancel", user], env=environment(folder), check=False, timeout=20)
    for name in DAEMONS:
        file = folder / "run" / f"{name}.pid"
        if file.exists() and _is(number := int(file.read_text()), name):
            os.kill(number, signal.SIGTERM)
            for _ in range(100):
                if not _is(number, name):
                    break
                time.sleep(0.1)
            else:
                os.kill(number, signal.SIGKILL)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which SLURM's commands talk to this cluster."""
    folder = folder.resolve()
    path = f"{folder}/bin{os.pathsep}{_path()}"
    return {**os.environ, "SLURM_CONF": f"{folder}/slurm.conf", "PATH": path}


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])


def _key(file: Path) -> None:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(os.urandom(128))


def _configure(folder: Path, cpus: int) -> None:
    import pwd

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    port = _free_ports()
    conf = CONF.format(
        folder=folder,
        node=socket.gethostname().split(".")[0],
        user=pwd.getpwuid(os.geteuid()).pw_name,
        cpus=cpus,
        memory=memory * 9 // 10,
        port=port,
        port_d=port + 1,
    )
    (folder / "slurm.conf").write_text(conf)
    # Snakemake's job step drops SLURM_CONF from the environment before it calls `srun`.
    srun = folder / "bin" / "srun"
    real = shutil.which("srun", path=_path())
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {real} "$@"\n')
    srun.chmod(0o755)


def _free_ports() -> int:
    """Return the first of two neighbouring ports that nobody listens on."""
    for port in range(16817, 17817, 2):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no free ports for SLURM's daemons")


def _wait(folder: Path) -> None:
    for _ in range(60):
        command = ["sinfo", "--noheader", "--format=%T"]
        done = subprocess.run(
            command, env=environment(folder), capture_output=True, text=True, check=False
        )
        if done.stdout.split() == ["idle"]:
            return
        time.sleep(0.5)
    logs = "\n".join(f"{p}:\n{p.read_text()}" for p in sorted((folder / "log").glob("*.log")))
    raise RuntimeError(f"no idle node, but {done.stdout or done.stderr}\n{logs}")


def _is(process: int, name: str) -> bool:
    """Tell whether a process runs and is the program of this name (and no zombie)."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return f"Name:\t{name}" in status and "State:\tZ" not in status


def main() -> int:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["install"]:
            if reason := can_install():
                sys.exit(f"error: {reason}.")
            install()
        case ["start", folder]:
            start(Path(folder))
        case ["stop", folder]:
            stop(Path(folder))
        case ["run", folder, *command] if command:
            try:
                start(Path(folder))
                done = subprocess.run(command, env=environment(Path(folder)), check=False)
                return done.returncode
            finally:
                stop(Path(folder))
        case _:
            sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
