"""Sums of products and changes of weights in 16 bits, in vectors that compilers do not find by themselves.

``places`` says where in ``weights`` each of ``count`` rows begins, ``factors`` (int16) by what it is multiplied. A call
works on a stretch of every row, 64 weights or 128, whose sums or factors stay in registers. Weights in int32 compile,
but are never passed.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import FEATURES, part

__all__ = ["LANES", "WIDTH", "add_rows", "dot_rows", "learn_rows"]

LANES = 32
"""Weights of a vector of 512 bits."""
WIDTH = 4 * LANES
"""Weights of the longer stretch; so many may be read, and zeros be added to, behind those that are meant."""
SHORT, INT, LONG = (ir.IntType(bits) for bits in (16, 32, 64))
SHORTS, INTS, HALVED = ir.VectorType(SHORT, LANES), ir.VectorType(INT, LANES), ir.VectorType(INT, LANES // 2)
AVX512 = "+avx512bw" in FEATURES.split(",")
LOW = [8 * j + i + LANES * k for j in range(4) for i in range(4) for k in range(2)]
"""The lanes of two vectors that x86 interleaves with one instruction; those 4 further on are the other half."""


class _Code:
    """What the intrinsics below emit; arrays are given by the data pointers of ``signature``'s arguments."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.b = builder
        self.given = [context.make_array(kind)(context, builder, a).data if isinstance(kind, types.Array) else a
                      for kind, a in zip(signature.args, arguments)]

    def value(self, array: Any, index: Any) -> Any:
        return self.b.load(self.b.gep(array, [index]))

    def vector(self, array: Any, index: Any, lanes: int = LANES) -> Any:
        """A vector of int16 from an array."""
        at = self.b.gep(array, [index])
        kind = ir.VectorType(at.type.pointee, lanes)
        found = self.b.load(self.b.bitcast(at, kind.as_pointer()), align=2)
        return found if at.type.pointee == SHORT else self.b.trunc(found, ir.VectorType(SHORT, lanes))

    def put(self, value: Any, array: Any, index: Any) -> None:
        """Write a vector, in the wider type of the array where that is wider."""
        at = self.b.gep(array, [index])
        kind = ir.VectorType(at.type.pointee, value.type.count)
        value = value if kind == value.type else self.b.sext(value, kind)
        self.b.store(value, self.b.bitcast(at, kind.as_pointer()), align=2)

    def row(self, places: Any, first: Any, k: Any, begin: Any) -> Any:
        """Where row k has its weight ``begin``."""
        return self.b.add(begin, self.value(places, self.b.add(first, k)))

    def splat(self, value: Any, lanes: int = LANES) -> Any:
        kind = ir.VectorType(value.type, lanes)
        one = self.b.insert_element(kind(ir.Undefined), value, INT(0))
        return self.b.shuffle_vector(one, kind(ir.Undefined), ir.VectorType(INT, lanes)([0] * lanes))

    def pick(self, x: Any, y: Any, lanes: list[int]) -> Any:
        return self.b.shuffle_vector(x, y, ir.VectorType(INT, len(lanes))(lanes))

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [a.type for a in arguments])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), arguments)

    def products(self, p: Any, q: Any, f: Any, g: Any) -> list[Any]:
        """``p f + q g`` of int16 in two vectors of int32, lanes as ``joined`` expects them."""
        if AVX512:
            pair = self.b.or_(self.b.zext(f, INT), self.b.shl(self.b.zext(g, INT), INT(16)))
            factors = self.b.bitcast(self.splat(pair, LANES // 2), SHORTS)
            return [self.pairs(self.pick(p, q, [i + 4 * k for i in LOW]), factors) for k in range(2)]
        wide = [self.b.mul(self.b.sext(x, INTS), self.splat(self.b.sext(y, INT))) for x, y in ((p, f), (q, g))]
        both = self.b.add(*wide)
        return [self.pick(both, both, list(range(k, k + LANES // 2))) for k in (0, LANES // 2)]

    def pairs(self, x: Any, y: Any) -> Any:
        """Products of int16 added in pairs, in half as many int32."""
        if AVX512:
            return self.call("llvm.x86.avx512.pmaddw.d.512", HALVED, x, y)
        products = self.b.mul(self.b.sext(x, INTS), self.b.sext(y, INTS))
        return self.b.add(*(self.pick(products, products, list(range(k, k + LANES // 2))) for k in (0, LANES // 2)))

    def joined(self, low: Any, high: Any) -> Any:
        order = [4 * j + i + LANES // 2 * k for j in range(4) for k in range(2) for i in range(4)]
        return self.pick(low, high, order if AVX512 else list(range(LANES)))

    def scaled(self, x: Any, y: Any) -> Any:
        """``floor(x y / 2**15 + 1/2)``."""
        if AVX512:
            return self.call("llvm.x86.avx512.pmul.hr.sw.512", SHORTS, x, y)
        one = self.splat(INT(1))
        product = self.b.ashr(self.b.mul(self.b.sext(x, INTS), self.b.sext(y, INTS)), self.splat(INT(14)))
        return self.b.trunc(self.b.ashr(self.b.add(product, one), one), SHORTS)


def _adder(vectors: int) -> Any:
    """``add_rows`` on a stretch of ``vectors``."""

    @intrinsic
    def add(typing, weights, base, places, first, factors, count, total, at):
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            c = _Code(context, builder, signature, arguments)
            weights, base, places, first, factors, count, total, at = c.given
            sums = [cgutils.alloca_once_value(builder, HALVED([0] * (LANES // 2))) for _ in range(2 * vectors)]
            begin, last = builder.add(base, at), builder.sub(count, LONG(1))
            with cgutils.for_range_slice(builder, LONG(0), count, LONG(2), LONG) as (k, _):
                following = builder.add(k, LONG(1))
                second = builder.select(builder.icmp_signed("<", k, last), following, k)
                rows = [c.row(places, first, n, begin) for n in (k, second)]
                f, g = c.value(factors, k), c.value(factors, following)
                for v in range(vectors):
                    p, q = (c.vector(weights, builder.add(row, LONG(v * LANES))) for row in rows)
                    for kept, product in zip(sums[2 * v:], c.products(p, q, f, g)):
                        builder.store(builder.add(builder.load(kept), product), kept)
            for v in range(vectors):
                low, high = (builder.load(kept) for kept in sums[2 * v:2 * v + 2])
                c.put(c.joined(low, high), total, builder.add(at, LONG(v * LANES)))
            return context.get_dummy_value()
        long = types.int64
        return types.void(weights, long, places, long, factors, long, total, long), build

    return add


def _learner(vectors: int, bounded: bool) -> Any:
    """``learn_rows`` on a stretch of ``vectors``; not ``bounded``: the weights have 16 bits."""

    @intrinsic
    def learn(typing, weights, base, places, first, factors, count, vector, at, lo, hi):
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            c = _Code(context, builder, signature, arguments)
            weights, base, places, first, factors, count, vector, at, lo, hi = c.given
            begin, least, most = builder.add(base, at), c.splat(lo), c.splat(hi)
            fixed = [c.vector(vector, builder.add(at, LONG(v * LANES))) for v in range(vectors)]
            clips = [cgutils.alloca_once_value(builder, SHORTS([0] * LANES)) for _ in range(vectors)]
            with cgutils.for_range(builder, count, intp=LONG) as loop:
                row, factor = c.row(places, first, loop.index, begin), c.splat(c.value(factors, loop.index))
                for v in range(vectors):
                    place = builder.add(row, LONG(v * LANES))
                    old, change = c.vector(weights, place), c.scaled(fixed[v], factor)
                    new = c.call(f"llvm.sadd.sat.v{LANES}i16", SHORTS, old, change)
                    if bounded:
                        new = c.call(f"llvm.smin.v{LANES}i16", SHORTS, new, most)
                        new = c.call(f"llvm.smax.v{LANES}i16", SHORTS, new, least)
                    clipped = builder.icmp_signed("!=", new, builder.add(old, change))
                    builder.store(builder.sub(builder.load(clips[v]), builder.sext(clipped, SHORTS)), clips[v])
                    c.put(new, weights, place)
            total = INTS([0] * LANES)
            for v in range(vectors):
                total = builder.add(total, builder.sext(builder.load(clips[v]), INTS))
            return builder.sext(c.call(f"llvm.vector.reduce.add.v{LANES}i32", INT, total), LONG)
        long, short = types.int64, types.int16
        return long(weights, long, places, long, factors, long, vector, long, short, short), build

    return learn


_add, _add_short = _adder(4), _adder(2)
_learn, _learn_short, _learn_bounded = _learner(4, False), _learner(2, False), _learner(2, True)
LEAST, MOST = -(1 << 15), (1 << 15) - 1
"""The ends of int16."""


@part
def add_rows(weights, base, places, first, factors, count, total, width):
    """``total[i] = sum of weights[base + i + places[first + k]] factors[k]`` over k, in int32, for i below ``width``.

    ``factors[count]`` is zero.
    """
    at = 0
    while at + WIDTH // 2 < width:
        _add(weights, base, places, first, factors, count, total, at)
        at += WIDTH
    if at < width:
        _add_short(weights, base, places, first, factors, count, total, at)


@part
def learn_rows(weights, base, places, first, factors, count, vector, width, lo, hi):
    """``w = sat(w + floor(vector[i] factors[k] / 2**15 + 1/2))`` of the weights of ``add_rows``; ``vector`` is zero
    from ``width`` on. Returns the clips; ``count`` fits int16."""
    at, clips, least, most = 0, 0, np.int16(lo), np.int16(hi)
    if lo != LEAST or hi != MOST:
        while at < width:
            clips += _learn_bounded(weights, base, places, first, factors, count, vector, at, least, most)
            at += WIDTH // 2
        return clips
    while at + WIDTH // 2 < width:
        clips += _learn(weights, base, places, first, factors, count, vector, at, least, most)
        at += WIDTH
    if at < width:
        clips += _learn_short(weights, base, places, first, factors, count, vector, at, least, most)
    return clips


@intrinsic
def dot_rows(typing, weights, places, first, count, vector, start, lanes, sums):
    """``sums[k] = sum of weights[places[first + k] + i] vector[start + i]`` in int32 for i below ``lanes``, a multiple
    of 32; ``sums`` of up to three rows more are overwritten."""
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        c = _Code(context, builder, signature, arguments)
        weights, places, first, count, vector, start, lanes, sums = c.given
        last = builder.sub(count, LONG(1))
        with cgutils.for_range_slice(builder, LONG(0), count, LONG(4), LONG) as (k, _):
            rows = [builder.add(k, LONG(n)) for n in range(4)]
            rows = [builder.select(builder.icmp_signed("<", row, last), row, last) for row in rows]
            begins = [c.row(places, first, row, LONG(0)) for row in rows]
            totals = [cgutils.alloca_once(builder, HALVED) for _ in rows]
            for kept in totals:
                builder.store(HALVED([0] * (LANES // 2)), kept)
            with cgutils.for_range_slice(builder, LONG(0), lanes, LONG(LANES), LONG) as (i, _):
                x = c.vector(vector, builder.add(start, i))
                for kept, begin in zip(totals, begins):
                    builder.store(builder.add(builder.load(kept), c.pairs(c.vector(weights, builder.add(begin, i)), x)),
                                  kept)
            found = ir.VectorType(INT, 4)(ir.Undefined)
            for n, kept in enumerate(totals):
                total = c.call(f"llvm.vector.reduce.add.v{LANES // 2}i32", INT, builder.load(kept))
                found = builder.insert_element(found, total, INT(n))
            c.put(found, sums, k)
        return context.get_dummy_value()
    long = types.int64
    return types.void(weights, places, long, long, vector, long, long, sums), build
