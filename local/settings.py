"""The settings file of Azure Functions, `local.settings.json`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, StrictStr
from pydantic.alias_generators import to_pascal

from local.json_files import read_json

EXAMPLE = Path(__file__).parents[1] / "local.settings.example.json"
"""The settings that fit the local stack as it is."""


class HostSettings(BaseModel):
    """What the host itself is told: `cors` is `*`, or origins separated by commas."""

    model_config = ConfigDict(alias_generator=lambda name: name.upper(), frozen=True)

    cors: str = ""

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may call the functions."""
        return frozenset(filter(None, (origin.strip() for origin in self.cors.split(","))))


class Settings(BaseModel):
    """`values` are the application settings, which the app finds in its environment."""

    model_config = ConfigDict(alias_generator=to_pascal, frozen=True)

    values: dict[str, StrictStr] = Field(default_factory=dict)
    host: HostSettings = HostSettings()


def read_settings(path: Path) -> Settings:
    """Read the settings; raise CannotStart when they are missing or broken."""
    return read_json(path, Settings)
