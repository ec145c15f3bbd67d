#!/usr/bin/env python3
"""Checks an export of a send0 audit log, by docs/audit-log-format.md alone. The numbers are those of its rules.

    verify.py EXPORT --checkpoint FILE --public-key FILE [--until SIZE]

Prints one line of JSON; exit 0 holds, 1 does not, 2 nothing to judge by. Keeps the whole export in memory: for large ones
there is send0-verify, which says the same.
"""

import argparse, base64, datetime, hashlib, json, math, re, sys


class Found(Exception):
    def __init__(self, kind, seq, line=None):
        self.kind, self.seq, self.line = kind, seq, line


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# Ed25519, RFC 8032 §5.1, on extended coordinates.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    c, d = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        result = add(result, point) if scalar & 1 else result
        point, scalar = add(point, point), scalar >> 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key, text, signature):
    r, a, s = point(signature[:32]), point(key), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or r is None or a is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % Q
    return same(times(s, BASE), add(r, times(h, a)))


def unbase64(text):
    return base64.b64decode(text, validate=True)


# Notes and checkpoints.
def read_key(line):
    name, hash, encoded = line.split("+", 2)
    key = unbase64(encoded)
    if len(key) != 33 or key[0] != 1 or sha(name.encode(), b"\n", key)[:4].hex() != hash:
        raise ValueError("not a public key")
    return name, bytes.fromhex(hash), key[1:]


def open_note(note, keys):
    """The text, or None if the note is not good."""
    text, _, signatures = note.rpartition("\n\n")
    if not signatures.endswith("\n") or re.search("[\0-\x09\x0b-\x1f]", note):
        return None
    good, text = False, text + "\n"
    for line in signatures[:-1].split("\n"):
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        if not match:
            return None
        data = unbase64(match[2])
        known = [key for name, hash, key in keys if name == match[1] and hash == data[:4]]
        if known and not any(signed(key, text.encode(), data[4:]) for key in known):
            return None
        good = good or bool(known)
    return text if good else None


def read_checkpoint(text):
    """Workspace, size and root, or None."""
    match = re.fullmatch(r"send0\.dev/audit-log/([^\n]*)\n(0|[1-9][0-9]{0,19})\n([A-Za-z0-9+/]{43}=)\n([^\n]+\n)*", text)
    return match and (match[1], int(match[2]), unbase64(match[3]))


def claim(note):
    return read_checkpoint(note.rpartition("\n\n")[0] + "\n")


def add_note(known, workspace, note, keys):
    """Makes a note known; rule 2."""
    claimed = claim(note)
    try:
        text = open_note(note, keys)
    except ValueError:  # not base64
        text = None
    said = text and read_checkpoint(text)
    if said and said[0] == workspace and known.get(said[1], said[2]) == said[2]:
        known[said[1]] = said[2]
        return said[1]
    size = claimed[1] if claimed else 0
    raise Found("re-signed history", size)


def below(known, size):
    return max((other for other in known if other < size), default=0)


def read_notes(data):
    """Workspace and note of each line, or of the one note; and how many lines break off, and are skipped."""
    if not data.startswith(b"{"):
        return [(claim(data.decode())[0], data.decode())], 0
    notes, skipped = [], 0
    for line in filter(bytes.strip, data.split(b"\n")):
        try:
            line = json.loads(line.decode(), parse_constant=refuse)
        except ValueError:
            skipped += 1
        else:
            notes.append((line["workspace"], line["note"]))
    return notes, skipped


# The tree.
def pieces(start, end):
    while start < end:
        level = (end - start).bit_length() - 1
        level = min(level, (start & -start).bit_length() - 1) if start else level
        yield level
        start += 1 << level


def append(frontier, size, level, hash):
    bit = level
    while size >> bit & 1:
        hash, bit = sha(b"\1", frontier.pop(), hash), bit + 1
    frontier.append(hash)
    return size + (1 << level)


