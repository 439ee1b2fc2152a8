"""Ed25519 signatures, RFC 8032 section 5.1, to be checked only; no secret is ever handled here.

Strict: A and R have one encoding each, S is below the group's order, and the equation is the one
without the cofactor: the encoding of [S]B - [k]A must be R, byte for byte.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)  # points are (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(p):
    a = p[0] * p[0] % P
    b = p[1] * p[1] % P
    c = 2 * p[2] * p[2] % P
    h = a + b
    e = h - (p[0] + p[1]) ** 2 % P
    g = a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def negative(p):
    return P - p[0], p[1], p[2], P - p[3]


def decode(raw):
    """The point of 32 bytes, section 5.1.3, or None."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == P - u and u != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P != 0:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def multiples(p):
    """0p to 15p."""
    table = [ZERO]
    for _ in range(15):
        table.append(add(table[-1], p))
    return table


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
BASE_MULTIPLES = multiples(BASE)


def sum_of(s, k, table):
    """[s]B + [k]Q, with the multiples of Q; four bits of both at a time."""
    r = ZERO
    for shift in range(252, -1, -4):
        r = double(double(double(double(r))))
        r = add(r, BASE_MULTIPLES[s >> shift & 15])
        r = add(r, table[k >> shift & 15])
    return r


def verify(public, message, signature):
    """Whether the 64 bytes are the signature of the message by the key of 32 bytes."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, s = decode(public), int.from_bytes(signature[32:], "little")
    if a is None or decode(signature[:32]) is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return encode(sum_of(s, k, multiples(negative(a)))) == signature[:32]


def public_of(seed):
    """The public key of a seed; for the self-test, whose seeds are no secrets."""
    a = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    a = a & (1 << 254) - 8 | 1 << 254
    return encode(sum_of(a % ORDER, 0, [ZERO] * 16))
