"""Methods of resources, written once as flows: bound to what blocks, and to what awaits."""

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_args

from .exchange import Flow
from .transport import AwaitingTransport, BlockingTransport

C = TypeVar("C")
P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Generic[C]):
    """A resource whose methods return when the answer is there."""

    def __init__(self, transport: BlockingTransport, calls: C) -> None:
        self._transport = transport
        self._calls = calls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.connection!r})"


class Awaiting(Generic[C]):
    """A resource whose methods are awaited."""

    def __init__(self, transport: AwaitingTransport, calls: C) -> None:
        self._transport = transport
        self._calls = calls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.connection!r})"


def blocking(
    flow: Callable[Concatenate[C, P], Flow[T]],
) -> Callable[Concatenate[Blocking[C], P], T]:
    """The method that runs a flow and returns what it does."""

    @wraps(flow)
    def method(self: Blocking[C], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._transport.run(flow(self._calls, *args, **kwargs))

    _sign(method, flow)
    return method


def awaiting(
    flow: Callable[Concatenate[C, P], Flow[T]],
) -> Callable[Concatenate[Awaiting[C], P], Coroutine[Any, Any, T]]:
    """The method that awaits a flow and returns what it does."""

    @wraps(flow)
    async def method(self: Awaiting[C], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._transport.run(flow(self._calls, *args, **kwargs))

    _sign(method, flow)
    return method


def _sign(method: Any, flow: Callable[..., Any]) -> None:  # noqa: ANN401 - whatever is called
    """Let a method show its signature: with the answer in place of the flow."""
    signature = inspect.signature(flow)
    (*_, answer) = get_args(signature.return_annotation)
    method.__signature__ = signature.replace(return_annotation=answer)
