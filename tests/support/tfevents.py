"""Event files by hand, from the formats' descriptions: TFRecord, protobuf, PNG.

What our files are tested with; nothing here is made by our code.
"""
import struct
import zlib


def crc32c(data):
    """Bit by bit, as RFC 3720 defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at:at + 8]), "length"
        body = data[at + 12:at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert crc == masked(body), "record"
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """{number: [values]} of a protobuf message."""
    out, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            (value,), at = struct.unpack_from("<d", data, at), at + 8
        elif key & 7 == 5:
            (value,), at = struct.unpack_from("<f", data, at), at + 4
        else:
            assert key & 7 == 2, key
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        out.setdefault(key >> 3, []).append(value)
    return out


def pixels_of_png(data):
    """Width, height, channels, rows; filters and checksums by the standard."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        assert crc == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8
            channels = {0: 1, 2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw = zlib.decompress(packed)
    stride, rows, above = width * channels, [], bytes(width * channels)
    for y in range(height):
        mode, line = raw[y * (stride + 1)], bytearray()
        for x, byte in enumerate(raw[y * (stride + 1) + 1:][:stride]):
            left = line[x - channels] if x >= channels else 0
            corner = above[x - channels] if x >= channels else 0
            up, estimate = above[x], 0
            if mode == 1:
                estimate = left
            elif mode == 2:
                estimate = up
            elif mode == 3:
                estimate = (left + up) // 2
            elif mode == 4:
                p = left + up - corner
                estimate = min((left, up, corner),
                               key=lambda v, p=p: abs(p - v))
            line.append((byte + estimate) & 255)
        rows.append(bytes(line))
        above = rows[-1]
    return width, height, channels, b"".join(rows)


def values_by_tag(data):
    """{tag: [(step, fields of the value)]} of a whole file, and its events."""
    events = [fields(r) for r in records(data)]
    values = {}
    for event in events[1:]:
        for value in fields(event[5][0])[1]:
            value = fields(value)
            values.setdefault(value[1][0].decode(), []).append(
                (event.get(2, [0])[0], value))
    return values, events
