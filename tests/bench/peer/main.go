// The peer: what an experienced Go programmer would write for the core of this task with controller-runtime's
// defaults. It reads one Ingress, writes one variable and one status; it discovers, verifies and diagnoses nothing.
package main

import (
	"context"
	"flag"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	byRoute    = "spec.route.ref.name"
	byWorkload = "spec.workload.ref.name"
)

func main() {
	workers := flag.Int("workers", 4, "how many apps are reconciled at a time")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler(), *workers); err != nil {
		ctrl.Log.Error(err, "stopped")
		os.Exit(1)
	}
}

func run(ctx context.Context, workers int) error {
	scheme := clientscheme.Scheme
	scheme.AddKnownTypes(groupVersion, &ChainlitApp{}, &ChainlitAppList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: scheme, Metrics: server.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	for index, name := range map[string]func(*ChainlitApp) string{
		byRoute:    func(app *ChainlitApp) string { return app.Spec.Route.Ref.Name },
		byWorkload: func(app *ChainlitApp) string { return app.Spec.Workload.Ref.Name },
	} {
		extract := func(object client.Object) []string { return []string{name(object.(*ChainlitApp))} }
		if err := mgr.GetFieldIndexer().IndexField(ctx, &ChainlitApp{}, index, extract); err != nil {
			return err
		}
	}
	aligner := &Aligner{mgr.GetClient()}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&ChainlitApp{}).
		Watches(&networkingv1.Ingress{}, aligner.named(byRoute)).
		Watches(&appsv1.Deployment{}, aligner.named(byWorkload)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(aligner)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}
