"""Rules for Prometheus: those that caulk writes, what is wrong with those that others wrote, and what each catches."""

from caulk.model.errors import UsageError

try:
    import promql_parser  # noqa: F401 - said here, once for all that is in this package
    import yaml  # noqa: F401
except ImportError as error:
    raise UsageError(f"rules need {error.name}, which is not installed", hint="pip install 'caulk[rules]'") from None
