"""Every dashboard there is; to add one, add its module and a line."""

from caulk.dashboards import (
    captures,
    component,
    controllers,
    django,
    envoy,
    flux,
    go,
    http_api,
    jvm,
    kubernetes,
    node,
    overview,
)
from caulk.dashboards.panel import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (
    overview.DASHBOARD,
    kubernetes.DASHBOARD,
    captures.DASHBOARD,
    go.DASHBOARD,
    http_api.DASHBOARD,
    controllers.DASHBOARD,
    component.DASHBOARD,
    flux.DASHBOARD,
    jvm.DASHBOARD,
    node.DASHBOARD,
    django.DASHBOARD,
    envoy.DASHBOARD,
)
