module caulk/bench/exporters/kube-state-metrics

go 1.23.0

require k8s.io/kube-state-metrics/v2 v2.15.0
