"""Allocates below some 16,000 different stacks, and keeps all of it."""


def make(number: int, depth: int) -> object:
    return left(number, depth) if number & 1 else right(number, depth)


def left(number: int, depth: int) -> object:
    return make(number >> 1, depth - 1) if depth else bytearray(1024 + number % 3000)


def right(number: int, depth: int) -> object:
    return make(number >> 1, depth - 1) if depth else [number] * (200 + number % 300)


keep = [make(number, 14) for number in range(60_000)]
