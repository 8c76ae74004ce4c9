"""What is said of requests without an answer."""

from __future__ import annotations

from data.pictures.decoding import SizeError
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.items import BAD_INPUT
from tasks.engine.members import RunError
from tasks.engine.terminal import sentence


class RefusedError(Exception):
    """A request that is refused.

    Attributes:
        status: Status of HTTP, 400 or above.
        code: A word for programs.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}

    def state(self) -> JsonObject:
        """Return what is sent."""
        return {"error": {"code": self.code, "message": str(self)}}


def refusal(error: Exception) -> RefusedError:
    """Return what is said of an input that has no answer; what is not its fault is told in no detail."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, RunError):
        return RefusedError(503, "run", "The run that should answer is damaged.")
    if isinstance(error, SizeError):
        return RefusedError(422, "input", f"{error.fact}, more than this server reads.")
    if isinstance(error, (*BAD_INPUT, SettingError)):
        return RefusedError(422, "setting" if isinstance(error, SettingError) else "input", sentence(error))
    return RefusedError(503, "failed", "There is no answer to this input; the log of the server has the kind of error.")