def root_of(frontier):
    root = frontier[-1] if frontier else sha()
    for left in reversed(frontier[:-1]):
        root = sha(b"\1", left, root)
    return root


def proof_root(index, leaf, proof):
    meet = next((level for level in range(64) if level + bin(index >> level).count("1") == len(proof)), None)
    if meet is None:
        return None
    for level, sibling in enumerate(proof):
        left = level >= meet or index >> level & 1
        leaf = sha(b"\1", sibling, leaf) if left else sha(b"\1", leaf, sibling)
    return leaf


# Lines.
def unhex(text, length=None):
    match = isinstance(text, str) and re.fullmatch("([0-9a-f]{2})*", text)
    return bytes.fromhex(text) if match and length in (None, len(text) // 2) else None


def refuse(_):
    raise ValueError("not JSON")


def unique(pairs):
    return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse(pairs)


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse)
SPACE = re.compile(r"[ \t\r\n]*")


def fields(text):
    """The fields of an object, each with its value and the bytes that it is written in."""
    result, at = {}, SPACE.match(text).end()
    if text[at : at + 1] != "{":
        refuse(text)
    while text[at] in "{,":
        name, at = DECODER.raw_decode(text, SPACE.match(text, at + 1).end())
        at = SPACE.match(text, at).end()
        if text[at] != ":" or not isinstance(name, str) or name in result:
            refuse(text)
        start = SPACE.match(text, at + 1).end()
        value, end = DECODER.raw_decode(text, start)
        result[name], at = (value, text[start:end].encode()), SPACE.match(text, end).end()
    if text[at] != "}" or text[at + 1 :].strip(" \t\r\n"):
        refuse(text)
    return result


EVENT = {"seq", "time", "workspace", "body", "personal", "salt", "leaf", "proof"}
RECEIPT = {"workspace", "query", "first", "last", "count", "from_prefix", "to_suffix", "checkpoint"}


def is_number(value):
    return type(value) is int and 0 <= value < 2**64


