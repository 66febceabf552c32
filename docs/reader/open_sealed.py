#!/usr/bin/env python3
"""Opens a sealed object with its session key: RFC 9580 section 5.13.2, SEIPD
version 2 with AES-256-GCM. It shares no code with luutru. See README.md.

usage: open_sealed.py SESSION-KEY-FILE SEALED-FILE OUTPUT-FILE
"""
import os
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Packet:
    """The body of one packet, of fixed or partial lengths (section 4.2.1)."""

    def __init__(self, read, tag):
        self.source, self.left, self.more = read, 0, True
        if read(1) != bytes([0xC0 | tag]):
            raise ValueError("not a packet of type %d" % tag)

    def read(self, n):
        out = b""
        while len(out) < n and (self.left or self.more):
            if not self.left:
                first = self.exactly(1)[0]
                self.more = 224 <= first < 255
                if first < 224:
                    self.left = first if first < 192 else ((first - 192) << 8) + self.exactly(1)[0] + 192
                else:
                    self.left = 1 << (first & 31) if self.more else int.from_bytes(self.exactly(4), "big")
                continue
            got = self.exactly(min(n - len(out), self.left))
            out, self.left = out + got, self.left - len(got)
        return out

    def exactly(self, n):
        got = self.source(n)
        if len(got) != n:
            raise ValueError("cut short")
        return got


class Plaintext:
    """The chunks of the encrypted packet, each checked before it is returned."""

    def __init__(self, body, session_key):
        head = body.read(4)
        if head[:3] != b"\x02\x09\x03" or head[3] > 16:
            raise ValueError("not version 2, AES-256, GCM")
        self.body, self.bound, self.chunk = body, b"\xd2" + head, 1 << (head[3] + 6)
        derived = HKDF(SHA256(), 36, body.read(32), self.bound).derive(session_key)
        self.aead, self.iv = AESGCM(derived[:32]), derived[32:]
        self.tail, self.buffer, self.chunks, self.total, self.ended = body.read(16), b"", 0, 0, False

    def read(self, n):
        while len(self.buffer) < n and not self.ended:
            data = self.tail + self.body.read(self.chunk + 16)
            data, self.tail = data[:-16], data[-16:]
            nonce = self.iv + self.chunks.to_bytes(8, "big")
            if data:
                plain = self.aead.decrypt(nonce, data, self.bound)
                self.chunks, self.total, self.buffer = self.chunks + 1, self.total + len(plain), self.buffer + plain
            else:  # only the final tag is left: it binds the length of the whole
                self.aead.decrypt(nonce, self.tail, self.bound + self.total.to_bytes(8, "big"))
                self.ended = True
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out


def main(key_file, sealed_file, output_file):
    with open(key_file) as f:
        session_key = bytes.fromhex(f.read().strip().split(":")[-1])
    with open(sealed_file, "rb") as f, open(output_file + ".part", "wb") as out:
        plaintext = Plaintext(Packet(f.read, 18), session_key)
        literal = Packet(plaintext.read, 11)
        literal.read(literal.read(2)[1] + 4)  # file name, date
        while data := literal.read(1 << 20):
            out.write(data)
        if plaintext.read(1) or f.read(1):
            raise ValueError("something follows the content")
    os.replace(output_file + ".part", output_file)  # only what is whole gets the name


if len(sys.argv) != 4:
    sys.exit(__doc__)
main(*sys.argv[1:])
