// Serves what real Go exporters expose, one path each, for recording: the Go runtime (/go), go-http-metrics (/http), a
// component's own metrics (/component) and, where KUBECONFIG leads to a cluster, controller-runtime (/controllers).
package main

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	httpmetrics "github.com/slok/go-http-metrics/metrics/prometheus"
	"github.com/slok/go-http-metrics/middleware"
	"github.com/slok/go-http-metrics/middleware/std"
)

var held [][]byte // What the program keeps: the heap panels must have something to show.

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: exporters ADDRESS")
	}
	mux := http.NewServeMux()
	mux.Handle("/go", promhttp.Handler())
	mux.Handle("/http", httpAPI())
	mux.Handle("/component", component())
	if os.Getenv("KUBECONFIG") != "" {
		mux.Handle("/controllers", controllers())
	}
	for range 200 {
		held = append(held, make([]byte, 64<<10))
	}
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}

// A server measured by go-http-metrics that answers 200, 404 and 500; its label names are that library's defaults.
func httpAPI() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	measured := middleware.New(middleware.Config{
		Service:  "api",
		Recorder: httpmetrics.NewRecorder(httpmetrics.Config{Registry: registry}),
	})
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, "tickets")
		}
	})
	server := httptest.NewServer(std.Handler("", measured, answer))
	for _, path := range []string{"/tickets", "/tickets", "/tickets", "/missing", "/broken"} {
		for range 20 {
			response, err := http.Get(server.URL + path)
			if err != nil {
				log.Fatal(err)
			}
			response.Body.Close()
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// What Weave GitOps Enterprise's recorders register for a component (pkg/query/*/metrics/recorder.go): latency by action
// and status with linear buckets from 10 ms, requests in flight, and a gauge of states.
func component() http.Handler {
	registry := prometheus.NewRegistry()
	for _, prefix := range []string{"datastore", "indexer", "objects_cleaner"} {
		latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "_latency_seconds", Help: prefix + " latency", Buckets: prometheus.LinearBuckets(0.01, 0.01, 10),
		}, []string{"action", "status"})
		inflight := prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "_inflight_requests", Help: "number of " + prefix + " in-flight requests",
		}, []string{"action"})
		registry.MustRegister(latency, inflight)
		measure := func(action string, err error) {
			status := "success"
			if err != nil {
				status = "error"
			}
			inflight.WithLabelValues(action).Add(1)
			defer inflight.WithLabelValues(action).Add(-1)
			latency.WithLabelValues(action, status).Observe(0.034)
		}
		for range 30 {
			measure("StoreObjects", nil)
			measure("GetObjects", nil)
		}
		measure("GetObjects", errors.New("gone"))
	}
	for _, name := range []string{"collector_cluster_watcher", "objects_cleaner_status"} {
		label := "collector"
		if name == "objects_cleaner_status" {
			label = "cleaner"
		}
		states := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "number of active " + name}, []string{label, "status"})
		registry.MustRegister(states)
		states.WithLabelValues("objects", "started").Set(2)
		states.WithLabelValues("objects", "failed").Set(0)
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