def strings(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_line(data):
    """The fields of an event or ("receipt", its fields); an exception for anything else."""
    line = fields(data.decode())
    value = {name: line[name][0] for name in line}
    if set(line) == {"receipt"}:
        receipt = value["receipt"]
        given = lambda name, check: receipt.get(name) is None or check(receipt[name])
        text = lambda value: isinstance(value, str)
        sound = set(receipt) <= RECEIPT and text(receipt["workspace"]) and is_number(receipt["count"])
        sound = sound and given("query", text) and given("checkpoint", text)
        sound = sound and given("first", is_number) and given("last", is_number)
        lists = given("from_prefix", strings) and given("to_suffix", strings)
        return ("receipt", receipt) if sound and lists else refuse(data)
    text = lambda name, needed=False: isinstance(value.get(name), str) or not needed and value.get(name) is None
    sound = set(line) <= EVENT and is_number(value["seq"]) and value["seq"] > 0 and "body" in line
    sound = sound and text("time", True) and text("workspace", True) and text("salt") and text("leaf")
    sound = sound and (value.get("proof") is None or strings(value["proof"]))
    return ("event", line) if sound else refuse(data)


def micros(text):
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?Z", text)
    try:
        seconds = datetime.datetime.fromisoformat(match[1]) - datetime.datetime(1970, 1, 1)
    except (TypeError, ValueError):
        return None
    return (seconds.days * 86400 + seconds.seconds) * 1_000_000 + int((match[2] or "0").ljust(6, "0"))


class Check:
    def __init__(self, notes, keys, until):
        self.notes, self.keys, self.until = notes, keys, until
        self.workspace = self.known = self.receipt = self.fault = self.order = self.descent = None
        self.first = self.expected = self.unsealed = self.unproven = self.root = None
        self.line = self.events = self.last = self.erased = self.sealed = self.sealed_last = self.highest = 0
        self.leaves, self.wanted_came, self.got_again = [], False, False

    def open(self, workspace):
        """Rules 1 and 2."""
        if self.known is not None:
            return
        names = {name for name, _ in self.notes}
        self.workspace, self.known, trouble = names.pop() if len(names) == 1 else workspace, {}, None
        for name, note in self.notes:
            size = (claim(note) or (0, 0))[1]
            if name != self.workspace or self.until is not None and size > self.until:
                continue
            try:
                add_note(self.known, self.workspace, note, self.keys)
            except Found as found:
                trouble = trouble or found
        if trouble:
            raise Found(trouble.kind, below(self.known, trouble.seq) + 1)

    def blame(self, kind, seq):
        self.fault = self.fault or Found(kind, seq, self.line)

    def see(self, data):
        """Rule 3."""
        self.line += 1
        if data == b"\n":
            return
        try:
            if self.receipt:
                refuse(data)
            kind, line = read_line(data)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            whole = data.endswith(b"\n") or self.receipt
            raise self.anomaly() or Found("unreadable line" if whole else "truncate", self.expected or 1, self.line)
        if kind == "receipt":
            self.open(line["workspace"])
            self.receipt = line
        else:
            self.open(line["workspace"][0])
            self.event(line)

    def event(self, line):
        self.events += 1
        seq, workspace = line["seq"][0], line["workspace"][0]
        if workspace != self.workspace:
            return self.blame("foreign event", seq)
        expected = self.expected
        self.number(seq)
        self.last = seq
        leaf = self.content(line, seq, workspace, expected)
        if leaf and not self.fault and not self.order:
            self.leaves.append(leaf)

    def content(self, line, seq, workspace, expected):
        """Rule 4. The leaf, or None."""
        value = lambda name: line.get(name, (None,))[0]
        body, raw = line["body"]
        if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in ("workspace", "commitment")):
            return self.blame("edit", seq)
        if body["workspace"] != workspace:
            return self.blame("foreign event", seq)
        time = micros(value("time"))
        if time is None:
            return self.blame("edit", seq)
        moment = time.to_bytes(8, "big", signed=True)
        hash = lambda n: sha(b"\0send0 audit leaf v1\0", workspace.encode(), n.to_bytes(8, "big"), moment, raw)
        leaf, sealed = hash(seq), value("leaf")
        if sealed is not None and unhex(sealed, 32) != leaf:
            sealed = unhex(sealed, 32)
            return self.blame(*self.mismatch(seq, expected, lambda n: sealed is not None and hash(n) == sealed))
        salt, personal = value("salt"), line.get("personal", (None, b""))
        if (salt is None) != (personal[0] is None):
            return self.blame("edit", seq)
        if salt is not None:
            bytes_of_salt = unhex(salt)
            commitment = sha(b"\1send0 audit personal v1\0", bytes_of_salt or b"", personal[1]).hex()
            if bytes_of_salt is None or commitment != body["commitment"]:
                return self.blame("edit", seq)
        root = None
        if value("proof") is not None:
            proof = [unhex(item, 32) for item in value("proof")]
            root = None if None in proof else proof_root(seq - 1, leaf, proof)
            if root is None:
                return self.blame("edit", seq)
        self.count(seq, sealed is not None, salt is None, root)
        return leaf

    def count(self, seq, sealed, erased, root):
        self.erased += erased
        if sealed and not root:
            self.unproven = self.unproven or seq
        if root:
            self.root = self.root or root
            if self.root != root:
                self.blame("edit", seq)
        if sealed:
            self.sealed, self.sealed_last = self.sealed + 1, seq
            if self.unsealed and self.unsealed < seq:
                self.blame("edit", self.unsealed)
        else:
            self.unsealed = self.unsealed or seq

    @staticmethod
    def mismatch(seq, expected, fits):
        if expected not in (None, seq):
            return "edit", expected if fits(expected) else seq
        lower = next((seq - by for by in range(1, min(64, seq - 1) + 1) if fits(seq - by)), None)
        if lower is not None:
            return "edit" if expected is None else "insert", lower
        higher = any(fits(seq + by) for by in range(1, 65) if seq + by < 2**64)
        return "delete" if expected is not None and higher else "edit", seq

    def number(self, seq):
        """Rule 5."""
        if self.first is None:
            self.first, self.expected, self.highest = seq, seq + 1, seq
            return
        if seq <= self.highest and not self.descent:
            self.descent = Found("insert" if seq == self.highest else "reorder", seq, self.line)
        self.highest = max(self.highest, seq)
        if self.order:
            self.wanted_came |= self.order[1] == seq
            self.got_again |= self.order[2] == seq
        elif seq == self.expected:
            self.expected += 1
        elif seq < self.first:
            self.order, self.wanted_came = (self.line, seq, self.first, False), True
        else:
            self.order = (self.line, self.expected, seq, seq < self.expected)

    def out_of_order(self):
        if not self.order:
            return None
        line, wanted, got, repeated = self.order
        receipt = self.receipt or {}
        first, last = receipt.get("first"), receipt.get("last")
        first, last = (1, math.inf) if first is None or last is None else (first, last)
        if repeated or not first <= got <= last or self.wanted_came and self.got_again:
            return Found("insert", got, line)
        if not first <= wanted <= last:
            return Found("insert", wanted, line)
        return Found("reorder" if self.wanted_came else "delete", wanted, line)

    def anomaly(self, order=None):
        found = [item for item in (self.fault, order or self.out_of_order()) if item]
        return min(found, key=lambda item: item.line) if found else None

    def finish(self):
        names = {name for name, _ in self.notes}
        if len(names) == 1:
            self.open(None)
        if self.known is None:
            raise Found("no checkpoint", 0)
        receipt = self.receipt
        first = max(self.first or (receipt or {}).get("first") or 1, 1)
        if receipt and receipt["workspace"] != self.workspace:
            raise Found("foreign event", first)  # 6
        if receipt and receipt.get("query") is not None:
            return self.filtered(receipt, first)
        given = [unhex(item, 32) for item in receipt.get("from_prefix") or []] if receipt else []
        fits = receipt.get("first") in (None, first) if receipt else first == 1
        fits = fits and None not in given and len(given) == bin(first - 1).count("1")
        roots, frontier, size = {}, list(given), first - 1
        if fits:
            roots[size] = root_of(frontier)
            for leaf in self.leaves:
                size = append(frontier, size, 0, leaf)
                roots[size] = root_of(frontier)
        good = first - 1
        anomaly = self.anomaly()
        end = anomaly.seq - 1 if anomaly else math.inf
        for size in sorted(set(roots) & set(self.known) if self.leaves else ()):  # 8
            if size > end:
                break
            if roots[size] != self.known[size]:
                raise Found("fork", good + 1)
            good = size
        if anomaly:
            raise anomaly
        if not receipt:
            return self.without_receipt(first, roots)
        size = self.add_receipt()
        if not self.events:
            looked_at = [receipt.get(name) for name in ("first", "last") if receipt.get(name) is not None]
            missing = looked_at if size is None else any(known >= first for known in self.known)
            if receipt["count"] or missing:
                raise Found("truncate", first)
            if size is None:
                raise Found("no checkpoint", 0)
            return self.report(0, size, None, {size})
        self.extent(receipt, first)
        self.sealing(size)
        if max(self.known) >= first - 1 and not fits:  # 12
            raise Found("fork", good + 1)
        if size >= first - 1:
            suffix = [unhex(item, 32) for item in receipt.get("to_suffix") or []]
            levels = list(pieces(self.last, size))
            if None in suffix or len(suffix) != len(levels):
                raise Found("fork", good + 1)
            at = self.last
            for level, hash in zip(levels, suffix):
                at = append(frontier, at, level, hash)
            roots[at] = root_of(frontier)
            if roots.get(size) != self.known[size]:
                raise Found("fork", good + 1)
        if size <= self.last < max(self.known):
            raise Found("truncate", self.last + 1)  # 13
        return self.report(first, size, None, set(roots))

    def without_receipt(self, first, roots):
        if first != 1:
            raise Found("delete", 1)
        if not self.known:
            raise Found("no checkpoint", 0)
        largest = max(self.known)
        if largest > self.last:
            raise Found("truncate", self.last + 1)
        return self.report(first if self.events else 0, largest, None, set(roots))

    def add_receipt(self):
        """Rule 9. The size, or None if there is no checkpoint."""
        if self.receipt.get("checkpoint") is None:
            return None
        try:
            return add_note(self.known, self.workspace, self.receipt["checkpoint"], self.keys)
        except Found as found:
            raise Found(found.kind, below(self.known, found.seq) + 1)

    def extent(self, receipt, first):
        """Rule 10."""
        whole = receipt.get("query") is None
        says = lambda name, default: default if receipt.get(name) is None else receipt[name]
        start, end, count = says("first", first), says("last", self.last), receipt["count"]
        for wrong, kind, seq in (
            (whole and start < first, "delete", start),
            (start > first, "insert", first),
            (whole and end > self.last, "truncate", self.last + 1),
            (end < self.last, "insert", end + 1),
            (count > self.events, "delete", start),
            (count < self.events, "insert", first),
        ):
            if wrong:
                raise Found(kind, seq)

    def sealing(self, size, covered=0):
        """Rule 11."""
        if size is None:
            raise Found("no checkpoint", 0)
        if self.unsealed and self.unsealed <= max(size, covered):
            raise Found("edit", self.unsealed)
        if self.sealed_last > size:
            raise Found("fork", size + 1)

    def filtered(self, receipt, first):
        """Rule 7."""
        found = [item for item in (self.fault, self.descent) if item]
        if found:
            raise min(found, key=lambda item: item.line)
        size = self.add_receipt()
        if not self.events:
            if receipt["count"]:
                raise Found("truncate", first)
            if size is None:
                raise Found("no checkpoint", 0)
            return self.report(0, size, receipt["query"], {size})
        self.extent(receipt, first)
        self.sealing(size, max(self.known, default=0))
        if self.unproven:
            raise Found("edit", self.unproven)
        if self.root and self.root != self.known[size]:
            raise Found("fork", first)
        return self.report(first, size, receipt["query"], {size})

    def report(self, first, size, query, compared):
        if self.events:
            fits = {known for known in self.known if known in compared and known >= first - 1}
            size = max((known for known in fits if known >= first), default=0)
            covered = max(min(size, self.last) + 1 - first, 0)
        else:
            fits, covered = {size}, 0
        sealed = covered if query is None else self.sealed
        proven = query is not None and sealed > 0
        counts = {"events": self.events, "sealed": sealed, "erased": self.erased, "size": size}
        outside = {"checkpoints": len(fits), "unchecked": len(self.known) - len(fits)}
        return {"workspace": self.workspace, "first": first, "last": self.last, **counts, **outside, "query": query, "proven": proven}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("export")
    arguments.add_argument("--checkpoint", required=True)
    arguments.add_argument("--public-key", required=True)
    arguments.add_argument("--until", type=int)
    given = arguments.parse_args()
    with open(given.public_key, encoding="utf-8") as file:
        keys = [read_key(line.strip()) for line in file if line.strip() and not line.startswith("#")]
    try:
        with open(given.checkpoint, "rb") as file:
            notes, skipped = read_notes(file.read())
    except (KeyError, TypeError, ValueError):
        notes = []
    if not notes:
        print(f"{given.checkpoint}: neither a signed checkpoint nor a checkpoints file", file=sys.stderr)
        sys.exit(2)
    check = Check(notes, keys, given.until)
    try:
        with sys.stdin.buffer if given.export == "-" else open(given.export, "rb") as file:
            for line in file:
                check.see(line)
        print(json.dumps({"ok": True, **check.finish(), "skipped": skipped}))
    except Found as found:
        print(json.dumps({"ok": False, "kind": found.kind, "seq": found.seq}))
        sys.exit(2 if found.kind == "no checkpoint" else 1)


if __name__ == "__main__":
    main()
