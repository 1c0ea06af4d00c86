"""Eight numbers at once: the processor's vector registers, as compiled functions see them.

``+ - * /`` of two `lanes` work on all eight, `fused` multiplies and adds in one go. A loop
over the columns of an ROI takes eight pixels a step, so that one compiled function serves ROIs
of every size; numba's own vectoriser needs to know the size in advance.
"""

from __future__ import annotations

import operator
from typing import Any, ClassVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 8

_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)


instruction: Any = intrinsic  # untyped: it hides the first of the arguments


class Lanes(types.Type):
    """Type of eight float64 in one register."""

    def __init__(self) -> None:
        super().__init__("lanes")


lanes = Lanes()


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)


@infer_global(operator.add)
@infer_global(operator.sub)
@infer_global(operator.mul)
@infer_global(operator.truediv)
class _Operator(ConcreteTemplate):
    cases: ClassVar = [signature(lanes, lanes, lanes)]


@lower_builtin(operator.add, lanes, lanes)
def _add(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fadd(*args)


@lower_builtin(operator.sub, lanes, lanes)
def _subtract(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fsub(*args)


@lower_builtin(operator.mul, lanes, lanes)
def _multiply(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fmul(*args)


@lower_builtin(operator.truediv, lanes, lanes)
def _divide(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fdiv(*args)


@instruction
def load(_: Any, array: Any, index: Any) -> Any:
    """Eight numbers of a flat float64 array from ``index`` on. Nothing checks the bounds."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, sig, args), align=8)

    return lanes(array, index), generate


@instruction
def store(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Write eight numbers to a flat float64 array. Nothing checks the bounds."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, sig, args), align=8)
        return context.get_dummy_value()

    return types.void(array, index, lanes), generate


@instruction
def splat(_: Any, number: Any) -> Any:
    """One number eight times."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = context.cast(builder, args[0], sig.args[0], types.float64)
        blank = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(blank, value, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, blank, _mask([0] * WIDTH))

    return lanes(number), generate


@instruction
def fused(_: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once where the processor can.

    Where it is to be is said here. Left to the compiler, it depends on what else
    a function was compiled with, and the last digit of a result on whether the function was
    compiled just now or taken from the cache.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        name = f"llvm.fmuladd.v{WIDTH}f64"
        of = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, of, name), args)

    return lanes(lanes, lanes, lanes), generate


@instruction
def larger(_: Any, a: Any, b: Any) -> Any:
    """The larger of each two."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return lanes(lanes, lanes), generate


@instruction
def quotient(_: Any, a: Any, b: Any) -> Any:
    """``a / b`` to single precision, in a third of the time."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        short = ir.VectorType(ir.FloatType(), WIDTH)
        return builder.fpext(builder.fdiv(*(builder.fptrunc(x, short) for x in args)), _VECTOR)

    return lanes(lanes, lanes), generate


@instruction
def totals(_: Any, array: Any, index: Any) -> Any:
    """Sums of eight consecutive `lanes` of a flat array, as one."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(context, builder, sig, args)
        rows = [builder.gep(place, [ir.Constant(ir.IntType(32), i)]) for i in range(WIDTH)]
        terms = [builder.load(row, align=8) for row in rows]
        for step in (1, 2, 4):  # lanes summed by now
            low = [i + (WIDTH if i & step else 0) - (i & step) for i in range(WIDTH)]
            high = [i + step for i in low]
            pairs = zip(terms[::2], terms[1::2], strict=True)
            terms = [
                builder.fadd(
                    builder.shuffle_vector(a, b, _mask(low)),
                    builder.shuffle_vector(a, b, _mask(high)),
                )
                for a, b in pairs
            ]
        return terms[0]

    return lanes(array, index), generate


def _place(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Where in memory the lanes at an index of an array are."""
    view = context.make_array(sig.args[0])(context, builder, args[0])
    index = context.cast(builder, args[1], sig.args[1], types.intp)
    return builder.bitcast(cgutils.gep_inbounds(builder, view.data, index), _VECTOR.as_pointer())


def _mask(order: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), order)
