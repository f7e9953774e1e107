"""A batch of rows, from bytes of any type to a checked request."""

from kullback.errors import InvalidInput, KullbackError
from kullback.payload import ndjson
from kullback.payload.body import Body, decompressed
from kullback.payload.media import LINES
from kullback.payload.read import Query, batch_fields
from kullback.payload.room import inflation_limit
from kullback.requests.validation import Model, array_fields, validated


def read_batch(body: Body, query: Query, model: type[Model], cap: int) -> Model:
    """A checked request that has no options beside its body, whatever the body's type.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is missing, unknown or not of its kind, or there are options.
    """
    if query:
        raise InvalidInput.at("there are no options here", query[0][0])
    cap = inflation_limit(len(body.raw), cap)
    raw, columns = decompressed(body, cap), array_fields(model)
    try:
        return validated(model, batch_fields(raw, body.media_type, columns, cap))
    except KullbackError as error:
        if body.media_type in LINES:
            raise ndjson.placed(error, raw, columns) from error
        raise
