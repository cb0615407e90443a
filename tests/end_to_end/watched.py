"""Run a command where every packet stays on this machine, and tell whom it tried to reach.

unshare --map-root-user --net python watched.py REPORT COMMAND...

In the new network namespace there is the loopback device alone, and all that is sent goes to it:
whatever sends it, Python, a native library or a child process, it is seen here. REPORT becomes a
JSON list of places other than this machine, and of the names that were looked up.
"""

import ctypes
import fcntl
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

# <linux/sockios.h>, <linux/if.h>, <linux/route.h>, <linux/ipv6_route.h>, <linux/if_ether.h>
SIOCSIFFLAGS, SIOCADDRT = 0x8914, 0x890B
UP, RTF_UP = 0x1, 0x1
EVERY_PROTOCOL, IPV4, IPV6 = 0x0003, 0x0800, 0x86DD
UDP, DNS = 17, 53
ICMP_6, UNREACHABLE = 58, 1


class Route(ctypes.Structure):
    """`struct rtentry`."""

    _fields_ = (
        ("pad1", ctypes.c_ulong),
        ("destination", ctypes.c_ubyte * 16),
        ("gateway", ctypes.c_ubyte * 16),
        ("mask", ctypes.c_ubyte * 16),
        ("flags", ctypes.c_ushort),
        ("pad2", ctypes.c_short),
        ("pad3", ctypes.c_ulong),
        ("pad4", ctypes.c_void_p),
        ("metric", ctypes.c_short),
        ("device", ctypes.c_char_p),
        ("mtu", ctypes.c_ulong),
        ("window", ctypes.c_ulong),
        ("irtt", ctypes.c_ushort),
    )


def lead_everything_to_loopback() -> None:
    """Switch the device on, and give it the default routes."""
    anywhere = (ctypes.c_ubyte * 16)(*struct.pack("=H14x", socket.AF_INET))
    route = Route(destination=anywhere, gateway=anywhere, mask=anywhere, flags=RTF_UP, device=b"lo")
    route_6 = struct.pack("=48x IHHI4x8x Ii", 0, 0, 0, 1, RTF_UP, socket.if_nametoindex("lo"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP))
        fcntl.ioctl(control, SIOCADDRT, bytes(route))
    if socket.has_ipv6:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCADDRT, route_6)


def whom(protocol: int, packet: bytes) -> str | None:
    """Say whom a packet is for; None if that is this machine."""
    if protocol == IPV4:
        address, kind, start = packet[16:20], packet[9], 4 * (packet[0] & 15)
    elif protocol == IPV6:
        address, kind, start = packet[24:40], packet[6], 40
    else:
        return None
    if protocol == IPV6 and kind == ICMP_6 and packet[start] == UNREACHABLE:
        return whom(protocol, packet[start + 8 :])  # it quotes the packet that cannot be sent
    port = int.from_bytes(packet[start + 2 : start + 4])
    if kind == UDP and port == DNS:
        return f"name server: {asked(packet[start + 20 :])}"
    place = ipaddress.ip_address(address)
    return None if place.is_loopback or place.is_multicast else f"{place} port {port}"


def asked(question: bytes) -> str:
    """Name in the question of a DNS query."""
    labels = []
    while question and question[0]:
        labels.append(question[1 : 1 + question[0]].decode("ascii", "replace"))
        question = question[1 + question[0] :]
    return ".".join(labels)


def watch(packets: socket.socket, reached: set[str]) -> None:
    """Collect whom packets are for."""
    while True:
        packet, (_, protocol, *_) = packets.recvfrom(65535)
        if place := whom(protocol, packet):
            reached.add(place)


def main() -> None:
    """Run the command, and exit as it does."""
    report, *command = sys.argv[1:]
    lead_everything_to_loopback()
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL))
    reached: set[str] = set()
    threading.Thread(target=watch, args=(packets, reached), daemon=True).start()
    status = subprocess.run(command).returncode
    time.sleep(0.1)  # what was sent last
    Path(report).write_text(json.dumps(sorted(reached)), "utf-8")
    sys.exit(status)


if __name__ == "__main__":
    main()
