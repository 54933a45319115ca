"""Writes seeds of formats of which there are no real files: seeds.py CORPUS."""

import struct
import sys
import zipfile
from pathlib import Path

ARGUS = """\
2011/08/10 09:46:59.607825,1.026539,tcp,94.44.127.113,1577,   ->,147.32.84.59,6881,S_RA,0,0,4,276,156,flow=Background-Established
2011/08/10 09:47:00.634364,3600.1,udp,147.32.84.165,0x0303,  <->,2001:db8::1,53,CON,0,0,2,214,81,flow=From-Botnet-V42-UDP-DNS
2011/08/10 09:47:01,0,arp,00:1a:2b:3c:4d:5e,,  who,147.32.84.1,,CON,,,1,60,60,flow=Background
"""

# Source, destination, packets, bytes, ports, protocol of one record by template.
FIELDS = [(8, 4), (12, 4), (2, 4), (1, 4), (7, 2), (11, 2), (4, 1)]
VALUES = struct.pack(">4s4sIIHHB", b"\x0a\0\0\x01", b"\x0a\0\0\x02", 1, 60, 40000, 53, 17)


def version_5():
    head = struct.pack(">HIIIIHH", 1, 10_000, 1_757_000_000, 0, 0, 0, 0)
    record = struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", *[b"\x0a\0\0\x01", b"\x0a\0\0\x02", b"\0" * 4], 1, 2, 1, 60, 100, 200,
                         40000, 53, 0, 18, 6, 0, 0, 0, 24, 24, 0)
    return b"\0" + head + record


def templates(set_id):
    fields = b"".join(struct.pack(">HH", *field) for field in FIELDS)
    body = struct.pack(">HH", 256, len(FIELDS)) + fields
    data = VALUES + b"\0" * (-len(VALUES) % 4)
    return struct.pack(">HH", set_id, 4 + len(body)) + body + struct.pack(">HH", 256, 4 + len(data)) + data


def version_9():
    return b"\x01" + struct.pack(">HIIII", 2, 10_000, 1_757_000_000, 0, 1) + templates(0)


def ipfix():
    sets = templates(2)
    return b"\x02" + struct.pack(">HIII", 16 + len(sets), 1_757_000_000, 0, 1) + sets


def npy(descr, shape, data):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def main():
    corpus = Path(sys.argv[1])
    seeds = {"argus/rows": ARGUS.encode(), "netflow/5": version_5(), "netflow/9": version_9(), "netflow/ipfix": ipfix()}
    for name, seed in seeds.items():
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).write_bytes(seed)
    (corpus / "npz").mkdir(exist_ok=True)
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(corpus / "npz" / str(packing), "w", packing) as archive:
            archive.writestr("X.npy", npy("<f8", (3, 2), struct.pack("<6d", 1, 2, 3, 4, 5, 6)))
            archive.writestr("y.npy", npy("<i8", (3,), struct.pack("<3q", 0, 1, 0)))


main()
