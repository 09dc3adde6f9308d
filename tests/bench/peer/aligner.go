package main

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	container = "chainlit"
	manager   = client.FieldOwner("chainlit-operator")
	variable  = "CHAINLIT_ROOT_PATH"
)

// Aligner sets the variable of a Deployment to the path of an Ingress and says so in the ChainlitApp's status.
type Aligner struct {
	client.Client
}

func (a *Aligner) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	app := &ChainlitApp{}
	if err := a.Get(ctx, request.NamespacedName, app); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	path, reason, err := a.align(ctx, app)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, a.tell(ctx, app, path, reason)
}

// align returns the path that the Deployment now has and the reason for the condition.
func (a *Aligner) align(ctx context.Context, app *ChainlitApp) (string, string, error) {
	ingress := &networkingv1.Ingress{}
	key := client.ObjectKey{Namespace: app.Namespace, Name: app.Spec.Route.Ref.Name}
	if err := a.Get(ctx, key, ingress); errors.IsNotFound(err) {
		return app.Status.RootPath, "RouteNotFound", nil
	} else if err != nil {
		return "", "", err
	}
	deployment := &appsv1.Deployment{}
	key.Name = app.Spec.Workload.Ref.Name
	if err := a.Get(ctx, key, deployment); errors.IsNotFound(err) {
		return app.Status.RootPath, "WorkloadNotFound", nil
	} else if err != nil {
		return "", "", err
	}
	path := pathOf(ingress)
	if has(deployment, path) {
		return path, "Aligned", nil
	}
	env := applycore.EnvVar().WithName(variable).WithValue(path)
	pod := applycore.PodSpec().WithContainers(applycore.Container().WithName(container).WithEnv(env))
	spec := applyapps.DeploymentSpec().WithTemplate(applycore.PodTemplateSpec().WithSpec(pod))
	wanted := applyapps.Deployment(deployment.Name, deployment.Namespace).WithSpec(spec)
	return path, "Aligned", a.Apply(ctx, wanted, manager, client.ForceOwnership)
}

func (a *Aligner) tell(ctx context.Context, app *ChainlitApp, path, reason string) error {
	before := app.copied()
	status := metav1.ConditionFalse
	if reason == "Aligned" {
		status = metav1.ConditionTrue
	}
	changed := meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type: "Aligned", Status: status, Reason: reason, ObservedGeneration: app.Generation,
	})
	app.Status.RootPath, app.Status.ObservedGeneration = path, app.Generation
	if !changed && path == before.Status.RootPath && app.Generation == before.Status.ObservedGeneration {
		return nil
	}
	return a.Status().Patch(ctx, app, client.MergeFrom(&before), manager)
}

func pathOf(ingress *networkingv1.Ingress) string {
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP != nil && len(rule.HTTP.Paths) > 0 {
			return strings.TrimRight(rule.HTTP.Paths[0].Path, "/")
		}
	}
	return ""
}

func has(deployment *appsv1.Deployment, path string) bool {
	for _, c := range deployment.Spec.Template.Spec.Containers {
		if c.Name != container {
			continue
		}
		for _, env := range c.Env {
			if env.Name == variable {
				return env.ValueFrom == nil && env.Value == path
			}
		}
	}
	return false
}

// named maps an object to the apps that an index finds by its name.
func (a *Aligner) named(index string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		apps := &ChainlitAppList{}
		where := client.InNamespace(object.GetNamespace())
		if err := a.List(ctx, apps, where, client.MatchingFields{index: object.GetName()}); err != nil {
			return nil
		}
		var requests []reconcile.Request
		for i := range apps.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&apps.Items[i])})
		}
		return requests
	})
}
