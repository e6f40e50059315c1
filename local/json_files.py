"""JSON files that people edit, read into models, with one clear sentence for what is wrong with them."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from local.errors import CannotStart


def read_json[Model: BaseModel](path: Path, model: type[Model]) -> Model:
    """
    Read a file.

    Raises CannotStart that names the file and the first thing that is wrong in it.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise CannotStart(f"{path} is broken: {place + ': ' if place else ''}{first['msg']}.") from error
