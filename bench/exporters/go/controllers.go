package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// A controller over ConfigMaps that only looks, fails now and then and asks to be called again.
func controllers() http.Handler {
	ctrl.SetLogger(zap.New())
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{Metrics: server.Options{BindAddress: "0"}})
	if err != nil {
		log.Fatal(err)
	}
	var calls atomic.Int64
	reconcile := func(context.Context, ctrl.Request) (ctrl.Result, error) {
		time.Sleep(5 * time.Millisecond)
		if calls.Add(1)%7 == 0 {
			return ctrl.Result{}, errors.New("not yet")
		}
		return ctrl.Result{RequeueAfter: 200 * time.Millisecond}, nil
	}
	err = ctrl.NewControllerManagedBy(manager).Named("configmap").For(&corev1.ConfigMap{}).Complete(reconciler(reconcile))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(manager.Start(context.Background())) }()
	return promhttp.HandlerFor(metrics.Registry, promhttp.HandlerOpts{})
}

type reconciler func(context.Context, ctrl.Request) (ctrl.Result, error)

func (r reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) { return r(ctx, request) }
