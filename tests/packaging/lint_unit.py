#!/usr/bin/env python3
"""Checks a systemd unit without systemd: sections and keys that exist, values of the right kind, and that everything which
keeps the service in its place is there.

Usage: lint_unit.py UNIT
"""

import pathlib
import re
import sys

KEYS = {  # what a unit of ours may use
    "Unit": "Description Documentation After Wants Requires Before ConditionPathExists AssertPathExists StartLimitIntervalSec "
    "StartLimitBurst",
    "Service": "Type EnvironmentFile Environment ExecStartPre ExecStart ExecReload User Group DynamicUser SupplementaryGroups "
    "StateDirectory StateDirectoryMode RuntimeDirectory WorkingDirectory UMask Restart RestartSec RestartPreventExitStatus "
    "SuccessExitStatus TimeoutStartSec TimeoutStopSec KillSignal LimitNOFILE LimitCORE LimitMEMLOCK MemoryMax MemoryHigh CPUQuota "
    "TasksMax Nice OOMPolicy ProtectSystem ProtectHome PrivateTmp PrivateDevices PrivateUsers PrivateNetwork PrivateIPC "
    "ProtectProc ProcSubset ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs ProtectKernelModules "
    "ProtectKernelTunables NoNewPrivileges CapabilityBoundingSet AmbientCapabilities RestrictNamespaces RestrictRealtime "
    "RestrictSUIDSGID LockPersonality RemoveIPC KeyringMode MemoryDenyWriteExecute SystemCallArchitectures SystemCallFilter "
    "SystemCallErrorNumber RestrictAddressFamilies IPAddressDeny IPAddressAllow ReadWritePaths ReadOnlyPaths InaccessiblePaths "
    "StandardOutput StandardError SyslogIdentifier",
    "Install": "WantedBy RequiredBy Also Alias",
}
REPEATED = {"SystemCallFilter", "Environment", "EnvironmentFile", "ExecStartPre", "After", "IPAddressAllow", "IPAddressDeny"}
ON = ["yes"]
REQUIRED = {  # of [Service], with the values that are good
    "Type": ["exec", "notify"],
    "Restart": ["on-failure", "on-abnormal", "always"],
    "RestartPreventExitStatus": ["2"],
    "ProtectSystem": ["strict"],
    "ProtectHome": ON + ["tmpfs"],
    "ProtectProc": ["invisible", "noaccess"],
    "CapabilityBoundingSet": [""],
    "AmbientCapabilities": [""],
    "MemoryDenyWriteExecute": ["no"],
    "SystemCallArchitectures": ["native"],
    "IPAddressDeny": ["any"],
    "IPAddressAllow": ["localhost"],
    "KeyringMode": ["private"],
    **dict.fromkeys(
        "PrivateTmp PrivateDevices PrivateUsers ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs "
        "ProtectKernelModules ProtectKernelTunables NoNewPrivileges RestrictNamespaces RestrictRealtime RestrictSUIDSGID "
        "LockPersonality RemoveIPC".split(),
        ON,
    ),
}
NUMBERS = {"StartLimitBurst": 1, "StartLimitIntervalSec": 1, "RestartSec": 1, "TimeoutStopSec": 6, "LimitNOFILE": 1024, "LimitCORE": 0}


def read(text, complain):
    """{section: {key: [values]}}, and what a comment right before a key says of it."""
    sections, notes, section, note = {}, {}, None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*[#;]", line):
            note += line.strip("#; ") + " "
            continue
        header = re.fullmatch(r"\[([A-Za-z]+)\]", line)
        pair = re.fullmatch(r"([A-Za-z]+)=(.*)", line)
        if header:
            section = header[1]
            if section not in KEYS or section in sections:
                complain(f"line {number}: no section [{section}], or again")
            sections.setdefault(section, {})
        elif pair and section:
            key, value = pair.groups()
            if key not in KEYS.get(section, "").split():
                complain(f"line {number}: [{section}] has no key {key}")
            values = sections[section].setdefault(key, [])
            if values and key not in REPEATED:
                complain(f"line {number}: {key} again")
            if value != value.strip() or value.endswith("\\"):
                complain(f"line {number}: spaces around the value of {key}, or a line that goes on")
            values.append(value)
            notes[key] = note
        elif line.strip():
            complain(f"line {number}: neither a section nor KEY=VALUE: {line}")
        note = ""
    return sections, notes


def check_service(service, notes, complain):
    for key, good in REQUIRED.items():
        if service.get(key) is None or any(value not in good for value in service[key]):
            complain(f"{key} is {service.get(key)}, not {' or '.join(good) or 'empty'}")
    if not re.fullmatch(r"/\S+/trine serve \$TRINE_OPTIONS", service.get("ExecStart", [""])[0]):
        complain("ExecStart does not run trine serve with the options of the EnvironmentFile")
    if not all(re.fullmatch(r"-?/etc/\S+", value) for value in service.get("EnvironmentFile", ["none"])):
        complain("EnvironmentFile is no file below /etc")
    if service.get("DynamicUser") != ON and service.get("User", ["root"])[0] in ("root", "0", ""):
        complain("it runs as root")
    if service.get("WorkingDirectory") != ["/var/lib/" + service.get("StateDirectory", ["?"])[0]]:
        complain("WorkingDirectory is not the StateDirectory")
    if service.get("StateDirectoryMode") != ["0700"] or service.get("UMask") != ["0077"]:
        complain("others may look at what the server keeps")
    if not set(service.get("RestrictAddressFamilies", ["all"])[0].split()) <= {"AF_INET", "AF_INET6"}:
        complain("RestrictAddressFamilies leaves more than IPv4 and IPv6")
    filters = service.get("SystemCallFilter", [])
    if filters[:1] != ["@system-service"] or not any(f.startswith("~") and "@privileged" in f for f in filters[1:]):
        complain("SystemCallFilter is not @system-service without @privileged")
    if "oneDNN" not in notes.get("MemoryDenyWriteExecute", ""):
        complain("nothing says why MemoryDenyWriteExecute is off")


def main(path):
    faults = []
    sections, notes = read(pathlib.Path(path).read_text(encoding="utf-8"), faults.append)
    for name in KEYS:
        if name not in sections:
            faults.append(f"there is no section [{name}]")
    for section in sections.values():
        for key, least in NUMBERS.items():
            for value in section.get(key, []):
                if not value.isdigit() or int(value) < least:
                    faults.append(f"{key} is {value}, not a number of at least {least}")
    for key in ("LimitNOFILE", "TimeoutStopSec", "RestartSec"):
        if key not in sections.get("Service", {}):
            faults.append(f"there is no {key}")
    check_service(sections.get("Service", {}), notes, faults.append)
    if sections.get("Install", {}).get("WantedBy") != ["multi-user.target"]:
        faults.append("it is not wanted by multi-user.target")
    if faults:
        sys.exit("\n".join(f"{path}: {fault}" for fault in faults))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
