"""How an alert is put: whom it is about, and the labels and annotations that all have."""

from caulk.alerting.rule import Rule
from caulk.alerting.rules.thresholds import span

#: The pod, the workload of `caulk watch`, or the instance; then the container and the worker, where there are such.
WHO = (
    "{{ with $labels.pod }}{{ . }}{{ else }}{{ with $labels.workload }}{{ . }}{{ else }}{{ $labels.instance }}{{ end }}"
    "{{ end }}{{ with $labels.container }}/{{ . }}{{ end }}{{ with $labels.worker }} (worker {{ . }}){{ end }}"
)
BYTES = "{{ $value | humanize1024 }}B"
COMPONENT = "memory-leak-detection"


def alert(name: str, expr: str, wait: int, severity: str, summary: str, *, then: str, **labels: str) -> Rule:
    """An alert that fires once `expr` has held for `wait` seconds; `then` is what to do.

    `labels` tell those of one name apart.
    """
    return Rule(
        name,
        expr,
        is_alert=True,
        lasting=span(wait),
        labels={"severity": severity, "component": COMPONENT} | labels,
        annotations={"summary": summary, "description": then},
    )
