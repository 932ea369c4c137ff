"""A program that mends a refused call by what the refusal says, word for word, and by nothing else.

It reads `errors`, `hint` and members such as current_version. Of what the caller meant it takes a value only where the
refusal names the field and says what form the value must have.
"""

import re
from collections.abc import Awaitable
from typing import Any

from evals.patient import WHOLE, Ask, Attempt, Meaning, NoCure, Patient
from evals.remedies import REMEDIES

JSON = dict[str, Any]


async def mended(attempt: Attempt, problem: JSON, meaning: Meaning, ask: Ask) -> list[Attempt]:
    """Returns the calls that do what the refusal says. Raises NoCure. `ask` calls a tool that the hint names."""
    patient = Patient(attempt, problem, meaning, ask)
    errors = problem.get("errors") or [{"field": "", "message": problem.get("detail", "")}]
    for error in sorted(errors, key=lambda error: error["field"] == WHOLE):
        await _treat(patient, error["field"], f"{error['message']}. {problem.get('hint', '')}")
    return patient.calls()


async def _treat(patient: Patient, field: str, message: str) -> None:
    """Applies the first remedy whose words are in the message. Raises NoCure."""
    for pattern, remedy in REMEDIES:
        if found := re.search(pattern, message):
            outcome = remedy(patient, field, found)
            if isinstance(outcome, Awaitable):
                await outcome
            return
    raise NoCure(f"{field}: {message}")
