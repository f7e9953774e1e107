"""What the routes of monitors and experiments share: parameters and entity tags."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends, Path, Query, Request, Response
from pydantic import AfterValidator

from kullback.api.problems import problems
from kullback.api.store_requests import StoreRequests
from kullback.documents import to_json
from kullback.errors import FieldError, InvalidInput
from kullback.payload.identifiers import A_NAME, NAME, is_name
from kullback.payload.media import JSON
from kullback.scoring.screening import OnInvalid

WRITES = problems(400, 404, 409, 413, 415, 422, 503)
READS = problems(404, 422, 503)
MOMENT = "RFC 3339 or epoch seconds; without an offset only where the monitor has a timezone."
TAGGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed"}, **READS}


def _new_name(name: str) -> str:
    if not is_name(name):
        raise InvalidInput(f"the name is not one: {A_NAME}", [FieldError("/path/name", A_NAME)])
    return name


Name = Annotated[str, Path(description="Name that it was set up with.")]
NewName = Annotated[
    str,
    Path(description="Name, chosen by the caller.", json_schema_extra={"pattern": NAME}),
    AfterValidator(_new_name),
]
By = Annotated[str | None, Query(description="Slice to report by.")]
From = Annotated[str | None, Query(alias="from", description=f"Start: {MOMENT}")]
To = Annotated[str | None, Query(alias="to", description=f"End, exclusive: {MOMENT}")]


def screening_options(
    on_invalid: Annotated[
        OnInvalid | None,
        Query(
            description=(
                "error: a bad row refuses the batch. drop: it is left out and named, and the "
                "others are kept."
            )
        ),
    ] = None,
) -> None:
    """Options of a batch of which bad rows may be left out: they are read with its body."""
    del on_invalid


def label_options(
    on_duplicate: Annotated[
        Literal["ignore", "correct"] | None,
        Query(description="What a label does whose id has one already: nothing, or it replaces."),
    ] = None,
) -> None:
    """Options of a batch of labels: they are read with its body."""
    del on_duplicate


SCREENED = [Depends(screening_options)]
LABELS = [*SCREENED, Depends(label_options)]


async def check_parameters(request: Request) -> None:
    """Refuse parameters of the query that the route does not have, or that stand twice."""
    dependant = request.scope["route"].dependant
    parts = (dependant, *dependant.dependencies)
    names = {field.alias for part in parts for field in part.query_params}
    given: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in names or name in given:
            detail = "stands twice" if name in given else "there is no such parameter"
            raise InvalidInput.at(detail, name)
        given.add(name)


class TaggedAnswer(NamedTuple):
    """An entity tag, and what makes the answer that it stands for.

    The tag comes first: if something is added in between, the next one to ask gets it again.
    """

    etag: str
    render: Callable[[], Response]


async def tagged(
    store_requests: StoreRequests,
    request: Request,
    select: Callable[[], TaggedAnswer],
    vary: str | None = None,
) -> Response:
    """The answer, unless the caller has it already; `vary` names the header it depends on.

    It is made once for all who ask for it meanwhile.
    """
    answer = await store_requests.read(request, select)
    headers = {"etag": answer.etag, "cache-control": "no-cache"}
    headers |= {} if vary is None else {"vary": vary}
    if has_tag(request, answer.etag):
        return Response(status_code=304, headers=headers)

    def work() -> Response:
        response = answer.render()
        response.headers.update(headers)
        return response

    given = [] if vary is None else request.headers.getlist(vary) or ["*/*"]  # unsaid is the same
    return await store_requests.read_once(request, (str(request.url), answer.etag, *given), work)


def has_tag(request: Request, tag: str) -> bool:
    """Whether the caller has the answer that the tag stands for."""
    cached = ",".join(request.headers.getlist("if-none-match")).split(",")
    return not {tag.removeprefix("W/"), "*"}.isdisjoint(
        part.strip().removeprefix("W/") for part in cached
    )


def as_json(document: object) -> Response:
    """A document as a response."""
    return Response(to_json(document), media_type=JSON)
